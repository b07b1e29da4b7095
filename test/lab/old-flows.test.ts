/** What is open lives on and nothing new comes about: the connections of before deceive the checks only until one has to be opened. Needs root. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { portalNewFlows } from './faults.js';
import { Seats } from './seats.js';

/** An open connection counts as new for 10 s. */
const CHECKS_UNTIL_OLD = 3;
const INTERVALS_MS = 60_000;
/** The recovery is spread over 5 s; then it fails at the portal, the check over a new connection with it, and the confirming one a second later. */
const NOTICED_MS = 10_000;
const BACK_MS = 10_000;

const seats = new Seats();
after(() => seats.destroy());

describe('a portal that takes only new connections', () => {
  it('is noticed with the first attempt to connect that ends there, and its end as ever', (t) =>
    seats.with(async (seat) => {
      const { lab } = seat;
      const daemon = await seat.healthy();
      await daemon.checked(CHECKS_UNTIL_OLD, daemon.journal.mark(), { timeoutMs: INTERVALS_MS });
      const since = daemon.journal.mark();
      await portalNewFlows.apply(lab);
      await daemon.checked(2, since, { timeoutMs: INTERVALS_MS });
      assert.deepEqual([daemon.verdicts(since), daemon.joins(since)], [[], []], daemon.journal.tail());
      await seat.answersOnce(daemon);

      const dropped = daemon.journal.mark();
      await lab.internet.call('cloudFault', 'drop');
      const droppedAtMs = Date.now();
      const { reason, atMs } = await daemon.verdict('offline', dropped, { timeoutMs: 3 * NOTICED_MS });
      assert.equal(reason, 'portal', daemon.journal.tail());
      t.diagnostic(`portal after ${atMs - droppedAtMs} ms`);
      assert.ok(atMs - droppedAtMs < NOTICED_MS, daemon.journal.tail());

      const repaired = daemon.journal.mark();
      await portalNewFlows.repair(lab);
      await daemon.verdict('online', repaired, { timeoutMs: BACK_MS });
      await daemon.joined(repaired);
      await seat.answersOnce(daemon);
    }));
});
