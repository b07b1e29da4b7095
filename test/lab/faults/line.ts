/** The line behind the router: silence, loss, latency. */
import { addDelay } from '../delay.js';
import { LAN, PI, WAN } from '../topology.js';
import { filter, type Fault } from './make.js';

/** Loss of every packet with this probability, each way. */
export function packetLoss(percent: number): Fault {
  return filter(
    `packet-loss-${percent}`,
    `${percent} % of all packets are lost, each way`,
    `numgen random mod 100 < ${percent} drop`,
  );
}

/** Each packet takes longer, each way. */
export function latency(delayMs: number): Fault {
  const name = `latency-${delayMs}`;
  return {
    name,
    says: `every packet takes ${delayMs} ms longer, each way`,
    apply: async (lab) => lab.remember(name, await addDelay(lab, delayMs)),
    repair: (lab) => lab.undo(name),
  };
}

/** A line on which each way takes half of `roundTripMs`, and loses that many packets. */
export function slowLine(roundTripMs: number, lossPercent = 0): Fault {
  const parts = [latency(roundTripMs / 2), ...(lossPercent > 0 ? [packetLoss(lossPercent)] : [])];
  return {
    name: `round-trip-${roundTripMs}${lossPercent > 0 ? `-loss-${lossPercent}` : ''}`,
    says: `a round trip takes ${roundTripMs} ms${lossPercent > 0 ? `, and ${lossPercent} % of all packets are lost, each way` : ''}`,
    async apply(lab) {
      for (const part of parts) await part.apply(lab);
    },
    async repair(lab) {
      for (const part of parts) await part.repair(lab);
    },
  };
}

/**
 * What the Pi sends in packets of more than so many bytes is lost, and nobody says so: a tunnel or PPPoE behind the router whose ICMP is swallowed. What
 * the kernel would leave to the card to cut is cut by itself, or the router would see packets that no wire carries.
 */
export function largeLost(bytes: number): Fault {
  const lost = filter(
    `large-lost-${bytes}`,
    `what the Pi sends in packets of more than ${bytes} bytes is lost`,
    `iifname ${LAN.name} meta length > ${bytes} drop`,
  );
  return {
    ...lost,
    async apply(lab) {
      await lab.ip('pi', `link set ${PI.name} gso_max_segs 1`);
      await lost.apply(lab);
    },
    async repair(lab) {
      await lost.repair(lab);
      await lab.ip('pi', `link set ${PI.name} gso_max_segs 65535`);
    },
  };
}

export const ipv6Broken = filter(
  'ipv6-broken',
  'there is an IPv6 address and route, but no packet comes through; IPv4 works',
  'meta nfproto ipv6 drop',
);

/** A SYN of IPv6 has 80 bytes, a segment that carries something more. */
export const ipv6TcpOnly = filter(
  'ipv6-tcp-only',
  'over IPv6 TCP opens, but what it carries is dropped; IPv4 works',
  'meta nfproto ipv6 meta l4proto tcp meta length > 80 drop',
);
export const ipv6LargeLost = filter(
  'ipv6-large-lost',
  'over IPv6 packets of more than 600 bytes are lost, each way; IPv4 works',
  'meta nfproto ipv6 meta length > 600 drop',
);
export const ipv6LargeLostOut = filter(
  'ipv6-large-lost-out',
  'over IPv6 what the Pi sends in packets of more than 600 bytes is lost; IPv4 works',
  `iifname ${LAN.name} meta nfproto ipv6 meta length > 600 drop`,
);

export const blackHole = filter('black-hole', 'every packet is dropped silently', 'drop');
export const uplinkDropped = filter('uplink-dropped', 'what the Pi sends is dropped', `iifname ${LAN.name} drop`);
export const downlinkDropped = filter(
  'downlink-dropped',
  'what is sent to the Pi is dropped',
  `iifname ${WAN.name} drop`,
);
