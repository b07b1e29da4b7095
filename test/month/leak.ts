/**
 * Does a figure that is looked at once a cycle grow for ever? Pure. Code is compiled and caches are filled in the first half of a run, so only
 * the second half is judged.
 *
 * Two things together are a leak: the values rise more often than chance lets them (Mann, Econometrica 13, 1945; Kendall's tau), and the
 * slope (Theil 1950, Sen 1968: the median of the slopes between all pairs, which no outlier moves) makes over the half more than is allowed. The first
 * alone would find a leak of a byte, the second one where there is only noise.
 */
import { spread } from '../bench/statistics.js';

export interface Trend {
  /** A cycle. */
  readonly slope: number;
  /** Over the half that was judged. */
  readonly growth: number;
  /** How sure it is that the values rise: standard deviations of what chance would give. */
  readonly sigma: number;
  readonly median: number;
  readonly leaks: boolean;
}

/** By chance once in 700 figures. */
const SURE_SIGMA = 3;
/** Values of one run: with less than eight in the half that is judged nothing can be that sure. */
export const FEWEST = 16;

/** @param allowed growth over the second half that nobody minds @throws where there are fewer than {@link FEWEST} values, which prove nothing */
export function trendOf(values: readonly number[], allowed: number): Trend {
  if (values.length < FEWEST) throw new Error(`${values.length} values tell no trend: ${FEWEST} are needed`);
  const half = values.slice(Math.floor(values.length / 2));
  const slope = medianOf(pairs(half).map(([from, to, distance]) => (to - from) / distance));
  const growth = slope * (half.length - 1);
  const sigma = sigmaOf(half);
  return { slope, growth, sigma, median: medianOf(half), leaks: sigma >= SURE_SIGMA && growth > allowed };
}

function pairs(values: readonly number[]): (readonly [from: number, to: number, distance: number])[] {
  return values.flatMap((from, at) => values.slice(at + 1).map((to, index) => [from, to, index + 1] as const));
}

/** Mann and Kendall's test, with the correction for ties and for continuity. */
function sigmaOf(values: readonly number[]): number {
  const n = values.length;
  const score = pairs(values).reduce((sum, [from, to]) => sum + Math.sign(to - from), 0);
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const weigh = (count: number): number => count * (count - 1) * (2 * count + 5);
  const ties = [...counts.values()].reduce((sum, count) => sum + weigh(count), 0);
  const variance = (weigh(n) - ties) / 18;
  return variance <= 0 ? 0 : (Math.sign(score) * Math.max(0, Math.abs(score) - 1)) / Math.sqrt(variance);
}

function medianOf(values: readonly number[]): number {
  return spread(values)?.median ?? 0;
}
