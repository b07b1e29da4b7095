/** Would this machine give us a socket at all? Asked where an answer is otherwise ambiguous; sends no packet. */
import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import { refusalOf } from './refusal.js';

/** The kernel answers within a turn of the event loop. */
const DEADLINE_MS = 1_000;

/** Addresses that stand for "out there", reserved for documentation (RFC 5737, RFC 3849). */
const OUT_THERE = { 4: '192.0.2.1', 6: '2001:db8::1' } as const;

/**
 * The code with which this machine refuses datagram sockets of the families of `servers` (`address` or `address:port`), if it refuses all
 * of them; undefined if it gives one. Never rejects.
 */
export async function whySocketsAreRefused(servers: readonly string[]): Promise<string | undefined> {
  const families = new Set(servers.map((server) => (isIP(server) === 6 || server.startsWith('[') ? 6 : 4)));
  const answers = await Promise.all([...families].map(trySocket));
  return answers.length > 0 && answers.every((answer) => answer !== undefined) ? answers[0] : undefined;
}

function trySocket(family: 4 | 6): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    const finish = (refusal: string | undefined): void => {
      clearTimeout(deadline);
      socket.removeAllListeners();
      // A late error of a socket that is being closed concerns nobody.
      socket.on('error', () => undefined);
      try {
        socket.close();
      } catch {
        // Never bound: nothing to close.
      }
      resolve(refusal);
    };
    const deadline = setTimeout(() => finish(undefined), DEADLINE_MS);
    socket.once('error', (error) => finish(refusalOf(error)));
    // The callback gets the error, although the type does not say so.
    socket.connect(53, OUT_THERE[family], (error?: Error) => finish(refusalOf(error)));
  });
}
