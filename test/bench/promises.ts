/** What the project promises of its figures, each held against what was measured. Nothing fails by it: it is told. */
import { STABILIZATION_MS } from '../lab/daemon.js';
import { CARRIER_MS, LINK_UP_MS, REPAIRED_MS, SILENT_MEDIAN_MS, SILENT_MS, TOLD_BY_KERNEL_MS } from '../lab/matrix.js';
import type { Healthy } from './healthy.js';
import type { Outages, Trial } from './outages.js';
import { rounded, spread } from './statistics.js';

export interface Promised {
  readonly what: string;
  readonly mustBe: string;
  readonly measured: string;
  /** `unknown`: the run was too short for this figure. */
  readonly outcome: 'met' | 'not-met' | 'unknown';
}

const outcome = (met: boolean): Promised['outcome'] => (met ? 'met' : 'not-met');

/** Longest times after which the kernel's own word must have arrived, milliseconds. */
const TOLD_BY_KERNEL: Readonly<Record<string, number>> = {
  'link-down': TOLD_BY_KERNEL_MS,
  'no-default-route': TOLD_BY_KERNEL_MS,
  'carrier-lost': CARRIER_MS,
};
const REJOIN_MS = STABILIZATION_MS + 1_000;
const BYTES = { IPv4: 700, 'IPv4 and IPv6': 900 } as const;
const CPU_MS = 5;
const CPU_SHARE = 0.5;
const RSS_MB = 85;
/** Fewer say nothing of the processor time of one. */
const LEAST_CHECKS = 10;

export function promisesOf(healthy: Healthy, outages: Outages): Promised[] {
  return [...outagePromises(outages.trials), ...costPromises(healthy)];
}

function outagePromises(trials: readonly Trial[]): Promised[] {
  const promises: Promised[] = [];
  const of = (fault: string): readonly Trial[] => trials.filter((trial) => trial.fault === fault);
  for (const [fault, mustMs] of Object.entries(TOLD_BY_KERNEL)) {
    const some = of(fault);
    if (some.length === 0) continue;
    promises.push(everyTime(`${fault} -> offline`, some, mustMs, ({ ours }) => ours.offlineMs));
    promises.push(everyTime(`${fault} repaired -> online`, some, LINK_UP_MS, ({ ours }) => ours.onlineMs));
  }
  const silent = of('black-hole');
  if (silent.length > 0) {
    promises.push(everyTime('silent black hole -> offline', silent, SILENT_MS, ({ ours }) => ours.offlineMs));
    const median = spread(silent.map(({ ours }) => ours.offlineMs ?? Infinity))?.median ?? Infinity;
    promises.push({
      what: 'silent black hole -> offline, median',
      mustBe: `at most ${ms(SILENT_MEDIAN_MS)}`,
      measured: ms(median),
      outcome: outcome(median <= SILENT_MEDIAN_MS),
    });
  }
  const others = trials.filter(({ fault, expected }) => !(fault in TOLD_BY_KERNEL) && expected !== undefined);
  if (others.length > 0) {
    promises.push(everyTime('any other fault repaired -> online', others, REPAIRED_MS, ({ ours }) => ours.onlineMs));
  }
  const outages = trials.filter(({ expected }) => expected !== undefined);
  promises.push(
    everyTime('online -> group rejoined', outages, REJOIN_MS, ({ ours }) => ours.onlineToGroupMs),
    allOf('session recovered, nothing lost', outages, ({ ours }) => ours.recovered === true),
    allOf('the right reason for each outage', outages, ({ ours, expected }) => ours.reason === expected),
  );
  const harmless = trials.filter(({ expected }) => expected === undefined);
  if (harmless.length > 0) {
    promises.push(
      allOf('name server gone, internet there: stays online', harmless, ({ ours }) => ours.offlineMs === undefined),
    );
  }
  return promises;
}

function costPromises({ networks }: Healthy): Promised[] {
  const promises = networks.flatMap(({ network, ours, naive }): Promised[] => {
    const mostBytes = BYTES[network];
    const share = ours.cpuMsPerCheck / naive.cpuMsPerCheck;
    const tooShort = ours.wire.checks < LEAST_CHECKS;
    return [
      {
        what: `a healthy check, bytes both ways, ${network}`,
        mustBe: `at most ${mostBytes} over 10 min`,
        measured: `${rounded(ours.wire.bytesPerCheckOver10Min, 0)} (${ours.wire.over10Min})`,
        outcome: outcome(ours.wire.bytesPerCheckOver10Min <= mostBytes),
      },
      {
        what: `CPU a check, ${network}`,
        mustBe: `at most ${CPU_MS} ms, half of the naive loop's`,
        measured: `${rounded(ours.cpuMsPerCheck)} ms, ${rounded(100 * share, 0)} %`,
        outcome: tooShort ? 'unknown' : outcome(ours.cpuMsPerCheck <= CPU_MS && share <= CPU_SHARE),
      },
    ];
  });
  const rss = Math.max(...networks.map(({ ours }) => ours.load.rssMb));
  const seconds = Math.min(...networks.map((one) => one.seconds));
  promises.push({
    what: 'whole daemon, RSS',
    mustBe: `at most ${RSS_MB} MB after 10 min`,
    measured: `${rounded(rss)} MB after ${rounded(seconds / 60)} min`,
    outcome: outcome(rss <= RSS_MB),
  });
  return promises;
}

/** The machine's own lateness is taken off: it is not the program's. */
function everyTime(
  what: string,
  trials: readonly Trial[],
  mustMs: number,
  time: (trial: Trial) => number | undefined,
): Promised {
  const times = trials.map((trial) => time(trial) ?? Infinity);
  const late = trials.filter((trial) => (time(trial) ?? Infinity) > mustMs);
  const excused = late.every((trial) => (time(trial) ?? Infinity) <= mustMs + trial.machineLateMs);
  return {
    what,
    mustBe: `at most ${ms(mustMs)}, every time`,
    measured: `${ms(Math.max(...times))} (${trials.length} times)${late.length > 0 && excused ? ', the machine was late' : ''}`,
    outcome: outcome(excused),
  };
}

function allOf(what: string, trials: readonly Trial[], holds: (trial: Trial) => boolean): Promised {
  const good = trials.filter(holds).length;
  return {
    what,
    mustBe: 'every time',
    measured: `${good} of ${trials.length}`,
    outcome: outcome(good === trials.length),
  };
}

function ms(value: number): string {
  return Number.isFinite(value) ? `${rounded(value / 1_000, 2)} s` : 'never';
}
