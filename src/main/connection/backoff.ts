/**
 * How long to wait before the next attempt: pure arithmetic, all durations in milliseconds. `random` is in [0, 1).
 *
 * No wait is the same for many devices. What only we want (an ordinary retry) is drawn from the whole interval up to its bound; what the
 * service asks for is jittered upwards, so that nobody comes sooner.
 */

export interface BackoffPolicy {
  /** Most delay after the first failure in a row. Default 15,000: the document's 15 s, 30 s, … */
  readonly baseMs: number;
  /** No ordinary delay is longer. Default 300,000. */
  readonly capMs: number;
  /** Least delay after the first refused sign-in. Default 60,000: a wrong password does not become right by itself. */
  readonly refusedBaseMs: number;
  /** The least delay after a refused sign-in grows no further. Default 900,000. */
  readonly refusedCapMs: number;
  /** Least pause after a 429 or a Retry-After. Default 60,000: what is limited is limited for many. */
  readonly throttledBaseMs: number;
  /** A service is granted no more patience than this, jitter aside. Default 900,000. */
  readonly throttledCapMs: number;
}

export const DEFAULT_BACKOFF: BackoffPolicy = {
  baseMs: 15_000,
  capMs: 300_000,
  refusedBaseMs: 60_000,
  refusedCapMs: 900_000,
  throttledBaseMs: 60_000,
  throttledCapMs: 900_000,
};

/** No ordinary delay is shorter, unless its bound is. */
const FLOOR_MS = 1_000;
/** The wait after a refusal is longer by at most this share: whoever is refused with many others is not refused with all of them again. */
const REFUSED_JITTER = 0.2;

/** `min(cap, base · 2^(n-1))` for the n-th failure in a row, n from 1; exact for every n, however large. */
export function exponentialMs(n: number, baseMs: number, capMs: number): number {
  // 2^52 ms is 140,000 years; beyond that only overflow is to be gained.
  return Math.min(capMs, baseMs * 2 ** Math.min(Math.max(n, 1) - 1, 52));
}

/**
 * Delay after the n-th ordinary failure in a row: anything from 1 s to the document's 15 s, 30 s, … With a fifth of jitter, as before, a
 * hundred thousand retries of a service that restarts came within 3 s, with the whole interval they come within 14.
 */
export function ordinaryDelayMs(n: number, policy: BackoffPolicy, random: number): number {
  const mostMs = exponentialMs(n, policy.baseMs, policy.capMs);
  return Math.round(mostMs - Math.max(0, mostMs - FLOOR_MS) * random);
}

/** After a refusal nothing is tried sooner than this, milliseconds, whatever is allowed. */
const MIN_REFUSED_MS = 1_000;

/**
 * Delay after the n-th refused sign-in in a row, jittered upwards: at the full 15 minutes a whole day of refusals costs at most 100
 * sign-ins. `signInAllowedInMs`: a fresh sign-in, which has a pacing of its own, is allowed by then, so waiting for longer is of no use.
 */
export function refusedDelayMs(n: number, policy: BackoffPolicy, random: number, signInAllowedInMs = Infinity): number {
  const own = exponentialMs(n, policy.refusedBaseMs, policy.refusedCapMs);
  const leastMs = Math.min(own, Math.max(MIN_REFUSED_MS, Math.ceil(signInAllowedInMs)));
  return Math.round(leastMs * (1 + REFUSED_JITTER * random));
}

/**
 * What of the cap our own pauses use. Of those tried by `npm run fleet` behind a limit of 50 sign-ins a second, this one has the last of
 * 100,000 in soonest: 1.3 times the floor, with 5.1 attempts. At the whole cap the last ones wait longer (up to 1.4 times); at two thirds
 * some spend the twelve sign-ins of their bucket. The upper half of each interval alone would be 4.7 attempts and 1.5 times.
 */
const OWN_SHARE = 0.8;

/**
 * Pause after a 429 or a Retry-After, the n-th failure in a row: never sooner than 60 s or than the service asks for, and at random up to
 * 120 s, 240 s, 480 s, 720 s, since a crowd that was told the same second would come back in it. A longer Retry-After is jittered by as much
 * again, half the cap at most.
 */
export function throttledDelayMs(
  n: number,
  retryAfterMs: number | undefined,
  policy: BackoffPolicy,
  random: number,
): number {
  const { throttledBaseMs, throttledCapMs } = policy;
  // It came over the network: NaN and negative numbers ask for nothing.
  const asked = retryAfterMs !== undefined && retryAfterMs > 0 ? Math.min(retryAfterMs, throttledCapMs) : 0;
  const leastMs = Math.max(asked, throttledBaseMs);
  const mostMs = exponentialMs(n + 1, throttledBaseMs, throttledCapMs * OWN_SHARE);
  const widthMs = Math.max(mostMs - leastMs, Math.min(leastMs, throttledCapMs / 2));
  return Math.ceil(leastMs + widthMs * random);
}
