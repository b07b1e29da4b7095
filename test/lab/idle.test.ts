/** What an idle day costs on the wire, and that an outage is noticed with the data saver all the same. Needs root. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { blackHole } from './faults.js';
import { IdleLab } from './idle.js';
import { IDLE_DAY_AT_MOST_BYTES, SAVER_NOTICES_WITHIN_MS } from './idle-bounds.js';

/** Two questions of the data saver to the live connection; without it ten. */
const SECONDS = 150;

describe('at the defaults', () => {
  for (const ipv6 of [false, true])
    it(`an idle day ${ipv6 ? 'with IPv6 beside IPv4' : 'over IPv4'} stays within its bound`, async (t) => {
      const idle = await IdleLab.create({ dataSaver: false, ipv6 });
      try {
        const { day, checksAnHour } = await idle.measure(SECONDS);
        t.diagnostic(`${(day.ip / 1e6).toFixed(2)} MB of IP packets, ${(day.frames / 1e6).toFixed(2)} MB of frames`);
        assert.ok(checksAnHour > 3_000 / 7, 'it checks');
        assert.ok(day.ip <= IDLE_DAY_AT_MOST_BYTES.default, JSON.stringify(day));
      } finally {
        await idle.destroy();
      }
    });
});

describe('with the data saver', () => {
  let idle: IdleLab;
  before(async () => {
    idle = await IdleLab.create({ dataSaver: true, ipv6: true });
  });
  after(() => idle.destroy());

  it('an idle day stays within its bound, and the site is left in peace', async () => {
    const day = await idle.measure(SECONDS);
    assert.equal(day.checksAnHour, 0);
    assert.ok(day.day.ip > 50_000, 'the counters count');
    assert.ok(day.day.ip <= IDLE_DAY_AT_MOST_BYTES.dataSaver, JSON.stringify(day));
  });

  it('an outage that no kernel sees is noticed, and its end', async () => {
    const { daemon, lab } = idle;
    const mark = daemon.journal.mark();
    const brokenAt = performance.now();
    await blackHole.apply(lab);
    await daemon.verdict('offline', mark, { timeoutMs: 2 * SAVER_NOTICES_WITHIN_MS });
    const noticedMs = performance.now() - brokenAt;
    assert.ok(noticedMs < SAVER_NOTICES_WITHIN_MS, `noticed after ${Math.round(noticedMs)} ms`);
    await blackHole.repair(lab);
    await daemon.joined(mark, { timeoutMs: 60_000 });
  });
});
