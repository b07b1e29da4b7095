/** What was sent and is not acknowledged yet: in order, bounded, each with its deadline; sent again, with the same ackId, after a recovery. */
import { performance } from 'node:perf_hooks';
import { JsonText, type Sendable } from '../../base/json.js';
import { describeError, redact } from './redact.js';

export interface SendResult {
  readonly outcome: 'sent' | 'failed';
  readonly message?: string;
}

/** What the outbox tells of the service's acknowledging. */
export interface AckWatch {
  onAcknowledged(): void;
  /** A send was given up by its deadline after `waitedMs` on the present socket. */
  onUnacknowledged(waitedMs: number): void;
}

export interface Transport {
  /** Sends once; resolves when acknowledged (a duplicate is), rejects when refused or when the socket dropped. */
  transmit(data: JsonText, ackId: number): Promise<unknown>;
  /** Nobody waits for this ackId any more. */
  forget(ackId: number): void;
}

/** The service's limit of one message. */
const MAX_MESSAGE_BYTES = 1_000_000;
const MAX_IN_FLIGHT = 1_000;
/** Keeps a stalled line from filling the memory of a small board. */
const MAX_IN_FLIGHT_BYTES = 16 * 1_048_576;

interface Pending {
  readonly data: JsonText;
  readonly bytes: number;
  readonly settle: (result: SendResult) => void;
  /** When it went out on the present socket. */
  sentAtMs: number | undefined;
}

export class Outbox {
  readonly #transport: Transport;
  readonly #watch: AckWatch;
  readonly #pending = new Map<number, Pending>();
  #lastAckId: number;
  #bytes = 0;
  /** Counts the sockets: what an earlier one reports is stale. Undefined: there is none now. */
  #socket: number | undefined;
  #sockets = 0;
  #closed: string | undefined;

  /** `lastAckId`: the highest one already used on this connection. */
  constructor(transport: Transport, lastAckId: number, watch: AckWatch) {
    this.#transport = transport;
    this.#watch = watch;
    this.#lastAckId = lastAckId;
  }

  send(data: Sendable, timeoutMs: number): Promise<SendResult> {
    if (this.#closed !== undefined) return Promise.resolve({ outcome: 'failed', message: this.#closed });
    const prepared = prepare(data);
    if (typeof prepared === 'string') return Promise.resolve({ outcome: 'failed', message: prepared });
    const bytes = Buffer.byteLength(prepared.text);
    if (bytes > MAX_MESSAGE_BYTES) {
      return Promise.resolve({ outcome: 'failed', message: `${bytes} bytes is more than the service takes (1 MB)` });
    }
    if (this.#pending.size >= MAX_IN_FLIGHT || this.#bytes + bytes > MAX_IN_FLIGHT_BYTES) {
      return Promise.resolve({
        outcome: 'failed',
        message: `${this.#pending.size} messages already await their acknowledgement`,
      });
    }
    const ackId = (this.#lastAckId += 1);
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => {
          const { sentAtMs } = pending;
          settle({ outcome: 'failed', message: `not acknowledged within ${timeoutMs / 1000} s` });
          this.#transport.forget(ackId);
          if (sentAtMs !== undefined) this.#watch.onUnacknowledged(performance.now() - sentAtMs);
        },
        Math.min(Math.max(0, timeoutMs), 2 ** 31 - 1),
      );
      const settle = (result: SendResult): void => {
        if (!this.#pending.delete(ackId)) return;
        clearTimeout(timer);
        this.#bytes -= bytes;
        resolve(result);
      };
      this.#bytes += bytes;
      const pending: Pending = { data: prepared, bytes, settle, sentAtMs: undefined };
      this.#pending.set(ackId, pending);
      if (this.#socket !== undefined) this.#transmit(ackId, pending, this.#socket);
    });
  }

  /** There is a socket (again): what is not acknowledged goes out, oldest first. */
  connected(): void {
    const socket = (this.#sockets += 1);
    this.#socket = socket;
    for (const [ackId, pending] of [...this.#pending]) this.#transmit(ackId, pending, socket);
  }

  /** The socket is gone; what is pending waits for the next, or for its deadline. */
  interrupted(): void {
    this.#socket = undefined;
    for (const pending of this.#pending.values()) pending.sentAtMs = undefined;
  }

  /** Fails the message that the service ended the connection over, so that it is not sent again; undefined: there is none. */
  dropCulprit(
    which: 'oldest' | 'largest',
    message: string,
  ): { readonly ackId: number; readonly bytes: number } | undefined {
    let culprit: { ackId: number; pending: Pending } | undefined;
    for (const [ackId, pending] of this.#pending) {
      if (!culprit || (which === 'largest' && pending.bytes > culprit.pending.bytes)) culprit = { ackId, pending };
    }
    if (!culprit) return undefined;
    culprit.pending.settle({ outcome: 'failed', message });
    return { ackId: culprit.ackId, bytes: culprit.pending.bytes };
  }

  /** Nothing will be sent any more: all that is pending has failed. */
  close(message: string): void {
    this.#closed = message;
    this.#socket = undefined;
    for (const { settle } of [...this.#pending.values()]) settle({ outcome: 'failed', message });
  }

  #transmit(ackId: number, pending: Pending, socket: number): void {
    pending.sentAtMs = performance.now();
    this.#transport.transmit(pending.data, ackId).then(
      () => {
        if (this.#pending.has(ackId)) this.#watch.onAcknowledged();
        pending.settle({ outcome: 'sent' });
      },
      (error: unknown) => {
        // A drop is no answer; the next socket sends it again. Only a refusal of the service itself counts at any time.
        const refusal = refusalOf(error);
        if (refusal !== undefined) {
          if (this.#pending.has(ackId)) this.#watch.onAcknowledged();
          pending.settle({ outcome: 'failed', message: refusal.message });
        } else if (this.#socket === socket) pending.settle({ outcome: 'failed', message: describeError(error) });
      },
    );
  }
}

/** The service's words, if the error is an acknowledgement that says no. */
export function refusalOf(error: unknown): { readonly name: string; readonly message: string } | undefined {
  const detail: unknown =
    typeof error === 'object' && error !== null && 'errorDetail' in error ? error.errorDetail : undefined;
  if (typeof detail !== 'object' || detail === null) return undefined;
  const { name, message } = detail as { name?: unknown; message?: unknown };
  const text = typeof message === 'string' ? message : '';
  return { name: String(name), message: redact(`the service refused it: ${String(name)} ${text}`) };
}

/** Its JSON, printed once so that a second sending is the same to the byte; or why it has none. */
function prepare(data: Sendable): JsonText | string {
  if (data instanceof JsonText) return data;
  try {
    const text = JSON.stringify(data) as string | undefined;
    return text === undefined ? 'it is not JSON' : new JsonText(text);
  } catch (error) {
    return `it is not JSON: ${describeError(error)}`;
  }
}
