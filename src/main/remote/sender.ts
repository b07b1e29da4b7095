/**
 * What goes to the group: one line of messages, in order, with a window of unacknowledged sends and a bounded queue in
 * front of it. What the queue cannot take, and everything while the cloud is away, follows the rule of the outbox.
 */
import type { Sendable } from '../base/json.js';
import type { SendOutcome } from '../connection/session.js';
import type { Logger } from '../log.js';
import type { Clock } from '../base/clock.js';
import { Fifo } from './fifo.js';
import { jsonBytes } from './json-bounds.js';
import { onTheWire, type OutgoingMessage } from './messages.js';
import type { Outbox, OutboxItem } from './outbox.js';
import { EMPTY_OUTBOX, drain, isEmpty, mayWait, outboxSize, store, withoutOlder } from './outbox.js';
import { isEvent } from './relay.js';
import { RepeatedWarning } from './repeated-warning.js';

/** Hands one message to the connection; resolves within `timeoutMs`. */
export type SendToGroup = (
  data: Sendable,
  options: { readonly timeoutMs: number },
) => Promise<{ readonly outcome: SendOutcome; readonly message?: string }>;

export type SenderPhase =
  /** Nothing leaves; what is relayed waits in the outbox. */
  | 'away'
  /** A short drop: the session may go on, so what is relayed waits in the queue, all of it. */
  | 'holding'
  /** Joined afresh: what is said now leaves at once, what is relayed still waits. */
  | 'greeting'
  /** Everything leaves. */
  | 'open';

export interface SenderLimits {
  /** Sends that wait for their acknowledgement at the same time. Default 128: 1,000 messages a second at 100 ms. */
  readonly window: number;
  /** Bytes of JSON relayed and not acknowledged; the message that reaches it is the last that is sent. Default 2 MiB. */
  readonly windowBytes: number;
  /** Messages in the queue. Default 16,384. */
  readonly maxQueued: number;
  /** Bytes of JSON in the queue. Default 4 MiB; a text with a character beyond Latin-1 takes twice as much of the heap. */
  readonly maxQueuedBytes: number;
  /** Deadline of one send while the connection lives, milliseconds. Default 10,000. */
  readonly sendTimeoutMs: number;
  /**
   * What is relayed has this much longer, milliseconds. Default 60,000, as long as a session can be recovered: only while the session
   * waits for its acknowledgement is it sent again under the same ackId, and so not doubled. If the session is lost it fails at once.
   */
  readonly recoveryMs: number;
  /** Pause after a send that failed, milliseconds. Default 1,000. */
  readonly retryMs: number;
  /** A message that failed so often is dropped: it may be what the service dislikes. Default 3. */
  readonly maxAttempts: number;
}

export const DEFAULT_SENDER_LIMITS: SenderLimits = {
  window: 128,
  windowBytes: 2 * 1024 * 1024,
  maxQueued: 16_384,
  maxQueuedBytes: 4 * 1024 * 1024,
  sendTimeoutMs: 10_000,
  recoveryMs: 60_000,
  retryMs: 1_000,
  maxAttempts: 3,
};

/** Heartbeats and system_info: a few at most; the oldest gives way. */
const MAX_SAID = 32;

/** State subjects whose newest message is known; those in use are some ten. */
const MAX_NEWEST = 256;

export class Sender {
  #phase: SenderPhase = 'away';
  #outbox: Outbox = EMPTY_OUTBOX;
  readonly #queue = new Fifo<OutboxItem>();
  #queuedBytes = 0;
  readonly #said = new Fifo<OutgoingMessage>();
  #inFlight = 0;
  #inFlightBytes = 0;
  #seq = 0;
  /** The newest message of each state subject: an older one that comes back is not sent again. */
  readonly #newest = new Map<string, number>();
  /** What is older than this and comes back unsent is not wanted any more. */
  #clearedSeq = 0;
  #cancelRetry: (() => void) | undefined;
  #stopped = false;
  readonly #failures: RepeatedWarning;

  constructor(
    private readonly send: SendToGroup,
    private readonly log: Logger,
    private readonly clock: Clock,
    private readonly limits: SenderLimits = DEFAULT_SENDER_LIMITS,
    /** What was said did not reach the group, as far as we know. */
    private readonly onUnsaid: (message: OutgoingMessage) => void = () => undefined,
  ) {
    this.#failures = new RepeatedWarning(log, clock);
  }

  get phase(): SenderPhase {
    return this.#phase;
  }

  /** What waits at the moment, for the status line and tests. */
  get waiting(): {
    readonly queued: number;
    readonly inFlight: number;
    readonly outbox: number;
    readonly bytes: number;
  } {
    return {
      queued: this.#queue.length,
      inFlight: this.#inFlight,
      outbox: outboxSize(this.#outbox),
      bytes: this.#queuedBytes + this.#outbox.bytes,
    };
  }

  /** `first` may say what is to leave before everything that waits. */
  enter(phase: SenderPhase, first?: () => void): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#stopRetrying();
    if (phase === 'away' || phase === 'greeting') {
      for (const item of this.#queue.takeAll()) this.#outbox = store(this.#outbox, item);
      this.#queuedBytes = 0;
    }
    if (phase === 'away' || phase === 'holding') for (const message of this.#said.takeAll()) this.onUnsaid(message);
    first?.();
    this.#pump();
  }

  /** Says something of this moment, ahead of what is relayed. False: not connected, and then it is worth nothing; `onUnsaid` hears of it. */
  say(message: OutgoingMessage): boolean {
    if (this.#phase === 'away' || this.#phase === 'holding') {
      if (!this.#stopped) this.onUnsaid(message);
      return false;
    }
    if (this.#said.length >= MAX_SAID) {
      const oldest = this.#said.shift();
      if (oldest !== undefined) this.onUnsaid(oldest);
    }
    this.#said.push(message);
    this.#pump();
    return true;
  }

  /** Takes over a component's message; sooner or later it is sent, replaced by a newer value, or dropped by a bound. */
  relay(message: OutgoingMessage, bytes = jsonBytes(message)): void {
    this.#seq += 1;
    if (!isEvent(message.subject)) this.#isNewest(message);
    const item: OutboxItem = { seq: this.#seq, message, bytes, attempts: 0 };
    if (this.#mayQueue(item)) this.#enqueue(item);
    else this.#keep(item);
    this.#pump();
  }

  /** Forgets everything that waits: nothing of it is wanted any more. */
  clear(): void {
    this.enter('away');
    this.#outbox = EMPTY_OUTBOX;
    this.#clearedSeq = this.#seq;
  }

  /** Nothing is sent from now on; what is in flight is left to the connection. */
  stop(): void {
    this.clear();
    this.#stopped = true;
  }

  #isNewest(message: OutgoingMessage): void {
    const key = newestKey(message);
    // Last in the map is the newest; the subject heard of longest ago gives way.
    this.#newest.delete(key);
    this.#newest.set(key, this.#seq);
    const [oldest] = this.#newest.keys();
    if (this.#newest.size > MAX_NEWEST && oldest !== undefined) this.#newest.delete(oldest);
  }

  #mayQueue(item: OutboxItem): boolean {
    const { maxQueued, maxQueuedBytes } = this.limits;
    if (this.#queue.length >= maxQueued || this.#queuedBytes + item.bytes > maxQueuedBytes) return false;
    // Somebody is there already and may have asked for it: what is too large to wait for long, or for one browser, waits these seconds.
    if (this.#phase === 'greeting') return !mayWait(item);
    return (this.#phase === 'open' || this.#phase === 'holding') && isEmpty(this.#outbox);
  }

  #enqueue(item: OutboxItem): void {
    // What waits is sent after what is queued.
    if (!isEvent(item.message.subject)) this.#outbox = withoutOlder(this.#outbox, item);
    this.#queue.push(item);
    this.#queuedBytes += item.bytes;
  }

  #keep(item: OutboxItem): void {
    this.#outbox = store(this.#outbox, item);
    if (!holds(this.#outbox, item)) {
      this.log.debug(
        { subject: item.message.subject, bytes: item.bytes },
        'Not kept while the cloud is away: too large, for one browser only, or older than what waits.',
      );
      return;
    }
    this.log.debug(
      {
        subject: item.message.subject,
        waiting: outboxSize(this.#outbox),
        bytes: this.#outbox.bytes,
        droppedLogs: this.#outbox.droppedLogs,
        droppedOthers: this.#outbox.droppedOthers,
      },
      'Kept for later: the cloud is away or slower than the bus.',
    );
  }

  #pump(): void {
    while (this.#inFlight < this.limits.window && (this.#phase === 'greeting' || this.#phase === 'open')) {
      const said = this.#said.shift();
      if (said !== undefined) {
        this.#start(said, undefined);
        continue;
      }
      if (this.#phase !== 'open' || this.#cancelRetry !== undefined) return;
      if (this.#inFlightBytes >= this.limits.windowBytes) return;
      const item = this.#next();
      if (item === undefined) return;
      this.#start(item.message, item);
    }
  }

  #next(): OutboxItem | undefined {
    if (this.#queue.length === 0 && !isEmpty(this.#outbox)) {
      const items = drain(this.#outbox);
      this.log.debug(
        { messages: items.length, droppedLogs: this.#outbox.droppedLogs, droppedOthers: this.#outbox.droppedOthers },
        'Sending what waited.',
      );
      this.#outbox = EMPTY_OUTBOX;
      for (const item of items) this.#enqueue(item);
    }
    const item = this.#queue.shift();
    if (item !== undefined) this.#queuedBytes -= item.bytes;
    return item;
  }

  #start(message: OutgoingMessage, item: OutboxItem | undefined): void {
    this.#inFlight += 1;
    this.#inFlightBytes += item?.bytes ?? 0;
    const { sendTimeoutMs, recoveryMs } = this.limits;
    // What is said of this moment is worth nothing after a recovery.
    const timeoutMs = item === undefined ? sendTimeoutMs : sendTimeoutMs + recoveryMs;
    this.send(onTheWire(message), { timeoutMs }).then(
      ({ outcome, message: why }) => this.#settled(message, item, outcome, why),
      (error: unknown) =>
        this.#settled(message, item, 'failed', error instanceof Error ? error.message : String(error)),
    );
  }

  #settled(
    message: OutgoingMessage,
    item: OutboxItem | undefined,
    outcome: SendOutcome,
    why: string | undefined,
  ): void {
    this.#inFlight -= 1;
    this.#inFlightBytes -= item?.bytes ?? 0;
    if (this.#stopped) return;
    if (outcome === 'sent') {
      const { subject, destination } = message;
      this.log.debug({ subject, destination }, item === undefined ? 'Said to the group.' : 'Relayed to the group.');
    } else this.#unsent(message, item, outcome, why);
    this.#pump();
  }

  #unsent(message: OutgoingMessage, item: OutboxItem | undefined, outcome: SendOutcome, why: string | undefined): void {
    const fields = { subject: message.subject, outcome, ...(why === undefined ? {} : { why }) };
    if (item === undefined || item.seq <= this.#clearedSeq) {
      this.log.debug(fields, 'Not sent, and of no use later.');
      if (item === undefined) this.onUnsaid(message);
      return;
    }
    const newest = this.#newest.get(newestKey(message));
    if (!isEvent(message.subject) && newest !== undefined && newest > item.seq) {
      this.log.debug(fields, 'Not sent; a newer value has taken its place.');
      return;
    }
    // Only what was handed over counts as a try.
    const attempts = item.attempts + (outcome === 'failed' ? 1 : 0);
    if (attempts >= this.limits.maxAttempts) {
      this.#failures.warn(
        { ...fields, attempts },
        'The cloud did not take a message, however often it was tried; it is dropped.',
      );
      return;
    }
    const again = { ...item, attempts };
    if (this.#phase === 'open' || this.#phase === 'holding') {
      this.#queue.insert(again, (other) => other.seq > again.seq);
      this.#queuedBytes += again.bytes;
      if (this.#phase === 'open') this.#retryLater();
    } else {
      this.#keep(again);
    }
  }

  #retryLater(): void {
    this.#cancelRetry ??= this.clock.setTimer(() => {
      this.#cancelRetry = undefined;
      this.#pump();
    }, this.limits.retryMs);
  }

  #stopRetrying(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
  }
}

function holds(outbox: Outbox, item: OutboxItem): boolean {
  return outbox.states.get(item.message.subject) === item || outbox.logs.includes(item);
}

/** What a newer value replaces: the same subject, for the same readers. */
function newestKey({ subject, destination }: OutgoingMessage): string {
  return destination === 'broadcast' ? subject : `${subject} to one`;
}
