/**
 * How often somebody is asked whether the clock is kept right. Pure.
 *
 * A file of systemd-timesyncd costs one look a time and is looked at every time. The others cost packets and processes, so an answer that
 * stays the same is asked for less and less often. Whatever hints at another one asks at once: the clock was set, the internet is back,
 * timesyncd's file came or grew old.
 */
import { HOLD_MS, type KernelClock } from './decision.js';

/** An answer that stays the same is asked for again after so many intervals at most: 5 min at the default of 30 s. */
const MAX_INTERVALS = 10;
/** And so many while the kernel says that its clock is not synchronised, since the scheduler waits for better news: 1 min. */
const MAX_INTERVALS_UNSYNCHRONISED = 2;

export interface LastAsked {
  readonly answer: KernelClock;
  /** Monotonic, milliseconds: until then the answer stands. */
  readonly untilMs: number;
  readonly pauseMs: number;
}

/** @param everyMs the interval of the checks, milliseconds */
export function answered(
  before: LastAsked | undefined,
  answer: KernelClock,
  everyMs: number,
  nowMs: number,
): LastAsked {
  const most = answer === 'unsynchronised' ? MAX_INTERVALS_UNSYNCHRONISED : MAX_INTERVALS;
  const pauseMs = before?.answer === answer ? Math.min(2 * before.pauseMs, most * everyMs) : everyMs;
  return { answer, pauseMs, untilMs: nowMs + pauseMs };
}

/** How late a look may be and still be the one that was due, milliseconds: timers are. */
const SLACK_MS = 1_000;

export function isDue(last: LastAsked | undefined, nowMs: number): last is undefined {
  return last === undefined || nowMs >= last.untilMs - SLACK_MS;
}

/**
 * Is timesyncd's file a proof? It touches it at each synchronisation (systemd-timesyncd.service(8)), every 34 min at the latest. One that is older
 * than what a synchronisation holds for, or that is older than the last setting of the clock, says nothing about the clock of now.
 *
 * @param touchedMs by the file's own time, milliseconds since 1970
 * @param setSinceMs the clock was set, at this moment (by the clock as it goes now) at the earliest; undefined: it was not
 */
export function isProof(touchedMs: number, wallMs: number, setSinceMs: number | undefined): boolean {
  if (touchedMs > wallMs + SLACK_MS || wallMs - touchedMs > HOLD_MS) return false;
  return setSinceMs === undefined || touchedMs >= setSinceMs - SLACK_MS;
}
