/**
 * `npm run idle -- --minutes 10`: a day in which nothing happens, at the defaults and with the data saver, side by side. Exit code 1 if it costs more
 * than it may.
 */
import { parseArgs } from 'node:util';
import { IdleLab, type IdleDay } from './idle.js';
import { IDLE_DAY_AT_MOST_BYTES } from './idle-bounds.js';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const seconds = Number(values.minutes) * 60;
if (!(seconds > 0)) {
  process.stderr.write('--minutes has to be a number above 0\n');
  process.exit(2);
}

async function idle(dataSaver: boolean): Promise<IdleDay> {
  const lab = await IdleLab.create(dataSaver);
  try {
    return await lab.measure(seconds, dataSaver);
  } finally {
    await lab.destroy();
  }
}

const kb = (bytes: number): string => `${(bytes / 1_000).toFixed(1)} kB`;
const [off, on] = await Promise.all([idle(false), idle(true)]);
for (const [name, day, atMost] of [
  ['default', off, IDLE_DAY_AT_MOST_BYTES.default],
  ['data saver', on, IDLE_DAY_AT_MOST_BYTES.dataSaver],
] as const) {
  const wrong = day.dayBytes > atMost;
  if (wrong) process.exitCode = 1;
  process.stdout.write(
    `${wrong ? 'WRONG ' : ''}${name}: ${(day.dayBytes / 1e6).toFixed(2)} MB a day (at most ${atMost / 1e6} MB): idle ${kb(day.idleBytesAnHour)} an hour ` +
      `(${day.checksAnHour.toFixed(0)} checks, ${day.dnsQueriesAnHour.toFixed(0)} questions to name servers), a start ${kb(day.startBytes)}, a check over a new connection ${kb(day.checkBytes)}\n`,
  );
}
