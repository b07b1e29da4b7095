/**
 * The short form of `npm run month`: a day and a half of the whole daemon, with outages, reconnections, restarts of the bus, reloads and questions. Nothing
 * may grow; and what is made to leak on purpose, in a thread and in the process, must be found, or the month would prove nothing.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { month } from '../month/month.js';
import { LEAKING, SHORT } from '../month/plan.js';
import { findNatsServer } from '../support/nats-server.js';

const skip = findNatsServer() === undefined ? 'nats-server is not installed' : false;

describe('a month in seconds', { skip, concurrency: true }, () => {
  it('leaves memory, handles, timers, threads, the history and the log as they were', async () => {
    const { complaints, joined, recovered } = await month({ plan: SHORT });
    assert.deepEqual(complaints, []);
    const { outage, recovery, anew } = SHORT.counts;
    assert.ok(joined + recovered >= outage + recovery + anew, `${joined} and ${recovered}`);
  });

  it('finds what leaks', async () => {
    const { trends } = await month({ plan: LEAKING, leaks: true });
    const found = Object.entries(trends)
      .filter(([, { leaks }]) => leaks)
      .map(([figure]) => figure);
    for (const figure of [
      'heap of main, kB',
      'heap of worker, kB',
      'open files',
      'timers of main',
      'handles of main',
      'handles of worker',
    ])
      assert.ok(found.includes(figure), `${figure} is not among ${found.join('; ')}`);
    for (const figure of ['threads', 'children', 'log, lines']) assert.ok(!found.includes(figure), figure);
  });
});
