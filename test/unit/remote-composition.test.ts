import assert from 'node:assert/strict';
import { startExchange, type StartedExchange } from '../support/exchange.js';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../src/main/base/json.js';
import type { SendOutcome } from '../../src/main/connection/session.js';
import { GATHER_MS } from '../../src/main/remote/browser-answers.js';
import type { Exchange } from '../../src/main/remote/exchange.js';
import type { ComponentStatus, RemoteSettings } from '../../src/main/remote/exchange.js';
import { LAST_LOGS } from '../../src/main/remote/outbox.js';
import { DEFAULT_SENDER_LIMITS } from '../../src/main/remote/sender.js';
import { settled } from '../support/stepped-clock.js';

function make(
  settings: Partial<RemoteSettings> = {},
  collectSystemInfo: (components: readonly ComponentStatus[]) => Promise<Json> = () => Promise.resolve('info'),
): StartedExchange & { remote: Exchange } {
  const started = startExchange({ settings, collectSystemInfo });
  return { ...started, remote: started.exchange };
}

const GREETING = ['heartbeat "Is anyone there?"', 'system_info "info"'];

describe('joining the group', () => {
  it('announces itself, tells what it is, then what happened meanwhile, each once', async () => {
    const { cloud, bus } = make();
    bus.arrive('sequence', 1);
    bus.arrive('gpio_state', 2);
    bus.arrive('log', 3);
    bus.arrive('sequence', 4);
    cloud.become('connected');
    await settled();
    assert.deepEqual(cloud.told(), [...GREETING, 'gpio_state 2', 'log 3', 'sequence 4']);
    assert.deepEqual(cloud.sent[0], {
      body: 'Is anyone there?',
      subject: 'heartbeat',
      source: 'controller',
      destination: 'broadcast',
    });
    bus.arrive('log', 5);
    await settled();
    assert.deepEqual(cloud.told().slice(5), ['log 5']);
  });

  it('asks who is there after a recovery, tells nothing else of itself, and sends what came meanwhile', async () => {
    const { cloud, bus, clock } = make();
    cloud.become('connected');
    await settled();
    cloud.become('recovering');
    for (let i = 0; i < 300; i += 1) bus.arrive('playing_time', i);
    await settled();
    assert.equal(cloud.sent.length, 2);
    cloud.become('connected', true);
    await clock.advance(0);
    assert.deepEqual(cloud.told(2), [GREETING[0], ...Array.from({ length: 300 }, (_, i) => `playing_time ${i}`)]);
  });

  it('keeps the latest only when the recovery fails', async () => {
    const { cloud, bus, clock } = make();
    cloud.become('connected');
    await clock.advance(3_000);
    cloud.become('recovering');
    for (let i = 0; i < 5; i += 1) bus.arrive('playing_time', i);
    cloud.become('backing-off');
    cloud.become('connecting');
    cloud.become('connected');
    await settled();
    assert.equal(cloud.told(2)[0], GREETING[0]);
    assert.ok(cloud.told(2).includes('playing_time 4'));
    assert.ok(!cloud.told(2).includes('playing_time 3'));
  });

  it('does not wait for system_info for ever', async () => {
    const { cloud, bus, clock, log } = make({}, () => new Promise(() => undefined));
    bus.arrive('sequence', 1);
    cloud.become('connected');
    await clock.advance(2_999);
    assert.deepEqual(cloud.told(), [GREETING[0]]);
    await clock.advance(1);
    assert.deepEqual(cloud.told(), [GREETING[0], 'sequence 1']);
    await clock.advance(10_000);
    assert.ok(log.at('warn').some((line) => line.startsWith('The system information could not be collected')));
  });

  it('does not lose what a page is answered meanwhile, be it large or for that page alone', async () => {
    const { cloud, bus, clock } = make({}, () => new Promise(() => undefined));
    bus.arrive('modes_list', 'old');
    bus.arrive('log', 'old');
    cloud.become('connected');
    await clock.advance(100);
    const large = 'x'.repeat(260_000);
    bus.arrive('analytics_metrics', large);
    bus.arrive('modes_list', large);
    bus.arrive('log', 'for one', { source: 'core', destination: 'page-1' });
    bus.arrive('modes_list', 'new');
    await clock.advance(2_899);
    assert.deepEqual(cloud.told(), [GREETING[0]]);
    await clock.advance(1);
    assert.deepEqual(
      cloud.sent.slice(1).map(({ subject, body }) => `${subject} ${String(body).slice(0, 8)}`),
      ['analytics_metrics xxxxxxxx', 'modes_list xxxxxxxx', 'log for one', 'log old', 'modes_list new'],
    );
  });

  it('sends no older value behind one that was too large to wait', async () => {
    const { cloud, bus, clock } = make({}, () => new Promise(() => undefined));
    bus.arrive('modes_list', 'old');
    cloud.become('connected');
    await clock.advance(100);
    bus.arrive('modes_list', 'x'.repeat(260_000));
    await clock.advance(3_000);
    assert.deepEqual(
      cloud.sent.slice(1).map(({ subject, body }) => `${subject} ${String(body).slice(0, 3)}`),
      ['modes_list xxx'],
    );
  });

  it('goes on when the collector throws', async () => {
    const { cloud, bus } = make({}, () => {
      throw new Error('broken');
    });
    bus.arrive('sequence', 1);
    cloud.become('connected');
    await settled();
    assert.deepEqual(cloud.told(), [GREETING[0], 'sequence 1']);
  });

  it('asks again who is there when a heartbeat fell into a recovery', async () => {
    const { cloud, clock } = make();
    cloud.become('connected');
    cloud.arrive({ subject: 'controller.heartbeat', body: 'I am here' });
    await settled();
    cloud.become('recovering');
    await clock.advance(61_000);
    cloud.become('connected', true);
    await settled();
    assert.ok(cloud.told(3).includes('heartbeat "Is anyone there?"'));
  });
});

describe('messages of the group', () => {
  it('go to the bus, cut after the first dot', async () => {
    const { cloud, bus } = make();
    bus.published.length = 0;
    cloud.arrive({ subject: 'core.dunebugger_set', body: 'sw', connectionId: 'c' });
    cloud.arrive({ subject: 'scheduler.heartbeat', body: 1 });
    await settled();
    assert.deepEqual(bus.published, [
      {
        recipient: 'core',
        subject: 'dunebugger_set',
        payload: { subject: 'dunebugger_set', body: 'sw', connectionId: 'c' },
      },
      { recipient: 'scheduler', subject: 'heartbeat', payload: { subject: 'heartbeat', body: 1 } },
    ]);
  });

  it('are answered: heartbeat at once and then every minute, system_info', async () => {
    const { cloud, clock } = make();
    cloud.become('connected');
    await clock.advance(5_000);
    const from = cloud.sent.length;
    cloud.arrive({ subject: 'controller.heartbeat', body: 'I am here', connectionId: 'c' });
    cloud.arrive({ subject: 'controller.system_info', body: '', connectionId: 'c' });
    await settled();
    assert.deepEqual(cloud.told(from), ['heartbeat "I am alive"', 'system_info "info"']);
    await clock.advance(3_600_000);
    assert.deepEqual(
      cloud.told(from).filter((line) => line.startsWith('heartbeat')),
      [...Array.from({ length: 5 }, () => 'heartbeat "I am alive"'), 'heartbeat "Is anyone there?"'],
    );
  });

  it('that are hostile reach nothing, cost one line, and one answer for each reason', async () => {
    const { cloud, bus, log, clock } = make();
    bus.published.length = 0;
    cloud.become('connected');
    await settled();
    const before = log.at('warn').length;
    for (const data of [
      null,
      7,
      'core.x',
      [],
      { subject: 'core.>' },
      { subject: 'core.*', body: 1 },
      { subject: 'core.a b' },
      { subject: 'core.a.b' },
      { subject: {} },
      { subject: 'core.x', body: 'x'.repeat(10_000_000) },
      { subject: 'core.x', connectionId: [] },
      { subject: 'core.x', source: 'controller' },
      { subject: 'controller.heartbeat', source: 'controller' },
      { subject: 'constructor.__proto__' },
      { subject: 'core.y', body: { subject: 'core.*' }, source: 'controller' },
    ]) {
      cloud.arrive(data);
    }
    cloud.arriveText(`{"subject":"core.x","body":${'['.repeat(50_000)}${']'.repeat(50_000)}}`);
    cloud.arrive('core.x', 'text');
    cloud.arrive(new ArrayBuffer(8), 'binary');
    await clock.advance(GATHER_MS);
    assert.deepEqual(
      bus.published.filter(({ subject }) => subject !== 'heartbeat'),
      [],
    );
    // What names neither its sender nor itself is not answered.
    const answers = cloud.sent.slice(GREETING.length);
    assert.ok(answers.every(({ subject, destination }) => subject === 'log' && destination === 'broadcast'));
    assert.deepEqual(
      answers.map(({ body }) => (body as { message: string }).message),
      [
        '4 commands were not carried out: its subject may have one dot, and letters, digits, - and _. (core.>, core.*, core.a b, core.a.b)',
        'A command was not carried out: it is larger than this device lets through. (core.x)',
        'A command was not carried out: its connectionId is none. (core.x)',
        'A command was not carried out: it is nested too deeply. (core.x)',
      ],
    );
    assert.equal(log.at('warn').length - before, 1);
  });

  it('that are unknown are answered to the browser that sent them, and to nobody else', async () => {
    const { cloud, bus, clock, log } = make();
    cloud.become('connected');
    await settled();
    bus.published.length = 0;
    for (const connectionId of ['page-1', null]) {
      cloud.arrive({ subject: 'lights.on', body: 1, connectionId });
      cloud.arrive({ subject: 'controller.dance', body: 1, connectionId });
      cloud.arrive({ subject: 'hello', body: 1, connectionId });
    }
    await clock.advance(GATHER_MS);
    assert.deepEqual(
      bus.published.filter(({ subject }) => subject !== 'heartbeat'),
      [],
    );
    assert.deepEqual(
      cloud.sent
        .slice(GREETING.length)
        .map(({ body, destination }) => [(body as { message: string }).message, destination]),
      [
        ['A command was not carried out: this device has no such component. (lights.on)', 'page-1'],
        ['A command was not carried out: this device does not know it. (controller.dance)', 'page-1'],
      ],
    );
    assert.deepEqual(log.at('warn'), []);
  });

  it('that flood are limited, with one line at the start and one at the end', async () => {
    const { cloud, bus, clock, log } = make({ floodLimit: { perSecond: 50, burst: 200, quietMs: 10_000 } });
    await clock.advance(50_000);
    bus.published.length = 0;
    const before = log.at('warn').length;
    for (let i = 0; i < 10_000; i += 1) cloud.arrive({ subject: 'core.dunebugger_set', body: i });
    assert.equal(bus.published.length, 200);
    await clock.advance(9_999);
    assert.equal(log.at('warn').length - before, 1);
    await clock.advance(1);
    assert.equal(log.at('warn').length - before, 2);
    assert.equal(log.lines.find(({ message }) => message.startsWith('The flood'))?.fields['dropped'], 9_800);
    cloud.arrive({ subject: 'core.dunebugger_set', body: 'later' });
    assert.deepEqual(bus.published.at(-1)?.payload, { subject: 'dunebugger_set', body: 'later' });
  });

  it('are dropped while the bus is down, with one warning', async () => {
    const { cloud, bus, log, clock } = make();
    bus.outcome = 'down';
    for (let i = 0; i < 5; i += 1) cloud.arrive({ subject: 'core.dunebugger_set', body: i });
    assert.equal(log.at('warn').length, 1);
    bus.outcome = 'published';
    bus.published.length = 0;
    bus.become('up');
    await clock.advance(10);
    assert.deepEqual(
      bus.published.map(({ subject }) => subject),
      ['heartbeat', 'heartbeat'],
    );
  });

  it('asking for system_info in a crowd share a collection', async () => {
    let collected = 0;
    const { cloud, clock } = make({}, () => Promise.resolve((collected += 1)));
    cloud.become('connected');
    await clock.advance(10_000);
    const before = collected;
    for (let i = 0; i < 50; i += 1) cloud.arrive({ subject: 'controller.system_info' });
    await clock.advance(10_000);
    assert.ok(collected - before >= 1 && collected - before <= 2, String(collected - before));
  });
});

describe('the components', () => {
  it('are asked, watched, and shown in system_info as soon as they change', async () => {
    const seen: (readonly ComponentStatus[])[] = [];
    const { cloud, bus, clock, log } = make({}, (components) => {
      seen.push(components);
      return Promise.resolve('info');
    });
    cloud.become('connected');
    await clock.advance(3_000);
    assert.deepEqual(bus.published[0], {
      recipient: 'core',
      subject: 'heartbeat',
      payload: { body: 'are you there?', subject: 'heartbeat', source: 'controller' },
    });
    bus.arrive('heartbeat', 'alive', { source: 'core', version: '2.1' });
    await clock.advance(3_000);
    assert.deepEqual(seen.at(-1), [
      { name: 'dunebugger', state: 'running', version: '2.1' },
      { name: 'scheduler', state: 'not_responding', version: null },
    ]);
    await clock.advance(45_000);
    assert.equal(seen.at(-1)![0]!.state, 'not_responding');
    assert.equal(log.at('info').length, 1);
    assert.equal(log.at('warn').length, 2);
    // At 0 and 30 s; it was there and leaves the second unanswered: then every 4 s, until 51 s. The other was never there.
    assert.equal(bus.published.filter(({ recipient }) => recipient === 'core').length, 2 + 5);
    assert.equal(bus.published.filter(({ recipient }) => recipient === 'scheduler').length, 2);
  });

  it('that send what is not known here cause one warning a minute', async () => {
    const { bus, log, clock, cloud } = make();
    cloud.become('connected');
    for (let i = 0; i < 100; i += 1) bus.arrive('get_version', i);
    assert.equal(log.at('warn').length, 1);
    await clock.advance(40_000);
    await clock.advance(40_000);
    bus.arrive('get_version', 1);
    const last = log.lines.filter(({ level }) => level === 'warn').at(-1);
    assert.equal(last?.fields['leftOut'], 99);
  });
});

describe('the components, after the bus was away', () => {
  it('are asked at once and after 2, 5 and 12 s, and not called dead meanwhile', async () => {
    const { bus, clock, log, cloud } = make();
    cloud.become('connected');
    bus.arrive('heartbeat', 'alive', { source: 'core' });
    bus.arrive('heartbeat', 'alive', { source: 'scheduler' });
    await clock.advance(44_000);
    bus.published.length = 0;
    bus.become('down');
    bus.become('up');
    const asked = (): number => bus.published.filter(({ recipient }) => recipient === 'core').length;
    const counts: number[] = [];
    for (const ms of [0, 1_999, 1, 2_999, 1, 6_999, 1]) {
      await clock.advance(ms);
      counts.push(asked());
    }
    assert.deepEqual(counts, [1, 1, 2, 2, 3, 3, 4]);
    assert.deepEqual(log.at('warn'), []);
    bus.arrive('heartbeat', 'alive', { source: 'core' });
    await clock.advance(10_000);
    const dead = log.lines.filter(({ message }) => message.startsWith('A component does not respond'));
    assert.deepEqual(
      dead.map(({ fields }) => fields['component']),
      ['scheduler'],
    );
  });

  it('are there as long as they say anything at all', async () => {
    const { bus, clock, log, remote } = make();
    for (let i = 0; i < 10; i += 1) {
      bus.arrive('gpio_state', i, { source: 'core' });
      bus.arrive('get_something', i, { source: 'scheduler' });
      await clock.advance(40_000);
    }
    assert.deepEqual(
      remote.components.map(({ state }) => state),
      ['running', 'running'],
    );
    assert.ok(!log.lines.some(({ message }) => message.startsWith('A component does not respond')));
  });
});

describe('the journal', () => {
  it('a malformed message on one side does not silence the other', () => {
    const { bus, cloud, log } = make();
    for (let i = 0; i < 10; i += 1) cloud.arrive('hostile');
    bus.arrive('a b', 1);
    assert.deepEqual(
      log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields['from']),
      ['group', 'bus'],
    );
  });

  it('has a line at debug for each message relayed, said, handed over or answered, and none when nothing is kept', async () => {
    const { bus, cloud, log } = make();
    cloud.become('connected');
    await settled();
    bus.arrive('gpio_state', 1);
    bus.arrive('log', 'x', { source: 'core', destination: 'browser-1' });
    cloud.arrive({ subject: 'core.dunebugger_set', body: 'a' });
    cloud.arrive({ subject: 'controller.heartbeat' });
    bus.arrive('heartbeat', 'alive', { source: 'core' });
    await settled();
    const lines = log.lines
      .filter(({ level }) => level === 'debug')
      .map(({ message, fields }) => `${message} ${String(fields['subject'] ?? fields['component'])}`);
    for (const line of [
      'Relayed to the group. gpio_state',
      'Relayed to the group. log',
      'Handed to the bus. dunebugger_set',
      'A browser asks whether we are there. controller.heartbeat',
      'Said to the group. heartbeat',
      'Said to the group. system_info',
      'A component says that it is there. core',
    ]) {
      assert.ok(lines.includes(line), line);
    }
    cloud.become('backing-off');
    const before = log.lines.length;
    bus.arrive('log', 'x', { source: 'core', destination: 'browser-1' });
    bus.arrive('gpio_state', 'x'.repeat(70_000));
    const kept = (): number =>
      log.lines.slice(before).filter(({ message }) => message.startsWith('Kept for later')).length;
    assert.equal(kept(), 0);
    bus.arrive('gpio_state', 2);
    assert.equal(kept(), 1);
  });
});

describe('what goes out', () => {
  it('is muted by broadcastInitialState = False, all of it, while commands still pass', async () => {
    let collected = 0;
    const { cloud, bus, clock, log } = make({ broadcastInitialState: false }, () => Promise.resolve((collected += 1)));
    cloud.become('connected');
    cloud.arrive({ subject: 'controller.heartbeat' });
    cloud.arrive({ subject: 'controller.system_info' });
    cloud.arrive({ subject: 'core.dunebugger_set', body: 1 });
    bus.arrive('gpio_state', 1, {});
    await clock.advance(400_000);
    assert.deepEqual(cloud.sent, []);
    assert.equal(collected, 0);
    assert.ok(bus.published.some(({ subject }) => subject === 'dunebugger_set'));
    assert.equal(log.at('info').length, 1);
  });

  it('is 10,000 messages at once: none lost, none doubled, in order, in a window', async () => {
    const { cloud, bus, remote } = make();
    cloud.become('connected');
    await settled();
    cloud.answer = async (): Promise<SendOutcome> => {
      await settled();
      return 'sent';
    };
    for (let i = 0; i < 10_000; i += 1) bus.arrive(i % 2 === 0 ? 'log' : 'gpio_state', i);
    while (remote.waiting.queued + remote.waiting.inFlight > 0) await settled();
    assert.deepEqual(
      cloud.sent.slice(2).map(({ body }) => body),
      Array.from({ length: 10_000 }, (_, i) => i),
    );
    assert.equal(cloud.mostInFlight, DEFAULT_SENDER_LIMITS.window);
  });

  it('is sent again when a send fails, unless a newer value was', async () => {
    const { cloud, bus, clock } = make();
    cloud.become('connected');
    await settled();
    const failing = new Set(['log 1', 'gpio_state 1', 'sequence 1']);
    cloud.answer = ({ subject, body }) => (failing.delete(`${subject} ${String(body)}`) ? 'failed' : 'sent');
    bus.arrive('log', 1);
    bus.arrive('gpio_state', 1);
    bus.arrive('sequence', 1);
    bus.arrive('gpio_state', 2);
    await clock.advance(5_000);
    const relayed = cloud.told(2).filter((line) => !line.startsWith('system_info'));
    assert.deepEqual(relayed, ['log 1', 'gpio_state 1', 'sequence 1', 'gpio_state 2', 'log 1', 'sequence 1']);
  });

  it('is dropped after three failures, so that one message cannot hold up all', async () => {
    const { cloud, bus, clock, log } = make();
    cloud.become('connected');
    await settled();
    const before = log.at('warn').length;
    cloud.answer = ({ body }) => (body === 'poison' ? 'failed' : 'sent');
    bus.arrive('log', 'poison');
    bus.arrive('log', 'fine');
    await clock.advance(10_000);
    bus.arrive('log', 'fine too');
    await settled();
    assert.equal(cloud.told().filter((line) => line === 'log "poison"').length, 3);
    assert.deepEqual(cloud.told().slice(-1), ['log "fine too"']);
    assert.equal(log.at('warn').length - before, 1);
  });

  it('waits when the connection is gone before the state says so', async () => {
    const { cloud, bus } = make();
    cloud.become('connected');
    await settled();
    cloud.answer = () => 'not-connected';
    bus.arrive('log', 1);
    bus.arrive('sequence', 1);
    await settled();
    cloud.become('waiting-for-internet');
    bus.arrive('sequence', 2);
    cloud.answer = () => 'sent';
    const from = cloud.sent.length;
    cloud.become('connected', true);
    await settled();
    assert.deepEqual(cloud.told(from), [GREETING[0], 'log 1', 'sequence 2']);
  });

  it('stays bounded when the cloud takes nothing', async () => {
    const { cloud, bus, remote } = make();
    cloud.become('connected');
    await settled();
    cloud.answer = () => new Promise<SendOutcome>(() => undefined);
    for (let i = 0; i < 20_000; i += 1) bus.arrive('log', 'x'.repeat(2_000));
    assert.ok(remote.waiting.bytes <= DEFAULT_SENDER_LIMITS.maxQueuedBytes + 1024 * 1024);
    assert.equal(remote.waiting.inFlight, DEFAULT_SENDER_LIMITS.window);
  });

  it('ends with the newest value of every state, whatever the cloud and the order of events', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom('gpio_state', 'sequence', 'log') },
      { weight: 2, arbitrary: fc.constantFrom('recovering', 'waiting-for-internet', 'backing-off') },
      { weight: 2, arbitrary: fc.constantFrom('joined', 'recovered') },
      { weight: 2, arbitrary: fc.constantFrom('wait', 'fail', 'heal') },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { cloud, bus, clock, remote } = make();
        const taken: string[] = [];
        let healthy = true;
        cloud.answer = ({ subject, body }) => {
          if (!healthy) return 'not-connected';
          taken.push(`${subject} ${typeof body === 'number' ? body : 'summary'}`);
          return 'sent';
        };
        const newest = new Map<string, number>();
        const logs: number[] = [];
        let n = 0;
        for (const what of [...steps, 'heal', 'joined']) {
          if (what === 'joined') cloud.become('connected');
          else if (what === 'recovered') cloud.become('connected', true);
          else if (what === 'wait') await clock.advance(1_500);
          else if (what === 'fail') healthy = false;
          else if (what === 'heal') healthy = true;
          else if (what.includes('-') || what === 'recovering') cloud.become(what);
          else {
            n += 1;
            bus.arrive(what, n);
            if (what === 'log') logs.push(n);
            else newest.set(what, n);
          }
          await settled();
        }
        await clock.advance(20_000);
        for (const [subject, value] of newest) {
          const values = taken.filter((line) => line.startsWith(`${subject} `));
          assert.equal(values.at(-1), `${subject} ${value}`);
          assert.equal(new Set(values).size, values.length);
        }
        // Of many log lines that waited the oldest are told as a number.
        const told = taken.filter((line) => line.startsWith('log ') && line !== 'log summary');
        const all = logs.map((i) => `log ${i}`);
        assert.deepEqual(
          told,
          all.filter((line) => told.includes(line)),
        );
        assert.deepEqual(told.slice(-LAST_LOGS), all.slice(-LAST_LOGS));
        assert.ok(told.length === all.length || taken.includes('log summary'));
        assert.deepEqual(remote.waiting, { queued: 0, inFlight: 0, outbox: 0, bytes: 0 });
        await remote.stop();
      }),
      { numRuns: 150 },
    );
  });
});

describe('stopping', () => {
  it('leaves no timer, no listener, and closes the bus', async () => {
    const { remote, cloud, bus, clock } = make({}, () => new Promise(() => undefined));
    cloud.become('connected');
    cloud.arrive({ subject: 'controller.heartbeat' });
    cloud.answer = () => 'failed';
    bus.arrive('log', 1);
    await settled();
    await remote.stop();
    assert.equal(clock.pending, 0);
    assert.equal(cloud.listeners, 0);
    assert.ok(bus.closed);
    await remote.stop();
    remote.start();
    assert.equal(clock.pending, 0);
  });
});
