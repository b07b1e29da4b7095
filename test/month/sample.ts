/** What is looked at once a cycle: from inside of both threads, and from outside. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ask } from '../support/ask.js';
import { childrenOf } from '../support/process.js';

/** After the garbage is collected. Bytes. */
export interface ThreadInside {
  readonly heapUsed: number;
  /** What objects of JavaScript hold outside of its heap. */
  readonly external: number;
  /** Timers of the program that have neither fired nor been cleared. */
  readonly timers: number;
  /** What keeps the event loop. */
  readonly resources: readonly string[];
}

export interface Inside {
  readonly main: ThreadInside;
  readonly worker: ThreadInside;
}

/** One look; a member is a series over the run. */
export type Sample = Readonly<Record<Figure, number>>;

/**
 * What is looked at, and by how much it may grow over the half of the run that is judged; `heap`: as the plan allows. Resident memory comes in whole
 * spaces of V8 and arenas of the allocator.
 */
export const FIGURES = {
  'heap of main, kB': 'heap',
  'heap of worker, kB': 'heap',
  'external of main, kB': 256,
  'external of worker, kB': 256,
  'resident, kB': 8_192,
  'open files': 1,
  'timers of main': 1,
  'timers of worker': 1,
  'handles of main': 1,
  'handles of worker': 1,
  threads: 0.5,
  children: 0.5,
  'log, lines': 30,
  'log, kB': 10,
} as const;

export type Figure = keyof typeof FIGURES;

/** @param logged since the last sample */
export async function takeSample(pid: number, door: string, logged: readonly string[]): Promise<Sample> {
  const { main, worker } = JSON.parse((await ask(door, '/measure')).body) as Inside;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kb = (bytes: number): number => Math.round(bytes / 1_024);
  return {
    'heap of main, kB': kb(main.heapUsed),
    'heap of worker, kB': kb(worker.heapUsed),
    'external of main, kB': kb(main.external),
    'external of worker, kB': kb(worker.external),
    'resident, kB': Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]),
    'open files': readdirSync(`/proc/${pid}/fd`).length,
    'timers of main': main.timers,
    'timers of worker': worker.timers,
    'handles of main': main.resources.length,
    'handles of worker': worker.resources.length,
    threads: Number(/^Threads:\s+(\d+)/m.exec(status)?.[1]),
    // Of every thread, as any of them may have started one.
    children: childrenOf(pid).length,
    'log, lines': logged.length,
    'log, kB': kb(logged.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0)),
  };
}

export interface OnCard {
  readonly files: number;
  readonly bytes: number;
}

export function lookAtCard(folder: string): OnCard {
  const names = readdirSync(folder);
  return {
    files: names.length,
    bytes: names.reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0),
  };
}
