/** Sums over the last 24 h, 7, 30 and 365 days. Pure. Time in which the service did not run is neither up nor down: nobody looked. */
import type { Outage, Story } from './outages.js';

export interface Uptime {
  readonly days: number;
  /** So long the service has looked, milliseconds. */
  readonly observedMs: number;
  /** Of the internet, within that time. */
  readonly downMs: number;
  /** Percent of the observed time, to three decimals; null where nothing was observed. */
  readonly percent: number | null;
  /** Outages of the internet. */
  readonly outages: number;
  readonly longestMs: number;
  /** Outages and their time by reason, the longest first. */
  readonly byReason: readonly { readonly why: string; readonly outages: number; readonly ms: number }[];
  /** Outages of the cloud while the internet was there. */
  readonly cloudOutages: number;
}

export const DAYS = [1, 7, 30, 365] as const;
const DAY_MS = 86_400_000;

export function uptimeOf(story: Story, days: number, nowMs: number): Uptime {
  const from = nowMs - days * DAY_MS;
  const observedMs = story.runs.reduce((sum, run) => sum + overlap(run.fromMs, run.toMs, from, nowMs), 0);
  const within = story.outages.filter(({ fromMs, toMs }) => (toMs ?? nowMs) > from && fromMs < nowMs);
  const internet = within.filter(({ scope }) => scope === 'internet');
  const lasted = (outage: Outage): number => {
    const whole = Math.max(1, (outage.toMs ?? nowMs) - outage.fromMs);
    // Of several in one line, or one that began before, the part that lies within.
    return outage.ms * Math.min(1, overlap(outage.fromMs, outage.toMs ?? nowMs, from, nowMs) / whole);
  };
  const downMs = Math.min(observedMs, Math.round(internet.reduce((sum, outage) => sum + lasted(outage), 0)));
  return {
    days,
    observedMs,
    downMs,
    percent: observedMs === 0 ? null : Math.round(((observedMs - downMs) / observedMs) * 100_000) / 1_000,
    outages: countOf(internet),
    longestMs: internet.reduce((longest, { ms, count }) => Math.max(longest, count === 1 ? ms : 0), 0),
    byReason: [...new Set(internet.map(({ why }) => why))]
      .map((why) => {
        const same = internet.filter((outage) => outage.why === why);
        return { why, outages: countOf(same), ms: Math.round(same.reduce((sum, outage) => sum + lasted(outage), 0)) };
      })
      .sort((a, b) => b.ms - a.ms),
    cloudOutages: countOf(within.filter(({ scope }) => scope === 'cloud')),
  };
}

function countOf(outages: readonly Outage[]): number {
  return outages.reduce((sum, { count }) => sum + count, 0);
}

function overlap(from: number, to: number, least: number, most: number): number {
  return Math.max(0, Math.min(to, most) - Math.max(from, least));
}
