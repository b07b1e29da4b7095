/** Which errors that nobody caught the service may outlive. Pure. */
import { refusalOf } from '../../workers/net/refusal.js';

/** So many within the time are no single refusals but a circle, which only a new process ends. */
const MOST = 20;
const WITHIN_MS = 60_000;

/** When the last of them came, on a clock that never goes back, milliseconds. */
export type RefusedCalls = readonly number[];

export const NONE_REFUSED: RefusedCalls = [];

/**
 * A call that the system refused (no file handle, no process) somewhere in Node or a library, whose error was nobody's: what wanted it has a
 * deadline of its own, so the service goes on. Undefined: any other error, or too many.
 */
export function outlive(before: RefusedCalls, error: unknown, nowMs: number): RefusedCalls | undefined {
  if (refusalOf(error) === undefined || typeof (error as { syscall?: unknown }).syscall !== 'string') return undefined;
  const recent = [...before.filter((atMs) => nowMs - atMs < WITHIN_MS), nowMs];
  return recent.length > MOST ? undefined : recent;
}
