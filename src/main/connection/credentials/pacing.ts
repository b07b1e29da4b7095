/**
 * How soon the source of client access URLs may be asked again: pure. Every moment is one of a clock that is never set.
 *
 * Two rules. A minimum time that grows while what comes back is useless: the URLs are refused, or the sign-in is. And a bucket
 * of tokens that bounds the asking whatever the reason, so that no path through the daemon becomes a sign-in storm.
 */

export interface PacingLimits {
  /** Least time between a fetched URL and the next after the first refusal of a URL; doubles with each, milliseconds. */
  readonly refusedFirstMs: number;
  readonly refusedCapMs: number;
  /** The same after a sign-in that was answered, but gave no URL. */
  readonly failedFirstMs: number;
  readonly failedCapMs: number;
  /** Sign-ins in a row at most. */
  readonly burst: number;
  /** Time until one more is allowed, milliseconds. */
  readonly refillMs: number;
}

const MINUTE_MS = 60_000;

/** A sign-in is two calls: 12 at once and one every 40 minutes make 48 in the worst day, 96 calls. */
export const AUTH0_LIMITS: PacingLimits = {
  refusedFirstMs: 15 * MINUTE_MS,
  refusedCapMs: 60 * MINUTE_MS,
  failedFirstMs: MINUTE_MS,
  failedCapMs: 60 * MINUTE_MS,
  burst: 12,
  refillMs: 40 * MINUTE_MS,
};

/** A negotiate endpoint is the installation's own and answers in one call. */
export const NEGOTIATE_LIMITS: PacingLimits = {
  refusedFirstMs: MINUTE_MS,
  refusedCapMs: 15 * MINUTE_MS,
  failedFirstMs: 15_000,
  failedCapMs: 5 * MINUTE_MS,
  burst: 30,
  refillMs: 5 * MINUTE_MS,
};

export interface Pacing {
  readonly tokens: number;
  readonly refilledAtMs: number;
  readonly notBeforeMs: number;
  /** Until then the server itself wants to be left alone (429, Retry-After): nothing but time ends this. */
  readonly askedUntilMs: number;
  /** URLs refused in a row. */
  readonly refusals: number;
  /** Answered sign-ins in a row that gave no URL. */
  readonly failures: number;
}

export function newPacing(limits: PacingLimits, now: number): Pacing {
  return {
    tokens: limits.burst,
    refilledAtMs: now,
    notBeforeMs: now,
    askedUntilMs: now,
    refusals: 0,
    failures: 0,
  };
}

/** Brings the tokens up to date. */
function upToDate(pacing: Pacing, limits: PacingLimits, now: number): Pacing {
  const refills = Math.floor((now - pacing.refilledAtMs) / limits.refillMs);
  const tokens = Math.min(limits.burst, pacing.tokens + refills);
  return {
    ...pacing,
    tokens,
    refilledAtMs: tokens === limits.burst ? now : pacing.refilledAtMs + refills * limits.refillMs,
  };
}

/** Time until the next sign-in is allowed, milliseconds; 0: now. */
export function waitMs(pacing: Pacing, limits: PacingLimits, now: number): [number, Pacing] {
  const next = upToDate(pacing, limits, now);
  const forToken = next.tokens > 0 ? 0 : next.refilledAtMs + limits.refillMs - now;
  return [Math.max(0, next.notBeforeMs - now, forToken), next];
}

/** A sign-in begins. */
export function begun(pacing: Pacing, limits: PacingLimits, now: number): Pacing {
  const next = upToDate(pacing, limits, now);
  return { ...next, tokens: next.tokens - 1 };
}

/** The sign-in that had begun reached nobody. */
export function unreached(pacing: Pacing, limits: PacingLimits): Pacing {
  return { ...pacing, tokens: Math.min(limits.burst, pacing.tokens + 1) };
}

/** The sign-in gave a URL; `heldWell`: the one before was never refused. */
export function succeeded(pacing: Pacing, heldWell: boolean): Pacing {
  return { ...pacing, failures: 0, refusals: heldWell ? 0 : pacing.refusals };
}

/** The sign-in was answered without a URL. `retryAfterMs`: when the server itself wants to be asked again. */
export function failed(pacing: Pacing, limits: PacingLimits, now: number, retryAfterMs?: number): Pacing {
  const next = upToDate(pacing, limits, now);
  const failures = next.failures + 1;
  const wait = retryAfterMs ?? doubled(limits.failedFirstMs, limits.failedCapMs, failures);
  const askedUntilMs = Math.max(next.askedUntilMs, now + (retryAfterMs ?? 0));
  return { ...next, failures, askedUntilMs, notBeforeMs: Math.max(next.notBeforeMs, now + wait) };
}

/**
 * Somebody has mended what was refused: the waits that grew are over, and their growth begins anew. What the server asked for stays, and so
 * does the bucket: whoever asks for this again and again makes no storm.
 */
export function lifted(pacing: Pacing, limits: PacingLimits, now: number): Pacing {
  const next = upToDate(pacing, limits, now);
  return { ...next, failures: 0, refusals: 0, notBeforeMs: Math.max(now, next.askedUntilMs) };
}

/** The service refused a URL that had opened a session: it was good, so a fresh one is worth asking for at once. */
export function servedUrlRefused(pacing: Pacing, limits: PacingLimits, now: number): Pacing {
  return { ...upToDate(pacing, limits, now), refusals: 0 };
}

/** The service refused, for the first time, the URL that is `ageMs` old. One that held for long was not wasted. */
export function urlRefused(pacing: Pacing, limits: PacingLimits, now: number, ageMs: number): Pacing {
  const next = upToDate(pacing, limits, now);
  const refusals = ageMs >= limits.refusedCapMs ? 1 : next.refusals + 1;
  const spacing = doubled(limits.refusedFirstMs, limits.refusedCapMs, refusals);
  return { ...next, refusals, notBeforeMs: Math.max(next.notBeforeMs, now - Math.max(0, ageMs) + spacing) };
}

function doubled(firstMs: number, capMs: number, times: number): number {
  return Math.min(capMs, firstMs * 2 ** Math.min(30, times - 1));
}
