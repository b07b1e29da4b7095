/** How late the event loop of a program's main thread is, measured inside of it. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface LoopDelay {
  readonly samples: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const PRELOAD = new URL('./loop-delay-preload.js', import.meta.url);

/** Environment of a program that is to measure itself. */
export function loopDelayEnv(file: string): NodeJS.ProcessEnv {
  return { NODE_OPTIONS: `--import=${fileURLToPath(PRELOAD)}`, BENCH_LOOP_DELAY_FILE: file };
}

/** What a program wrote on its end; undefined if it did not get to it. */
export function readLoopDelay(file: string): LoopDelay | undefined {
  if (!existsSync(file)) return undefined;
  const delay = JSON.parse(readFileSync(file, 'utf8')) as LoopDelay;
  return delay.samples > 0 ? delay : undefined;
}
