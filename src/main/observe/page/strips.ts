/** Time cut into buckets, each with what was the matter in it. Pure. */
import type { Outage, Story } from '../history/outages.js';

/**
 * `away`: some of the internet's outages was in it, however short. `cloud`: the internet was there, but the cloud connection was not.
 * `unseen`: the service did not run in any of it.
 */
export type BucketState = 'fine' | 'away' | 'cloud' | 'unseen';

export interface Bucket {
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: BucketState;
  /** Of the internet, within it, milliseconds. */
  readonly awayMs: number;
}

/** `bounds`: the beginning of each bucket, oldest first, and the end of the last. */
export function bucketsOf(story: Pick<Story, 'outages' | 'runs'>, bounds: readonly number[], nowMs: number): Bucket[] {
  return bounds.slice(0, -1).map((fromMs, index) => {
    const toMs = bounds[index + 1] ?? fromMs;
    const touching = story.outages.filter((outage) => outage.fromMs < toMs && (outage.toMs ?? nowMs) >= fromMs);
    const internet = touching.filter(({ scope }) => scope === 'internet');
    const seen = story.runs.some((run) => run.fromMs < toMs && run.toMs >= fromMs);
    return {
      fromMs,
      toMs,
      state: internet.length > 0 ? 'away' : touching.length > 0 ? 'cloud' : seen ? 'fine' : 'unseen',
      awayMs: Math.round(internet.reduce((sum, outage) => sum + within(outage, fromMs, toMs, nowMs), 0)),
    };
  });
}

/** Of several in one line, the part that would lie within if they came evenly. */
function within(outage: Outage, fromMs: number, toMs: number, nowMs: number): number {
  const end = outage.toMs ?? nowMs;
  const whole = Math.max(1, end - outage.fromMs);
  return outage.ms * Math.min(1, Math.max(0, Math.min(end, toMs) - Math.max(outage.fromMs, fromMs)) / whole);
}

const QUARTER_MS = 900_000;

/** Quarters of an hour, the last one is that of now; 96 of them. */
export function quartersOfDay(nowMs: number): number[] {
  const end = (Math.floor(nowMs / QUARTER_MS) + 1) * QUARTER_MS;
  return Array.from({ length: 97 }, (_, index) => end - (96 - index) * QUARTER_MS);
}

/** Days of the local calendar, the last one is today; 30 of them, of 23 to 25 hours. */
export function daysOfMonth(nowMs: number): number[] {
  const today = new Date(nowMs);
  return Array.from({ length: 31 }, (_, index) =>
    new Date(today.getFullYear(), today.getMonth(), today.getDate() - 29 + index).getTime(),
  );
}
