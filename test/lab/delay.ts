/** Lays a line with a latency between the router and the internet, and takes it away again. */
import type { Lab } from './lab.js';
import { addNamespace, ipBatch, removeNamespace, run } from './netns.js';
import { RemoteChild } from './remote-call.js';
import { NET, PI } from './topology.js';

export const VXLAN_PORT = 4789;

/** One end of the line: the address of the forwarding process there, and that of the machine it talks to. */
export interface End {
  readonly here: string;
  readonly there: string;
}

export interface DelayCalls {
  /** `delayMs` is added to each direction. */
  start(options: { readonly ends: readonly [End, End]; readonly delayMs: number }): Promise<void>;
  [name: string]: (argument: never) => unknown;
}

const ENDS: readonly [End, End] = [
  { here: '10.77.8.2', there: '10.77.8.1' },
  { here: '10.77.9.2', there: '10.77.9.1' },
];
const MAC = '02:77:00:00:07:0';
/** Room for the tunnel's own headers, so that a full packet of 1,500 passes. */
const UNDERLAY_MTU = 1_600;

/** Every packet between the router and the internet takes `delayMs` longer, each way. Returns how to undo it. */
export async function addDelay(lab: Lab, delayMs: number): Promise<() => Promise<void>> {
  const wire = `${lab.prefix}-wire`;
  const [router, net] = [lab.namespace('router'), lab.namespace('net')];
  await addNamespace(wire);
  await run('ip', ['-netns', wire, 'link', 'add', 'w0', 'type', 'veth', 'peer', 'name', 'line0', 'netns', router]);
  await run('ip', ['-netns', wire, 'link', 'add', 'w1', 'type', 'veth', 'peer', 'name', 'line0', 'netns', net]);
  await ipBatch(wire, [
    ...[0, 1].map((side) => `link set w${side} mtu ${UNDERLAY_MTU} up`),
    `address add ${ENDS[0].here}/30 dev w0`,
    `address add ${ENDS[1].here}/30 dev w1`,
  ]);
  const tunnel = (end: End, mine: number, theirs: number): string[] => [
    `link set line0 mtu ${UNDERLAY_MTU} up`,
    `address add ${end.there}/30 dev line0`,
    `link add tunnel0 address ${MAC}${mine} mtu 1500 type vxlan id 77 remote ${end.here} dstport ${VXLAN_PORT}`,
    'link set tunnel0 up',
    `address add 10.77.7.${mine}/30 dev tunnel0`,
    `address add fd77:0:0:7::${mine}/64 dev tunnel0 nodad`,
    // Nobody asks for a neighbour over a long line: a router does at its own end.
    `neighbour add 10.77.7.${theirs} lladdr ${MAC}${theirs} dev tunnel0 nud permanent`,
    `neighbour add fd77:0:0:7::${theirs} lladdr ${MAC}${theirs} dev tunnel0 nud permanent`,
  ];
  await ipBatch(router, tunnel(ENDS[0], 1, 2));
  await ipBatch(net, tunnel(ENDS[1], 2, 1));
  const forwarder = await RemoteChild.start<DelayCalls>(wire, './delay-main.js');
  await forwarder.call('start', { ends: ENDS, delayMs });
  await ipBatch(router, [
    `route add ${NET.v4}/32 via 10.77.7.2`,
    ...(lab.ipv6 ? [`route add ${NET.v6}/128 via fd77:0:0:7::2`] : []),
  ]);
  // An answer over UDP must come from the address that was asked, not from that of the tunnel.
  await ipBatch(net, [
    `route add ${PI.v4}/32 via 10.77.7.1 src ${NET.v4}`,
    ...(lab.ipv6 ? [`route add ${PI.v6}/128 via fd77:0:0:7::1 src ${NET.v6}`] : []),
  ]);
  return async () => {
    // The routes and the tunnels' other ends go with the links.
    await ipBatch(router, ['link del tunnel0', 'link del line0']);
    await ipBatch(net, ['link del tunnel0', 'link del line0']);
    await forwarder.stop();
    removeNamespace(wire);
  };
}
