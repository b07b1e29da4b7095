/**
 * `npm run idle -- --minutes 10 [--site http/1.1] [--headers 700]`: a day in which nothing happens, at the defaults and with the data saver, over IPv4 and with
 * IPv6 beside it, side by side; of a site that speaks that and says so many bytes in its headers. Exit code 1 if it costs more than it may.
 */
import { parseArgs } from 'node:util';
import type { SiteBehaviour, SiteProtocol } from '../support/https-site.js';
import type { Bytes } from './counters.js';
import { IdleLab, type IdleDay, type IdleOptions } from './idle.js';
import { IDLE_DAY_AT_MOST_BYTES } from './idle-bounds.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    site: { type: 'string', default: 'h2,http/1.1' },
    headers: { type: 'string', default: '0' },
  },
});
const seconds = Number(values.minutes) * 60;
if (!(seconds > 0)) {
  process.stderr.write('--minutes has to be a number above 0\n');
  process.exit(2);
}
const headerBytes = Number(values.headers);
const answers: SiteBehaviour = { kind: 'answer', ...(headerBytes > 0 && { headerBytes }) };
const speaks = values.site.split(',') as readonly SiteProtocol[];

async function idle(options: IdleOptions): Promise<IdleDay> {
  const lab = await IdleLab.create({ ...options, speaks, answers });
  try {
    return await lab.measure(seconds);
  } finally {
    await lab.destroy();
  }
}

const kb = ({ ip }: Bytes): string => `${(ip / 1_000).toFixed(1)} kB`;
const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;
const rows = [false, true].flatMap((dataSaver) => [false, true].map((ipv6) => ({ dataSaver, ipv6 })));
const days = await Promise.all(rows.map(async (row) => [row, await idle(row)] as const));
for (const [{ dataSaver, ipv6 }, { day, idle, checks, cloud, start, renewal, ...anHour }] of days) {
  const atMost = IDLE_DAY_AT_MOST_BYTES[dataSaver ? 'dataSaver' : 'default'];
  const wrong = day.ip > atMost;
  if (wrong) process.exitCode = 1;
  process.stdout.write(
    `${wrong ? 'WRONG ' : ''}${dataSaver ? 'data saver' : 'default'}, IPv4${ipv6 ? ' and IPv6' : ''}: ${mb(day.ip)} of IP packets a day (at most ${mb(atMost)}), ${mb(day.frames)} of Ethernet frames. ` +
      `IP packets: idle ${kb(idle)} an hour, of it checks ${kb(checks)} (${anHour.checksAnHour.toFixed(0)}, with ${anHour.dnsQueriesAnHour.toFixed(0)} questions to name servers) and cloud ${kb(cloud)}; ` +
      `a start ${kb(start)}, a new connection of the checks ${kb(renewal)}\n`,
  );
}
