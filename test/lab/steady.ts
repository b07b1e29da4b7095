/** Faults that last for minutes and must change nothing: the verdict stays online and the connection is left alone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf } from './counters.js';
import type { LabDaemon } from './daemon.js';
import { textOf } from './journal.js';
import type { Row } from './matrix.js';
import { Seat } from './seats.js';

export interface SteadyResult {
  readonly name: string;
  /** None: it passed. */
  readonly complaints: readonly string[];
  readonly checks: number;
  readonly failedChecks: number;
  /** How long checks took, milliseconds. */
  readonly medianMs: number;
  readonly longestMs: number;
  /** Ethernet frames both ways, reckoned for a day. */
  readonly megabytesADay: number;
  readonly journal: LabDaemon['journal'];
}

export async function steady({ fault, expect }: Row, seconds: number): Promise<SteadyResult> {
  const seat = await Seat.create();
  try {
    const daemon = await seat.healthy();
    const mark = daemon.journal.mark();
    await fault.apply(seat.lab);
    const before = await seat.lab.traffic();
    await sleep(seconds * 1_000);
    const traffic = await seat.lab.traffic(before);
    const checks = daemon.checks(mark);
    const times = checks.map(({ fields }) => Number(fields['ms'])).sort((a, b) => a - b);
    const named = daemon.journal.find(({ msg }) => msg.startsWith('The internet is there; the test site is not'), mark);
    const complaints = [
      ...daemon.verdicts(mark).map(({ line }) => `the verdict changed: ${textOf(line)}`),
      ...daemon.attempts(mark).map((line) => `the connection was not left alone: ${textOf(line)}`),
      ...(expect.kind === 'online' && expect.siteFails !== undefined && named.length !== 1
        ? [`the site is named ${named.length} times`]
        : []),
    ];
    try {
      await seat.answersOnce(daemon);
    } catch (error) {
      complaints.push(String(error));
    }
    return {
      name: fault.name,
      complaints,
      checks: checks.length,
      failedChecks: checks.filter(({ msg }) => msg.includes('failed')).length,
      medianMs: times[times.length >> 1] ?? 0,
      longestMs: times.at(-1) ?? 0,
      megabytesADay: ((bytesOf(traffic.up, traffic.down).frames / seconds) * 86_400) / 1e6,
      journal: daemon.journal,
    };
  } finally {
    await seat.destroy();
  }
}
