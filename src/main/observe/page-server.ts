/** The page over TCP: for programs of this machine, or on purpose for everybody in its own networks. Off unless it is wanted. */
import { describeError } from '../base/guard.js';
import type { Logger } from '../base/logger.js';
import { isNeighbour } from './http/neighbours.js';
import { OutletServer, type Routes } from './http/server.js';

export interface PageAddress {
  readonly port: number;
  readonly listen: 'loopback' | 'lan';
}

/** `localhost` is either of the two, by the resolver's mood. */
const LOOPBACK = ['127.0.0.1', '::1'];
/** Every address, IPv4 as well (RFC 3493, 5.3); where there is no IPv6, that of IPv4 alone. */
const EVERYWHERE = ['::'];
const EVERYWHERE_IPV4 = ['0.0.0.0'];

export class PageServer {
  readonly #routes: Routes;
  readonly #log: Logger;
  #servers: OutletServer[] = [];

  constructor(routes: Routes, log: Logger) {
    this.#routes = routes;
    this.#log = log;
  }

  /** Resolves when it listens, or when it is told in the log that it cannot. Never rejects. */
  async listen({ port, listen }: PageAddress): Promise<void> {
    const tries = listen === 'loopback' ? [LOOPBACK] : [EVERYWHERE, EVERYWHERE_IPV4];
    let failure: unknown;
    for (const hosts of tries) {
      const results = await Promise.allSettled(hosts.map((host) => this.#listenOn(host, port, listen)));
      const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
      // A machine without IPv6 has but one of the two.
      const taken = failed.find((error) => !isMissing(error));
      if (taken === undefined && failed.length < hosts.length) {
        const where = listen === 'lan' ? 'to everybody in the networks of this machine' : 'to this machine alone';
        this.#log.info({ port, listen }, `The status page is open ${where}: http://localhost:${port}`);
        return;
      }
      failure = taken ?? failed[0];
      await this.close();
      if (taken !== undefined) break;
    }
    this.#log.warn(
      { port, listen },
      `No status page on port ${port} (${describeError(failure)}); everything else goes on.`,
    );
  }

  /** Ends every connection. Resolves when nothing is left. */
  async close(): Promise<void> {
    const servers = this.#servers;
    this.#servers = [];
    await Promise.all(servers.map((server) => server.close()));
  }

  async #listenOn(host: string, port: number, listen: PageAddress['listen']): Promise<void> {
    const server = new OutletServer({
      routes: this.#routes,
      log: this.#log,
      ...(listen === 'lan' ? { mayConnect: (address: string) => isNeighbour(address) } : {}),
    });
    await server.listenOn({ host, port, ipv6Only: host === '::1' });
    this.#servers.push(server);
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT';
}
