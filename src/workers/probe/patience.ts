/**
 * How long a try may take on a slow line: the time-out as long as nothing has come back, and once it is known what a round trip takes, some of
 * those for each further step, within the bound of the whole check (twice the time-out). On a fast line nothing is waited for longer. Pure.
 */

/** Round trips until a lost packet is sent again on a connection that has measured one (RFC 6298, 2.2: RTO = R + 4 · R/2). */
const RETRANSMISSION = 3;
/** Round trips that a step takes with one packet lost: TLS 1.2 has two (RFC 5246, 7.3), a request has one, and so has that to a proxy. */
const ROUND_TRIPS = { proxy: 1 + RETRANSMISSION, tls: 2 + RETRANSMISSION, http: 1 + RETRANSMISSION } as const;
/** A kept connection is late when it takes so often the time of the answer before. */
const LATE_TIMES = 2;

/** When a step that begins now has to have ended, on the clock of `nowMs`; it is never sooner than `deadlineMs`, never later than `boundMs`. */
export function extended(
  step: keyof typeof ROUND_TRIPS,
  {
    nowMs,
    roundTripMs,
    deadlineMs,
    boundMs,
  }: Readonly<Record<'nowMs' | 'roundTripMs' | 'deadlineMs' | 'boundMs', number>>,
): number {
  return Math.min(boundMs, Math.max(deadlineMs, nowMs + ROUND_TRIPS[step] * roundTripMs));
}

/** After that a fresh connection is tried beside the kept one: on a slow line an answer in its usual time is not late. */
export function lateAfterMs(leastMs: number, usualMs: number | undefined): number {
  return Math.max(leastMs, LATE_TIMES * (usualMs ?? 0));
}

/** How long a kept connection has: the time-out, and on a slow line as long as a request with one packet lost takes there. */
export function keptForMs(timeoutMs: number, usualMs: number | undefined): number {
  return Math.min(2 * timeoutMs, Math.max(timeoutMs, ROUND_TRIPS.http * (usualMs ?? 0)));
}
