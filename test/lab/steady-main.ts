/**
 * `npm run steady -- --minutes 10 [--fault NAME ...] [--times 1]`: faults that last and must change nothing, side by side. Exit code 1 if one did.
 * Without a name: the test site alone down in every way, and slow lines. `healthy`: no fault.
 */
import { parseArgs } from 'node:util';
import { textOf } from './journal.js';
import { MATRIX, type Row } from './matrix.js';
import { steady } from './steady.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    fault: { type: 'string', multiple: true, default: [] },
    /** How many labs have the same fault. */
    times: { type: 'string', default: '1' },
    /** Prints the log of the daemons that were wrong. */
    journal: { type: 'boolean', default: false },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const nothing = (): Promise<void> => Promise.resolve();
const healthy: Row = {
  fault: { name: 'healthy', says: 'everything works', apply: nothing, repair: nothing },
  expect: { kind: 'online' },
};
const lasting = [healthy, ...MATRIX.filter(({ expect, fromStart }) => expect.kind === 'online' && fromStart !== true)];
const isWanted = ({ fault: { name }, expect }: Row): boolean =>
  values.fault.length > 0
    ? values.fault.includes(name)
    : name.startsWith('round-trip') || (expect.kind === 'online' && expect.siteFails !== undefined);
const rows = lasting.filter(isWanted).flatMap((row) => Array.from({ length: Number(values.times) }, () => row));
const seconds = Number(values.minutes) * 60;
if (rows.length === 0 || !(seconds > 0)) {
  process.stderr.write(`Nothing to do. Faults: ${[...new Set(lasting.map(({ fault }) => fault.name))].join(', ')}\n`);
  process.exit(2);
}

// Each lab wants to be removed at the end of the process.
process.setMaxListeners(rows.length + 10);
say(`${rows.length} labs for ${values.minutes} min`);
const results = await Promise.all(rows.map((row) => steady(row, seconds)));
for (const { name, complaints, checks, failedChecks, medianMs, longestMs, megabytesADay, journal } of results) {
  say(
    `${name.padEnd(26)} ${checks} checks, ${failedChecks} failed; median ${medianMs} ms, longest ${longestMs} ms; ${megabytesADay.toFixed(1)} MB a day`,
  );
  for (const complaint of complaints) say(`WRONG ${name}: ${complaint}`);
  if (complaints.length > 0 && values.journal) for (const line of journal.lines) say(textOf(line));
}
process.exitCode = results.some(({ complaints }) => complaints.length > 0) ? 1 : 0;
