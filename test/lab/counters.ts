/** What the router counts of the traffic between the Pi and the internet, before any fault takes a packet away. */
import { nft, run } from './netns.js';
import { LAN, PORTS } from './topology.js';

export interface Count {
  readonly packets: number;
  /** IP packets, headers included. */
  readonly bytes: number;
}

/** Packets that the Pi sent to (`up`) and got from (`down`) the internet; the others are parts of `up`. */
export interface Traffic {
  readonly up: Count;
  readonly down: Count;
  /** TCP connections that the Pi began: every SYN, repeated ones included. */
  readonly syn: Count;
  readonly synSite: Count;
  readonly synCloud: Count;
  /** Queries to any name server, over UDP. */
  readonly dns: Count;
}

const COUNTERS: readonly (readonly [keyof Traffic, string])[] = [
  ['up', `iifname ${LAN.name}`],
  ['down', `oifname ${LAN.name}`],
  ['syn', `iifname ${LAN.name} tcp flags & (syn | ack) == syn`],
  ['synSite', `iifname ${LAN.name} tcp dport ${PORTS.site} tcp flags & (syn | ack) == syn`],
  ['synCloud', `iifname ${LAN.name} tcp dport ${PORTS.cloud} tcp flags & (syn | ack) == syn`],
  ['dns', `iifname ${LAN.name} udp dport ${PORTS.dns}`],
];

/** An Ethernet header, which the counters of the router do not see. */
export const ETHERNET_HEADER_BYTES = 14;

/** Lays the counters into the router. */
export async function addCounters(router: string): Promise<void> {
  const named = COUNTERS.map(([name]) => `counter ${name} {}`).join('\n');
  const rules = COUNTERS.map(([name, match]) => `${match} counter name ${name}`).join('\n');
  // Before the chains of the faults, which have the priority of filters.
  await nft(
    router,
    `table inet count {\n${named}\nchain forward { type filter hook forward priority -200; policy accept;\n${rules}\n}\n}`,
  );
}

/** Everything counted since the lab was made. */
export async function readCounters(router: string): Promise<Traffic> {
  const text = await run('ip', ['netns', 'exec', router, 'nft', '-j', 'list', 'counters', 'table', 'inet', 'count']);
  const { nftables } = JSON.parse(text) as { nftables: { counter?: Count & { name: string } }[] };
  const found = new Map(nftables.flatMap(({ counter }) => (counter ? [[counter.name, counter] as const] : [])));
  const count = (name: keyof Traffic): Count => {
    const { packets = 0, bytes = 0 } = found.get(name) ?? {};
    return { packets, bytes };
  };
  return {
    up: count('up'),
    down: count('down'),
    syn: count('syn'),
    synSite: count('synSite'),
    synCloud: count('synCloud'),
    dns: count('dns'),
  };
}

/** What came between two readings. */
export function difference(after: Traffic, before: Traffic): Traffic {
  const minus = (name: keyof Traffic): Count => ({
    packets: after[name].packets - before[name].packets,
    bytes: after[name].bytes - before[name].bytes,
  });
  return {
    up: minus('up'),
    down: minus('down'),
    syn: minus('syn'),
    synSite: minus('synSite'),
    synCloud: minus('synCloud'),
    dns: minus('dns'),
  };
}

/** Ethernet frames both ways, in bytes, as a capture on the Pi's interface would add them up. */
export function frameBytes(traffic: Traffic): number {
  const { up, down } = traffic;
  return up.bytes + down.bytes + (up.packets + down.packets) * ETHERNET_HEADER_BYTES;
}
