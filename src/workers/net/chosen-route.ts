/** Connecting a UDP socket makes the kernel choose route and source address, by all its tables and rules, without a packet. */
import { createSocket } from 'node:dgram';

/** The kernel answers within a turn of the event loop. */
const DEADLINE_MS = 1_000;

/** Addresses that stand for "out there". Reserved for documentation (RFC 5737, RFC 3849): nothing is ever sent there. */
export const OUT_THERE = { 4: '192.0.2.1', 6: '2001:db8::1' } as const;

export type ChosenRoute =
  | { readonly kind: 'chosen'; readonly source: string }
  | { readonly kind: 'failed'; readonly error: NodeJS.ErrnoException }
  | { readonly kind: 'late' };

/** Never rejects. @param destination an address, which is not reached by this */
export function chooseRoute(family: 4 | 6, destination: string, port: number): Promise<ChosenRoute> {
  return new Promise((resolve) => {
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    const finish = (route: ChosenRoute): void => {
      clearTimeout(deadline);
      socket.removeAllListeners();
      // A late error of a socket that is being closed concerns nobody.
      socket.on('error', () => undefined);
      try {
        socket.close();
      } catch {
        // Never bound: nothing to close.
      }
      resolve(route);
    };
    const deadline = setTimeout(() => finish({ kind: 'late' }), DEADLINE_MS);
    socket.once('error', (error) => finish({ kind: 'failed', error }));
    // The callback gets the error, although the type does not say so.
    socket.connect(port, destination, (error?: Error) =>
      finish(error ? { kind: 'failed', error } : { kind: 'chosen', source: socket.address().address }),
    );
  });
}
