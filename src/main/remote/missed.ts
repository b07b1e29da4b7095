/**
 * What the browsers were to hear and did not: heartbeats and system_info that could not be said, or were said and never acknowledged. Pure.
 * They are not kept, since they say something of a moment; that one is due is remembered, and said anew at the next join or resume, or a little
 * later if the connection stands all the while.
 */
export interface Missed {
  readonly heartbeat: boolean;
  readonly systemInfo: boolean;
}

export const NOTHING_MISSED: Missed = { heartbeat: false, systemInfo: false };
export const ALL_MISSED: Missed = { heartbeat: true, systemInfo: true };

/** A message that fails while the connection stands is said again after so long, milliseconds; doubled each time, as a refusal may be for good. */
const SAY_AGAIN_FIRST_MS = 5_000;
const SAY_AGAIN_CAP_MS = 60_000;

/** @param times how often it was said again already since the last join, resume or word of a browser */
export function sayAgainMs(times: number): number {
  return Math.min(SAY_AGAIN_CAP_MS, SAY_AGAIN_FIRST_MS * 2 ** Math.min(times, 10));
}

/** @param subject of the message that did not reach the group */
export function missed(before: Missed, subject: string): Missed {
  switch (subject) {
    case 'heartbeat':
      return { ...before, heartbeat: true };
    case 'system_info':
      return { ...before, systemInfo: true };
    default:
      return before;
  }
}
