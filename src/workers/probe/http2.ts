/**
 * HTTP/2 over one socket: a stream a request, for as long as the site keeps the connection. Headers that have been said once are a byte each from then on
 * (HPACK, RFC 7541), so an answer of some hundred bytes of headers costs as little as a bare one.
 */
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2';
import type { Socket } from 'node:net';
import { codeOfAbort } from '../net/open-address.js';
import { clockAheadMs } from '../net/site-clock.js';
import { httpFailure, MAX_BODY_BYTES, type Answer, type Exchange } from './answer.js';
import { connectionCodeOf } from '../net/error-code.js';
import type { Manner } from './manner.js';

type ResponseHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader;

export class Http2 implements Exchange {
  readonly #socket: Socket;
  readonly #hostHeader: string;
  #session: ClientHttp2Session | undefined;
  #last: ClientHttp2Stream | undefined;
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
      return httpFailure(connectionCodeOf(error));
    } finally {
      this.#busy = false;
    }
  }

  close(): void {
    this.#session?.destroy();
    this.#socket.destroy();
  }

  /** Loaded only where it is needed: a site may speak HTTP/1.1 alone. */
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
      // One that its site has not ended by itself meanwhile.
      if (this.#last?.closed === false) this.#last.close();
      const stream = session.request({
        ':method': method,
        ':path': '/',
        ...(method === 'GET' ? { range: 'bytes=0-0' } : {}),
      });
      this.#last = stream;
      let answer: Answer | undefined;
      const settle = (what: Answer, isWhole: boolean): void => {
        signal.removeEventListener('abort', onAbort);
        if (!isWhole && !stream.closed) stream.close();
        resolve(what);
      };
      const onAbort = (): void => settle(answer ?? httpFailure(codeOfAbort(signal)), false);
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
        // It ends with its headers. To reset the stream would be a packet more each way, so the site has until the next request to say that as well.
        if (method === 'HEAD') settle(answer, true);
      });
      let bytes = 0;
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BODY_BYTES && answer !== undefined) settle(answer, false);
      });
      stream.on('error', (error) => settle(answer ?? httpFailure(connectionCodeOf(error)), false));
      stream.on('close', () => settle(answer ?? httpFailure('ECONNRESET', 'closed without an answer'), true));
      stream.end();
    });
  }
}
