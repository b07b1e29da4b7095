/**
 * What waits while the cloud is away. Pure, and bounded in every direction.
 *
 * Of a state subject (`relay.ts`) the latest value waits, since a browser shows the state and not its history. Of events the last 200
 * wait, with a count of those dropped; of `log` the browser gets one summary and the last few lines, since it makes a pop-up of each and
 * they are old news. Everything leaves in the order of its last update. Heartbeats and
 * system_info do not wait: they say something of the moment they are sent in.
 */
import type { OutgoingMessage } from './messages.js';
import { outgoing } from './messages.js';
import { isEvent } from './relay.js';

export const MAX_LOGS = 200;
/** Largest message that waits, bytes of UTF-8 JSON. */
export const MAX_ITEM_BYTES = 64 * 1024;
/** State subjects that wait at most; the one updated longest ago gives way. Those in use are some ten. */
export const MAX_STATES = 64;
/** `log` lines that are sent after an outage; those before them are told as a number. The front end shows each for 5 s. */
export const LAST_LOGS = 5;
/** All that waits together, bytes. */
export const MAX_OUTBOX_BYTES = 1024 * 1024;

export interface OutboxItem {
  /** Rises with each message of the components; the order of the wire. */
  readonly seq: number;
  readonly message: OutgoingMessage;
  readonly bytes: number;
  /** How often it was handed to the connection in vain. */
  readonly attempts: number;
}

export interface Outbox {
  /** The latest value of each state subject. */
  readonly states: ReadonlyMap<string, OutboxItem>;
  /** In order of `seq`. */
  readonly logs: readonly OutboxItem[];
  readonly droppedLogs: number;
  /** States and messages for one browser that could not wait; for the debug line. */
  readonly droppedOthers: number;
  readonly bytes: number;
}

export const EMPTY_OUTBOX: Outbox = { states: new Map(), logs: [], droppedLogs: 0, droppedOthers: 0, bytes: 0 };

export function outboxSize(outbox: Outbox): number {
  return outbox.states.size + outbox.logs.length;
}

/** True if there is nothing to send, not even the line that says how many were dropped. */
export function isEmpty(outbox: Outbox): boolean {
  return outboxSize(outbox) === 0 && outbox.droppedLogs === 0;
}

/**
 * Puts an item in, new or handed back. A newer value of the same state stays; an item too large to wait is dropped, and
 * so is one for a single browser, whose connection will hardly outlive the outage.
 */
export function store(outbox: Outbox, item: OutboxItem): Outbox {
  const isLog = isEvent(item.message.subject);
  if (mayWait(item)) return isLog ? storeLog(outbox, item) : storeState(outbox, item);
  return isLog && !isAddressed(item)
    ? { ...outbox, droppedLogs: outbox.droppedLogs + 1 }
    : { ...withoutOlder(outbox, item), droppedOthers: outbox.droppedOthers + 1 };
}

/** False for what is too large, or for a single browser. */
export function mayWait(item: OutboxItem): boolean {
  return !isAddressed(item) && item.bytes <= MAX_ITEM_BYTES;
}

function isAddressed({ message }: OutboxItem): boolean {
  return message.destination !== 'broadcast';
}

/**
 * Takes everything out, in order. Of the `log` lines the last {@link LAST_LOGS}; in front of them one that says how many there were and
 * that they are old, if any are missing.
 */
export function drain(outbox: Outbox): readonly OutboxItem[] {
  const lines = outbox.logs.filter(({ message }) => message.subject === 'log');
  const old = new Set(lines.slice(0, -LAST_LOGS));
  const items = [...outbox.states.values(), ...outbox.logs.filter((item) => !old.has(item))].sort(
    (a, b) => a.seq - b.seq,
  );
  const missing = outbox.droppedLogs + old.size;
  if (missing === 0) return items;
  const firstLog = items.findIndex(({ message }) => message.subject === 'log');
  const at = firstLog === -1 ? items.length : firstLog;
  const shown = lines.length - old.size;
  const plural = missing === 1 ? 'log message' : 'log messages';
  const follows = shown === 0 ? '' : `; the last ${shown} follow`;
  const text = `While the cloud was away: ${missing} older ${plural} not shown${follows}`;
  const message = outgoing('log', { message: text, level: 'warning' });
  // The seq of its neighbour: should it come back, it goes in front of that one again.
  const seq = (items[at] ?? items.at(-1))?.seq ?? 0;
  return items.toSpliced(at, 0, { seq, message, bytes: Buffer.byteLength(JSON.stringify(message)), attempts: 0 });
}

function storeState(outbox: Outbox, item: OutboxItem): Outbox {
  const { subject } = item.message;
  const waiting = outbox.states.get(subject);
  if (waiting !== undefined && waiting.seq > item.seq) return outbox;
  const states = new Map(outbox.states).set(subject, item);
  return trimmed({ ...outbox, states, bytes: outbox.bytes - (waiting?.bytes ?? 0) + item.bytes });
}

function storeLog(outbox: Outbox, item: OutboxItem): Outbox {
  const at = outbox.logs.findLastIndex(({ seq }) => seq < item.seq) + 1;
  return trimmed({ ...outbox, logs: outbox.logs.toSpliced(at, 0, item), bytes: outbox.bytes + item.bytes });
}

/** The oldest events make room, for one another and for the states; then the states that were updated longest ago. */
function trimmed(full: Outbox): Outbox {
  let outbox = withoutOldestLogs(full);
  while (outbox.states.size > 1 && (outbox.states.size > MAX_STATES || outbox.bytes > MAX_OUTBOX_BYTES)) {
    const oldest = [...outbox.states.entries()].reduce((a, b) => (a[1].seq < b[1].seq ? a : b));
    const states = new Map(outbox.states);
    states.delete(oldest[0]);
    outbox = { ...outbox, states, bytes: outbox.bytes - oldest[1].bytes, droppedOthers: outbox.droppedOthers + 1 };
  }
  return outbox;
}

function withoutOldestLogs(outbox: Outbox): Outbox {
  let { bytes } = outbox;
  let gone = 0;
  while (gone < outbox.logs.length && (outbox.logs.length - gone > MAX_LOGS || bytes > MAX_OUTBOX_BYTES)) {
    bytes -= outbox.logs[gone]?.bytes ?? 0;
    gone += 1;
  }
  return gone === 0
    ? outbox
    : { ...outbox, logs: outbox.logs.slice(gone), droppedLogs: outbox.droppedLogs + gone, bytes };
}

/** A state that does not wait still makes the older value of it wrong. */
export function withoutOlder(outbox: Outbox, item: OutboxItem): Outbox {
  const waiting = outbox.states.get(item.message.subject);
  if (isAddressed(item) || waiting === undefined || waiting.seq > item.seq) return outbox;
  const states = new Map(outbox.states);
  states.delete(item.message.subject);
  return { ...outbox, states, bytes: outbox.bytes - waiting.bytes };
}
