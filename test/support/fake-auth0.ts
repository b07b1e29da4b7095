/**
 * The two calls of Auth0 that a sign-in makes, over TLS on loopback: POST /oauth/token with the password grant, GET /userinfo.
 * Its refusals have Auth0's statuses, `error` names and rate-limit headers. What it does can be scripted per endpoint.
 */

import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { registerSecret } from './everything-logged.js';

export interface FakeAuth0Options {
  /** Private key and certificate (chain) of the server, PEM. */
  readonly key: string;
  readonly cert: string;
  /** The name clients use. Default `localhost`; the server listens on 127.0.0.1. */
  readonly host?: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly username: string;
  readonly password: string;
  /** The `wss_url` of the next userinfo; undefined leaves the field out. Anything may be returned, for hostile answers. */
  readonly wssUrl: () => unknown;
  /** False: the application has no Password grant. Default true. */
  readonly passwordGrant?: boolean;
}

/** What an endpoint does instead of its work. */
export type Misbehaviour =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Accepts the request and never answers. */
  | { readonly kind: 'hang' }
  /** Sends headers and then a byte now and then, without an end. */
  | { readonly kind: 'drip'; readonly everyMs: number }
  /** Sends `bytes` bytes of JSON text. */
  | { readonly kind: 'huge'; readonly bytes: number }
  /** Ends the connection in the middle of the answer. */
  | { readonly kind: 'cut' }
  /** Sends bytes that are not HTTP. */
  | { readonly kind: 'noise' };

export type Endpoint = 'token' | 'userinfo';

export class FakeAuth0 {
  /** Calls so far, misbehaved ones too. */
  readonly calls: Record<Endpoint, number> = { token: 0, userinfo: 0 };
  /** The fields of the last token request, for assertions. */
  lastTokenRequest: unknown;
  readonly #options: FakeAuth0Options;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #tokens = new Set<string>();
  readonly #script: Record<Endpoint, Misbehaviour | undefined> = { token: undefined, userinfo: undefined };

  private constructor(options: FakeAuth0Options) {
    this.#options = options;
    registerSecret(options.clientSecret);
    registerSecret(options.password);
    this.#server = createServer({ key: options.key, cert: options.cert }, (request, response) => {
      this.#handle(request, response);
    });
    // The raw connections, so that a client that gives up during the handshake is not left over.
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
    });
    this.#server.on('tlsClientError', () => undefined);
  }

  static async start(options: FakeAuth0Options): Promise<FakeAuth0> {
    const fake = new FakeAuth0(options);
    await new Promise<void>((resolve, reject) => {
      fake.#server.once('error', reject);
      fake.#server.listen(0, '127.0.0.1', resolve);
    });
    return fake;
  }

  /** What goes into `authURL`: host and port. */
  get authUrl(): string {
    return `${this.#options.host ?? 'localhost'}:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections that are open at the moment. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** From now on the endpoint does this; undefined: its work again. */
  misbehave(endpoint: Endpoint, how: Misbehaviour | undefined): void {
    this.#script[endpoint] = how;
  }

  /** From now on the endpoint answers 429 as Auth0 does, with the moment (seconds since 1970) at which the limit is lifted. */
  limit(endpoint: Endpoint, resetAtSecs: number): void {
    this.misbehave(endpoint, {
      kind: 'answer',
      status: 429,
      headers: { 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(resetAtSecs) },
      body: JSON.stringify({ error: 'access_denied', error_description: 'Global limit has been reached' }),
    });
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const endpoint = endpointOf(request);
      if (endpoint === undefined) {
        answer(response, 404, { error: 'not_found' });
        return;
      }
      this.calls[endpoint] += 1;
      const scripted = this.#script[endpoint];
      if (scripted !== undefined) this.#misbehaveNow(scripted, response);
      else if (endpoint === 'token') this.#token(Buffer.concat(chunks).toString('utf8'), request, response);
      else this.#userinfo(request, response);
    });
  }

  #token(text: string, request: IncomingMessage, response: ServerResponse): void {
    const isJson = request.headers['content-type']?.startsWith('application/json') === true;
    const fields = isJson ? parse(text) : undefined;
    this.lastTokenRequest = fields;
    const { clientId, clientSecret, username, password, passwordGrant = true } = this.#options;
    const required = ['grant_type', 'client_id', 'username', 'password'];
    const missing = required.find((name) => typeof fields?.[name] !== 'string' || fields[name] === '');
    if (fields === undefined || missing !== undefined) {
      const what = missing ?? 'grant_type';
      answer(response, 400, { error: 'invalid_request', error_description: `Missing required parameter: ${what}` });
    } else if (fields['grant_type'] !== 'password') {
      answer(response, 403, { error: 'unsupported_grant_type', error_description: 'Unsupported grant type' });
    } else if (fields['client_id'] !== clientId || fields['client_secret'] !== clientSecret) {
      answer(response, 401, { error: 'access_denied', error_description: 'Unauthorized' });
    } else if (!passwordGrant) {
      const description = "Grant type 'password' not allowed for the client.";
      answer(response, 403, { error: 'unauthorized_client', error_description: description });
    } else if (fields['username'] !== username || fields['password'] !== password) {
      answer(response, 403, { error: 'invalid_grant', error_description: 'Wrong email or password.' });
    } else {
      const token = randomBytes(24).toString('base64url');
      this.#tokens.add(token);
      registerSecret(token);
      const scope = fields['scope'];
      answer(response, 200, { access_token: token, scope, expires_in: 86_400, token_type: 'Bearer' });
    }
  }

  #userinfo(request: IncomingMessage, response: ServerResponse): void {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined || !this.#tokens.has(token)) {
      answer(response, 401, 'Unauthorized', { 'www-authenticate': 'Bearer' });
      return;
    }
    const wssUrl = this.#options.wssUrl();
    answer(response, 200, {
      sub: 'auth0|0123456789abcdef',
      name: 'Test installation',
      picture: 'https://localhost/picture.png',
      email: this.#options.username,
      ...(wssUrl === undefined ? {} : { wss_url: wssUrl }),
    });
  }

  #misbehaveNow(how: Misbehaviour, response: ServerResponse): void {
    switch (how.kind) {
      case 'answer':
        response.writeHead(how.status, { 'content-type': 'application/json', ...how.headers });
        response.end(how.body ?? '');
        return;
      case 'hang':
        return;
      case 'drip': {
        response.writeHead(200, { 'content-type': 'application/json' });
        const timer = setInterval(() => response.write(' '), how.everyMs);
        this.#timers.add(timer);
        response.on('close', () => {
          clearInterval(timer);
          this.#timers.delete(timer);
        });
        return;
      }
      case 'huge':
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(`{"padding":"${'x'.repeat(how.bytes)}"}`);
        return;
      case 'cut':
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
        response.write('{"access_token":"half', () => response.socket?.destroy());
        return;
      case 'noise':
        response.socket?.end('SSH-2.0-OpenSSH_9.2\r\n\r\n');
        return;
    }
  }
}

function endpointOf({ method, url }: IncomingMessage): Endpoint | undefined {
  if (method === 'POST' && url === '/oauth/token') return 'token';
  if (method === 'GET' && url === '/userinfo') return 'userinfo';
  return undefined;
}

function answer(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-ratelimit-limit': '300',
    'x-ratelimit-remaining': '299',
    'x-ratelimit-reset': String(Math.ceil(Date.now() / 1_000)),
    ...headers,
  });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
