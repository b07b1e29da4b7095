/** What a command takes inside a machine, beside what any command of ours takes there: a machine under load is late with both. */
import assert from 'node:assert/strict';
import type { Machine, RunResult } from './machine.js';

export interface TimedResult extends RunResult {
  /** Of the command itself, without what it takes to get there, milliseconds. */
  readonly ms: number;
  /** Of `dunebugger-remote --version` just before, milliseconds. */
  readonly startMs: number;
}

/** Under this `status` has to say something, milliseconds. */
const SOON_MS = 2_000;
/** Starts of a process that fit into {@link SOON_MS} on a machine with nothing else to do. */
const STARTS = 6;

/** @param as what comes before the command to run it as somebody else, such as `setpriv` and its options */
export async function timed(machine: Machine, as: readonly string[], command: string): Promise<TimedResult> {
  const clock = (name: string): string => `${name}=$(date +%s%N)`;
  const script = [
    clock('a'),
    'dunebugger-remote --version >/dev/null',
    clock('b'),
    `${command}; c=$?`,
    clock('e'),
    'echo "took $(((e - b) / 1000000)) $(((b - a) / 1000000))" >&2',
    'exit $c',
  ].join('\n');
  const [program, ...args] = [...as, 'sh', '-c', script];
  const result = await machine.run(program, args);
  const [, ms, startMs] = /took (\d+) (\d+)/.exec(result.stderr) ?? [];
  return { ...result, ms: Number(ms), startMs: Number(startMs) };
}

export function assertSoon({ ms, startMs }: TimedResult): void {
  assert.ok(ms < Math.max(SOON_MS, STARTS * startMs), `${ms} ms, where a start takes ${startMs} ms`);
}
