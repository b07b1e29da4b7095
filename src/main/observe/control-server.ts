/**
 * Answers short questions by HTTP, one a connection: over the control socket, a Unix stream socket that only its group may open.
 * It knows nothing of what is asked; the routes are handed in.
 *
 * Bounded, since whoever asks must not hurt what is asked: so many clients at once, a request line and headers of so many bytes, no
 * body, so much time. A client that hangs, dies or floods loses its connection and nothing else.
 */
import { chmod, lstat, unlink } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describeError } from '../base/guard.js';
import type { Logger } from '../base/logger.js';
import type { ControlAddress } from './control-address.js';

export interface Answer {
  /** Default 200. */
  readonly status?: number;
  readonly contentType: string;
  readonly body: string;
}

/** Such as `GET /snapshot`. The query string is handed to the route. */
export type Routes = Readonly<Record<string, (query: URLSearchParams) => Answer | Promise<Answer>>>;

export interface ControlServerOptions {
  readonly routes: Routes;
  readonly log: Logger;
  /** Default 16. */
  readonly maxClients?: number;
  /** From the connection to the end of the request, milliseconds. Default 3,000. */
  readonly requestMs?: number;
  /** From the connection to its end, milliseconds. Default 20,000. */
  readonly lifetimeMs?: number;
}

/** Request line and headers, bytes. */
const MAX_HEADER_BYTES = 4_096;
/** Whoever holds the path answers within this time, or nobody does, milliseconds. */
const TAKEN_MS = 500;
const MODE = 0o660;

export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #server: Server;
  #closed = false;
  readonly #clients = new Map<Socket, { readonly request: NodeJS.Timeout; readonly lifetime: NodeJS.Timeout }>();

  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#server = createServer(
      { maxHeaderSize: MAX_HEADER_BYTES, keepAlive: false, insecureHTTPParser: false },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = options.maxClients ?? 16;
    // Our own timers below are exact; Node's would wake up the process every 30 s to look.
    this.#server.headersTimeout = 0;
    this.#server.requestTimeout = 0;
    this.#server.timeout = 0;
    this.#server.on('connection', (socket) => this.#welcome(socket));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
  }

  /** Resolves when it listens, or when it is told in the log that it cannot. Never rejects. */
  async listen(address: ControlAddress): Promise<void> {
    try {
      if (address.kind === 'handed-over') await this.#listenOn({ fd: address.fd });
      else if (address.kind === 'path') await this.#listenAt(address.path);
    } catch (error) {
      this.#options.log.warn(
        { ...address, error: describeError(error) },
        'No control socket, so `dunebugger-remote status` cannot ask this service; everything else goes on.',
      );
    }
  }

  /** Ends every connection. Resolves when nothing is left. */
  async close(): Promise<void> {
    this.#closed = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#clients.keys()) socket.destroy();
    await closed;
  }

  async #listenAt(path: string): Promise<void> {
    try {
      await this.#listenOn({ path });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      await removeDead(path);
      await this.#listenOn({ path });
    }
    await chmod(path, MODE);
  }

  #listenOn(where: { readonly fd: number } | { readonly path: string }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(where, () => {
        this.#server.removeListener('error', reject);
        // One client that the system refuses (EMFILE) is not the end of the others.
        this.#server.on('error', (error) =>
          this.#options.log.debug({ error: error.message }, 'The control socket failed once.'),
        );
        // Closed before it listened: nothing is to be left.
        if (this.#closed) this.#server.close();
        resolve();
      });
    });
  }

  #welcome(socket: Socket): void {
    const end = (): void => void socket.destroy();
    const timers = {
      request: setTimeout(end, this.#options.requestMs ?? 3_000),
      lifetime: setTimeout(end, this.#options.lifetimeMs ?? 20_000),
    };
    this.#clients.set(socket, timers);
    socket.on('error', end);
    socket.once('close', () => {
      clearTimeout(timers.request);
      clearTimeout(timers.lifetime);
      this.#clients.delete(socket);
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    clearTimeout(this.#clients.get(request.socket)?.request);
    let answer: Answer;
    try {
      answer = await this.#answerTo(request);
    } catch (error) {
      this.#options.log.error(
        { err: error },
        'A question over the control socket could not be answered; the next one is.',
      );
      answer = problem(500, 'The service could not answer; its journal has the error');
    }
    const { status = 200, contentType, body } = answer;
    response.on('error', () => undefined);
    response.writeHead(status, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      connection: 'close',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  #answerTo(request: IncomingMessage): Answer | Promise<Answer> {
    const { method = '', url = '', headers } = request;
    if ((headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined) {
      return problem(413, 'A question has no body');
    }
    const [pathname = '', query = ''] = url.split('?', 2);
    const wanted = method === 'HEAD' ? 'GET' : method;
    const route = Object.hasOwn(this.#options.routes, `${wanted} ${pathname}`)
      ? this.#options.routes[`${wanted} ${pathname}`]
      : undefined;
    if (route !== undefined) return route(new URLSearchParams(query));
    const known = Object.keys(this.#options.routes);
    return known.some((name) => name.endsWith(` ${pathname}`))
      ? problem(405, 'Not by this method')
      : problem(404, `There is: ${known.join(', ')}`);
  }
}

function problem(status: number, text: string): Answer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}

/** What a process left that was ended at once. @throws {Error} if somebody answers there, or if it is no socket */
async function removeDead(path: string): Promise<void> {
  if (!(await lstat(path)).isSocket())
    throw new Error(`${path} is there and is no socket: remove it, or set [Status] controlSocket`);
  const answered = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    const done = (answers: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answers);
    };
    // Somebody who does not even accept is there all the same.
    const timer = setTimeout(() => done(true), TAKEN_MS);
    socket.once('connect', () => done(true));
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code !== 'ECONNREFUSED'));
  });
  if (answered) throw new Error(`another service answers at ${path}: stop it, or set [Status] controlSocket`);
  await unlink(path);
}
