import assert from 'node:assert/strict';
import type { LookupFunction } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Json } from '../../src/main/base/json.js';
import { Bus } from '../../src/main/remote/bus.js';
import { Exchange } from '../../src/main/remote/exchange.js';
import type { RemoteSettings } from '../../src/main/remote/exchange.js';
import { FakeConnection } from '../support/fake-cloud.js';
import { NatsServer, findNatsServer } from '../support/nats-server.js';
import { RecordedLog } from '../support/recorded-log.js';

const lookup: LookupFunction = (_name, _options, callback) => callback(new Error('no look-up is needed here'), '');
const NO_LIMIT = { perSecond: 1e6, burst: 1e6, quietMs: 1_000 };
const skip = findNatsServer() === undefined ? 'nats-server is not installed' : false;

/** Looks every few milliseconds; the test's own deadline is the deadline. */
async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('remote between a cloud and a real nats-server', { skip }, () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function make(
    settings: Partial<RemoteSettings> = {},
    absent = false,
  ): Promise<{ nats: NatsServer; bus: Bus; cloud: FakeConnection; remote: Exchange; log: RecordedLog }> {
    const nats = await NatsServer.create({ absent });
    cleanups.push(() => nats.kill());
    const cloud = new FakeConnection();
    const log = new RecordedLog();
    const bus = new Bus({
      settings: { servers: [nats.url], clientId: 'remote', subjectRoot: 'dunebugger' },
      log,
      lookup,
      timings: { retryMs: 50 },
    });
    const remote = new Exchange({
      connection: cloud,
      bus,
      collectSystemInfo: (components) => Promise.resolve({ components: JSON.stringify(components) }),
      describeComponents: () => Promise.resolve([]),
      settings: { broadcastInitialState: true, heartBeatEverySecs: 60, heartBeatLoopDurationSecs: 300, ...settings },
      log,
    });
    cleanups.push(() => remote.stop());
    remote.start();
    return { nats, bus, cloud, remote, log };
  }

  it('tells how it is to whoever listens, and to who asks by a request', async () => {
    const nats = await NatsServer.create({});
    cleanups.push(() => nats.kill());
    const log = new RecordedLog();
    const listeners = new Set<(body: Json) => void>();
    let body: Json = { verdict: 'online' };
    const remote = new Exchange({
      connection: new FakeConnection(),
      bus: new Bus({
        settings: { servers: [nats.url], clientId: 'remote', subjectRoot: 'dunebugger' },
        log,
        lookup,
        timings: { retryMs: 50 },
      }),
      collectSystemInfo: () => Promise.resolve(null),
      describeComponents: () => Promise.resolve([]),
      settings: { broadcastInitialState: true, heartBeatEverySecs: 60, heartBeatLoopDurationSecs: 300 },
      log,
      verdict: {
        status: {
          get current() {
            return body;
          },
          onChange: (listener) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
          },
        },
        clientId: 'remote',
      },
    });
    const program = await connect({ servers: nats.url, reconnect: false });
    cleanups.push(() => program.close());
    const told: unknown[] = [];
    program.subscribe('dunebugger.remote.status', { callback: (_error, message) => void told.push(message.json()) });
    await program.flush();
    cleanups.push(() => remote.stop());
    remote.start();
    const online = { body: { verdict: 'online' }, subject: 'status', source: 'remote' };
    await until(() => told.length === 1);
    const answer = await program.request('dunebugger.remote.get_status', '', { timeout: 30_000 });
    assert.deepEqual(answer.json(), online);
    body = { verdict: 'offline' };
    for (const listener of listeners) listener(body);
    await until(() => told.length === 3);
    assert.deepEqual(told, [online, online, { ...online, body }]);
  });

  /** A component as core is: answers heartbeats, notes the rest. */
  async function core(
    nats: NatsServer,
  ): Promise<{ nats: NatsConnection; heard: unknown[]; say: (subject: string, body: unknown) => void }> {
    const connection = await connect({ servers: nats.url, reconnect: false });
    cleanups.push(() => connection.close());
    const heard: unknown[] = [];
    const say = (subject: string, body: unknown): void =>
      connection.publish(`dunebugger.remote.${subject}`, JSON.stringify({ body, subject, source: 'core' }));
    connection.subscribe('dunebugger.core.*', {
      callback: (_error, message) => {
        if (message.subject.endsWith('.heartbeat')) say('heartbeat', 'alive');
        else heard.push(message.json());
      },
    });
    await connection.flush();
    return { nats: connection, heard, say };
  }

  it('carries 10,000 messages each way, none lost, none doubled, in order', async () => {
    const { nats, bus, cloud } = await make({ floodLimit: NO_LIMIT });
    await until(() => bus.state === 'up');
    cloud.become('connected');
    const stand = await core(nats);
    stand.say('sequence', 'joined');
    await until(() => cloud.told().includes('sequence "joined"'));
    const states = (): unknown[] =>
      cloud.sent.filter(({ subject }) => subject === 'gpio_state').map(({ body }) => body);
    for (let i = 0; i < 10_000; i += 1) {
      cloud.arrive({ subject: 'core.dunebugger_set', body: i, connectionId: 'c' });
      stand.say('gpio_state', i);
      if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => stand.heard.length >= 10_000 && states().length > 0);
    await until(() => states().at(-1) === 9_999);
    assert.deepEqual(
      stand.heard,
      Array.from({ length: 10_000 }, (_, i) => ({ subject: 'dunebugger_set', body: i, connectionId: 'c' })),
    );
    assert.deepEqual(
      states(),
      Array.from({ length: 10_000 }, (_, i) => i),
    );
  });

  it('lives through a nats-server that is absent, killed under load and restarted', async () => {
    const { nats, bus, cloud, log } = await make({ floodLimit: NO_LIMIT }, true);
    cloud.become('connected');
    await until(() => cloud.sent.length >= 2);
    cloud.arrive({ subject: 'core.dunebugger_set', body: 'lost' });
    for (let round = 0; round < 2; round += 1) {
      await nats.start();
      await until(() => bus.state === 'up');
      const stand = await core(nats);
      stand.say('heartbeat', 'alive');
      stand.say('sequence', round);
      await until(() => cloud.told().includes(`sequence ${round}`));
      let i = 0;
      const load = setInterval(() => {
        for (let k = 0; k < 50; k += 1) cloud.arrive({ subject: 'core.dunebugger_set', body: (i += 1) });
      }, 1);
      await until(() => stand.heard.length > 100);
      await nats.kill();
      await until(() => bus.state === 'down');
      const before = i;
      await until(() => i > before + 100);
      clearInterval(load);
      const bodies = stand.heard.map((message) => (message as { body: unknown }).body);
      assert.deepEqual(
        bodies,
        bodies.map((_, k) => k + 1),
      );
    }
    assert.equal(log.at('warn').filter((line) => line.startsWith('A command from a browser was dropped')).length, 1);
    assert.equal(log.at('warn').filter((line) => line.startsWith('The bus is not there')).length, 3);
    assert.ok(log.at('info').includes('A component is running.'));
    await until(() => cloud.told().some((line) => line.startsWith('system_info') && line.includes('running')));
  });

  it('hands a payload on as the text that it is', async () => {
    const { nats, bus, cloud } = await make();
    await until(() => bus.state === 'up');
    const core = await connect({ servers: nats.url, reconnect: false });
    cleanups.push(() => core.close());
    const heard: string[] = [];
    core.subscribe('dunebugger.core.set', { callback: (_error, message) => void heard.push(message.string()) });
    await core.flush();
    const body = '{"10":9007199254740993,"9":1.0,"9":1e400,"a":-0,"b":"\\ud800"}';
    cloud.arriveText(`{"body":${body},"subject":"core.set"}`);
    await until(() => heard.length > 0);
    assert.deepEqual(heard, [`{"body":${body},"subject":"set"}`]);
  });

  it('lets nothing hostile reach the bus', async () => {
    const { nats, bus, cloud, log } = await make();
    await until(() => bus.state === 'up');
    const spy = await connect({ servers: nats.url, reconnect: false });
    cleanups.push(() => spy.close());
    const seen: string[] = [];
    spy.subscribe('>', { callback: (_error, { subject }) => void seen.push(subject) });
    await spy.flush();
    const body = 'x'.repeat(10_000_000);
    for (const subject of [
      'core.>',
      'core.*',
      'core.a.b',
      '*.a',
      '>',
      'core.a b',
      'core.\r\nPUB dunebugger.core.x 0\r\n',
      'core.x.',
      'remote.log',
      'dunebugger.core',
    ]) {
      cloud.arrive({ subject, body: 'x' });
    }
    cloud.arrive({ subject: 'core.x', body });
    cloud.arriveText(`{"subject":"core.x","body":${'['.repeat(20_000)}${']'.repeat(20_000)}}`);
    cloud.arrive({ subject: ['core.x'], body: 'x' });
    for (let i = 0; i < 10_000; i += 1) cloud.arrive({ subject: 'core.flood', body: i });
    cloud.arrive({ subject: 'core.x', source: 'controller' });
    await until(() => seen.includes('dunebugger.core.flood'));
    await spy.flush();
    const strange = seen.filter((subject) => !/^dunebugger\.(core|scheduler)\.(flood|heartbeat)$/.test(subject));
    assert.deepEqual(strange, []);
    assert.ok(seen.length < 1_000);
    assert.equal(log.at('warn').filter((line) => line.startsWith('More messages')).length, 1);
    assert.equal(bus.state, 'up');
  });
});
