/** Asks NTP servers by UDP, one after another, each within a deadline; never rejects. */
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { LookupFunction } from 'node:net';
import { systemClock } from '../base/clock.js';
import { refusedBy, type Refused } from './refused.js';
import { sntpFollows, sntpOffsetMs, sntpRequest } from './sntp-packet.js';

export interface SntpOptions {
  /** Host names or addresses, with a port if it is not 123; tried in turn until one answers. */
  readonly servers: readonly { readonly host: string; readonly port?: number }[];
  /** Deadline of each server, its name included, milliseconds. */
  readonly timeoutMs: number;
  /** Always calls back within its own deadline. */
  readonly lookup: LookupFunction;
  readonly signal: AbortSignal;
}

/** The offset of the first server that answers, milliseconds; undefined if none does, {@link Refused} if not all could be asked. */
export async function askSntp({
  servers,
  timeoutMs,
  lookup,
  signal,
}: SntpOptions): Promise<number | undefined | Refused> {
  let refused: Refused | undefined;
  for (const { host, port = 123 } of servers) {
    if (signal.aborted) return undefined;
    const offset = await askOne({ host, port, timeoutMs, lookup, signal, read: sntpOffsetMs });
    if (typeof offset === 'number') return offset;
    refused ??= offset;
  }
  return refused;
}

/** Deadline of a server on this machine, milliseconds; where there is none the kernel says so at once. */
const LOCAL_MS = 500;

/** Does the NTP server of this machine follow another? Undefined if there is none (systemd-timesyncd and, by default, chronyd serve nobody). */
export function askLocalSntp(port = 123): Promise<boolean | undefined | Refused> {
  const lookup: LookupFunction = (_host, _options, callback) => callback(null, '127.0.0.1', 4);
  const signal = new AbortController().signal;
  return askOne({ host: 'localhost', port, timeoutMs: LOCAL_MS, lookup, signal, read: sntpFollows });
}

interface OneServer<T> {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly lookup: LookupFunction;
  readonly signal: AbortSignal;
  /** What a packet says; undefined: it is no answer to this request. */
  readonly read: (packet: Uint8Array, nonce: Uint8Array, sentMs: number, roundTripMs: number) => T | undefined;
}

function askOne<T>({ host, port, timeoutMs, lookup, signal, read }: OneServer<T>): Promise<T | undefined | Refused> {
  return new Promise((resolve) => {
    let socket: ReturnType<typeof createSocket> | undefined;
    let ended = false;
    const end = (answer?: T | Refused): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      socket?.close();
      resolve(answer);
    };
    const giveUp = (): void => end();
    const timer = setTimeout(giveUp, timeoutMs);
    signal.addEventListener('abort', giveUp, { once: true });
    lookup(host, { all: false }, (error, address, family) => {
      if (ended) return;
      if (error !== null || typeof address !== 'string') {
        end(refusedBy(error));
        return;
      }
      const nonce = randomBytes(8);
      let sentMs = 0;
      let sentAtMs = 0;
      socket = createSocket(family === 6 ? 'udp6' : 'udp4');
      socket.on('error', (problem) => end(refusedBy(problem)));
      socket.on('message', (packet) => {
        const answer = read(packet, nonce, sentMs, performance.now() - sentAtMs);
        // What is no answer to this request may be anybody's; the right one may still come.
        if (answer !== undefined) end(answer);
      });
      // Connected, so that the kernel lets through that server's answers only and tells of a closed port.
      socket.connect(port, address, (problem?: Error) => {
        if (ended) return;
        if (problem !== undefined) {
          end(refusedBy(problem));
          return;
        }
        sentMs = systemClock.wallMs();
        sentAtMs = performance.now();
        socket?.send(sntpRequest(nonce));
      });
    });
  });
}
