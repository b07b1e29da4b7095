/** The tables of a run. */
import type { Healthy, HealthyOn, Starts } from './healthy.js';
import { INTERVAL_SECS } from './healthy.js';
import type { LoopDelay } from './loop-delay.js';
import type { Outages, Trial } from './outages.js';
import { table } from './numbers.js';
import type { Promised } from './promises.js';
import { megabytesAMonth, rounded, spread } from './statistics.js';

const PROGRAMS = ['this daemon', 'naive loop', 'plain client'] as const;
const NOTHING = '';
const NEVER = 'never';
const MINUTE_SECS = 60;

export function outageTable({ trials }: Outages): string {
  const names = [...new Set(trials.map(({ fault }) => fault))];
  const cell = (some: readonly Trial[], time: (trial: Trial) => number | undefined): string => {
    const all = some.map(time);
    const happened = all.filter((value) => value !== undefined);
    const { median, worst } = spread(happened) ?? {};
    if (median === undefined || worst === undefined) return NEVER;
    const missing = all.length - happened.length;
    return `${secs(median)} (${secs(worst)})${missing > 0 ? ` ${missing}x never` : ''}`;
  };
  const rows = names.map((name) => {
    const some = trials.filter(({ fault }) => fault === name);
    const outage = some.some(({ expected }) => expected !== undefined);
    const hit = some.some(({ plainClient }) => plainClient.groupMs !== undefined);
    const stayed = 'stays online';
    return [
      name,
      outage ? cell(some, ({ ours }) => ours.offlineMs) : stayed,
      cell(some, ({ naive }) => naive.offlineMs),
      hit ? cell(some, ({ plainClient }) => plainClient.offlineMs) : 'not hit',
      outage ? cell(some, ({ ours }) => ours.onlineMs) : NOTHING,
      cell(some, ({ naive }) => naive.onlineMs),
      outage ? cell(some, ({ ours }) => ours.groupMs) : NOTHING,
      hit ? cell(some, ({ plainClient }) => plainClient.groupMs) : NOTHING,
    ];
  });
  const head = ['fault', 'offline: daemon', 'naive', 'client', 'online: daemon', 'naive', 'group: daemon', 'client'];
  return table(head, rows);
}

export function costTable(healthy: Healthy, starts: Starts, loopDelay: Outages['loopDelay']): string {
  const rows: string[][] = [];
  for (const { network, ours, naive } of healthy.networks) {
    const wire = (text: string, of: (one: HealthyOn['ours']) => number, digits = 0): void => {
      rows.push([`${text}, ${network}`, number(of(ours), digits), number(of(naive), digits), NOTHING]);
    };
    wire('bytes a check, settled', (one) => one.wire.bytesPerCheck);
    wire('bytes a check, 10 min from the start', (one) => one.wire.bytesPerCheckOver10Min);
    wire('packets a check', (one) => one.wire.packetsPerCheck, 1);
    wire('MB a month', (one) => megabytesAMonth(one.wire.bytesPerCheck, INTERVAL_SECS));
    wire('CPU a check, ms', (one) => one.cpuMsPerCheck, 1);
    wire('CPU a minute in all, ms', (one) => one.load.cpuMsPerMinute);
    wire('RSS, MB', (one) => one.load.rssMb, 1);
  }
  const { idleDaemon, plainClient } = healthy;
  rows.push(
    [
      'without checks: CPU a minute, ms',
      number(idleDaemon.cpuMsPerMinute, 0),
      NOTHING,
      number(plainClient.cpuMsPerMinute, 0),
    ],
    ['without checks: RSS, MB', number(idleDaemon.rssMb, 1), NOTHING, number(plainClient.rssMb, 1)],
    [
      'cloud connection at rest, MB a month',
      number(megabytesAMonth(idleDaemon.cloudBytesPerMinute, MINUTE_SECS), 0),
      NOTHING,
      number(megabytesAMonth(plainClient.cloudBytesPerMinute, MINUTE_SECS), 0),
    ],
    ['child process (ip monitor): RSS, MB', number(idleDaemon.childrenRssMb, 1), NOTHING, NOTHING],
  );
  const start = (values: readonly number[]): string => {
    const { median, worst } = spread(values) ?? {};
    return median === undefined || worst === undefined ? NEVER : `${secs(median)} (${secs(worst)})`;
  };
  rows.push(
    ['start to first verdict, s', start(starts.ours), start(starts.naive), NOTHING],
    ['start to group joined, s', start(starts.oursToGroup), NOTHING, start(starts.plainClientToGroup)],
  );
  const delay = (of: (one: LoopDelay) => number): string[] =>
    [loopDelay.ours, loopDelay.naive, loopDelay.plainClient].map((all) =>
      all.length === 0 ? NEVER : number(Math.max(...all.map(of)), 1),
    );
  rows.push(
    ['event loop late under faults, ms, median', ...delay((one) => one.medianMs)],
    ['... 99th of 100', ...delay((one) => one.p99Ms)],
    ['... most', ...delay((one) => one.maxMs)],
  );
  return table(['', ...PROGRAMS], rows);
}

export function promiseTable(promises: readonly Promised[]): string {
  const words = { met: 'met', 'not-met': 'NOT MET', unknown: 'too short a run to tell' };
  return table(
    ['what', 'must be', 'measured', ''],
    promises.map(({ what, mustBe, measured, outcome }) => [what, mustBe, measured, words[outcome]]),
  );
}

function secs(valueMs: number): string {
  return (valueMs / 1_000).toFixed(2);
}

function number(value: number, digits: number): string {
  return rounded(value, digits).toFixed(digits);
}
