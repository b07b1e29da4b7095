/** Sites whose answers are beyond what {@link HttpsSite} does. */
import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import type { CertificateAuthority } from './certificates.js';

/** Answers whatever comes with the same text, and keeps the connection until the client ends it. */
export class RawSite {
  connections = 0;
  readonly #server: tls.Server;
  readonly #sockets = new Set<tls.TLSSocket>();

  private constructor(options: tls.TlsOptions, answer: string) {
    this.#server = tls.createServer(options, (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('data', () => socket.write(answer));
    });
  }

  static async start(ca: CertificateAuthority, name: string, answer: string): Promise<RawSite> {
    const site = new RawSite(await ca.issue({ names: [name] }), answer);
    site.#server.listen(0, '127.0.0.1');
    await once(site.#server, 'listening');
    return site;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Shares no protocol with whoever does not offer HTTP/2. */
export class Http2Site {
  sessions = 0;
  readonly methods: string[] = [];
  /** HEAD is answered 405. */
  refusesHead = false;
  readonly #server: http2.Http2SecureServer;
  readonly #open = new Set<http2.ServerHttp2Session>();

  private constructor(options: http2.SecureServerOptions) {
    this.#server = http2.createSecureServer({ ...options, allowHTTP1: false, ALPNProtocols: ['h2'] });
    this.#server.on('session', (session) => {
      this.sessions += 1;
      this.#open.add(session);
      session.on('error', () => undefined);
      session.on('close', () => this.#open.delete(session));
    });
    this.#server.on('stream', (stream, headers) => {
      const method = headers[':method'] ?? '';
      this.methods.push(method);
      stream.on('error', () => undefined);
      stream.respond({ ':status': method === 'HEAD' && this.refusesHead ? 405 : 200 });
      stream.end(method === 'HEAD' ? undefined : 'the site\n');
    });
    this.#server.on('tlsClientError', () => undefined);
    this.#server.on('sessionError', () => undefined);
  }

  static async start(ca: CertificateAuthority, name: string): Promise<Http2Site> {
    const site = new Http2Site(await ca.issue({ names: [name] }));
    site.#server.listen(0, '127.0.0.1');
    await once(site.#server, 'listening');
    return site;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const session of this.#open) session.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
