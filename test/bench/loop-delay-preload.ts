/**
 * Loaded before a program (`--import`): measures how late its main thread's event loop is, and writes that to the file
 * `BENCH_LOOP_DELAY_FILE` when the program ends.
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';
import type { LoopDelay } from './loop-delay.js';

const RESOLUTION_MS = 10;
/** Loading the program is not part of it, nor is that of what it needs first when it is connected. */
const STARTED_AFTER_MS = 15_000;

const file = process.env['BENCH_LOOP_DELAY_FILE'];
if (isMainThread && file !== undefined) {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  setTimeout(() => histogram.enable(), STARTED_AFTER_MS).unref();
  process.on('exit', () => {
    histogram.disable();
    // The histogram holds the time between two looks, which are that far apart on an idle loop as well.
    const late = (ns: number): number => Math.max(0, Math.round((ns / 1e6 - RESOLUTION_MS) * 10) / 10);
    const delay: LoopDelay = {
      samples: histogram.count,
      medianMs: late(histogram.percentile(50)),
      p99Ms: late(histogram.percentile(99)),
      maxMs: late(histogram.max),
    };
    writeFileSync(file, JSON.stringify(delay));
  });
}
