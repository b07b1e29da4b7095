/**
 * A proxy that opens tunnels (CONNECT), as wide as RFC 9110, 9.3.6 and RFC 9112 allow it to be. It finds names by a table of its own, as a proxy
 * that serves a network without name servers does.
 */
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import type { KeyAndChain } from './certificates.js';
import { registerSecret } from './everything-logged.js';
import { Listener, resetSocket, type ListenOptions } from './listener.js';

export type ProxyBehaviour =
  /** Opens tunnels. */
  | {
      readonly kind: 'open';
      /** Default `HTTP/1.1 200 Connection established`; any 2xx opens it. */
      readonly statusLine?: string;
      /** Of the head; `Content-Length` and `Transfer-Encoding` are allowed, and mean nothing. */
      readonly fields?: readonly string[];
      /** Heads of interim answers before it. */
      readonly interim?: readonly string[];
      /** Ends lines of the head with LF alone. */
      readonly bareLf?: true;
      /** Sends the head a byte at a time. */
      readonly dribble?: true;
      /** Sends the head with the first bytes of the host in one piece; only where the host speaks first. */
      readonly withFirstBytes?: true;
    }
  /** An answer with a body that opens nothing. */
  | { readonly kind: 'answer'; readonly status: number; readonly fields?: readonly string[] }
  /** Bytes, whatever they are. */
  | { readonly kind: 'bytes'; readonly bytes: string }
  /** A head that never ends. */
  | { readonly kind: 'endless' }
  | { readonly kind: 'silent' | 'close' | 'reset' };

export interface ProxyServerOptions extends ListenOptions {
  /** TLS to the proxy itself. */
  readonly tls?: KeyAndChain;
  /** Who may use it; default: everybody. */
  readonly login?: { readonly user: string; readonly password: string };
  /** Of a 407, each a field of its own. Default: Basic. */
  readonly challenges?: readonly string[];
  /** Name -> address. An address needs no row. */
  readonly hosts?: Readonly<Record<string, string>>;
}

export class ProxyServer {
  /** `host:port` of each CONNECT that was read. */
  readonly asked: string[] = [];
  /** Other requests, by their first line. */
  readonly strange: string[] = [];
  /** Bytes that were carried, both ways. */
  carried = 0;
  behaviour: ProxyBehaviour = { kind: 'open' };
  readonly #options: ProxyServerOptions;
  #listener!: Listener;
  readonly #upstreams = new Set<net.Socket>();

  private constructor(options: ProxyServerOptions) {
    this.#options = options;
  }

  static async start(options: ProxyServerOptions = {}): Promise<ProxyServer> {
    const proxy = new ProxyServer(options);
    const { login, tls: keys } = options;
    if (login !== undefined) {
      registerSecret(login.password);
      registerSecret(Buffer.from(`${login.user}:${login.password}`).toString('base64'));
    }
    const secure =
      keys === undefined
        ? undefined
        : tls.createServer({ ...keys, ALPNProtocols: ['http/1.1'] }, (s) => proxy.#serve(s));
    secure?.on('tlsClientError', () => undefined);
    proxy.#listener = await Listener.start({ ...options, allowHalfOpen: secure === undefined }, (socket) => {
      if (secure === undefined) proxy.#serve(socket);
      else secure.emit('connection', socket);
    });
    return proxy;
  }

  get address(): string {
    return this.#listener.address;
  }

  get port(): number {
    return this.#listener.port;
  }

  /** TCP connections open now. */
  get open(): number {
    return this.#listener.open;
  }

  /** Nothing listens there any more, or something does again; what is open goes on. */
  async refuse(refuses: boolean): Promise<void> {
    await (refuses ? this.#listener.refuse() : this.#listener.resume());
  }

  /** Cuts every tunnel. */
  dropAll(): void {
    this.#listener.dropAll();
  }

  async stop(): Promise<void> {
    for (const socket of this.#upstreams) socket.destroy();
    await this.#listener.stop();
  }

  #serve(socket: net.Socket): void {
    socket.on('error', () => undefined);
    let come = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      come = Buffer.concat([come, chunk]);
      // Whoever begins with TLS is told in plain text that nobody understands it.
      if (come[0] === 0x16) {
        socket.off('data', onData);
        this.#refuse(socket, 400);
        return;
      }
      const end = come.indexOf('\r\n\r\n');
      if (end === -1) return;
      socket.off('data', onData);
      socket.pause();
      const [first = '', ...fields] = come.toString('latin1', 0, end).split('\r\n');
      void this.#answer(socket, first, fields, come.subarray(end + 4));
    };
    socket.on('data', onData);
    socket.once('end', () => socket.end());
  }

  async #answer(socket: net.Socket, first: string, fields: readonly string[], rest: Buffer): Promise<void> {
    const authority = /^CONNECT (\S+:\d+) HTTP\/1\.1$/.exec(first)?.[1];
    if (authority === undefined || !fields.includes(`Host: ${authority}`)) {
      this.strange.push(first);
      this.#refuse(socket, 400);
      return;
    }
    this.asked.push(authority);
    if (!this.#mayPass(fields)) {
      const { challenges = ['Basic realm="house"'] } = this.#options;
      this.#refuse(
        socket,
        407,
        challenges.map((challenge) => `Proxy-Authenticate: ${challenge}`),
      );
      return;
    }
    const how = this.behaviour;
    switch (how.kind) {
      case 'open':
        await this.#tunnel(socket, authority, how, rest);
        return;
      case 'answer':
        this.#refuse(socket, how.status, how.fields);
        return;
      case 'bytes':
        socket.resume();
        socket.end(how.bytes, 'latin1');
        return;
      case 'endless': {
        const more = (): void => {
          while (!socket.destroyed && socket.write(`X-Filler: ${'x'.repeat(1_000)}\r\n`));
        };
        socket.write('HTTP/1.1 200 OK\r\n');
        socket.on('drain', more);
        socket.resume();
        more();
        return;
      }
      case 'silent':
        socket.resume();
        return;
      case 'close':
        socket.resume();
        socket.end();
        return;
      case 'reset':
        if (socket instanceof tls.TLSSocket) socket.destroy();
        else resetSocket(socket);
        return;
    }
  }

  #mayPass(fields: readonly string[]): boolean {
    const { login } = this.#options;
    if (login === undefined) return true;
    const said = fields.map((field) => /^Proxy-Authorization: Basic (.+)$/i.exec(field)?.[1]).find(Boolean);
    return said !== undefined && Buffer.from(said, 'base64').toString() === `${login.user}:${login.password}`;
  }

  #refuse(socket: net.Socket, status: number, fields: readonly string[] = []): void {
    const body = '<h1>No</h1>';
    socket.resume();
    socket.end(
      [`HTTP/1.1 ${status} No`, ...fields, 'Content-Type: text/html', `Content-Length: ${body.length}`, '', body].join(
        '\r\n',
      ),
    );
  }

  async #tunnel(
    socket: net.Socket,
    authority: string,
    how: Extract<ProxyBehaviour, { kind: 'open' }>,
    rest: Buffer,
  ): Promise<void> {
    const [, host = '', port = ''] = /^\[?(.*?)\]?:(\d+)$/.exec(authority) ?? [];
    const address = net.isIP(host) === 0 ? this.#options.hosts?.[host] : host;
    if (address === undefined) {
      this.#refuse(socket, 502);
      return;
    }
    const upstream = net.connect({ host: address, port: Number(port), noDelay: true });
    this.#upstreams.add(upstream);
    upstream.on('error', () => socket.destroy());
    upstream.once('close', () => {
      this.#upstreams.delete(upstream);
      socket.destroy();
    });
    socket.once('close', () => upstream.destroy());
    await once(upstream, 'connect').catch(() => undefined);
    if (socket.destroyed) return;
    const end = how.bareLf === true ? '\n' : '\r\n';
    const head = [how.statusLine ?? 'HTTP/1.1 200 Connection established', ...(how.fields ?? []), '', ''].join(end);
    const before = (how.interim ?? []).map((interim) => `${interim}\r\n\r\n`).join('');
    const whole = Buffer.from(before + head, 'latin1');
    if (how.dribble === true) {
      for (const byte of whole) await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));
    } else if (how.withFirstBytes === true) {
      const [first] = (await once(upstream, 'data')) as [Buffer];
      upstream.pause();
      socket.write(Buffer.concat([whole, first]));
    } else socket.write(whole);
    if (rest.length > 0) upstream.write(rest);
    for (const one of [socket, upstream]) one.on('data', (chunk: Buffer) => (this.carried += chunk.length));
    socket.pipe(upstream);
    upstream.pipe(socket);
  }
}
