/**
 * Answers short questions by HTTP, one a connection. It knows nothing of what is asked, nor of where it listens; the routes are handed
 * in.
 *
 * Bounded, since whoever asks must not hurt what is asked: so many clients at once, a request line and headers of so many bytes, no
 * body, so much time. A client that hangs, dies or floods loses its connection and nothing else.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { ListenOptions, Socket } from 'node:net';
import { hostname } from 'node:os';
import type { Logger } from '../../base/logger.js';
import { isOwnHost } from './host.js';

export interface Question {
  readonly query: URLSearchParams;
  readonly headers: Pick<IncomingHttpHeaders, 'accept' | 'accept-language'>;
}

export interface Answer {
  /** Default 200. */
  readonly status?: number;
  readonly contentType: string;
  readonly body: string;
  /** Further ones. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer without an end: what is sent comes as events (`text/event-stream` of the HTML standard). */
export interface EventStream {
  /** Called once, as soon as somebody listens. Returns what is to be done when nobody does any more. */
  readonly begin: (send: (event: string) => void) => () => void;
}

/** Such as `GET /snapshot`. */
export type Routes = Readonly<
  Record<string, (question: Question) => Answer | EventStream | Promise<Answer | EventStream>>
>;

export interface OutletServerOptions {
  readonly routes: Routes;
  readonly log: Logger;
  /** Default 16. */
  readonly maxClients?: number;
  /** Of these, streams of events. Default 6. */
  readonly maxStreams?: number;
  /** From the connection to the end of the request, milliseconds. Default 3,000. */
  readonly requestMs?: number;
  /** From the connection to its end, milliseconds. Default 20,000. */
  readonly lifetimeMs?: number;
  /** The same of a stream; a browser comes again by itself. Default 600,000. */
  readonly streamMs?: number;
  /** Who is let in, by address. Default: everybody. */
  readonly mayConnect?: (address: string) => boolean;
}

/** Node looks after connections by a timer that runs even while there are none, every 30 s; this is its longest. */
const NEVER_MS = 2 ** 31 - 1;
/** Request line and headers, bytes. */
const MAX_HEADER_BYTES = 4_096;
/** Whoever does not read so much of a stream is given up, bytes. */
const MAX_UNREAD_BYTES = 256 << 10;

export class OutletServer {
  readonly #options: OutletServerOptions;
  readonly #server: Server;
  #closed = false;
  #streams = 0;
  readonly #clients = new Map<Socket, { readonly request: NodeJS.Timeout; lifetime: NodeJS.Timeout }>();

  constructor(options: OutletServerOptions) {
    this.#options = options;
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        keepAlive: false,
        insecureHTTPParser: false,
        connectionsCheckingInterval: NEVER_MS,
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = options.maxClients ?? 16;
    // Our own timers below are exact.
    this.#server.headersTimeout = 0;
    this.#server.requestTimeout = 0;
    this.#server.timeout = 0;
    this.#server.on('connection', (socket) => this.#welcome(socket));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** Resolves when it listens. @throws the system's error */
  listenOn(where: ListenOptions | { readonly fd: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(where, () => {
        this.#server.removeListener('error', reject);
        // One client that the system refuses (EMFILE) is not the end of the others.
        this.#server.on('error', (error) =>
          this.#options.log.debug({ error: error.message }, 'An outlet failed once.'),
        );
        // Closed before it listened: nothing is to be left.
        if (this.#closed) this.#server.close();
        resolve();
      });
    });
  }

  /** Ends every connection. Resolves when nothing is left. */
  async close(): Promise<void> {
    this.#closed = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#clients.keys()) socket.destroy();
    await closed;
  }

  #welcome(socket: Socket): void {
    const { mayConnect, requestMs = 3_000, lifetimeMs = 20_000 } = this.#options;
    if (mayConnect !== undefined && !mayConnect(socket.remoteAddress ?? '')) {
      socket.destroy();
      return;
    }
    const end = (): void => void socket.destroy();
    const timers = { request: setTimeout(end, requestMs), lifetime: setTimeout(end, lifetimeMs) };
    this.#clients.set(socket, timers);
    socket.on('error', end);
    socket.once('close', () => {
      clearTimeout(timers.request);
      clearTimeout(timers.lifetime);
      this.#clients.delete(socket);
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    clearTimeout(this.#clients.get(socket)?.request);
    response.on('error', () => undefined);
    let answer: Answer | EventStream;
    try {
      answer = await this.#answerTo(request);
    } catch (error) {
      this.#options.log.error({ err: error }, 'A question to this service could not be answered; the next one is.');
      answer = problem(500, 'The service could not answer; its journal has the error');
    }
    if ('begin' in answer && request.method === 'GET') this.#stream(answer, socket, response);
    else this.#send('begin' in answer ? EMPTY_STREAM : answer, request, response);
  }

  #send({ status = 200, contentType, body, headers }: Answer, { method }: IncomingMessage, to: ServerResponse): void {
    to.writeHead(status, {
      ...COMMON,
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      ...headers,
    });
    to.end(method === 'HEAD' ? undefined : body);
  }

  #stream({ begin }: EventStream, socket: Socket, response: ServerResponse): void {
    const { maxStreams = 6, streamMs = 600_000 } = this.#options;
    if (socket.destroyed) return;
    if (this.#streams >= maxStreams) {
      this.#send(problem(503, 'Too many watch already'), response.req, response);
      return;
    }
    const client = this.#clients.get(socket);
    if (client !== undefined) {
      clearTimeout(client.lifetime);
      client.lifetime = setTimeout(() => socket.destroy(), streamMs);
    }
    this.#streams += 1;
    response.writeHead(200, { ...COMMON, 'content-type': 'text/event-stream; charset=utf-8' });
    const end = begin((event) => {
      response.write(event);
      if (response.writableLength > MAX_UNREAD_BYTES) socket.destroy();
    });
    socket.once('close', () => {
      this.#streams -= 1;
      end();
    });
  }

  #answerTo(request: IncomingMessage): ReturnType<Routes[string]> {
    const { method = '', url = '', headers } = request;
    if ((headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined) {
      return problem(413, 'A question has no body');
    }
    // RFC 9110, 15.5.20.
    if (!isOwnHost(headers.host, hostname())) {
      return problem(421, 'Ask by the address of this machine, by its name, or by localhost');
    }
    const { routes } = this.#options;
    const [pathname = '', query = ''] = url.split('?', 2);
    const name = `${method === 'HEAD' ? 'GET' : method} ${pathname}`;
    const route = Object.hasOwn(routes, name) ? routes[name] : undefined;
    if (route !== undefined) return route({ query: new URLSearchParams(query), headers });
    const methods = Object.keys(routes)
      .filter((known) => known.endsWith(` ${pathname}`))
      .map((known) => known.slice(0, known.indexOf(' ')));
    return methods.length > 0
      ? { ...problem(405, 'Not by this method'), headers: { allow: methods.join(', ') } }
      : problem(404, `There is: ${Object.keys(routes).join(', ')}`);
  }
}

const COMMON = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', connection: 'close' } as const;
const EMPTY_STREAM: Answer = { contentType: 'text/event-stream; charset=utf-8', body: '' };

function problem(status: number, text: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}
