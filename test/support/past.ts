/** A history that a daemon finds when it starts: thirty days of a service that ran, with outages of many kinds. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { HISTORY_FOLDER } from '../../src/main/observe/history/history.js';
import { toLine, type HistoryRecord, type Scope } from '../../src/main/observe/history/record.js';
import { segmentName } from '../../src/main/observe/history/segments.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAYS = 30;

interface Past {
  readonly scope: Scope;
  /** Before now, hours. */
  readonly hoursAgo: number;
  readonly minutes: number;
  readonly why: string;
}

const OUTAGES: readonly Past[] = [
  { scope: 'internet', hoursAgo: 26 * 24, minutes: 190, why: 'no-link' },
  { scope: 'internet', hoursAgo: 19 * 24 + 5, minutes: 12, why: 'dns-timeout' },
  { scope: 'cloud', hoursAgo: 15 * 24, minutes: 9, why: 'cloud-failed' },
  { scope: 'internet', hoursAgo: 9 * 24 + 3, minutes: 47, why: 'tcp-timeout' },
  { scope: 'internet', hoursAgo: 19, minutes: 14, why: 'dns-timeout' },
  { scope: 'cloud', hoursAgo: 11, minutes: 3, why: 'cloud-busy' },
  { scope: 'internet', hoursAgo: 6.4, minutes: 2, why: 'portal' },
];

/** `stateDirectory`: the daemon's. The run ended an hour ago, the machine with it. */
export async function makePast(stateDirectory: string, nowMs: number, outages = OUTAGES): Promise<void> {
  const bootedMs = nowMs - DAYS * 24 * HOUR;
  const at = (atMs: number): { at: number; up: number } => ({ at: Math.round(atMs), up: Math.round(atMs - bootedMs) });
  const records: HistoryRecord[] = [];
  for (const { scope, hoursAgo, minutes, why } of outages) {
    const fromMs = nowMs - hoursAgo * HOUR;
    const ms = minutes * MINUTE;
    records.push({ k: 'down', ...at(fromMs), scope, why, evidence: 'failed 2000 ms' });
    records.push({ k: 'up', ...at(fromMs + ms), scope, ms, why });
    records.push({
      k: 'cloud',
      ...at(fromMs + ms + 4_000),
      how: minutes > 10 ? 'reconnected' : 'resumed',
      ms: ms + 4_000,
    });
  }
  for (let hour = 1; hour < DAYS * 24; hour += 1) {
    const wave = Math.sin(hour / 3.8) * 6;
    const max = hour % 17 === 0 ? 240 : 60 + wave * 4;
    records.push({
      k: 'hour',
      ...at(bootedMs + hour * HOUR),
      v: [514, hour % 29 === 0 ? 4 : 0, round(24 + wave), 3.1, round(max), 900, 400],
    });
  }
  const first: readonly HistoryRecord[] = [
    { k: 'segment', v: 1, ...at(bootedMs), boot: 'an-earlier-boot' },
    { k: 'start', ...at(bootedMs + 9_000), boot: 'an-earlier-boot', version: '1.0.0', after: 'nothing' },
  ];
  const folder = path.join(stateDirectory, HISTORY_FOLDER);
  await mkdir(folder, { recursive: true });
  const lines = [...first, ...records.sort((a, b) => a.up - b.up)].map(toLine);
  await writeFile(path.join(folder, segmentName(1)), lines.join(''));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
