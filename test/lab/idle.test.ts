/** The data saver on the wire: what an idle day costs, and that an outage is noticed all the same. Needs root. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { blackHole } from './faults.js';
import { IdleLab } from './idle.js';
import { IDLE_DAY_AT_MOST_BYTES, SAVER_NOTICES_WITHIN_MS } from './idle-bounds.js';

/** Two questions to the live connection. */
const SECONDS = 150;

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
