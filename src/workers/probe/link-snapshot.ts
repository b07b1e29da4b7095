/**
 * Takes one look at the kernel's tables of links, addresses and routes. Sends no packet.
 *
 * The files of /proc and /sys are read synchronously (`net/kernel-table.ts` says why).
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { OUT_THERE, chooseRoute } from '../net/chosen-route.js';
import { interfacesNow } from '../net/interfaces.js';
import { readTable } from '../net/kernel-table.js';
import { refusalOf } from '../net/refusal.js';
import {
  parseIpv4DefaultRoutes,
  parseIpv6DefaultRoutes,
  type Egress,
  type LinkInterface,
  type LinkSnapshot,
} from './link-state.js';

/** The kernel is only asked which way it would go to these, one of each family. */
export const DESTINATIONS: readonly string[] = Object.values(OUT_THERE);

/**
 * Some 500 routes. Of IPv4 the default routes come first (the kernel walks its table by destination, from 0.0.0.0 up), of IPv6 within each table; a
 * router with 20,000 others has 3 MB of them.
 */
const MAX_ROUTES_BYTES = 65_536;

/** IFF_UP of linux/if.h. */
const INTERFACE_UP = 0x1;

/**
 * Looks at the interfaces, the default routes and the way to each of `destinations` (IP literals; default
 * {@link DESTINATIONS}). Takes about a millisecond; never throws: what is not there is left out, and what the system refuses is told.
 */
export async function lookAtLinks(destinations: readonly string[] = DESTINATIONS): Promise<LinkSnapshot> {
  const egress = await Promise.all(destinations.map(findEgress));
  const tables = new Tables();
  const interfaces = readInterfaces(tables);
  const defaultRoutes = [
    ...parseIpv4DefaultRoutes(tables.readBeginning('/proc/net/route')),
    ...parseIpv6DefaultRoutes(tables.readBeginning('/proc/net/ipv6_route')),
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

  /** The first {@link MAX_ROUTES_BYTES}. */
  readBeginning(path: string): string {
    return this.#try(() => readTable(path, MAX_ROUTES_BYTES)) ?? '';
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

async function findEgress(destination: string): Promise<Egress> {
  const family = destination.includes(':') ? 6 : 4;
  const route = await chooseRoute(family, destination, 443);
  switch (route.kind) {
    case 'chosen':
      return { family, source: route.source };
    case 'failed': {
      const { code = 'UNKNOWN', syscall } = route.error;
      // A route of type prohibit: the kernel's own word that there is no way, and no refusal of the socket.
      return { family, error: syscall === 'connect' && code === 'EACCES' ? 'EHOSTUNREACH' : code };
    }
    case 'late':
      return { family, error: 'ETIMEDOUT' };
  }
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
        mtu: Number(tables.read(`${folder}/mtu`)),
        physical: existsSync(`${folder}/device`),
        addresses: addresses === undefined ? undefined : (addresses[name] ?? []).map(({ address }) => address),
      }))
  );
}
