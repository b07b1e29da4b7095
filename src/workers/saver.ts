/**
 * What is done on a line that is paid by the byte: a live connection that answers is the proof of the internet, and the test site is asked when
 * that fails and now and then. Pure; times are milliseconds of a clock that never jumps.
 *
 * What comes of it at the defaults: an outage is noticed after 75 s, the wait for the answer, and the two checks that make a verdict; 83 s at
 * the most, where it is 11 s without it.
 */
import type { CheckTrigger, LiveAnswer, SaverPace, Verdict } from './protocol.js';

/** A modem that has fallen asleep takes a second or two to send the first packet. */
export const ANSWER_AT_LEAST_MS = 4_000;
/** A return is noticed within this part of the outage, and as soon as a loss is. */
const OFFLINE_PART = 10;

/** Whether a look that is due may begin with a question to the live connection. */
export function mayAskOnly(look: {
  readonly saver: SaverPace | undefined;
  readonly trigger: CheckTrigger;
  readonly verdict: Verdict;
  /** Checks in a row that have failed. */
  readonly failures: number;
  /** Since the last check that said something about the internet. */
  readonly sinceCheckMs: number;
}): boolean {
  const { saver, trigger, verdict, failures, sinceCheckMs } = look;
  if (saver === undefined || trigger !== 'interval' || verdict !== 'online' || failures > 0) return false;
  return sinceCheckMs < saver.checkEveryMs;
}

/** Whether the question's answer makes a check unnecessary. */
export function isEnough(answer: LiveAnswer, sinceCheckMs: number, { checkAloneEveryMs }: SaverPace): boolean {
  switch (answer) {
    case 'answered':
      return true;
    case 'none':
      // An attempt to open one that fails asks for a check anyway.
      return sinceCheckMs < checkAloneEveryMs;
    case 'silent':
      return false;
  }
}

/** From the start of one look to that of the next, where nothing is to be confirmed. */
export function lookAgainAfterMs(pace: {
  readonly saver: SaverPace | undefined;
  readonly verdict: Verdict;
  readonly intervalMs: number;
  readonly offlineIntervalMs: number;
  /** How long the verdict has been offline. */
  readonly offlineForMs: number;
}): number {
  const { saver, verdict, intervalMs, offlineIntervalMs, offlineForMs } = pace;
  if (verdict === 'online') return Math.max(intervalMs, saver?.lookEveryMs ?? 0);
  if (saver === undefined || verdict === 'unknown') return offlineIntervalMs;
  return Math.max(offlineIntervalMs, Math.min(saver.lookEveryMs, offlineForMs / OFFLINE_PART));
}
