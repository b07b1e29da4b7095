/**
 * Can the clock be trusted? Pure.
 *
 * | the kernel's discipline | SNTP | the clock |
 * | --- | --- | --- |
 * | synchronised | not asked | trusted |
 * | not synchronised, or not known | an offset within {@link MAX_OFFSET_MS} | trusted: it is right, whoever set it |
 * | not synchronised, or not known | a larger offset | not trusted |
 * | not synchronised, or not known | no answer | not trusted if the test site's own date is far off (`site.ts`); |
 * | | | otherwise as it was proved last, for {@link HOLD_MS}; after that not trusted |
 * | this machine lets us ask neither of them | | as before, for {@link REFUSED_HOLD_MS}; after that as if nobody had answered |
 */

/** Is the kernel's clock kept right by anybody on this machine? As far as it can be learned (`kernel.ts`). */
export type KernelClock = 'synchronised' | 'unsynchronised' | 'unknown';

/** Largest offset of a clock that is right, milliseconds. The scheduler acts by the minute. */
export const MAX_OFFSET_MS = 2_000;
/** The kernel itself calls a clock unsynchronised when its error may exceed 16 s; at 500 ppm that is 32,000 s after the last update. */
export const HOLD_MS = 32_000_000;

/** How long what was told of the clock stands while the questions are refused: what this machine lacks it lacks for a minute, or for good. */
export const REFUSED_HOLD_MS = 600_000;

export interface ClockTrust {
  /** Undefined before the first check. */
  readonly trusted: boolean | undefined;
  /** When it was proved right last, on a clock that never goes back. */
  readonly provedAtMs: number | undefined;
  /** Since when the questions are refused, by the same clock; undefined: they are not. */
  readonly refusedSinceMs?: number;
}

export const NOT_CHECKED: ClockTrust = { trusted: undefined, provedAtMs: undefined };

/**
 * `stepped`: the wall clock was set since the last check, so what was proved of it counts no more. `farOff`: the test site says another day.
 */
export interface ClockEvidence {
  readonly kernel: KernelClock;
  /** Of the servers' time from ours, milliseconds; undefined: no server answered, or none was asked. */
  readonly offsetMs: number | undefined;
  /** Somebody who might know better was not asked, since this machine refused it. Default false. */
  readonly refused?: boolean;
  readonly stepped: boolean;
  readonly farOff: boolean;
}

export function judgeClock(before: ClockTrust, evidence: ClockEvidence, nowMs: number): ClockTrust {
  const { kernel, offsetMs, refused = false, stepped, farOff } = evidence;
  if (kernel === 'synchronised') return { trusted: true, provedAtMs: nowMs };
  if (offsetMs !== undefined) {
    return Math.abs(offsetMs) <= MAX_OFFSET_MS
      ? { trusted: true, provedAtMs: nowMs }
      : { trusted: false, provedAtMs: undefined };
  }
  const provedAtMs = stepped || farOff ? undefined : before.provedAtMs;
  if (refused && !farOff) {
    const refusedSinceMs = before.refusedSinceMs ?? nowMs;
    if (nowMs - refusedSinceMs < REFUSED_HOLD_MS) return { trusted: before.trusted, provedAtMs, refusedSinceMs };
    return { trusted: isHeld(provedAtMs, nowMs), provedAtMs, refusedSinceMs };
  }
  return { trusted: isHeld(provedAtMs, nowMs), provedAtMs };
}

function isHeld(provedAtMs: number | undefined, nowMs: number): boolean {
  return provedAtMs !== undefined && nowMs - provedAtMs < HOLD_MS;
}
