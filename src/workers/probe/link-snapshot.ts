/**
 * Takes one look at the kernel's tables of links, addresses and routes. Sends no packet.
 *
 * The files of /proc and /sys are read synchronously on purpose: they are memory, not disk, and the asynchronous calls
 * share the process's four pool threads with name look-ups that may hang for seconds.
 */
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { interfacesNow } from '../net/interfaces.js';
import { refusalOf } from '../net/refusal.js';
import {
  parseIpv4DefaultRoutes,
  parseIpv6DefaultRoutes,
  type Egress,
  type LinkInterface,
  type LinkSnapshot,
} from './link-state.js';

/**
 * Addresses that stand for "out there". Reserved for documentation (RFC 5737, RFC 3849): nothing is ever sent, the kernel
 * is only asked which way it would go.
 */
export const OUT_THERE: readonly string[] = ['192.0.2.1', '2001:db8::1'];

/** IFF_UP of linux/if.h. */
const INTERFACE_UP = 0x1;
/** The kernel answers within a turn of the event loop. */
const EGRESS_DEADLINE_MS = 1_000;

/**
 * Looks at the interfaces, the default routes and the way to each of `destinations` (IP literals; default
 * {@link OUT_THERE}). Takes about a millisecond; never throws: what is not there is left out, and what the system refuses is told.
 */
export async function lookAtLinks(destinations: readonly string[] = OUT_THERE): Promise<LinkSnapshot> {
  const egress = await Promise.all(destinations.map(findEgress));
  const tables = new Tables();
  const interfaces = readInterfaces(tables);
  const defaultRoutes = [
    ...parseIpv4DefaultRoutes(tables.read('/proc/net/route')),
    ...parseIpv6DefaultRoutes(tables.read('/proc/net/ipv6_route')),
  ];
  const { refused } = tables;
  return { interfaces, defaultRoutes, egress, ...(refused === undefined ? {} : { refused }) };
}

/** The kernel's tables, as files. */
class Tables {
  /** The first refusal. */
  refused: string | undefined;

  /** Empty if there is no such file, or no longer. */
  read(path: string): string {
    return this.#try(() => readFileSync(path, 'utf8')) ?? '';
  }

  list(folder: string): readonly string[] {
    return this.#try(() => readdirSync(folder)) ?? [];
  }

  #try<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.refused ??= refusalOf(error);
      return undefined;
    }
  }
}

/** Connecting a UDP socket makes the kernel choose route and source address, by all its tables and rules, without a packet. */
function findEgress(destination: string): Promise<Egress> {
  const family = destination.includes(':') ? 6 : 4;
  return new Promise((resolve) => {
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    const finish = (egress: Egress): void => {
      clearTimeout(deadline);
      socket.removeAllListeners();
      // A late error of a socket that is being closed concerns nobody.
      socket.on('error', () => undefined);
      try {
        socket.close();
      } catch {
        // Never bound: nothing to close.
      }
      resolve(egress);
    };
    const fail = ({ code = 'UNKNOWN', syscall }: NodeJS.ErrnoException): void =>
      // A route of type prohibit: the kernel's own word that there is no way, and no refusal of the socket.
      finish({ family, error: syscall === 'connect' && code === 'EACCES' ? 'EHOSTUNREACH' : code });
    const deadline = setTimeout(() => finish({ family, error: 'ETIMEDOUT' }), EGRESS_DEADLINE_MS);
    socket.once('error', fail);
    // The callback gets the error, although the type does not say so.
    socket.connect(443, destination, (error?: NodeJS.ErrnoException) => {
      if (error) fail(error);
      else finish({ family, source: socket.address().address });
    });
  });
}

function readInterfaces(tables: Tables): LinkInterface[] {
  const addresses = interfacesNow();
  return (
    tables
      .list('/sys/class/net')
      .filter((name) => name !== 'lo')
      .map((name) => ({ name, folder: `/sys/class/net/${name}` }))
      .map(({ name, folder }) => ({ name, folder, flags: tables.read(`${folder}/flags`) }))
      // Not everything there is an interface.
      .filter(({ flags }) => flags !== '')
      .map(({ name, folder, flags }) => ({
        name,
        up: (Number(flags) & INTERFACE_UP) !== 0,
        operState: tables.read(`${folder}/operstate`).trim(),
        physical: existsSync(`${folder}/device`),
        addresses: addresses === undefined ? undefined : (addresses[name] ?? []).map(({ address }) => address),
      }))
  );
}
