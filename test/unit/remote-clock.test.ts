import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GATHER_MS } from '../../src/main/remote/browser-answers.js';
import type { ClockStatus } from '../../src/main/remote/clock-teller.js';
import { relayRule } from '../../src/main/remote/relay.js';
import { startExchange, type StartedExchange } from '../support/exchange.js';
import { settled } from '../support/stepped-clock.js';

class FakeStatus implements ClockStatus {
  available: boolean | undefined;
  #listeners = new Set<(available: boolean) => void>();
  onChange(listener: (available: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  become(available: boolean): void {
    this.available = available;
    for (const listener of this.#listeners) listener(available);
  }
}

function make(): StartedExchange & { status: FakeStatus } {
  const status = new FakeStatus();
  return { ...startExchange({ clockStatus: { status, clientId: 'remote' } }), status };
}

describe('whether the clock can be trusted', () => {
  it('is told to the scheduler at start, when it asks and at each change; to browsers likewise', async () => {
    const { cloud, bus, status, exchange } = make();
    const scheduler = (): readonly unknown[] =>
      bus.published.filter(({ subject }) => subject === 'ntp_status').map(({ payload }) => payload);
    const browsers = (): readonly string[] => cloud.told().filter((text) => text.startsWith('ntp_status'));
    const wire = (available: boolean): object => ({
      body: { ntp_available: available },
      subject: 'ntp_status',
      source: 'remote',
    });
    bus.become('up');
    assert.deepEqual(scheduler(), [], 'nothing is said before it is known');
    status.become(false);
    assert.deepEqual(scheduler(), [wire(false)]);
    bus.arrive('get_ntp_status', null, { source: 'scheduler' });
    assert.deepEqual(scheduler(), [wire(false), wire(false)]);
    cloud.become('connected');
    await settled();
    status.become(true);
    cloud.arrive({ subject: 'controller.ntp_status', connectionId: 'a' });
    await settled();
    assert.deepEqual(scheduler().at(-1), wire(true));
    assert.deepEqual(browsers(), ['ntp_status {"ntp_available":true}', 'ntp_status {"ntp_available":true}']);
    bus.become('down');
    bus.become('up');
    assert.equal(scheduler().length, 4, 'told again when the bus is back');
    await exchange.stop();
    status.become(false);
    assert.equal(scheduler().length, 4);
  });
});

describe('what components publish', () => {
  for (const [subject, rule] of [
    ['modes_list', 'state'],
    ['analytics_metrics', 'state'],
    ['scheduler_status', 'state'],
    ['never_heard_of', 'state'],
    ['log', 'event'],
    ['update_check_result', 'event'],
    ['heartbeat', 'ours'],
    ['get_ntp_status', 'ours'],
    ['get_version', 'ours'],
    ['two words', 'refused'],
    ['x'.repeat(65), 'refused'],
  ] as const) {
    it(`${subject.slice(0, 30)} is ${rule}`, () => assert.equal(relayRule(subject), rule));
  }

  it('arrives whatever its subject, and a new subject is one line at info', async () => {
    const { cloud, bus, log } = make();
    cloud.become('connected');
    await settled();
    for (const subject of ['modes_list', 'never_heard_of', 'modes_list']) bus.arrive(subject, { a: 1 });
    await settled();
    assert.deepEqual(cloud.told().slice(-3), ['modes_list {"a":1}', 'never_heard_of {"a":1}', 'modes_list {"a":1}']);
    assert.equal(log.at('info').filter((text) => JSON.stringify(text).includes('first time')).length, 2);
  });
});

describe('an upload', () => {
  it('of 900 kB reaches core; a larger one is answered, once for a burst', async () => {
    const { cloud, bus, clock } = make();
    cloud.become('connected');
    await settled();
    const before = cloud.sent.length;
    cloud.arrive({ subject: 'core.frontend_command', body: 'x'.repeat(900_000), connectionId: 'a' });
    assert.equal(bus.published.filter(({ subject }) => subject === 'frontend_command').length, 1);
    for (let i = 0; i < 3; i += 1) cloud.arrive({ subject: 'core.frontend_command', body: 'x'.repeat(1_000_000) });
    await clock.advance(GATHER_MS);
    assert.equal(bus.published.filter(({ subject }) => subject === 'frontend_command').length, 1);
    assert.deepEqual(
      cloud.sent.slice(before).map(({ subject, body }) => [subject, body]),
      [
        [
          'log',
          {
            success: false,
            level: 'error',
            message:
              '3 commands were not carried out: it is larger than this device lets through. (core.frontend_command)',
          },
        ],
      ],
    );
  });
});
