/** A site whose answers are beyond what {@link HttpsSite} does. */
import { once } from 'node:events';
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
