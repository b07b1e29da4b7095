/** The daemon as a process, with everything around it, on a good day: every message of the wire, in both directions. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { FrontEnd } from '../support/front-end.js';
import { GROUP, Installation, SECRETS } from '../support/installation.js';
import { findNatsServer } from '../support/nats-server.js';

const skip = findNatsServer() === undefined ? 'nats-server is not installed' : false;
const MANY = 10_000;
/** Messages on their way at the same time, so that the page's own queues stay short. */
const BATCH = 500;

/** As deepEqual, but quick to say what differs in lists so long. */
function assertSame(got: readonly unknown[], wanted: readonly unknown[]): void {
  const at = wanted.findIndex((value, i) => got[i] !== value);
  if (at === -1) {
    assert.equal(got.length, wanted.length);
    return;
  }
  assert.deepEqual(got.slice(at, at + 5), wanted.slice(at, at + 5), `from index ${at} on`);
}

describe('the whole of it, while everything is there', { skip }, () => {
  let site: Installation;
  let page: FrontEnd;

  before(async () => {
    site = await Installation.create({
      // Clients acknowledge once a second; a late one must not cost its session here.
      cloud: { pubsub: { maxUnacknowledged: 1_000_000 } },
      versions: { core: '1.2.3' },
      env: {
        DUNEBUGGER_WEBSOCKET_HEART_BEAT_EVERY_SECS: '1',
        DUNEBUGGER_WEBSOCKET_HEART_BEAT_LOOP_DURATION_SECS: '3',
        DUNEBUGGER_WEBSOCKET_RATE_LIMIT_PER_SEC: '100000',
        DUNEBUGGER_WEBSOCKET_RATE_LIMIT_BURST: '100000',
      },
    });
    page = await site.openPage();
    await site.startConnected();
  });
  after(() => site.stop());

  it('signs in with the conf file and the .env of the Python version, as they are', () => {
    const { lastTokenRequest, calls } = site.auth0;
    assert.deepEqual(lastTokenRequest, {
      client_id: SECRETS.clientId,
      client_secret: SECRETS.clientSecret,
      grant_type: 'password',
      username: SECRETS.username,
      password: SECRETS.password,
      scope: 'openid profile email',
    });
    assert.deepEqual(calls, { token: 1, userinfo: 1 });
    assert.deepEqual(
      site.cloud.pubsub.liveConnections('device').map(({ groups }) => groups),
      [[GROUP]],
    );
  });

  it('names the settings that no longer do anything once, at info, and complains of nothing', () => {
    for (const key of [
      'stateCheckIntervalSecs',
      'cyclePlayingResolutionSecs',
      'mQueueStateCheckIntervalSecs',
      'mQueueCyclePlayingResolutionSecs',
    ]) {
      const named = site.log().filter(({ msg }) => new RegExp(`\\b${key}\\b`).test(msg));
      assert.deepEqual(
        named.map(({ level }) => level),
        ['info'],
        key,
      );
    }
    const complaints = site.log().filter(({ level, msg }) => level !== 'info' && msg.startsWith('Configuration'));
    assert.deepEqual(complaints, []);
  });

  it('announces itself: who is there is asked first, then what it is', async () => {
    await page.waitFor('system_info');
    const subjects = page.seen.map(({ subject }) => subject);
    assert.equal(page.seen[0]?.subject, 'heartbeat');
    assert.equal(page.seen[0].body, 'Is anyone there?');
    assert.ok(subjects.indexOf('heartbeat') < subjects.indexOf('system_info'));
    await page.until(() => page.online, 'the device to be shown online');
  });

  it('the page that asks when the device comes online gets all it shows', async () => {
    for (const subject of [
      'gpio_state',
      'sequence_state',
      'sequence',
      'playing_time',
      'current_schedule',
      'next_actions',
      'last_executed_action',
      'system_info',
    ]) {
      await page.waitFor(subject);
    }
    assert.deepEqual(page.shown('sequence_state'), {
      random_actions: true,
      cycle_running: false,
      start_button_enabled: true,
    });
    assert.deepEqual(page.strange, []);
  });

  it('tells what it is: the machine, its components and their versions', async () => {
    interface Info {
      readonly system_info: {
        readonly device_id: string;
        readonly timestamp: string;
        readonly dunebugger_components: readonly { name: string; state: string; version: string | null }[];
        readonly network: { readonly connectivity: { readonly internet_reachable: boolean } };
        readonly location: { readonly description: string };
      };
    }
    const running = (body: unknown): boolean => (JSON.stringify(body).match(/"state":"running"/g)?.length ?? 0) === 3;
    const { body } = await page.waitFor('system_info', running);
    const info = (body as Info).system_info;
    assert.equal(info.device_id, 'raspberry-velasquez');
    assert.match(info.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    assert.equal(info.location.description, 'Chiesa di San Nicola, Bari');
    assert.equal(info.network.connectivity.internet_reachable, true);
    const [core, scheduler, own] = info.dunebugger_components;
    assert.deepEqual([core?.name, core?.state, core?.version], ['dunebugger-core', 'running', '1.2.3']);
    assert.deepEqual(
      [scheduler?.name, scheduler?.state, scheduler?.version],
      ['dunebugger-scheduler', 'running', null],
    );
    assert.equal(own?.name, 'dunebugger-remote');
    assert.match(own.version ?? '', /^\d+\.\d+\.\d+/);
  });

  it('carries every subject of a page to core and scheduler, cut after the first dot, with all that came along', async () => {
    const toCore = [
      'dunebugger_set',
      'refresh_sequence',
      'get_sequence',
      'refresh_gpios',
      'terminal_command',
      'schedule_command',
    ];
    const toScheduler = ['get_schedule', 'update_schedule', 'get_next_actions', 'get_last_executed_action'];
    const { connectionId } = page;
    for (const [name, subjects] of [
      ['core', toCore],
      ['scheduler', toScheduler],
    ] as const) {
      const component = site[name];
      for (const subject of subjects) {
        const since = component.commands.length;
        const body = { command: `sw ${subject} ü`, deep: [1, null, { a: true }] };
        await page.send(`${name}.${subject}`, body);
        const got = await component.waitForCommand((command) => command.subject === subject, { since });
        assert.deepEqual(got, { subject, body, connectionId });
      }
      const before = component.heartbeats;
      await page.send(`${name}.heartbeat`, 'are you there?');
      await component.until(() => component.heartbeats > before, `a page's heartbeat at ${name}`);
    }
  });

  it('carries every subject of core and scheduler to the pages, with its own subject and body', async () => {
    for (const [name, subjects] of [
      ['core', ['gpio_state', 'sequence_state', 'sequence', 'playing_time', 'log']],
      ['scheduler', ['current_schedule', 'next_actions', 'last_executed_action', 'log']],
    ] as const) {
      for (const subject of subjects) {
        const body = { from: name, subject, text: 'perché', list: [0.5, false, null] };
        const since = page.seen.length;
        site[name].publish(subject, body);
        const seen = await page.waitFor(subject, (got) => (got as { from?: unknown }).from === name, { since });
        assert.deepEqual(seen, { subject, body, destination: 'broadcast' });
      }
    }
    assert.deepEqual(page.strange, []);
  });

  it('what names one page is looked at by that page alone', async () => {
    const other = await site.openPage({ asksForStates: false });
    const destination = page.connectionId;
    const body = 'for one page';
    site.core.publishRaw(
      'dunebugger.remote.sequence',
      JSON.stringify({ body, subject: 'sequence', source: 'core', destination }),
    );
    site.core.publish('sequence', 'for all');
    await page.waitFor('sequence', (got) => got === 'for all');
    await other.waitFor('sequence', (got) => got === 'for all');
    assert.ok(page.bodies('sequence').includes(body));
    assert.ok(!other.bodies('sequence').includes(body));
    assert.ok(other.notForUs >= 1);
    await other.stop();
  });

  it('ignores what is for nobody, and a controller that is not itself', async () => {
    const heard = site.core.commands.length;
    await page.send('nobody.dunebugger_set', 1);
    await page.send('dunebugger_set', 2);
    await page.send('controller.self_destruct', 3);
    await page.sendRaw({ subject: 'core.dunebugger_set', body: 4, source: 'controller', destination: 'broadcast' });
    await page.send('core.dunebugger_set', 'the end');
    await site.core.until(() => site.core.commands.length > heard, 'the last of them');
    assert.deepEqual(
      site.core.commands.slice(heard).map(({ body }) => body),
      ['the end'],
    );
  });

  it(`carries ${MANY} messages each way at the same time: none lost, none doubled, in order`, async () => {
    const bulk = await site.openPage({ asksForStates: false });
    const heardBefore = site.core.commands.length;
    const seenBefore = bulk.seen.length;
    const isMine = (body: unknown): body is readonly [string, number] => Array.isArray(body) && body[0] === 'bulk';
    let seen = 0;
    let looked = seenBefore;
    const countSeen = (): number => {
      for (; looked < bulk.seen.length; looked += 1) if (isMine(bulk.seen[looked]?.body)) seen += 1;
      return seen;
    };
    const down = async (): Promise<void> => {
      for (let i = 0; i < MANY; i += BATCH) {
        const batch = Array.from({ length: BATCH }, (_, k) => bulk.send('core.dunebugger_set', i + k));
        await Promise.all(batch);
        await site.core.until(() => site.core.commands.length - heardBefore >= i, 'most of what was sent', {
          timeoutMs: 60_000,
        });
      }
    };
    const up = async (): Promise<void> => {
      for (let i = 0; i < MANY; i += BATCH) {
        // States and logs alike: while connected, each value is carried and not only the latest.
        for (let k = 0; k < BATCH; k += 1) site.core.publish(k % 2 === 0 ? 'gpio_state' : 'log', ['bulk', i + k]);
        await site.core.listening();
        await bulk.until(() => countSeen() >= i, 'most of what was said', { timeoutMs: 60_000 });
      }
    };
    await Promise.all([down(), up()]);
    await site.core.until(() => site.core.commands.length - heardBefore >= MANY, 'all of it', { timeoutMs: 60_000 });
    await bulk.until(() => countSeen() >= MANY, 'all of it', { timeoutMs: 60_000 });
    // What is doubled would come after the last: another message behind it all shows that nothing did.
    await bulk.send('core.dunebugger_set', 'last');
    site.core.publish('sequence', 'last');
    await bulk.waitFor('sequence', (body) => body === 'last');
    await site.core.until(() => site.core.commands.length - heardBefore > MANY, 'the last');
    const numbers = Array.from({ length: MANY }, (_, i) => i);
    assertSame(
      site.core.commands.slice(heardBefore).map(({ body }) => body),
      [...numbers, 'last'],
    );
    assertSame(
      bulk.seen.slice(seenBefore).flatMap(({ body }) => (isMine(body) ? [body[1]] : [])),
      numbers,
    );
    await bulk.stop();
  });

  it('a reload mutes it, while commands still reach the bus, and lets it speak again', async () => {
    await site.reload('broadcastInitialState', 'False');
    const since = page.seen.length;
    site.core.publish('sequence', 'muted');
    await site.core.listening();
    await page.send('core.dunebugger_set', 'while muted');
    await site.core.waitForCommand(({ body }) => body === 'while muted');
    await site.reload('broadcastInitialState', 'True');
    await page.waitFor('system_info', undefined, { since });
    site.core.publish('sequence', 'heard');
    await page.waitFor('sequence', (body) => body === 'heard', { since });
    // A beat from just before may still have been on its way.
    const said = page.seen.slice(since).map(({ subject, body }) => (subject === 'heartbeat' ? body : subject));
    assert.ok(said.includes('Is anyone there?') && said.indexOf('Is anyone there?') < said.indexOf('system_info'));
    assert.ok(!page.bodies('sequence', since).includes('muted'));
  });

  it('beats while somebody looks, asks once more when the time is up, and falls silent', async () => {
    await page.stop();
    const watcher = await site.cloud.joinAsBrowser('watcher');
    const beats = (): unknown[] =>
      watcher.messages.flatMap(({ data }) => {
        const { subject, body } = data as { subject?: unknown; body?: unknown };
        return subject === 'heartbeat' ? [body] : [];
      });
    await watcher.send({ subject: 'controller.heartbeat', body: 'I am here', connectionId: watcher.connectionId });
    await watcher.waitForMessage(({ data }) => (data as { body?: unknown }).body === 'I am alive');
    await watcher.waitForMessage(({ data }) => (data as { body?: unknown }).body === 'Is anyone there?', {
      timeoutMs: 30_000,
    });
    const said = beats().length;
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.equal(beats().length, said);
    assert.equal(beats().at(-1), 'Is anyone there?');
    assert.equal(beats().filter((body) => body === 'Is anyone there?').length, 1);
  });

  it('has asked Auth0 once, kept one connection, and nothing of it is in the log', () => {
    assert.deepEqual(site.auth0.calls, { token: 1, userinfo: 1 });
    assert.equal(site.cloud.pubsub.maxLiveConnections('device'), 1);
    const { stdout } = site.daemon;
    assert.doesNotMatch(stdout, /eyJ|Bearer|access_token=/);
    assert.ok(![SECRETS.clientSecret, SECRETS.password].some((secret) => stdout.includes(secret)));
    // A forged message of a controller is said; of the clock of this machine nothing is known here.
    const expected = /^(?:The clock (?:can|cannot) be trusted|Another controller speaks in this group)/;
    assert.deepEqual(
      site.log().filter(({ level, msg }) => level !== 'info' && !expected.test(msg)),
      [],
    );
  });
});
