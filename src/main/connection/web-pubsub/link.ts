/**
 * One WebSocket: opens within a deadline, notices when it is half-open, and ends once, for one named reason. It knows nothing of the gate,
 * of retries and of what is in a frame.
 */
import type { IncomingMessage } from 'node:http';
import type { LookupFunction, Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import WebSocket, { type ClientOptions, type RawData } from 'ws';
import type { Opened } from '../../../workers/net/connect.js';
import { refusalOf } from '../../../workers/net/refusal.js';
import type { ProxySettings } from '../../../workers/protocol.js';
import { retryAfterMs } from '../../base/retry-after.js';
import type { LinkEnd } from './endings.js';
import { Doubt } from './doubt.js';
import { describeError, redact } from './redact.js';
import { expectedRoundTripMs, pingAfterMs, type SilencePolicy } from './silence.js';
import { createConnection } from './socket.js';

export interface LinkOptions {
  readonly subprotocol: string;
  readonly lookup?: LookupFunction;
  readonly proxy?: ProxySettings;
  readonly ca?: string;
  /** From the look-up of the name to the end of the WebSocket handshake. */
  readonly handshakeTimeoutMs: number;
  /** From there to {@link Link.greeted}. */
  readonly greetingTimeoutMs: number;
  /** Asked at each tick, as it may change while the link lives; the same object as long as it does not. */
  readonly silence: () => SilencePolicy;
  /**
   * A ping is due, and the next one would be in `nextMs`. True: the service has been asked for something now, so its answer does as well; the ping follows a
   * moment later if that does not come. Default: it has not.
   */
  readonly hasAsked?: (nextMs: number) => boolean;
}

export interface LinkHandlers {
  /** The handshake is done: {@link Link.send} works. */
  onOpen(): void;
  onText(text: string): void;
  onBinary(): void;
  /** Called once, never after {@link Link.terminate}. */
  onEnd(end: LinkEnd): void;
}

/** The service's limit of a message is 1 MB; the rest is room for its envelope. */
const MAX_PAYLOAD_BYTES = 1_048_576 + 65_536;
/** How long a peer that said it closes may take to do it. */
const CLOSE_TIMEOUT_MS = 2_000;
/** How long it may take to take leave of us when we close. */
const FAREWELL_MS = 500;
/** RFC 6455, 7.4.1: the purpose is fulfilled; the service then keeps no session for us. */
const NORMAL_CLOSURE = 1000;

export class Link {
  /** Resolves when the socket is really closed. */
  readonly closed: Promise<void>;
  readonly #options: LinkOptions;
  readonly #handlers: LinkHandlers;
  readonly #ws: WebSocket;
  /** Aborted at the end: closes every socket that is still under way. */
  readonly #opening = new AbortController();
  #ended = false;
  #deadline: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #socket: Socket | undefined;
  readonly #doubt: Doubt;
  #pingedAt: number | undefined;
  #roundTripMs: number | undefined;
  #opened: Opened | undefined;
  #endWatch: () => void = () => undefined;

  /** Throws if `url` is none; `onEnd` is not called then. */
  constructor(url: string, options: LinkOptions, handlers: LinkHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    const wsOptions: Omit<ClientOptions, 'createConnection'> & { closeTimeout: number } = {
      maxPayload: MAX_PAYLOAD_BYTES,
      perMessageDeflate: false,
      followRedirects: false,
      closeTimeout: CLOSE_TIMEOUT_MS,
      ...(options.lookup && {
        createConnection: createConnection(url, {
          ...options,
          lookup: options.lookup,
          signal: this.#opening.signal,
          onOpened: (opened) => {
            this.#opened = opened;
            this.#endWatch = opened.watch((family) => this.#end({ kind: 'swallowed', family }));
          },
        }),
      }),
      ...(options.ca && { ca: options.ca }),
    };
    const ws = new WebSocket(url, options.subprotocol, wsOptions);
    this.#ws = ws;
    this.#doubt = new Doubt({
      ping: (mark) => ws.ping(mark),
      unanswered: (afterMs) => this.#end({ kind: 'left-behind', afterMs }),
    });
    ws.on('pong', (mark) => this.#onPong(mark.toString()));
    // ws has a handshakeTimeout of its own, but that is one of silence: a peer that sends a byte now and then holds it off for ever.
    this.#expect('handshake', options.handshakeTimeoutMs);
    this.closed = new Promise((resolve) => {
      ws.once('close', () => resolve());
    });
    ws.on('upgrade', (response) => {
      this.#endWatch();
      this.#socket = response.socket;
    });
    ws.on('open', () => this.#onOpen());
    ws.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    ws.on('unexpected-response', (request, response) => {
      this.#end({ kind: 'http', status: response.statusCode ?? 0, ...retryAfter(response) });
      request.destroy();
    });
    ws.on('error', (error: Error & { code?: string }) => {
      const message = describeError(error);
      const refusal = refusalOf(error);
      if (error.code?.startsWith('WS_ERR_')) this.#end({ kind: 'violation', message });
      else this.#end({ kind: 'failed', message, ...(refusal !== undefined && { refusal }) });
    });
    ws.on('close', (code, reason) => {
      this.#end({ kind: 'closed', code, reason: redact(reason.toString()) });
    });
  }

  /** Only after it opened; what cannot be sent is lost, and the end of the link follows. */
  send(text: string): void {
    if (this.#ended || this.#ws.readyState !== WebSocket.OPEN) return;
    this.#ws.send(text, () => {
      // An error here is the link's, and its end is reported on its own.
    });
  }

  /** The peer has proved to be the service: the deadline for that is off, the watch for a half-open link begins. */
  greeted(): void {
    if (this.#ended || this.#watch) return;
    clearTimeout(this.#deadline);
    this.#watchSilence();
  }

  /** Ends it unless it answers a ping within the time. */
  doubt(withinMs: number): void {
    if (!this.#ended && this.#ws.readyState === WebSocket.OPEN) this.#doubt.ask(withinMs);
  }

  /** Bytes of the socket read so far. */
  get bytesRead(): number {
    return this.#socket?.bytesRead ?? 0;
  }

  /** Ends it with a close frame, and half a second later in any case; the handlers hear no more of it. */
  farewell(): void {
    if (this.#ws.readyState !== WebSocket.OPEN) {
      this.terminate();
      return;
    }
    this.#finish();
    this.#ws.close(NORMAL_CLOSURE);
    const timer = setTimeout(() => this.#ws.terminate(), FAREWELL_MS);
    void this.closed.then(() => clearTimeout(timer));
  }

  /** Ends it at once and for good, without a word to the handlers. */
  terminate(): void {
    this.#finish();
    this.#ws.terminate();
  }

  #expect(stage: 'handshake' | 'greeting', afterMs: number): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#end({ kind: 'timeout', stage, afterMs }), afterMs);
  }

  #onOpen(): void {
    if (this.#ended) return;
    this.#expect('greeting', this.#options.greetingTimeoutMs);
    this.#handlers.onOpen();
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.#ended) return;
    if (isBinary || !Buffer.isBuffer(data)) this.#handlers.onBinary();
    else this.#handlers.onText(data.toString());
  }

  #onPong(mark: string): void {
    this.#doubt.answered(mark);
    if (mark !== '' || this.#pingedAt === undefined) return;
    this.#roundTripMs = expectedRoundTripMs(this.#roundTripMs, performance.now() - this.#pingedAt);
    this.#pingedAt = undefined;
  }

  #ping(): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    this.#pingedAt = performance.now();
    this.#ws.ping();
  }

  /**
   * Silence is counted in bytes of the socket, so that a long message over a slow line is no silence; and in ticks of our own timer, so that a process
   * that was stopped for a while does not take its own sleep for the peer's.
   */
  #watchSilence(): void {
    const { silence, hasAsked = () => false } = this.#options;
    let policy = silence();
    const soonestMs = Math.min(policy.idlePingMs, policy.halfOpenTimeoutMs);
    const tickMs = Math.max(10, Math.min(1_000, Math.floor(soonestMs / 10)));
    let bytes = this.#socket?.bytesRead ?? 0;
    let silentMs = 0;
    let asked = false;
    let pinged = false;
    let lastTick = performance.now();
    this.#watch = setInterval(() => {
      const now = performance.now();
      const passedMs = Math.min(now - lastTick, 2 * tickMs);
      lastTick = now;
      const read = this.#socket?.bytesRead ?? 0;
      const before = policy;
      policy = silence();
      // Nobody has been asked for longer than the other policy allows.
      if (read !== bytes || policy !== before) {
        bytes = read;
        silentMs = 0;
        asked = pinged = false;
        return;
      }
      silentMs += passedMs;
      const { halfOpenTimeoutMs } = policy;
      const dueMs = pingAfterMs(policy, this.#roundTripMs);
      if (silentMs >= halfOpenTimeoutMs) {
        this.#end({ kind: 'half-open', afterMs: halfOpenTimeoutMs });
      } else if (!pinged && silentMs >= dueMs) {
        pinged = asked || !hasAsked(dueMs + tickMs);
        asked = true;
        if (pinged) this.#ping();
      }
    }, tickMs);
  }

  #end(end: LinkEnd): void {
    if (this.#ended) return;
    if (end.kind === 'timeout' && end.stage === 'handshake') this.#opened?.stalled();
    this.#finish();
    // A peer's close frame is still to be answered, and ws does; everything else ends here and now.
    if (end.kind !== 'closed') this.#ws.terminate();
    this.#handlers.onEnd(end);
  }

  #finish(): void {
    this.#ended = true;
    this.#opening.abort();
    this.#endWatch();
    this.#doubt.end();
    clearTimeout(this.#deadline);
    clearInterval(this.#watch);
  }
}

function retryAfter(response: IncomingMessage): { retryAfterMs?: number } {
  const ms = retryAfterMs(response.headers, undefined);
  return ms === undefined ? {} : { retryAfterMs: ms };
}
