/** When a server that asked for a pause wants to be asked again. */

import type { IncomingHttpHeaders } from 'node:http';
import { answeredAtMs } from '../../../workers/net/site-clock.js';
import { retryAfterMs as retryAfterOf } from '../../base/retry-after.js';

const MIN_MS = 1_000;
/** A server that asks for more than a day is not believed. */
const MAX_MS = 24 * 3_600_000;

/** The same for any other status: only Retry-After counts there (RFC 9110, 10.2.3: 503 and 3xx carry it, others may). */
export function pauseAskedFor(
  headers: Readonly<IncomingHttpHeaders>,
  trustedWallMs: number | undefined,
): number | undefined {
  const wait = retryAfterOf(headers, trustedWallMs);
  return wait === undefined ? undefined : bounded(wait);
}

/**
 * Time to wait, milliseconds, from Retry-After (seconds or a date) or x-ratelimit-reset (seconds since 1970), at least 1 s and at
 * most 24 h; undefined if the answer does not say. Dates are compared with the answer's own Date where it has one, as a
 * Raspberry Pi has no clock battery; otherwise with our clock if it can be trusted.
 */
export function retryAfterMs(
  headers: Readonly<IncomingHttpHeaders>,
  trustedWallMs: number | undefined,
): number | undefined {
  const reset = headers['x-ratelimit-reset'];
  const from = answeredAtMs(headers) ?? trustedWallMs;
  const wait =
    retryAfterOf(headers, trustedWallMs) ??
    (typeof reset === 'string' && /^\d{9,12}$/.test(reset.trim()) && from !== undefined
      ? Number(reset) * 1_000 - from
      : undefined);
  return wait === undefined ? undefined : bounded(wait);
}

const bounded = (ms: number): number => Math.min(MAX_MS, Math.max(MIN_MS, ms));
