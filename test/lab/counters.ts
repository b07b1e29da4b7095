/** What the router counts of the traffic between the Pi and the internet, before any fault takes a packet away. */
import { nft, run } from './netns.js';
import { LAN, PORTS } from './topology.js';

export interface Count {
  readonly packets: number;
  /** IP packets, headers included. */
  readonly bytes: number;
}

/** Packets that the Pi sent to the internet (`up`, and what begins so) and got from it (`down`); the others are parts of `up`. */
export interface Traffic {
  readonly up: Count;
  readonly down: Count;
  readonly siteUp: Count;
  readonly siteDown: Count;
  readonly cloudUp: Count;
  readonly cloudDown: Count;
  /** TCP connections that the Pi began: every SYN, repeated ones included. */
  readonly syn: Count;
  readonly synSite: Count;
  readonly synCloud: Count;
  /** Queries to any name server, over UDP. */
  readonly dns: Count;
  readonly dnsDown: Count;
}

const UP = `iifname ${LAN.name}`;
const DOWN = `oifname ${LAN.name}`;
const SYN = 'tcp flags & (syn | ack) == syn';

const COUNTERS: readonly (readonly [keyof Traffic, string])[] = [
  ['up', UP],
  ['down', DOWN],
  ['siteUp', `${UP} tcp dport ${PORTS.site}`],
  ['siteDown', `${DOWN} tcp sport ${PORTS.site}`],
  ['cloudUp', `${UP} tcp dport ${PORTS.cloud}`],
  ['cloudDown', `${DOWN} tcp sport ${PORTS.cloud}`],
  ['syn', `${UP} ${SYN}`],
  ['synSite', `${UP} tcp dport ${PORTS.site} ${SYN}`],
  ['synCloud', `${UP} tcp dport ${PORTS.cloud} ${SYN}`],
  ['dns', `${UP} udp dport ${PORTS.dns}`],
  ['dnsDown', `${DOWN} udp sport ${PORTS.dns}`],
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
  return eachOf((name) => {
    const { packets = 0, bytes = 0 } = found.get(name) ?? {};
    return { packets, bytes };
  });
}

/** What came between two readings. */
export function difference(after: Traffic, before: Traffic): Traffic {
  return eachOf((name) => ({
    packets: after[name].packets - before[name].packets,
    bytes: after[name].bytes - before[name].bytes,
  }));
}

/** Both ways, in bytes: IP packets, which a provider counts, and Ethernet frames, as a capture on the Pi's interface would add them up. */
export interface Bytes {
  readonly ip: number;
  readonly frames: number;
}

/** Of `counts` together. */
export function bytesOf(...counts: readonly Count[]): Bytes {
  const ip = counts.reduce((sum, { bytes }) => sum + bytes, 0);
  return { ip, frames: ip + ETHERNET_HEADER_BYTES * counts.reduce((sum, { packets }) => sum + packets, 0) };
}

function eachOf(count: (name: keyof Traffic) => Count): Traffic {
  return Object.fromEntries(COUNTERS.map(([name]) => [name, count(name)])) as unknown as Traffic;
}
