/**
 * Bytes that the sockets of this thread have carried, by what they were for. Counted where they are opened (`open-address.ts`), at the TCP socket:
 * TLS is in it, the headers of the packets and the questions to name servers are not.
 */
import type { Socket } from 'node:net';
import type { Carried } from '../protocol.js';

/** The worker's sockets are all for checks. */
export type Use = 'checks' | 'sign-in' | 'cloud';

class Meter {
  #received = 0;
  #sent = 0;
  readonly #open = new Set<Socket>();

  get carried(): Carried {
    let [received, sent] = [this.#received, this.#sent];
    for (const socket of this.#open) {
      received += socket.bytesRead;
      sent += socket.bytesWritten;
    }
    return { received, sent };
  }

  count(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#received += socket.bytesRead;
      this.#sent += socket.bytesWritten;
    });
  }
}

const METERS: Readonly<Record<Use, Meter>> = { checks: new Meter(), 'sign-in': new Meter(), cloud: new Meter() };

/** Counts what it carries from now to its end. */
export function countSocket(use: Use, socket: Socket): void {
  METERS[use].count(socket);
}

/** Since the thread began. */
export function carriedFor(use: Use): Carried {
  return METERS[use].carried;
}
