/** A second remote beside us: in the group, or on the bus. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startExchange, type StartedExchange } from '../support/exchange.js';

function make(): StartedExchange {
  const started = startExchange();
  started.bus.become('up');
  return started;
}

/** As every version of the remote asks. */
const QUESTION = { body: 'are you there?', subject: 'heartbeat', source: 'controller' };

describe('a second remote in the group', () => {
  it('is said once, at error, with what to do', () => {
    const { cloud, log } = make();
    cloud.become('connected');
    for (let i = 0; i < 3; i += 1) cloud.arrive({ subject: 'heartbeat', body: 'I am alive', source: 'controller' });
    assert.equal(log.at('error').length, 1);
    assert.match(JSON.stringify(log.at('error')), /sudo dunebugger-remote migrate shows.*WS_GROUP_NAME/);
  });
});

describe('a second remote on the bus', () => {
  /** Seconds at which the other one asks. */
  async function hears(seconds: readonly number[], question: string | object = QUESTION): Promise<readonly string[]> {
    const { bus, log, clock } = make();
    let nowSecs = 0;
    for (const at of seconds) {
      await clock.advance((at - nowSecs) * 1_000);
      nowSecs = at;
      bus.askCore(question);
    }
    return log.at('error');
  }

  for (const [name, seconds] of [
    ['the Python version, each 30 s', [30, 60, 90, 120, 150]],
    ['one that comes just when one question is lost', [30, 90, 120, 150]],
    ['one like us, which asks more often once the bus is there', [0, 2, 5, 12, 42, 72]],
    ['one that misses core', [0, 4, 8, 12, 16, 20, 24, 28, 32]],
  ] as const) {
    it(`is said once, at error, with what to do: ${name}`, async () => {
      const errors = await hears(seconds);
      assert.equal(errors.length, 1);
      assert.match(
        errors[0] ?? '',
        /^Another controller is on this bus.*sudo dunebugger-remote migrate shows.*mQueueSubjectRoot/,
      );
    });
  }

  for (const [name, seconds, question] of [
    ['nobody asks', [], QUESTION],
    ['a burst that a thawed server reads late', [100, 100, 100, 100, 101], QUESTION],
    ['somebody who tries it twice', [10, 40], QUESTION],
    ['somebody who tries it now and then', [10, 40, 400, 800, 830, 2_000], QUESTION],
    [
      'a command of a browser, carried by whoever',
      [30, 60, 90],
      { subject: 'heartbeat', body: 'x', connectionId: 'c' },
    ],
    ['another component', [30, 60, 90], { ...QUESTION, source: 'scheduler' }],
    ['no JSON', [30, 60, 90], '{"source":"controller"'],
    ['no object', [30, 60, 90], '"controller"'],
    ['something large', [30, 60, 90], { ...QUESTION, more: 'x'.repeat(5_000) }],
  ] as const) {
    it(`is not seen where there is none: ${name}`, async () => assert.deepEqual(await hears(seconds, question), []));
  }

  it('is not made up of what came over an earlier connection', async () => {
    const { bus, log, clock } = make();
    for (let i = 0; i < 6; i += 1) {
      await clock.advance(30_000);
      bus.askCore(QUESTION);
      bus.become('down');
      bus.become('up');
    }
    assert.deepEqual(log.at('error'), []);
  });
});
