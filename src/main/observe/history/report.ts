/** The outages and their sums, as `outages --json` prints them. Pure. */
import type { Outage, Run, Story } from './outages.js';
import { DAYS, uptimeOf, type Uptime } from './uptime.js';

export interface OutageReport {
  readonly historyVersion: 1;
  readonly takenAtMs: number;
  /** False: read from the files of a service that does not run. */
  readonly running: boolean;
  /** Lines that were torn or are not ours. */
  readonly unreadable: number;
  /** Oldest first. */
  readonly outages: readonly Outage[];
  readonly runs: readonly Run[];
  /** Of the last 24 h, 7, 30 and 365 days. */
  readonly uptime: readonly Uptime[];
}

export function reportOf(
  story: Story,
  { atMs, unreadable, running }: { readonly atMs: number; readonly unreadable: number; readonly running: boolean },
): OutageReport {
  return {
    historyVersion: 1,
    takenAtMs: atMs,
    running,
    unreadable,
    outages: story.outages,
    runs: story.runs,
    uptime: DAYS.map((days) => uptimeOf(story, days, atMs)),
  };
}
