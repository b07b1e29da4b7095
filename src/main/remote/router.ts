/**
 * Which way a message goes. Pure: messages in, decisions out; `remote.ts` carries them out.
 *
 * Nothing that comes from the group is trusted: whoever has a browser session can write to it. A NATS subject is made of
 * plain tokens only, so no wildcard, blank or extra dot ever reaches the bus.
 */
import { asJsonObject, checkJson, isPlainObject } from './json-bounds.js';
import type { Component, JsonObject, OutgoingMessage } from './messages.js';
import { isComponent, outgoing } from './messages.js';
import { relayRule } from './relay.js';
import { updateRequest, type UpdateRequest } from './updates/request.js';
import type { Member } from '../base/json-scan.js';
import { JsonText, type Json } from '../base/json.js';

/** Largest message from the group by default, bytes of UTF-8 JSON: an upload of 900 kB passes, and NATS takes 1 MiB by default. */
export const MAX_GROUP_BYTES = 960 * 1024;
/** Nesting of a message from the group; the front end's messages have 3. */
export const MAX_GROUP_DEPTH = 32;
/** Largest message from the bus, bytes: the service takes 1 MB in a frame, and the frame has an envelope. */
export const MAX_BUS_BYTES = 960 * 1024;
/** Nesting of a message from the bus. */
export const MAX_BUS_DEPTH = 64;
/** Longest token of a NATS subject; the longest in use has 20. */
export const MAX_TOKEN_LENGTH = 64;
/** Longest connection id; those of the service have 50 or so. */
const MAX_CONNECTION_ID_LENGTH = 256;

const PLAIN_TOKEN = /^[A-Za-z0-9_-]+$/;
const CONNECTION_ID = /^[A-Za-z0-9_.-]+$/;
const VERSION = /^[A-Za-z0-9][A-Za-z0-9.+_-]{0,63}$/;

/** True if the text is one token of a NATS subject, and no wildcard. */
export function isPlainToken(text: string): boolean {
  return text.length <= MAX_TOKEN_LENGTH && PLAIN_TOKEN.test(text);
}

/** Why a message is not let through. */
export type Refusal =
  | 'not-an-object'
  | 'no-subject'
  | 'bad-subject'
  | 'bad-connection-id'
  | 'no-body'
  | 'not-utf8'
  | 'too-large'
  | 'too-deep'
  | 'not-json';

/** What to do with a message of the group. */
export type GroupDecision =
  /** Publish on `ROOT.recipient.subject`. `payload` is the message's own text but for its subject. */
  | {
      readonly kind: 'forward';
      readonly recipient: Component;
      readonly subject: string;
      readonly payload: JsonText;
      readonly body: Json | undefined;
      readonly connectionId?: string;
    }
  /** Somebody looks at this Pi: answer. */
  | { readonly kind: 'heartbeat' }
  | { readonly kind: 'system-info' }
  /** Can the clock be trusted? */
  | { readonly kind: 'clock' }
  /** Something of updates. */
  | { readonly kind: 'update'; readonly request: UpdateRequest; readonly asker: Asker }
  /** Well-formed, but nothing for us: a debug line. */
  | { readonly kind: 'ignore'; readonly reason: 'own' | 'no-recipient' }
  /** Well-formed, and we are the only ones who could have answered, but nothing we know: a debug line. */
  | { readonly kind: 'unknown'; readonly reason: 'unknown-recipient' | 'unknown-subject'; readonly asker: Asker }
  /** Malformed or hostile: not looked at further. */
  | { readonly kind: 'refuse'; readonly reason: Refusal; readonly asker: Asker };

/** Who sent a message of the group and what it calls itself, as far as it says so. */
export interface Asker {
  readonly connectionId?: string;
  readonly subject?: string;
}

/** True for a message a controller sent, ours or another Pi's: cheap, so that such messages cost nothing. */
export function isFromController(data: unknown): boolean {
  return isPlainObject(data) && data['source'] === 'controller';
}

/**
 * @param message parsed, and as the text that it came in
 * @param maxBytes the largest message let through, bytes of UTF-8 JSON
 */
export function routeFromGroup(
  { data, text }: { readonly data: unknown; readonly text: string },
  maxBytes = MAX_GROUP_BYTES,
): GroupDecision {
  if (!isPlainObject(data)) return { kind: 'refuse', reason: 'not-an-object', asker: {} };
  if (data['source'] === 'controller') return { kind: 'ignore', reason: 'own' };
  const { subject, connectionId, body } = asJsonObject(data);
  const from = isConnectionId(connectionId) ? { connectionId } : {};
  const asker = { ...from, ...(typeof subject === 'string' && { subject }) };
  const refuse = (reason: Refusal): GroupDecision => ({ kind: 'refuse', reason, asker });
  const checked = checkJson(text, { maxBytes, maxDepth: MAX_GROUP_DEPTH }, ['subject']);
  if (!checked.ok) return refuse(checked.reason);
  if (typeof subject !== 'string') return refuse('no-subject');
  // The front end sends null while it has none.
  if (connectionId !== undefined && connectionId !== null) {
    if (typeof connectionId !== 'string' || connectionId.length > MAX_CONNECTION_ID_LENGTH) {
      return refuse('bad-connection-id');
    }
  }
  const dot = subject.indexOf('.');
  if (dot === -1) return { kind: 'ignore', reason: 'no-recipient' };
  const recipient = subject.slice(0, dot);
  const rest = subject.slice(dot + 1);
  if (!isPlainToken(recipient) || !isPlainToken(rest)) return refuse('bad-subject');
  if (isComponent(recipient)) {
    const payload = withSubject(text, checked.members, rest);
    return { kind: 'forward', recipient, subject: rest, payload, body, ...from };
  }
  if (recipient !== 'controller' && recipient !== 'updater') {
    return { kind: 'unknown', reason: 'unknown-recipient', asker };
  }
  const request = updateRequest(rest, body);
  if (request !== undefined) return { kind: 'update', request, asker };
  if (recipient === 'updater') return { kind: 'unknown', reason: 'unknown-subject', asker };
  switch (rest) {
    case 'heartbeat':
      return { kind: 'heartbeat' };
    case 'system_info':
      return { kind: 'system-info' };
    case 'ntp_status':
      return { kind: 'clock' };
    default:
      return { kind: 'unknown', reason: 'unknown-subject', asker };
  }
}

/** The text with another subject; in all its places, since readers do not agree on which of two counts. */
function withSubject(text: string, members: readonly Member[], subject: string): JsonText {
  let at = 0;
  let changed = '';
  for (const { start, end } of members) {
    changed += text.slice(at, start) + JSON.stringify(subject);
    at = end;
  }
  return new JsonText(changed + text.slice(at));
}

/** What to do with a message of the bus. */
export type BusDecision =
  /** `from`: the component that says it is its own. */
  | { readonly kind: 'relay'; readonly message: OutgoingMessage; readonly bytes: number; readonly from?: Component }
  | { readonly kind: 'alive'; readonly component: Component; readonly version?: string }
  /** The scheduler asks whether the clock can be trusted. */
  | { readonly kind: 'clock'; readonly from?: Component }
  /** Somebody asks how the internet and the cloud connection are; whatever else it says. */
  | { readonly kind: 'status' }
  /** Said to us, and nothing we know; never relayed. */
  | { readonly kind: 'unknown'; readonly subject: string; readonly from?: Component }
  | { readonly kind: 'refuse'; readonly reason: Refusal };

/**
 * @param token the last token of the NATS subject, which says what the message is
 *
 * The group sees the message's own subject, as ever; the rule of `relay.ts` decides on both. Components name no
 * destination, so every browser sees what they send; one that does name a connection id gets it through.
 */
export function routeFromBus(token: string, data: Uint8Array): BusDecision {
  if (token === 'get_status') return { kind: 'status' };
  if (data.byteLength > MAX_BUS_BYTES) return { kind: 'refuse', reason: 'too-large' };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(data);
  } catch {
    return { kind: 'refuse', reason: 'not-utf8' };
  }
  const checked = checkJson(text, { maxBytes: MAX_BUS_BYTES, maxDepth: MAX_BUS_DEPTH }, ['body']);
  if (!checked.ok) return { kind: 'refuse', reason: checked.reason };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'refuse', reason: 'not-json' };
  }
  if (!isPlainObject(value)) return { kind: 'refuse', reason: 'not-an-object' };
  const { subject, source, destination } = asJsonObject(value);
  if (token === 'heartbeat' && isComponent(source)) {
    const version = versionIn(asJsonObject(value));
    return { kind: 'alive', component: source, ...(version === undefined ? {} : { version }) };
  }
  const from = isComponent(source) ? { from: source } : {};
  if (token === 'get_ntp_status') return { kind: 'clock', ...from };
  const rule = relayRule(token);
  if (rule === 'refused') return { kind: 'refuse', reason: 'bad-subject' };
  if (rule === 'ours') return { kind: 'unknown', subject: token, ...from };
  if (typeof subject !== 'string') return { kind: 'refuse', reason: 'no-subject' };
  // The group goes by the message's own subject, so the rule holds for that one too.
  const inner = relayRule(subject);
  if (inner === 'ours' || inner === 'refused') return { kind: 'refuse', reason: 'bad-subject' };
  // The last of a name is the one that JSON.parse takes, too.
  const body = checked.members.at(-1);
  if (body === undefined) return { kind: 'refuse', reason: 'no-body' };
  const said = new JsonText(text.slice(body.start, body.end));
  const message = outgoing(subject, said, isConnectionId(destination) ? destination : 'broadcast');
  return { kind: 'relay', message, bytes: checked.bytes, ...from };
}

function isConnectionId(value: Json | undefined): value is string {
  return typeof value === 'string' && value.length <= MAX_CONNECTION_ID_LENGTH && CONNECTION_ID.test(value);
}

/** The version a heartbeat carries: beside the body, or in it. `alive` alone carries none. */
function versionIn(message: JsonObject): string | undefined {
  const { version, body } = message;
  const inside = isPlainObject(body) ? asJsonObject(body) : {};
  return [version, inside['full_version'], inside['version']].find(
    (candidate): candidate is string => typeof candidate === 'string' && VERSION.test(candidate),
  );
}
