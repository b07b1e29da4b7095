/**
 * Is what was sent over a connection swallowed on its way? A line that loses the large packets of one family lets TCP and TLS open, whose packets are
 * small, and then loses the first request, which holds a token. The kernel knows: nothing of it is acknowledged, however often it is sent again. A server
 * that is slow to answer has acknowledged it long before.
 *
 * Black holes of path MTU discovery: RFC 2923, 2.1.
 */
import type { Socket } from 'node:net';
import { readTable } from './kernel-table.js';

/** Of this machine, and of whoever was connected to. */
export interface Ends {
  readonly family: 4 | 6;
  readonly localPort: number;
  readonly remotePort: number;
}

/** How far what was sent over a connection has come. */
export interface Sending {
  /** Bytes that the other side has not acknowledged. */
  readonly unacknowledged: number;
  /** How often in a row the kernel has waited for an acknowledgement in vain, and sent again. */
  readonly timeouts: number;
}

export interface WatchOptions {
  /** How it is now; undefined: nobody can say. */
  readonly look: () => Sending | undefined;
  /** Whose end is the end of the watch. */
  readonly socket: Socket;
  /** Called once at the most. */
  readonly onSwallowed: () => void;
  /** A clock that never jumps, milliseconds. Default: the process's. */
  readonly now?: () => number;
}

/** What was sent again (RTO_MIN of Linux: 200 ms) may be acknowledged by then. */
const FIRST_LOOK_MS = 300;
const LOOK_AGAIN_MS = 50;
/** A line whose time-outs are longer than that is too slow to be told from a dead one. */
const WATCH_MS = 10_000;
/**
 * What is sent again at the kernel's first time-out has as long for its acknowledgement as that time-out took, which is half of the time until then: before it
 * came the first transmission and the probe for its tail (RFC 8985, 7). Three in a row are lost by chance once in 150 times where every tenth packet is, each
 * way; the price is one request more.
 */
const ENOUGH = 1.5;
/** Some 1,700 connections; one that is not among them is not watched. */
const MAX_TABLE_BYTES = 262_144;
/** TCP_ESTABLISHED of linux/net/tcp_states.h. */
const ESTABLISHED = '01';

/** From when a request is written until all of it is acknowledged, it is swallowed, or the socket closes. Returns what ends it sooner. */
export function watchSending(options: WatchOptions): () => void {
  const { look, socket, onSwallowed, now = () => performance.now() } = options;
  const startedAt = now();
  let timer: NodeJS.Timeout | undefined;
  /** Since when nothing more is acknowledged although it was sent again, milliseconds from the start; and what is not. */
  let stuck: { readonly sinceMs: number; readonly bytes: number } | undefined;
  const stop = (): void => {
    clearTimeout(timer);
    socket.off('close', stop);
  };
  const lookIn = (ms: number): void => {
    timer = setTimeout(() => {
      const sending = look();
      const forMs = now() - startedAt;
      if (sending === undefined || sending.unacknowledged === 0 || forMs > WATCH_MS) {
        stop();
        return;
      }
      const { unacknowledged: bytes, timeouts } = sending;
      if (timeouts === 0) stuck = undefined;
      else if (stuck?.bytes !== bytes) stuck = { sinceMs: forMs, bytes };
      if (stuck === undefined || forMs < ENOUGH * stuck.sinceMs) lookIn(Math.max(LOOK_AGAIN_MS, forMs / 8));
      else {
        stop();
        onSwallowed();
      }
    }, ms);
  };
  socket.once('close', stop);
  lookIn(FIRST_LOOK_MS);
  return stop;
}

/** What the kernel says of the connection between these ends; undefined if it says nothing. */
export function lookAtSending(ends: Ends): Sending | undefined {
  try {
    return sendingOf(readTable(ends.family === 6 ? '/proc/net/tcp6' : '/proc/net/tcp', MAX_TABLE_BYTES), ends);
  } catch {
    return undefined;
  }
}

/** Of the text of /proc/net/tcp or tcp6 (proc_net_tcp.txt of the kernel's documentation). Pure. */
export function sendingOf(table: string, { localPort, remotePort }: Ends): Sending | undefined {
  const found = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, local = '', remote = '', state]) =>
        state === ESTABLISHED && portOf(local) === localPort && portOf(remote) === remotePort,
    );
  const [one] = found;
  // Another process may have the same ports, to another host.
  if (one === undefined || found.length > 1) return undefined;
  const [, , , , queues = '', , timeouts = ''] = one;
  const sending = { unacknowledged: parseInt(queues, 16), timeouts: parseInt(timeouts, 16) };
  return Number.isNaN(sending.unacknowledged + sending.timeouts) ? undefined : sending;
}

/** `0100007F:01BB` */
function portOf(end: string): number {
  return parseInt(end.slice(end.indexOf(':') + 1), 16);
}
