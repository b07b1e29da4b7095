/** How long a socket may be silent. Pure. */

export interface SilencePolicy {
  /** Silence after which a ping is sent, milliseconds: where nobody knows how long an answer takes, or where it takes long. */
  readonly idlePingMs: number;
  /** The same where answers come quickly. Default: no later. */
  readonly quickIdlePingMs?: number;
  /** Silence after which the link is given up, milliseconds. */
  readonly halfOpenTimeoutMs: number;
}

/** Room for the loss of a packet and of what is sent in its place, each time for twice as long (RFC 6298). */
const ROUND_TRIPS_TO_ANSWER = 8;
/** How much of what it took before an answer is expected to take again, at least. */
const MEMORY = 3 / 4;

/** When a ping is due: as late as leaves enough time to answer it, since each is paid for by the byte. */
export function pingAfterMs(policy: SilencePolicy, roundTripMs: number | undefined): number {
  const { idlePingMs, quickIdlePingMs = idlePingMs, halfOpenTimeoutMs } = policy;
  if (roundTripMs === undefined) return idlePingMs;
  return Math.min(quickIdlePingMs, Math.max(idlePingMs, halfOpenTimeoutMs - ROUND_TRIPS_TO_ANSWER * roundTripMs));
}

/** What an answer is expected to take, after one that took `sampleMs`: one quick answer on a slow line is not believed at once. */
export function expectedRoundTripMs(before: number | undefined, sampleMs: number): number {
  return Math.max(sampleMs, (before ?? 0) * MEMORY);
}
