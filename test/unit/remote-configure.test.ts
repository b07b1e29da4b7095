import assert from 'node:assert/strict';
import { EXCHANGE_SETTINGS, startExchange, type StartedExchange } from '../support/exchange.js';
import { describe, it } from 'node:test';
import type { RemoteSettings } from '../../src/main/remote/exchange.js';
import { settled } from '../support/stepped-clock.js';

const SETTINGS: RemoteSettings = {
  ...EXCHANGE_SETTINGS,
  floodLimit: { perSecond: 1, burst: 2, quietMs: 10_000 },
};

function make(settings: Partial<RemoteSettings> = {}): StartedExchange {
  return startExchange({
    collectSystemInfo: (components) => Promise.resolve(components.map(({ state }) => state)),
    settings: { ...SETTINGS, ...settings },
  });
}

describe('settings that change while running', () => {
  it('muting sends nothing more, not even what waited or came back unsent', async () => {
    const { exchange, cloud, bus, clock } = make();
    cloud.become('connected');
    await settled();
    let refuse = (): void => undefined;
    cloud.answer = () => new Promise((resolve) => (refuse = () => resolve('failed')));
    bus.arrive('sequence', 'in flight');
    exchange.configure({ ...SETTINGS, broadcastInitialState: false });
    refuse();
    const before = cloud.sent.length;
    bus.arrive('sequence', 'muted');
    cloud.arrive({ subject: 'controller.heartbeat' });
    await clock.advance(70_000);
    assert.equal(cloud.sent.length, before);
    cloud.answer = () => 'sent';
    exchange.configure(SETTINGS);
    await settled();
    assert.deepEqual(cloud.told(before), [
      'heartbeat "Is anyone there?"',
      'system_info ["not_responding","not_responding"]',
    ]);
    bus.arrive('sequence', 'now');
    await settled();
    assert.equal(cloud.told().at(-1), 'sequence "now"');
  });

  it('speaking again during a recovery announces itself when that succeeds', async () => {
    const { exchange, cloud, clock } = make({ broadcastInitialState: false });
    cloud.become('connected');
    cloud.become('recovering');
    exchange.configure(SETTINGS);
    await settled();
    assert.deepEqual(cloud.told(), []);
    cloud.become('connected', true);
    await clock.advance(0);
    assert.equal(cloud.told()[0], 'heartbeat "Is anyone there?"');
    assert.match(cloud.told()[1] ?? '', /^system_info/);
  });

  it('a shorter heartbeat is in force at once', async () => {
    const { exchange, cloud, clock } = make();
    cloud.become('connected');
    cloud.arrive({ subject: 'controller.heartbeat' });
    await settled();
    const before = cloud.sent.length;
    exchange.configure({ ...SETTINGS, heartBeatEverySecs: 10, heartBeatLoopDurationSecs: 25 });
    await clock.advance(30_000);
    assert.deepEqual(
      cloud.told(before).filter((line) => line.startsWith('heartbeat')),
      ['heartbeat "I am alive"', 'heartbeat "I am alive"', 'heartbeat "Is anyone there?"'],
    );
  });

  it('another limit on messages from the group is in force at once', async () => {
    const { exchange, cloud, bus, clock } = make();
    const commands = (): number => bus.published.filter(({ subject }) => subject === 'dunebugger_set').length;
    for (let i = 0; i < 10; i += 1) cloud.arrive({ subject: 'core.dunebugger_set', body: i });
    assert.equal(commands(), 2);
    exchange.configure({ ...SETTINGS, floodLimit: { perSecond: 100, burst: 50, quietMs: 10_000 } });
    await clock.advance(1_000);
    for (let i = 0; i < 100; i += 1) cloud.arrive({ subject: 'core.dunebugger_set', body: i });
    assert.equal(commands(), 52);
  });
});

describe('without a bus', () => {
  it('the browsers are answered, nobody is watched, a command is dropped with the reason', async () => {
    const { exchange, cloud, log, clock } = startExchange({ hasBus: false, settings: SETTINGS });
    assert.equal(clock.pending, 0);
    cloud.become('connected');
    cloud.arrive({ subject: 'controller.heartbeat' });
    cloud.arrive({ subject: 'core.dunebugger_set', body: 'x' });
    await clock.advance(200_000);
    assert.ok(cloud.told().includes('heartbeat "I am alive"'));
    assert.deepEqual(log.at('warn'), ['A command from a browser was dropped: mQueueEnabled is False.']);
    assert.equal(log.at('info').filter((line) => line.startsWith('mQueueEnabled is False')).length, 1);
    await exchange.stop();
    assert.equal(clock.pending, 0);
  });
});
