/**
 * A limit on messages, and one line at the start and one at the end of a flood instead of one for each message.
 * Pure: the time is handed in, milliseconds of a clock that never goes back.
 */

export interface TokenBucketOptions {
  /** Messages per second that may go on for ever. */
  readonly perSecond: number;
  /** Messages that may come at once after a pause. */
  readonly burst: number;
  /** A flood is over when nothing had to be dropped for so long, milliseconds. */
  readonly quietMs: number;
}

/** People press buttons, and a page that opens asks a dozen things; 50 a second for ever is far above both. */
export const DEFAULT_FLOOD_LIMIT: TokenBucketOptions = { perSecond: 50, burst: 200, quietMs: 10_000 };

export interface Flood {
  readonly sinceMs: number;
  readonly lastDropMs: number;
  readonly dropped: number;
}

export interface TokenBucket {
  readonly tokens: number;
  readonly atMs: number;
  readonly flood?: Flood;
}

export type TokenBucketEffect =
  | { readonly kind: 'flood-began' }
  /** `ms` from the first to the last message dropped. */
  | { readonly kind: 'flood-ended'; readonly dropped: number; readonly ms: number };

export interface Taken {
  readonly bucket: TokenBucket;
  readonly allowed: boolean;
  readonly effects: readonly TokenBucketEffect[];
}

export function fullBucket(options: TokenBucketOptions, nowMs: number): TokenBucket {
  return { tokens: options.burst, atMs: nowMs };
}

/** One message asks to pass. */
export function take(before: TokenBucket, options: TokenBucketOptions, nowMs: number): Taken {
  const [{ tokens: left, atMs, flood }, ended] = settle(before, options, nowMs);
  const tokens = Math.min(options.burst, left + (Math.max(0, nowMs - atMs) / 1000) * options.perSecond);
  const kept = flood === undefined ? {} : { flood };
  if (tokens >= 1) return { bucket: { tokens: tokens - 1, atMs: nowMs, ...kept }, allowed: true, effects: ended };
  const counted: Flood = {
    sinceMs: flood?.sinceMs ?? nowMs,
    lastDropMs: nowMs,
    dropped: (flood?.dropped ?? 0) + 1,
  };
  return {
    bucket: { tokens, atMs: nowMs, flood: counted },
    allowed: false,
    effects: flood === undefined ? [...ended, { kind: 'flood-began' }] : ended,
  };
}

/** Time has passed: a flood that is over is reported. */
export function settle(
  bucket: TokenBucket,
  options: TokenBucketOptions,
  nowMs: number,
): readonly [TokenBucket, readonly TokenBucketEffect[]] {
  const { flood } = bucket;
  if (flood === undefined || nowMs < flood.lastDropMs + options.quietMs) return [bucket, []];
  const { tokens, atMs } = bucket;
  return [{ tokens, atMs }, [{ kind: 'flood-ended', dropped: flood.dropped, ms: flood.lastDropMs - flood.sinceMs }]];
}

/** When {@link settle} will have something to say; undefined: nothing is pending. */
export function nextSettleMs(bucket: TokenBucket, options: TokenBucketOptions): number | undefined {
  return bucket.flood === undefined ? undefined : bucket.flood.lastDropMs + options.quietMs;
}
