/** How long to wait before the next attempt: pure arithmetic, all durations in milliseconds. */

export interface BackoffPolicy {
  /** Delay after the first failure in a row. Default 15,000: the document's 15 s, 30 s, … */
  readonly baseMs: number;
  /** No ordinary delay is longer. Default 300,000. */
  readonly capMs: number;
  /** Delay after the first refused sign-in. Default 60,000: a wrong password does not become right by itself. */
  readonly refusedBaseMs: number;
  /** No delay after a refused sign-in is longer. Default 900,000. */
  readonly refusedCapMs: number;
  /** A service may ask for no more patience than this. Default 3,600,000. */
  readonly retryAfterCapMs: number;
}

export const DEFAULT_BACKOFF: BackoffPolicy = {
  baseMs: 15_000,
  capMs: 300_000,
  refusedBaseMs: 60_000,
  refusedCapMs: 900_000,
  retryAfterCapMs: 3_600_000,
};

/** Jitter shortens a delay by at most this share, so that the cap and the document's seconds are upper bounds. */
export const JITTER = 0.2;

/** `min(cap, base · 2^(n-1))` for the n-th failure in a row, n from 1; exact for every n, however large. */
export function exponentialMs(n: number, baseMs: number, capMs: number): number {
  // 2^52 ms is 140,000 years; beyond that only overflow is to be gained.
  return Math.min(capMs, baseMs * 2 ** Math.min(Math.max(n, 1) - 1, 52));
}

/** Delay after the n-th ordinary failure in a row. `random` is in [0, 1). */
export function ordinaryDelayMs(n: number, policy: BackoffPolicy, random: number): number {
  return Math.round(exponentialMs(n, policy.baseMs, policy.capMs) * (1 - JITTER * random));
}

/** After a refusal nothing is tried sooner than this, milliseconds, whatever is allowed. */
const MIN_REFUSED_MS = 1_000;

/**
 * Delay after the n-th refused sign-in in a row. Without jitter: a refusal is the trouble of one installation, not
 * of a crowd, and at the full 15 minutes a whole day of refusals costs at most 100 sign-ins. `signInAllowedInMs`: a fresh sign-in, which
 * has a pacing of its own, is allowed by then, so waiting for longer is of no use.
 */
export function refusedDelayMs(n: number, policy: BackoffPolicy, signInAllowedInMs = Infinity): number {
  const own = exponentialMs(n, policy.refusedBaseMs, policy.refusedCapMs);
  return Math.min(own, Math.max(MIN_REFUSED_MS, Math.ceil(signInAllowedInMs)));
}

/** Delay after a 429, the n-th failure in a row: what the service asks for, bounded, but never less than the ordinary delay. */
export function throttledDelayMs(
  n: number,
  retryAfterMs: number | undefined,
  policy: BackoffPolicy,
  random: number,
): number {
  // It came over the network: NaN and negative numbers ask for nothing.
  const asked = retryAfterMs !== undefined && retryAfterMs > 0 ? Math.min(retryAfterMs, policy.retryAfterCapMs) : 0;
  return Math.max(Math.ceil(asked), ordinaryDelayMs(n, policy, random));
}
