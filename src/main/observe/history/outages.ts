/** Outages and how long they were, out of the lines of the history. Pure. */
import type { HistoryRecord, Scope } from './record.js';

export interface Outage {
  readonly scope: Scope;
  readonly fromMs: number;
  /** Null while it lasts. */
  readonly toMs: number | null;
  /** By the monotonic clock; of one that lasts: so far. */
  readonly ms: number;
  /** Its end was not seen, since the service or the machine ended first: it lasted at least so long. */
  readonly atLeast: boolean;
  /** How many there were, where they were too many to be written one by one; otherwise 1. */
  readonly count: number;
  /** A code of the table of troubles. */
  readonly why: string;
  readonly evidence: string | null;
  /** How the cloud connection came back after it, and how long that was away; null: it did not, or was not away. */
  readonly cloud: { readonly how: 'resumed' | 'reconnected'; readonly ms: number } | null;
}

/** From a start of the service to its last line. */
export interface Run {
  readonly fromMs: number;
  readonly toMs: number;
  readonly after: 'nothing' | 'stop' | 'crash' | 'power-cut';
  readonly version: string;
}

/** What was measured within an hour. */
export interface Hour {
  /** Its end. */
  readonly atMs: number;
  readonly checks: number;
  readonly failed: number;
  /** Of the checks that passed, milliseconds; null where none did. */
  readonly latencyMs: { readonly mean: number; readonly jitter: number; readonly max: number } | null;
}

export interface Story {
  /** Oldest first. */
  readonly outages: readonly Outage[];
  readonly runs: readonly Run[];
  readonly hours: readonly Hour[];
}

/** `now`: set by the daemon that is running, whose last run and outage go on. */
export function storyOf(records: readonly HistoryRecord[], now?: { readonly at: number }): Story {
  const outages: Outage[] = [];
  const runs: Run[] = [];
  const hours: Hour[] = [];
  const open = new Map<Scope, { readonly record: Extract<HistoryRecord, { k: 'down' }>; readonly fromMs: number }>();
  /** Of the latest outage, whose cloud connection has not come back yet. */
  let waiting: number | undefined;
  let last: HistoryRecord | undefined;
  let lastMs = 0;

  const close = (scope: Scope, toMs: number, ms: number, atLeast: boolean, why?: string): void => {
    const begun = open.get(scope);
    open.delete(scope);
    outages.push({
      scope,
      fromMs: toMs - ms,
      toMs,
      ms,
      atLeast,
      count: 1,
      why: why ?? begun?.record.why ?? 'unknown',
      evidence: begun?.record.evidence ?? null,
      cloud: null,
    });
    waiting = atLeast ? undefined : outages.length - 1;
  };
  /** The run is over: what was open lasted at least until its last line. */
  const cutOff = (): void => {
    for (const [scope, { record }] of [...open])
      close(scope, lastMs, Math.max(0, last === undefined ? 0 : last.up - record.up), true);
    waiting = undefined;
  };

  for (const [record, wallMs] of timed(records)) {
    switch (record.k) {
      case 'start':
        cutOff();
        runs.push({ fromMs: wallMs, toMs: wallMs, after: record.after, version: record.version });
        break;
      case 'stop':
        last = record;
        lastMs = wallMs;
        cutOff();
        break;
      case 'down':
        open.set(record.scope, { record, fromMs: wallMs });
        break;
      case 'up':
        close(record.scope, wallMs, record.ms, false, record.why);
        break;
      case 'many':
        outages.push({
          scope: record.scope,
          fromMs: wallMs - (record.at - record.from),
          toMs: wallMs,
          ms: record.ms,
          atLeast: false,
          count: record.n,
          why: 'no-internet',
          evidence: null,
          cloud: null,
        });
        break;
      case 'cloud': {
        const outage = waiting === undefined ? undefined : outages[waiting];
        if (outage !== undefined && waiting !== undefined)
          outages[waiting] = { ...outage, cloud: { how: record.how, ms: record.ms } };
        waiting = undefined;
        break;
      }
      case 'hour':
        hours.push(hourOf(record, wallMs));
        break;
      case 'segment':
      case 'still':
      case 'clock':
        break;
    }
    // The first line of a file may be of the boot after: it says nothing of the run before.
    if (record.k === 'segment') continue;
    last = record;
    lastMs = wallMs;
    const run = runs.at(-1);
    if (run !== undefined) runs[runs.length - 1] = { ...run, toMs: Math.max(run.toMs, wallMs) };
  }
  if (now === undefined) cutOff();
  else {
    const run = runs.at(-1);
    if (run !== undefined) runs[runs.length - 1] = { ...run, toMs: Math.max(run.toMs, now.at) };
    for (const [scope, { record, fromMs }] of open)
      outages.push({
        scope,
        fromMs,
        toMs: null,
        ms: Math.max(0, now.at - fromMs),
        atLeast: false,
        count: 1,
        why: record.why,
        evidence: record.evidence ?? null,
        cloud: null,
      });
  }
  return { outages, runs, hours };
}

function hourOf({ v }: Extract<HistoryRecord, { k: 'hour' }>, atMs: number): Hour {
  const [checks, failed, mean, jitter, max] = v;
  const timed = typeof mean === 'number' && typeof max === 'number';
  return {
    atMs,
    checks: checks ?? 0,
    failed: failed ?? 0,
    latencyMs: timed ? { mean, jitter: jitter ?? 0, max } : null,
  };
}

/**
 * Each line with the right wall clock, as far as it can be known: a Pi without a clock battery begins with a wrong one, and what it wrote
 * before its clock was set is put right by the last line of the same boot.
 */
function timed(records: readonly HistoryRecord[]): readonly (readonly [HistoryRecord, number])[] {
  const boots: { offsetMs: number }[] = [];
  let id: string | undefined;
  const assigned = records.map((record) => {
    if ((record.k === 'segment' || record.k === 'start') && (record.boot !== id || boots.length === 0)) {
      id = record.boot;
      boots.push({ offsetMs: 0 });
    }
    const boot = boots.at(-1) ?? { offsetMs: 0 };
    boot.offsetMs = record.at - record.up;
    return [record, boot] as const;
  });
  return assigned.map(([record, boot]) => [record, Math.round(record.up + boot.offsetMs)] as const);
}
