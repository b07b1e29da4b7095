/**
 * Latency, jitter and loss of the last hour, from the checks that are made anyway. A bucket a minute, so that its size does not
 * depend on the interval. Time is handed in, milliseconds of a clock that never goes back.
 */
import type { CheckEvidence } from '../../workers/protocol.js';

export interface Quality {
  /** Checks that ended. */
  readonly checks: number;
  readonly failed: number;
  /** Time from the request to the answer's headers, of the checks that passed, milliseconds; null where none did. */
  readonly latencyMs: { readonly mean: number; readonly max: number } | null;
  /** Mean difference between two latencies in a row (as RFC 3550, 6.4.1, without its smoothing), milliseconds. */
  readonly jitterMs: number | null;
}

/** Since the service started. */
export interface CheckTotals {
  readonly checks: number;
  readonly failed: number;
  /** Checks that passed and were timed, and the sum of their latencies. */
  readonly timed: number;
  readonly latencyMs: number;
}

interface Bucket {
  readonly minute: number;
  checks: number;
  failed: number;
  sumMs: number;
  maxMs: number;
  timed: number;
  differenceMs: number;
  differences: number;
}

const MINUTE_MS = 60_000;
const MINUTES = 60;

export class CheckQuality {
  #buckets: Bucket[] = [];
  #lastMs: number | undefined;
  #totals: CheckTotals = { checks: 0, failed: 0, timed: 0, latencyMs: 0 };

  get totals(): CheckTotals {
    return this.#totals;
  }

  note({ ok, https }: CheckEvidence, nowMs: number): void {
    const bucket = this.#bucketOf(Math.floor(nowMs / MINUTE_MS));
    bucket.checks += 1;
    if (!ok) bucket.failed += 1;
    const ms = ok ? https.find((attempt) => attempt.ok)?.httpMs : undefined;
    const { checks, failed, timed, latencyMs } = this.#totals;
    this.#totals = {
      checks: checks + 1,
      failed: failed + (ok ? 0 : 1),
      timed: timed + (ms === undefined ? 0 : 1),
      latencyMs: latencyMs + (ms ?? 0),
    };
    if (ms === undefined) return;
    bucket.timed += 1;
    bucket.sumMs += ms;
    bucket.maxMs = Math.max(bucket.maxMs, ms);
    if (this.#lastMs !== undefined) {
      bucket.differences += 1;
      bucket.differenceMs += Math.abs(ms - this.#lastMs);
    }
    this.#lastMs = ms;
  }

  /** Of the last hour, to the minute. */
  lastHour(nowMs: number): Quality {
    const from = Math.floor(nowMs / MINUTE_MS) - MINUTES;
    const buckets = this.#buckets.filter(({ minute }) => minute > from);
    const sum = (key: Exclude<keyof Bucket, 'minute'>): number =>
      buckets.reduce((total, bucket) => total + bucket[key], 0);
    const timed = sum('timed');
    const differences = sum('differences');
    return {
      checks: sum('checks'),
      failed: sum('failed'),
      latencyMs:
        timed === 0
          ? null
          : { mean: tenth(sum('sumMs') / timed), max: tenth(Math.max(...buckets.map(({ maxMs }) => maxMs))) },
      jitterMs: differences === 0 ? null : tenth(sum('differenceMs') / differences),
    };
  }

  #bucketOf(minute: number): Bucket {
    const last = this.#buckets.at(-1);
    if (last?.minute === minute) return last;
    const fresh = { minute, checks: 0, failed: 0, sumMs: 0, maxMs: 0, timed: 0, differenceMs: 0, differences: 0 };
    this.#buckets = [...this.#buckets.slice(-(MINUTES - 1)), fresh];
    return fresh;
  }
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
