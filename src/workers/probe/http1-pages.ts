/** GET requests over one socket by Node's own client, for a site that refuses HEAD: there may be a page behind the head of an answer. */
import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { codeOfAbort } from '../net/open-address.js';
import { clockAheadMs } from '../net/site-clock.js';
import { httpFailure, MAX_BODY_BYTES, type Answer, type Exchange } from './answer.js';
import { connectionCodeOf } from '../net/error-code.js';

/** Longer than any connection is kept. */
const NO_KEEPALIVE_PACKETS_MS = 4 * 3_600_000;

/** Hands its one socket to each request in turn, and heeds the site's `Keep-Alive` and `Connection: close`. */
class OneSocketAgent extends Agent {
  #socket: Socket | undefined;
  constructor(socket: Socket) {
    // An agent asks the kernel for keep-alive packets after a second of silence; on a metered line they would cost more than the checks.
    super({ keepAlive: true, maxSockets: 1, keepAliveMsecs: NO_KEEPALIVE_PACKETS_MS });
    this.#socket = socket;
  }
  override createConnection(): Socket {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) throw Object.assign(new Error('the connection is gone'), { code: 'ECONNRESET' });
    return socket;
  }
}

export class Http1Pages implements Pick<Exchange, 'usable' | 'close'> {
  readonly #socket: Socket;
  readonly #agent: OneSocketAgent;
  readonly #hostHeader: string;
  #busy = false;

  constructor(socket: Socket, hostHeader: string) {
    this.#socket = socket;
    this.#agent = new OneSocketAgent(socket);
    this.#hostHeader = hostHeader;
  }

  get usable(): boolean {
    return !this.#busy && !this.#socket.destroyed && this.#socket.writable && this.#socket.readable;
  }

  ask(signal: AbortSignal): Promise<Answer> {
    const startedAt = performance.now();
    this.#busy = true;
    return new Promise((resolve) => {
      let outgoing: ClientRequest | undefined;
      /** The headers have come, and what they say is worth; what is behind them may still fail. */
      let answer: Answer | undefined;
      let settled = false;
      const settle = (what: Answer, isWhole: boolean): void => {
        if (settled) return;
        settled = true;
        signal.removeEventListener('abort', onAbort);
        this.#busy = false;
        if (!isWhole) {
          outgoing?.destroy();
          this.close();
        }
        resolve(what);
      };
      const fail = (error: string, detail?: string): void => settle(answer ?? httpFailure(error, detail), false);
      const onAbort = (): void => fail(codeOfAbort(signal));
      if (signal.aborted) {
        onAbort();
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        outgoing = this.#begin();
        outgoing.on('error', (error) => fail(connectionCodeOf(error), httpWords(error)));
        outgoing.on('response', (response) => {
          const said = saidBy(response, startedAt);
          answer = said;
          response.on('error', () => fail('ECONNRESET'));
          let bytes = 0;
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > MAX_BODY_BYTES) settle(said, false);
          });
          response.on('end', () => settle(said, true));
        });
        outgoing.on('close', () => fail('ECONNRESET', 'closed without an answer'));
        outgoing.end();
      } catch (error) {
        fail(connectionCodeOf(error));
      }
    });
  }

  close(): void {
    this.#agent.destroy();
    this.#socket.destroy();
  }

  #begin(): ClientRequest {
    const headers = { host: this.#hostHeader, range: 'bytes=0-0' };
    const outgoing = request({ path: '/', agent: this.#agent, headers });
    // HTTP/1.1 keeps a connection open without being asked to; each byte is paid for some 370,000 times a month.
    outgoing.removeHeader('connection');
    return outgoing;
  }
}

function saidBy(response: IncomingMessage, startedAt: number): Extract<Answer, { ok: true }> {
  return {
    ok: true,
    status: response.statusCode ?? 0,
    ms: Math.round(performance.now() - startedAt),
    date: response.headers.date,
    clockAheadMs: clockAheadMs(response.headers, Date.now()),
  };
}

function httpWords(error: Error & { code?: unknown }): string | undefined {
  return typeof error.code === 'string' && error.code.startsWith('HPE_') ? 'the answer is not HTTP' : undefined;
}
