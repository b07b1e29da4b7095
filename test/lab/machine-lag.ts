/**
 * How much of a span of time this machine kept from its processes.
 *
 * The bounds of the lab are those of a machine that has time for the daemon. One that is busy with other things is late with
 * every timer; what it was late is added to a bound, so that a test tells about the daemon and not about its neighbours.
 */

import { readdirSync, readFileSync } from 'node:fs';

/** Small enough to see a stall, large enough to cost nothing. */
const EVERY_MS = 25;
/** A timer is late by that much on an idle machine as well. */
const ORDINARY_MS = 15;

export class MachineLag {
  readonly #timer: NodeJS.Timeout;
  readonly #late: { readonly atMs: number; readonly ms: number }[] = [];
  #dueMs = performance.now() + EVERY_MS;

  constructor() {
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      const ms = nowMs - this.#dueMs;
      this.#dueMs = nowMs + EVERY_MS;
      if (ms > ORDINARY_MS) this.#late.push({ atMs: Date.now(), ms });
    }, EVERY_MS);
    this.#timer.unref();
  }

  /** Milliseconds by which timers were late between two times of the wall clock. */
  between(fromMs: number, toMs: number): number {
    const within = this.#late.filter(({ atMs, ms }) => atMs >= fromMs && atMs - ms <= toMs);
    return Math.round(within.reduce((sum, { ms }) => sum + ms, 0));
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/**
 * Milliseconds for which threads of these processes were ready to run and had to wait for a processor, since they began
 * (second field of proc(5)'s `schedstat`). A process that is gone counts nothing.
 */
export function waitedForProcessorMs(pids: readonly number[]): number {
  let ns = 0;
  for (const pid of pids) {
    for (const thread of namesIn(`/proc/${pid}/task`)) {
      ns += Number(textOf(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[1] ?? 0);
    }
  }
  return Math.round(ns / 1e6);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
