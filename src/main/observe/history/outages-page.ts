/** The outages for a terminal and as CSV. Pure. Whatever came from elsewhere is without control characters. */
import { humanDuration } from '../../base/duration.js';
import { escapeControls } from '../../log/escape.js';
import { TROUBLES, type TroubleCode } from '../../troubles.js';
import type { Outage } from './outages.js';
import type { OutageReport } from './report.js';
import type { Uptime } from './uptime.js';

/** `2026-11-24 03:12:09`, local time. */
export function localTime(atMs: number): string {
  const at = new Date(atMs);
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** Such as `2026-11-24 03:12:09  14 min 3 s  internet: name server silent; cloud resumed after 14 min 6 s`. */
export function outageLine(outage: Outage): string {
  const { scope, fromMs, toMs, ms, atLeast, count, cloud } = outage;
  const howLong = `${atLeast ? 'at least ' : ''}${humanDuration(ms)}${toMs === null ? ' so far' : ''}`;
  const many = count === 1 ? '' : `${count} outages, together `;
  const back = cloud === null ? '' : `; cloud ${cloud.how} after ${humanDuration(cloud.ms)}`;
  return `${localTime(fromMs)}  ${many}${howLong}  ${scope}: ${titleOf(outage.why)}${back}`;
}

/** Outages that ended before are left out; the sums stay. */
export function reportSince(report: OutageReport, sinceMs: number): OutageReport {
  return { ...report, outages: report.outages.filter(({ toMs }) => (toMs ?? Infinity) >= sinceMs) };
}

export function outagesLines(report: OutageReport): readonly string[] {
  const { outages } = report;
  const torn =
    report.unreadable === 0 ? [] : ['', `${report.unreadable} lines of the history were torn and are left out.`];
  const card =
    report.cardError === null
      ? []
      : [
          '',
          `The card cannot be read (${escapeControls(report.cardError)}): this is only what the service has in memory.`,
        ];
  const stopped = report.running ? [] : ['', 'The service does not run: this is what it has left.'];
  return [
    ...(outages.length === 0 ? ['No outages.'] : outages.map(outageLine)),
    '',
    'The internet, of the time in which the service ran:',
    ...report.uptime.flatMap(uptimeLines),
    ...torn,
    ...card,
    ...stopped,
  ];
}

function uptimeLines({ days, observedMs, percent, outages, longestMs, byReason, cloudOutages }: Uptime): string[] {
  const name = (days === 1 ? '24 h' : `${days} days`).padEnd(9);
  if (percent === null) return [`  ${name} the service did not run`];
  const longest = outages === 0 ? '' : `, the longest ${humanDuration(longestMs)}`;
  const cloud = cloudOutages === 0 ? '' : `; the cloud alone was away ${times(cloudOutages)}`;
  const reasons = byReason.map(({ why, outages: n, ms }) => `${titleOf(why)} (${times(n)}, ${humanDuration(ms)})`);
  return [
    `  ${name} there for ${percent} % of ${humanDuration(observedMs)}; away ${times(outages)}${longest}${cloud}`,
    ...(reasons.length === 0 ? [] : [`            ${reasons.join(', ')}`]),
  ];
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

/** Of RFC 4180, a header first; times in UTC, durations in seconds. */
export function outagesCsv(report: OutageReport): string {
  const rows = report.outages.map(({ scope, fromMs, toMs, ms, atLeast, count, why, evidence, cloud }) => [
    new Date(fromMs).toISOString(),
    toMs === null ? '' : new Date(toMs).toISOString(),
    String(Math.round(ms / 100) / 10),
    atLeast ? 'yes' : 'no',
    String(count),
    scope,
    why,
    evidence ?? '',
    cloud?.how ?? '',
    cloud === null ? '' : String(Math.round(cloud.ms / 100) / 10),
  ]);
  return [HEADER, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

const HEADER = ['from', 'to', 'secs', 'at_least', 'count', 'scope', 'why', 'evidence', 'cloud', 'cloud_away_secs'];

/** A cell that a spreadsheet would take for a formula begins with an apostrophe. */
function cell(text: string): string {
  const clean = escapeControls(text);
  const safe = /^[=+\-@]/.test(clean) ? `'${clean}` : clean;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function titleOf(why: string): string {
  return Object.hasOwn(TROUBLES, why) ? TROUBLES[why as TroubleCode].title : escapeControls(why);
}
