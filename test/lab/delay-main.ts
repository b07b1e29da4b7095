/**
 * A line with a latency, for kernels without netem: two VXLAN tunnels end here, and each frame that comes out of one goes
 * into the other a while later. Runs in a namespace of its own between the router and the internet.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { fillChecksum } from './checksum.js';
import { serve } from './remote-call.js';
import { VXLAN_PORT, type DelayCalls, type End } from './delay.js';

const VXLAN_HEADER = 8;

async function bind({ here }: End): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20, sendBufferSize: 1 << 20 });
  socket.bind(VXLAN_PORT, here);
  await once(socket, 'listening');
  // An end that is being taken down is no concern of the line.
  socket.on('error', () => undefined);
  return socket;
}

serve({
  async start({ ends, delayMs }) {
    const [left, right] = await Promise.all([bind(ends[0]), bind(ends[1])]);
    // Timers of one duration fire in the order they were set, so no frame overtakes another.
    const pass = (to: Socket, there: string) => (packet: Buffer) => {
      fillChecksum(packet.subarray(VXLAN_HEADER));
      setTimeout(() => to.send(packet, VXLAN_PORT, there, () => undefined), delayMs);
    };
    left.on('message', pass(right, ends[1].there));
    right.on('message', pass(left, ends[0].there));
  },
} satisfies DelayCalls);
