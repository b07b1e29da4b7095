/**
 * Reads one frame of the service. Pure. Every frame is untrusted: what comes out is built anew from fields that were looked at,
 * so an unknown field, a wrong type or a name such as `__proto__` never travels further.
 */
import type { WebPubSubMessage } from '@azure/web-pubsub-client';
import { JsonText } from '../../base/json.js';
import { scanJson } from '../../base/json-scan.js';
import type { Delivery, GroupMessage } from '../session.js';

export type ParsedFrame =
  | { readonly kind: 'message'; readonly message: WebPubSubMessage }
  /** Well formed, but nothing this client has a use for: the protocol may grow. */
  | { readonly kind: 'ignored'; readonly sequenceId?: number }
  | { readonly kind: 'bad'; readonly reason: string; readonly sequenceId?: number };

/** Names and ids: the service's own are well under 200 characters. */
const MAX_NAME_CHARS = 1_024;
/** A reconnection token is a JWT of some 400 characters. */
const MAX_TOKEN_CHARS = 16_384;
const MAX_TEXT_CHARS = 1_000;
/** Deeper JSON makes `JSON.stringify` overflow the stack of whoever passes it on. */
const MAX_DEPTH = 200;

class BadFrame extends Error {}

/** The payload of a message of type json: as it was sent, and parsed. */
export class ReceivedJson extends JsonText {
  constructor(
    text: string,
    readonly value: unknown,
  ) {
    super(text);
  }
}

export function parseFrame(text: string): ParsedFrame {
  let frame: Fields;
  let payload: string | undefined;
  try {
    ({ frame, payload } = parseJson(text));
  } catch (error) {
    if (error instanceof BadFrame) return { kind: 'bad', reason: error.message };
    // JSON.parse quotes the frame in its message, which may be anything: only its kind is passed on.
    return { kind: 'bad', reason: 'not JSON' };
  }
  try {
    const message = readMessage(frame, payload);
    return message === undefined ? { kind: 'ignored', ...numberOf(frame) } : { kind: 'message', message };
  } catch (error) {
    return { kind: 'bad', reason: error instanceof BadFrame ? error.message : 'not readable', ...numberOf(frame) };
  }
}

/** The number of a frame that is of no use: it is to be acknowledged, or it would be sent again with every recovery. */
function numberOf(frame: Fields): { sequenceId?: number } {
  const { sequenceId } = frame;
  return Number.isSafeInteger(sequenceId) && (sequenceId as number) >= 1 ? { sequenceId: sequenceId as number } : {};
}

function readMessage(frame: Fields, payload: string | undefined): WebPubSubMessage | undefined {
  switch (frame['type']) {
    case 'ack':
      return readAck(frame);
    case 'message':
      return readData(frame, payload);
    case 'pong':
      return { kind: 'pong' };
    case 'system':
      return readSystem(frame);
    default:
      requireString(frame, 'type', MAX_NAME_CHARS);
      return undefined;
  }
}

function readAck(frame: Fields): WebPubSubMessage {
  const ackId = requireInteger(frame, 'ackId', 0);
  const success = frame['success'];
  if (typeof success !== 'boolean') throw new BadFrame('success is not a boolean');
  const ack = { kind: 'ack', ackId, success } as const;
  const error = frame['error'];
  if (error === undefined || error === null) {
    // The client reads an error of every refusal.
    return success ? ack : { ...ack, error: { name: 'Unknown', message: '' } };
  }
  if (!isFields(error)) throw new BadFrame('error is not an object');
  const name = requireString(error, 'name', MAX_NAME_CHARS);
  const message = optionalString(error, 'message', Number.MAX_SAFE_INTEGER) ?? '';
  return { ...ack, error: { name, message: message.slice(0, MAX_TEXT_CHARS) } };
}

function readSystem(frame: Fields): WebPubSubMessage | undefined {
  switch (requireString(frame, 'event', MAX_NAME_CHARS)) {
    case 'connected':
      return {
        kind: 'connected',
        connectionId: requireString(frame, 'connectionId', MAX_NAME_CHARS),
        userId: optionalString(frame, 'userId', MAX_NAME_CHARS) ?? '',
        // Empty where there is none: the client then attempts no recovery.
        reconnectionToken: optionalString(frame, 'reconnectionToken', MAX_TOKEN_CHARS) ?? '',
      };
    case 'disconnected':
      return {
        kind: 'disconnected',
        message: (optionalString(frame, 'message', Number.MAX_SAFE_INTEGER) ?? '').slice(0, MAX_TEXT_CHARS),
      };
    default:
      return undefined;
  }
}

function readData(frame: Fields, text: string | undefined): WebPubSubMessage | undefined {
  const from = requireString(frame, 'from', MAX_NAME_CHARS);
  if (from !== 'group' && from !== 'server') return undefined;
  // Null is said of messages whose sender is on the plain subprotocol.
  const sequenceId =
    (frame['sequenceId'] ?? null) === null ? {} : { sequenceId: requireInteger(frame, 'sequenceId', 1) };
  const payload = { ...readPayload(frame, text), ...sequenceId };
  if (from === 'server') return { kind: 'serverData', ...payload };
  return {
    kind: 'groupData',
    group: requireString(frame, 'group', MAX_NAME_CHARS),
    fromUserId: optionalString(frame, 'fromUserId', MAX_NAME_CHARS) ?? '',
    ...payload,
  };
}

type Content = DistributiveOmit<GroupMessage, keyof Delivery>;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

type Payload = Pick<Extract<WebPubSubMessage, { kind: 'serverData' }>, 'dataType' | 'data'>;

function readPayload(frame: Fields, text: string | undefined): Payload {
  const { dataType, data } = frame;
  switch (dataType) {
    case 'json':
      if (data === undefined || text === undefined) throw new BadFrame('no data');
      // To the client it is an object like any other.
      return { dataType, data: new ReceivedJson(text, data) };
    case 'text':
      if (typeof data !== 'string') throw new BadFrame('data of type text is not a string');
      return { dataType, data };
    case 'binary':
    case 'protobuf': {
      if (typeof data !== 'string') throw new BadFrame('data of type binary is not base64');
      const bytes = Buffer.from(data, 'base64');
      return { dataType, data: Uint8Array.from(bytes).buffer };
    }
    default:
      throw new BadFrame('unknown dataType');
  }
}

/** What a message of the group holds, as it is handed on. */
export function contentOf({ dataType, data }: Payload): Content {
  // The client's types know nothing of what it carries through.
  const content: unknown = data;
  if (content instanceof ReceivedJson) return { dataType: 'json', data: content.value, text: content.text };
  return { dataType: dataType === 'text' ? 'text' : 'binary', data };
}

interface Fields {
  readonly [name: string]: unknown;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string): { readonly frame: Fields; readonly payload: string | undefined } {
  const { depth, members } = scanJson(text, ['data'], MAX_DEPTH);
  if (depth > MAX_DEPTH) throw new BadFrame('nested too deeply');
  // A key __proto__ does no harm here, but would in the hands of somebody who merges objects.
  const suspicious = /__proto__|\\u005f/i.test(text);
  const value: unknown = JSON.parse(
    text,
    suspicious ? (key, inner: unknown) => (key === '__proto__' ? undefined : inner) : undefined,
  );
  if (!isFields(value)) throw new BadFrame('not an object');
  // The last of a name is the one that JSON.parse takes, too.
  const data = members.at(-1);
  return { frame: value, payload: data && text.slice(data.start, data.end) };
}

function requireString(fields: Fields, name: string, maxChars: number): string {
  const value = optionalString(fields, name, maxChars);
  if (value === undefined || value === '') throw new BadFrame(`no ${name}`);
  return value;
}

function optionalString(fields: Fields, name: string, maxChars: number): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw new BadFrame(`${name} is not a string`);
  if (value.length > maxChars) throw new BadFrame(`${name} is too long`);
  return value;
}

function requireInteger(fields: Fields, name: string, least: number): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
    throw new BadFrame(`${name} is not an integer of at least ${least}`);
  }
  return value;
}
