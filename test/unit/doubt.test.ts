/** Whether a link was left behind by a change of the way out. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Doubt } from '../../src/main/connection/web-pubsub/doubt.js';

describe('a doubted link', () => {
  let pings: string[];
  let unanswered: number[];
  let doubt: Doubt;
  beforeEach((context) => {
    assert.ok('mock' in context);
    context.mock.timers.enable({ apis: ['setTimeout', 'setImmediate'] });
    pings = [];
    unanswered = [];
    doubt = new Doubt({ ping: (mark) => pings.push(mark), unanswered: (afterMs) => unanswered.push(afterMs) });
  });

  it('is given up when the time is over, and not before', (context) => {
    doubt.ask(2_000);
    context.mock.timers.tick(1_999);
    assert.deepEqual(unanswered, []);
    context.mock.timers.tick(2);
    assert.deepEqual(unanswered, [2_000]);
    doubt.ask(2_000);
    assert.equal(pings.length, 1, 'it is over');
  });

  it('is left in peace once its own ping is answered, and by no other answer', (context) => {
    doubt.ask(2_000);
    doubt.answered('');
    doubt.answered('still-there-0');
    context.mock.timers.tick(1_000);
    doubt.answered(pings[0]!);
    context.mock.timers.tick(10_000);
    assert.deepEqual(unanswered, []);
  });

  it('is asked once more for all who asked meanwhile', (context) => {
    for (let i = 0; i < 50; i += 1) doubt.ask(2_000);
    assert.equal(pings.length, 1);
    doubt.answered(pings[0]!);
    assert.equal(pings.length, 2);
    doubt.answered(pings[0]!);
    context.mock.timers.tick(2_001);
    assert.deepEqual(unanswered, [2_000], 'the old answer is none to the new question');
  });

  it('an answer that waited to be read while the process was stopped is read first', async (context) => {
    context.mock.timers.reset();
    context.mock.timers.enable({ apis: ['setTimeout'] });
    doubt.ask(2_000);
    context.mock.timers.tick(2_000);
    doubt.answered(pings[0]!);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(unanswered, []);
  });

  it('leaves no timer behind', (context) => {
    doubt.ask(2_000);
    doubt.end();
    context.mock.timers.tick(10_000);
    assert.deepEqual(unanswered, []);
  });
});
