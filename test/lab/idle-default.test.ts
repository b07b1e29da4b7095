/** What an idle day costs on the wire at the defaults; with IPv6 as well see `npm run idle`, which takes the time for it. Needs root. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { IDLE_DAY_AT_MOST_BYTES } from './idle-bounds.js';
import { IdleLab } from './idle.js';

/** Ten questions to the cloud. */
const SECONDS = 130;

it('an idle day over IPv4 stays within its bound', async (t) => {
  // A fifth of the time-out is when another connection is opened beside the kept one: a busy machine's being late is not the site's.
  const env = { DUNEBUGGER_WEBSOCKET_CONNECTION_TIMEOUT_SECS: '30' };
  const idle = await IdleLab.create({ dataSaver: false, ipv6: false, env });
  try {
    const { day, checksAnHour } = await idle.measure(SECONDS);
    t.diagnostic(`${(day.ip / 1e6).toFixed(2)} MB of IP packets, ${(day.frames / 1e6).toFixed(2)} MB of frames`);
    assert.ok(checksAnHour > 0, 'it checks');
    assert.ok(day.ip <= IDLE_DAY_AT_MOST_BYTES.default, JSON.stringify(day));
  } finally {
    await idle.destroy();
  }
});
