/** Figures of a few measurements, and how they are written. */

export interface Spread {
  readonly median: number;
  /** The largest. */
  readonly worst: number;
  readonly count: number;
}

/** @returns undefined for no values */
export function spread(values: readonly number[]): Spread | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const worst = sorted.at(-1);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (worst === undefined || upper === undefined || lower === undefined) return undefined;
  return { median: (lower + upper) / 2, worst, count: sorted.length };
}

/** To so many digits behind the point. */
export function rounded(value: number, digits = 1): number {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
}

const DAYS_PER_MONTH = 30;

/** Megabytes (a million bytes) that something costs in 30 days which costs `bytes` every `everySecs`. */
export function megabytesAMonth(bytes: number, everySecs: number): number {
  return (bytes * DAYS_PER_MONTH * 86_400) / everySecs / 1e6;
}
