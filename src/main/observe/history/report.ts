/** The outages and their sums, as `outages --json` prints them. Pure. */
import type { WholeHistory } from './history.js';
import type { Outage, Run, Story } from './outages.js';
import { DAYS, uptimeOf, type Uptime } from './uptime.js';

export interface OutageReport {
  readonly historyVersion: 1;
  readonly takenAtMs: number;
  /** False: read from the files of a service that does not run. */
  readonly running: boolean;
  /** Lines that were torn or are not ours. */
  readonly unreadable: number;
  /** Why the files cannot be read, so that only what is in the service's memory is known; null: they can. */
  readonly cardError: string | null;
  /** Oldest first. */
  readonly outages: readonly Outage[];
  readonly runs: readonly Run[];
  /** Of the last 24 h, 7, 30 and 365 days. */
  readonly uptime: readonly Uptime[];
}

export function reportOf(
  story: Story,
  { atMs, running, read }: { readonly atMs: number; readonly running: boolean; readonly read: WholeHistory },
): OutageReport {
  return {
    historyVersion: 1,
    takenAtMs: atMs,
    running,
    unreadable: read.unreadable,
    cardError: read.cardError ?? null,
    outages: story.outages,
    runs: story.runs,
    uptime: DAYS.map((days) => uptimeOf(story, days, atMs)),
  };
}
