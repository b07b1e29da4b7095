/** Updates that a browser asks for: what is asked, what is handed over, what is told. */
import { startExchange } from '../support/exchange.js';
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../src/main/base/json.js';
import { GATHER_MS, QUIET_MS } from '../../src/main/remote/browser-answers.js';
import { componentInfos } from '../../src/main/remote/components-info.js';
import { updateRequest } from '../../src/main/remote/updates/request.js';
import { readStatus } from '../../src/main/remote/updates/status.js';
import { FOLLOW_MS, LOOK_EVERY_MS } from '../../src/main/remote/updates/updates.js';
import { FakeConnection } from '../support/fake-cloud.js';
import { RecordedLog } from '../support/recorded-log.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { CoordinatorInMemory, type TakenRequest } from '../support/update-coordinator.js';

describe('what is asked of updates', () => {
  const update = (component: string, version = ''): object => ({ kind: 'update', component, version });
  for (const [subject, body, expected] of [
    ['check_updates', 'null', { kind: 'check' }],
    ['check_updates', { force: true }, { kind: 'check' }],
    ['update', 'dunebugger-core', update('core')],
    ['update', 'dunebugger', update('core')],
    ['update', 'core', update('core')],
    ['update', 'Dunebugger-Scheduler', update('scheduler')],
    ['update', 'scheduler', update('scheduler')],
    ['update', 'dunebugger-remote', { kind: 'update-self' }],
    ['update', 'controller', { kind: 'update-self' }],
    ['perform_update', { component: 'core', version: '1.2.3-beta.4' }, update('core', '1.2.3-beta.4')],
    ['perform_update', { component: 'core', version: null, dry_run: false }, update('core')],
    ['perform_update', { component: 'core', dry_run: true }, { kind: 'bad', why: 'an update is not rehearsed here' }],
    ['perform_update', { component: 'core', version: '1.2; reboot' }, { kind: 'bad', why: 'its version is none' }],
    ['perform_update', { component: 'core', version: '--help' }, { kind: 'bad', why: 'its version is none' }],
    ['perform_update', { component: 'core', version: 2 }, { kind: 'bad', why: 'its version is none' }],
    ['update', '../core', { kind: 'bad', why: 'it names no component of this device' }],
    ['update', 'constructor', { kind: 'bad', why: 'it names no component of this device' }],
    ['update', null, { kind: 'bad', why: 'it names no component of this device' }],
    ['update', undefined, { kind: 'bad', why: 'it names no component of this device' }],
    ['update', ['core'], { kind: 'bad', why: 'it names no component of this device' }],
    ['rollback', 'core', undefined],
  ] as const) {
    it(`${subject} ${JSON.stringify(body)}`, () => {
      assert.deepEqual(updateRequest(subject, body as Json | undefined), expected);
    });
  }

  it('never throws, and lets nothing through that is not of its own words', () => {
    fc.assert(
      fc.property(fc.constantFrom('update', 'perform_update'), fc.jsonValue(), (subject, body) => {
        const request = updateRequest(subject, body as Json);
        if (request?.kind === 'update')
          assert.match(`${request.component} ${request.version}`, /^(core|scheduler) [\w.+-]*$/);
      }),
    );
  });
});

describe("the coordinator's status", () => {
  const of = (status: object): ReturnType<typeof readStatus> =>
    readStatus(JSON.stringify({ request_id: 'a', ...status }), 'a');

  it('is read whole or not at all', () => {
    assert.deepEqual(readStatus(undefined, 'a'), { kind: 'none' });
    assert.deepEqual(readStatus('{"request_id":"a","success":tr', 'a'), { kind: 'none' });
    assert.deepEqual(readStatus('[]', 'a'), { kind: 'none' });
    assert.deepEqual(readStatus('{"request_id":"b","success":true}', 'a'), { kind: 'none' });
    assert.deepEqual(of({ success: null, phase: 'downloading' }), { kind: 'progress', phase: 'downloading' });
    const ended = { kind: 'ended', success: false, message: 'no', output: '', error: '' };
    assert.deepEqual(of({ success: false, message: ' no\n', output: 7 }), ended);
  });

  it('is bounded', () => {
    const status = of({ success: true, message: 'm'.repeat(9_999), output: `${'a'.repeat(9_999)}end`, phase: 'p' });
    assert.ok(status.kind === 'ended');
    assert.ok(status.message.length <= 500 && status.output.length <= 4_000 && status.output.endsWith('end'));
  });
});

interface Stage {
  readonly cloud: FakeConnection;
  readonly clock: SteppedClock;
  readonly log: RecordedLog;
  readonly coordinator: CoordinatorInMemory;
  /** Bodies of the `log` messages so far, with who they are for. */
  readonly told: () => readonly (readonly [{ readonly message: string }, string])[];
  /** What the log says of updates at this level. */
  readonly said: (level: 'info' | 'warn') => readonly string[];
  /** A browser asks. */
  readonly ask: (subject: string, body: unknown) => Promise<void>;
  /** The one request that waits. */
  readonly taken: () => TakenRequest;
  /** Until the status is looked at again. */
  readonly look: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** As a page asks that knows the version. */
const CORE = { component: 'core', version: '1.2.3' };
const SCHEDULER = { component: 'scheduler', version: '2.0.0' };

function stage(t: TestContext, { off = false, coordinator = new CoordinatorInMemory() } = {}): Stage {
  const { exchange, cloud, clock, log } = startExchange({
    hasBus: false,
    describeComponents: (components) => Promise.resolve(componentInfos(components, '0.1.0')),
    updateFiles: off ? undefined : coordinator,
  });
  t.after(() => exchange.stop());
  cloud.become('connected');
  return {
    cloud,
    clock,
    log,
    coordinator,
    told: () =>
      cloud.sent.flatMap(({ subject, body, destination }) =>
        subject === 'log' ? [[body as { message: string }, destination]] : [],
      ),
    said: (level) => log.at(level).filter((line) => /update/i.test(line)),
    ask: async (subject, body) => {
      cloud.arrive({ subject, body, connectionId: 'page-1' });
      await clock.advance(GATHER_MS);
    },
    taken: () => {
      const [request, ...more] = coordinator.waiting;
      assert.ok(request !== undefined && more.length === 0, JSON.stringify(coordinator.waiting));
      return request;
    },
    look: () => clock.advance(LOOK_EVERY_MS),
    stop: () => exchange.stop(),
  };
}

const notDone = (why: string, name: string): object => ({
  success: false,
  level: 'error',
  message: `A command was not carried out: ${why}. (${name})`,
});
const BY_APT =
  'dunebugger-remote is updated on the device itself, by apt: sudo apt install ./dunebugger-remote_VERSION_all.deb';

describe('an update', () => {
  it('of core is handed to the coordinator, and its progress and result are told to all', async (t) => {
    const { ask, taken, look, coordinator, told, said } = stage(t);
    await ask('updater.update', CORE);
    const request = taken();
    const { request_id, timestamp, ...rest } = request;
    assert.deepEqual(rest, { component: 'core', action: 'update', version: '1.2.3' });
    assert.match(request_id, /^[0-9a-f-]{36}$/);
    assert.ok(!Number.isNaN(Date.parse(timestamp)));
    await look();
    // Half of a file is not news.
    coordinator.statuses.set(request_id, `{"request_id":"${request_id}","success":true,"mess`);
    await look();
    coordinator.progress(request, 'downloading');
    await look();
    await look();
    coordinator.progress(request, 'verifying');
    await look();
    coordinator.end(request, { success: true, message: 'Command completed successfully', output: 'done\n' });
    await look();
    const success = true;
    const level = 'info';
    assert.deepEqual(
      told().map(([body]) => body),
      [
        { success, level, message: 'Update of core 1.2.3: handed over, it has begun' },
        { level, message: 'Update of core: downloading' },
        { level, message: 'Update of core: verifying' },
        { success, level, message: 'Update of core succeeded: Command completed successfully', output: 'done' },
      ],
    );
    assert.ok(told().every(([, to]) => to === 'broadcast'));
    assert.deepEqual(said('warn'), []);
  });

  it('that fails is told with what was printed; another one may then be asked for, with its version', async (t) => {
    const { ask, taken, look, coordinator, told, said } = stage(t);
    await ask('controller.perform_update', SCHEDULER);
    coordinator.end(taken(), { success: false, message: 'Command failed with code 1', error: 'no network' });
    await look();
    const message = 'Update of scheduler failed: Command failed with code 1';
    assert.deepEqual(told().at(-1), [{ success: false, level: 'error', message, error: 'no network' }, 'broadcast']);
    assert.deepEqual(said('warn'), ['An update of a component failed.']);
    await ask('updater.perform_update', { component: 'scheduler', version: '2.0.1' });
    assert.equal(taken().version, '2.0.1');
  });

  it('waits for no other: a second one meanwhile is refused', async (t) => {
    const { ask, taken, told } = stage(t);
    await ask('updater.update', CORE);
    await ask('updater.update', SCHEDULER);
    assert.equal(taken().component, 'core');
    assert.deepEqual(told().at(-1), [notDone('an update of core is under way', 'update of scheduler 2.0.0'), 'page-1']);
  });

  it('that nobody carries out is taken back, and told as failed', async (t) => {
    const { ask, clock, coordinator, told, said } = stage(t);
    await ask('updater.update', CORE);
    await clock.advance(FOLLOW_MS - LOOK_EVERY_MS);
    assert.equal(coordinator.requests.size, 1);
    await clock.advance(2 * LOOK_EVERY_MS);
    assert.equal(coordinator.requests.size, 0);
    assert.match(told().at(-1)?.[0].message ?? '', /^Update of core failed: no result within 15 min; look at/);
    assert.deepEqual(said('warn'), ['An update of a component failed.']);
  });

  it('has a result that outlasts an outage of the cloud', async (t) => {
    const { ask, taken, look, clock, coordinator, cloud, told, said } = stage(t);
    await ask('updater.update', CORE);
    cloud.become('backing-off');
    coordinator.end(taken(), { success: true, message: 'well' });
    await look();
    assert.ok(said('info').includes('An update of a component succeeded.'));
    cloud.become('connected');
    await clock.advance(5_000);
    assert.equal(told().at(-1)?.[0].message, 'Update of core succeeded: well');
  });

  it('that comes too late is not handed over', async (t) => {
    const { cloud, clock, coordinator, told } = stage(t);
    cloud.arriveReplayed({ subject: 'updater.update', body: 'core', connectionId: 'page-1' }, 31_000);
    await clock.advance(GATHER_MS);
    const why = 'the connection was away for 31 s, so it came too late; try again';
    assert.deepEqual(told(), [[notDone(why, 'updater.update'), 'page-1']]);
    assert.equal(coordinator.requests.size, 0);
  });

  it('is refused with the reason where nothing can be handed over, and the next one is tried', async (t) => {
    const { ask, taken, coordinator, told } = stage(t);
    coordinator.trouble = 'there is no update coordinator on this device';
    await ask('updater.update', CORE);
    assert.deepEqual(told(), [[notDone(coordinator.trouble, 'update of core 1.2.3'), 'page-1']]);
    coordinator.trouble = undefined;
    await ask('updater.update', SCHEDULER);
    assert.equal(taken().component, 'scheduler');
  });

  it('without a version is refused: the script of each coordinator ends at once without one', async (t) => {
    const { ask, clock, coordinator, told } = stage(t);
    await ask('updater.update', 'dunebugger-core');
    const why =
      'no version is named, and the update coordinator of this device needs one; newer versions are not looked for from here';
    assert.deepEqual(told(), [[notDone(why, 'update of core'), 'page-1']]);
    coordinator.trouble = 'there is no update coordinator on this device';
    await ask('updater.update', 'dunebugger-scheduler');
    await clock.advance(QUIET_MS);
    assert.deepEqual(told().at(-1), [notDone(coordinator.trouble, 'update of scheduler'), 'page-1']);
    assert.equal(coordinator.requests.size, 0);
  });

  it('of ourselves is refused with the words that say how, and a bad one with the reason', async (t) => {
    const { ask, coordinator, told } = stage(t);
    await ask('updater.update', 'dunebugger-remote');
    assert.deepEqual(told(), [[notDone(BY_APT, 'update of dunebugger-remote'), 'page-1']]);
    assert.equal(coordinator.requests.size, 0);
  });

  for (const [subject, body, why, name] of [
    ['updater.update', 'lights', 'it names no component of this device', 'update of updater.update'],
    ['updater.dance', 'lights', 'this device does not know it', 'updater.dance'],
  ] as const) {
    it(`${subject} ${body} is refused`, async (t) => {
      const { ask, told } = stage(t);
      await ask(subject, body);
      assert.deepEqual(told(), [[notDone(why, name), 'page-1']]);
    });
  }

  it('is refused where updateCoordinatorPath is empty', async (t) => {
    const { ask, told } = stage(t, { off: true });
    await ask('updater.update', CORE);
    assert.match(told()[0]?.[0].message ?? '', /updateCoordinatorPath is empty/);
  });
});

describe('an update that was handed over before a restart of ours', () => {
  /** What another one of us left. */
  async function left(
    t: TestContext,
  ): Promise<{ readonly coordinator: CoordinatorInMemory; readonly request: TakenRequest }> {
    const before = stage(t);
    await before.ask('updater.update', CORE);
    const request = before.taken();
    await before.stop();
    return { coordinator: before.coordinator, request };
  }

  it('is followed again, and no other one begun meanwhile', async (t) => {
    const { coordinator, request } = await left(t);
    const { ask, look, told, said } = stage(t, { coordinator });
    await look();
    assert.deepEqual(said('info'), ['An update that was handed over before this start is followed again.']);
    await ask('updater.update', SCHEDULER);
    assert.deepEqual(told(), [[notDone('an update of core is under way', 'update of scheduler 2.0.0'), 'page-1']]);
    coordinator.progress(request, 'installing');
    await look();
    coordinator.end(request, { success: true, message: 'well' });
    await look();
    const messages = told().map(([{ message }]) => message);
    assert.deepEqual(messages.slice(1), ['Update of core: installing', 'Update of core succeeded: well']);
    assert.equal(coordinator.notes.size, 0);
    await ask('updater.update', SCHEDULER);
    assert.match(told().at(-1)?.[0].message ?? '', /scheduler 2\.0\.0: handed over/);
  });

  it('and has ended meanwhile is told once', async (t) => {
    const { coordinator, request } = await left(t);
    coordinator.end(request, { success: false, message: 'Command failed with code 1' });
    const second = stage(t, { coordinator });
    await second.look();
    await second.stop();
    const third = stage(t, { coordinator });
    await third.look();
    const messages = [second, third].map(({ told }) => told().map(([{ message }]) => message));
    assert.deepEqual(messages, [['Update of core failed: Command failed with code 1'], []]);
  });

  it('and that nobody carried out for too long is taken back at once', async (t) => {
    const { coordinator, request } = await left(t);
    const old = JSON.stringify({
      ...request,
      timestamp: new Date(Date.parse(request.timestamp) - FOLLOW_MS).toISOString(),
    });
    coordinator.requests.set(request.request_id, old);
    coordinator.notes.set(request.request_id, old);
    const { look, told } = stage(t, { coordinator });
    await look();
    assert.match(told()[0]?.[0].message ?? '', /^Update of core failed: no result within 15 min/);
    assert.deepEqual([coordinator.requests.size, coordinator.notes.size], [0, 0]);
  });

  for (const [name, timestamp] of [
    ['whose time is none', 'yesterday'],
    ['that comes of the future', '2099-01-01T00:00:00.000Z'],
  ] as const) {
    it(`${name} is followed for as long as a new one`, async (t) => {
      const { coordinator, request } = await left(t);
      coordinator.notes.set(request.request_id, JSON.stringify({ ...request, timestamp }));
      const { clock, look, told } = stage(t, { coordinator });
      await clock.advance(FOLLOW_MS - LOOK_EVERY_MS);
      assert.deepEqual(told(), []);
      await look();
      await look();
      assert.match(told()[0]?.[0].message ?? '', /no result within 15 min/);
    });
  }

  for (const text of [
    '',
    '{"component":"core"',
    '[]',
    '{"component":"lights","action":"update"}',
    '{"component":"core","action":"rollback"}',
  ]) {
    it(`is not believed where its note says ${text === '' ? 'nothing' : text}`, async (t) => {
      const { coordinator, request } = await left(t);
      coordinator.notes.set(request.request_id, text);
      const { ask, look, said, told } = stage(t, { coordinator });
      await look();
      assert.deepEqual(said('info'), []);
      await ask('updater.update', SCHEDULER);
      assert.match(told()[0]?.[0].message ?? '', /handed over/);
    });
  }
});

describe('a question for updates', () => {
  it('is answered in every form that a page reads: what is known, and how an update is made', async (t) => {
    const { ask, clock, cloud, told } = stage(t);
    await clock.advance(5_000);
    const infos = (): number => cloud.sent.filter(({ subject }) => subject === 'system_info').length;
    const before = infos();
    await ask('updater.check_updates', 'null');
    const message = `Newer versions are not looked for from here. ${BY_APT}. Updates of core and scheduler to a version that is named are handed to the update coordinator of this device`;
    assert.deepEqual(told(), [[{ success: true, level: 'info', message }, 'page-1']]);
    const result = cloud.sent.find(({ subject }) => subject === 'update_check_result');
    const none = { current: null, latest: null, update_available: false, release_notes: null, last_checked: null };
    assert.deepEqual(result?.body, {
      components: { core: none, scheduler: none, remote: { ...none, current: '0.1.0' } },
      message,
    });
    assert.equal(result.destination, 'page-1');
    assert.equal(infos(), before + 1);
  });

  it('says why core and scheduler cannot be updated from here', async (t) => {
    const { ask, coordinator, told } = stage(t);
    coordinator.trouble = 'there is no update coordinator on this device';
    await ask('controller.check_updates', null);
    assert.match(told()[0]?.[0].message ?? '', /updated on the device, too: there is no update coordinator/);
  });
});
