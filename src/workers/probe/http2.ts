/** HTTP/2 over one socket, for a site that speaks nothing else: a stream a request, for as long as the site keeps the connection. */
import type { ClientHttp2Session, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import type { Socket } from 'node:net';
import { codeOfAbort } from '../net/open-address.js';
import { clockAheadMs } from '../net/site-clock.js';
import { codeOf, httpFailure, MAX_BODY_BYTES, type Answer, type Exchange } from './answer.js';
import type { Manner } from './manner.js';

type ResponseHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader;

export class Http2 implements Exchange {
  readonly #socket: Socket;
  readonly #hostHeader: string;
  #session: ClientHttp2Session | undefined;
  #busy = false;

  constructor(socket: Socket, hostHeader: string) {
    this.#socket = socket;
    this.#hostHeader = hostHeader;
  }

  get usable(): boolean {
    const session = this.#session;
    return !this.#busy && !this.#socket.destroyed && session?.closed === false && !session.destroyed;
  }

  async ask(method: Manner['method'], signal: AbortSignal): Promise<Answer> {
    const startedAt = performance.now();
    this.#busy = true;
    try {
      const session = (this.#session ??= await this.#open());
      const answer = await this.#request(session, method, startedAt, signal);
      if (!answer.ok) this.close();
      return answer;
    } catch (error) {
      this.close();
      return httpFailure(codeOf(error));
    } finally {
      this.#busy = false;
    }
  }

  close(): void {
    this.#session?.destroy();
    this.#socket.destroy();
  }

  /** Loaded only where it is needed: hardly any site speaks nothing but HTTP/2. */
  async #open(): Promise<ClientHttp2Session> {
    const { connect } = await import('node:http2');
    const session = connect(`https://${this.#hostHeader}`, {
      createConnection: () => this.#socket,
      settings: { enablePush: false },
    });
    // The end of a request tells what matters.
    session.on('error', () => undefined);
    return session;
  }

  #request(
    session: ClientHttp2Session,
    method: Manner['method'],
    startedAt: number,
    signal: AbortSignal,
  ): Promise<Answer> {
    return new Promise((resolve) => {
      const stream = session.request({ ':method': method, ':path': '/' });
      let answer: Answer | undefined;
      const settle = (what: Answer): void => {
        signal.removeEventListener('abort', onAbort);
        if (!stream.closed) stream.close();
        resolve(what);
      };
      const onAbort = (): void => settle(answer ?? httpFailure(codeOfAbort(signal)));
      if (signal.aborted) {
        onAbort();
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      stream.on('response', (headers: ResponseHeaders) => {
        answer = {
          ok: true,
          status: headers[':status'] ?? 0,
          ms: Math.round(performance.now() - startedAt),
          date: headers.date,
          clockAheadMs: clockAheadMs(headers, Date.now()),
        };
        if (method === 'HEAD') settle(answer);
      });
      let bytes = 0;
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BODY_BYTES && answer !== undefined) settle(answer);
      });
      stream.on('error', (error) => settle(answer ?? httpFailure(codeOf(error))));
      stream.on('close', () => settle(answer ?? httpFailure('ECONNRESET', 'closed without an answer')));
      stream.end();
    });
  }
}
