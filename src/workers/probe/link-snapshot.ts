/**
 * Takes one look at the kernel's tables of links, addresses and routes. Sends no packet.
 *
 * The files of /proc and /sys are read synchronously on purpose: they are memory, not disk, and the asynchronous calls
 * share the process's four pool threads with name look-ups that may hang for seconds.
 */
import { createSocket } from 'node:dgram';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
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
 * {@link OUT_THERE}). Takes about a millisecond; never throws: what cannot be read is left out.
 */
export async function lookAtLinks(destinations: readonly string[] = OUT_THERE): Promise<LinkSnapshot> {
  const egress = await Promise.all(destinations.map(findEgress));
  return {
    interfaces: readInterfaces(),
    defaultRoutes: [
      ...parseIpv4DefaultRoutes(read('/proc/net/route')),
      ...parseIpv6DefaultRoutes(read('/proc/net/ipv6_route')),
    ],
    egress,
  };
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
    const fail = (error: NodeJS.ErrnoException): void => finish({ family, error: error.code ?? 'UNKNOWN' });
    const deadline = setTimeout(() => finish({ family, error: 'ETIMEDOUT' }), EGRESS_DEADLINE_MS);
    socket.once('error', fail);
    // The callback gets the error, although the type does not say so.
    socket.connect(443, destination, (error?: NodeJS.ErrnoException) => {
      if (error) fail(error);
      else finish({ family, source: socket.address().address });
    });
  });
}

function readInterfaces(): LinkInterface[] {
  const addresses = networkInterfaces();
  return readNames()
    .filter((name) => name !== 'lo')
    .map((name) => {
      const folder = `/sys/class/net/${name}`;
      return {
        name,
        up: (Number(read(`${folder}/flags`)) & INTERFACE_UP) !== 0,
        operState: read(`${folder}/operstate`).trim(),
        physical: existsSync(`${folder}/device`),
        addresses: (addresses[name] ?? []).map((entry) => entry.address),
      };
    });
}

function readNames(): string[] {
  try {
    return readdirSync('/sys/class/net').filter((name) => existsSync(`/sys/class/net/${name}/flags`));
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
