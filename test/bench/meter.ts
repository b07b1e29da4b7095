/** What a lab's router sees of the checks and of the cloud connection, frame by frame. */
import { ETHERNET_HEADER_BYTES } from '../lab/counters.js';
import type { Lab } from '../lab/lab.js';
import { run } from '../lab/netns.js';
import { LAN, NET, PI, PORTS, WAN } from '../lab/topology.js';

/** Both ways together; bytes are those of Ethernet frames, as a capture at the Pi would add them up. */
export interface Metered {
  readonly bytes: number;
  readonly packets: number;
}

export interface Reading {
  /** Name servers and the test site. */
  readonly checks: Metered;
  readonly cloud: Metered;
}

const TABLE = 'bench';

/** Lays the counters into the router. */
export async function addMeter(lab: Lab): Promise<void> {
  // Without this a virtual link carries several segments as one frame, which no real one does.
  for (const { place, name } of [PI, LAN, WAN, NET]) await lab.ip(place, `link set ${name} gso_max_segs 1`);
  const ports = { checks: `{ ${PORTS.dns}, ${PORTS.site} }`, cloud: `${PORTS.cloud}` };
  const rules = Object.entries(ports).flatMap(([name, port]) => [
    `iifname ${LAN.name} meta l4proto { tcp, udp } th dport ${port} counter name ${name}`,
    `oifname ${LAN.name} meta l4proto { tcp, udp } th sport ${port} counter name ${name}`,
  ]);
  await lab.addRules(
    'router',
    TABLE,
    `counter checks {}\ncounter cloud {}\nchain forward { type filter hook forward priority -200; policy accept;\n${rules.join('\n')}\n}`,
  );
}

export async function readMeter(lab: Lab): Promise<Reading> {
  const list = ['-j', 'list', 'counters', 'table', 'inet', TABLE];
  const text = await run('ip', ['netns', 'exec', lab.namespace('router'), 'nft', ...list]);
  const { nftables } = JSON.parse(text) as { nftables: { counter?: Metered & { name: string } }[] };
  const count = (name: string): Metered => {
    const found = nftables.find(({ counter }) => counter?.name === name)?.counter;
    if (found === undefined) throw new Error(`the router has no counter ${name}`);
    const { packets, bytes } = found;
    return { packets, bytes: bytes + packets * ETHERNET_HEADER_BYTES };
  };
  return { checks: count('checks'), cloud: count('cloud') };
}

export function minus(after: Metered, before: Metered): Metered {
  return { bytes: after.bytes - before.bytes, packets: after.packets - before.packets };
}
