/** `dunebugger-remote outages`: when the internet and the cloud were away. Asks the service, else reads what it has left. */
import { stateDirectoryOf } from '../boot.js';
import { systemClock } from '../base/clock.js';
import { describeError } from '../base/guard.js';
import { filesIn } from '../observe/history/files.js';
import { HISTORY_FOLDER } from '../observe/history/history.js';
import { outagesCsv, outagesLines, reportSince } from '../observe/history/outages-page.js';
import { storyOf } from '../observe/history/outages.js';
import { readHistory } from '../observe/history/reader.js';
import { reportOf, type OutageReport } from '../observe/history/report.js';
import { askDaemon } from './ask.js';
import { socketsOf, tellNotAllowed } from './running-service.js';
import path from 'node:path';

/** sysexits.h: EX_USAGE, EX_IOERR. */
const EXIT_USAGE = 64;
const EXIT_IO = 74;
/** A year of history is read and put together; on a Pi Zero that takes its time. */
const ANSWER_MS = 10_000;
const STATE_DIRECTORY = '/var/lib/dunebugger-remote';

export interface OutagesOptions {
  readonly confFile?: string;
  readonly format: 'text' | 'json' | 'csv';
  /** `24h`, `7d`, or a date. Default: all that is kept. */
  readonly since?: string;
}

/** Prints the outages and resolves with the exit code. */
export async function outages({ confFile, format, since }: OutagesOptions): Promise<number> {
  const sinceMs = since === undefined ? -Infinity : sinceOf(since, systemClock.wallMs());
  if (sinceMs === undefined) {
    process.stderr.write(
      'dunebugger-remote: --since takes a number of hours or days (24h, 7d) or a date (2026-11-24)\nTry: dunebugger-remote --help\n',
    );
    return EXIT_USAGE;
  }
  const asked = await askDaemon({ what: 'GET /outages', paths: socketsOf(confFile), timeoutMs: ANSWER_MS });
  const answered = asked.kind === 'answer' && asked.status === 200 ? parse(asked.body) : undefined;
  let report: OutageReport;
  try {
    report = answered ?? (await ofFiles());
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') return tellNotAllowed();
    process.stderr.write(
      `dunebugger-remote: the service does not answer, and the history it has left cannot be read: ${describeError(error)}. Look at the card\n`,
    );
    return EXIT_IO;
  }
  process.stdout.write(printed(reportSince(report, sinceMs), format));
  return 0;
}

function printed(report: OutageReport, format: OutagesOptions['format']): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(report)}\n`;
    case 'csv':
      return outagesCsv(report);
    case 'text':
      return `${outagesLines(report).join('\n')}\n`;
  }
}

/** Milliseconds since 1970; undefined for what is neither a span nor a date. Pure. */
export function sinceOf(text: string, nowMs: number): number | undefined {
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(text) ?? [];
  if (count !== undefined) return nowMs - Number(count) * (unit === 'h' ? 3_600_000 : 86_400_000);
  if (!/^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?$/.test(text)) return undefined;
  // A date alone would be read as UTC, a date with a time as local.
  const atMs = new Date(text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T')).getTime();
  return Number.isNaN(atMs) ? undefined : atMs;
}

function parse(body: string): OutageReport | undefined {
  try {
    return JSON.parse(body) as OutageReport;
  } catch {
    return undefined;
  }
}

/** @throws the system's error where they cannot be read */
async function ofFiles(): Promise<OutageReport> {
  const directory = path.join(stateDirectoryOf(process.env) ?? STATE_DIRECTORY, HISTORY_FOLDER);
  const read = await readHistory(filesIn(directory));
  return reportOf(storyOf(read.records), { atMs: systemClock.wallMs(), running: false, read });
}
