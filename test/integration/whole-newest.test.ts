/**
 * The daemon as a process between the newest front end and components that speak the newest wire: modes, analytics, the clock, versions, updates,
 * and subjects that nobody here has heard of; while everything is there, and through an outage of each part.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { FrontEnd } from '../support/front-end.js';
import { Installation } from '../support/installation.js';
import { findNatsServer } from '../support/nats-server.js';
import { NtpServer } from '../support/ntp-server.js';
import { CoordinatorInFiles } from '../support/update-coordinator.js';

const skip = findNatsServer() === undefined ? 'nats-server is not installed' : false;
const SLOW = { timeoutMs: 60_000 };
/** Compiled to dist/test/integration/. */
const PACKAGE = new URL('../../../package.json', import.meta.url);

interface Info {
  readonly ntp_available: boolean;
  readonly dunebugger_components: readonly {
    readonly name: string;
    readonly running: boolean;
    readonly current_version: string | null;
    readonly latest_version: string | null;
  }[];
}
const infoOf = (body: unknown): Info => (body as { readonly system_info: Info }).system_info;
/** Such as `dunebugger-core 1.5.0`, of those that run. */
const versionsIn = (body: unknown): readonly string[] =>
  infoOf(body).dunebugger_components.flatMap(({ name, running, current_version }) =>
    running ? [`${name} ${String(current_version)}`] : [],
  );

describe('the newest wire', { skip }, () => {
  let site: Installation;
  let page: FrontEnd;
  let time: NtpServer;
  let coordinator: CoordinatorInFiles;
  let folder: string;

  before(async () => {
    time = await NtpServer.start();
    coordinator = await CoordinatorInFiles.create();
    folder = await mkdtemp(path.join(tmpdir(), 'compose-'));
    const compose = path.join(folder, 'docker-compose.yml');
    await writeFile(compose, 'services:\n  scheduler:\n    image: ghcr.io/x/dunebugger-scheduler:2.0.0\n');
    site = await Installation.create({
      newest: true,
      versions: { core: '1.5.0-beta.2' },
      env: {
        DUNEBUGGER_NTP_NTP_SERVERS: `127.0.0.1:${time.port}`,
        DUNEBUGGER_UPDATER_UPDATE_COORDINATOR_PATH: coordinator.folder,
        DUNEBUGGER_UPDATER_DOCKER_COMPOSE_PATH: compose,
        DUNEBUGGER_UPDATER_CORE_INSTALL_PATH: '',
      },
    });
    page = await site.openPage();
    await site.startConnected();
  });
  after(async () => {
    await site.stop();
    time.stop();
    await coordinator.remove();
    await rm(folder, { recursive: true });
  });

  /** What the main page asks for each time it opens. */
  async function opensMainPage(): Promise<number> {
    const since = page.seen.length;
    await page.send('core.frontend_command', 'get_modes_list');
    await page.send('core.analytics_command', 'get_metrics');
    return since;
  }
  /** What the scheduler has been told of the clock, from index `since` of its commands on. */
  async function schedulerKnows(since: number): Promise<unknown> {
    const { body } = await site.scheduler.waitForCommand(({ subject }) => subject === 'ntp_status', { ...SLOW, since });
    return (body as { readonly ntp_available: unknown }).ntp_available;
  }

  it('modes and analytics: what the main page asks for arrives, 260 kB in one message', async () => {
    const since = await opensMainPage();
    const modes = await page.waitFor('modes_list', undefined, { ...SLOW, since });
    assert.equal((modes.body as { modes: readonly unknown[] }).modes.length, 2);
    const { body } = await page.waitFor('analytics_metrics', undefined, { ...SLOW, since });
    const { count, timestamps } = body as { count: number; timestamps: readonly string[] };
    assert.equal(timestamps.length, count);
    assert.ok(JSON.stringify(body).length > 260_000);
  });

  it('the clock: the scheduler asked at its start and knows, and so does the page', async () => {
    assert.equal(await schedulerKnows(0), true);
    const told = site.scheduler.commands.find(({ subject }) => subject === 'ntp_status');
    assert.equal((told as unknown as { source: string }).source, 'remote');
    const since = page.seen.length;
    await page.send('controller.ntp_status', 'null');
    assert.deepEqual((await page.waitFor('ntp_status', undefined, { since })).body, { ntp_available: true });
    await page.send('controller.system_info', 'refresh');
    await page.waitFor('system_info', (body) => infoOf(body).ntp_available, { since });
  });

  it('versions: from the heartbeat, from the image where there is none in it, and no latest that nobody knows', async () => {
    const { version } = JSON.parse(await readFile(PACKAGE, 'utf8')) as { version: string };
    const expected = ['dunebugger-core 1.5.0-beta.2', 'dunebugger-scheduler 2.0.0', `dunebugger-remote ${version}`];
    const isExpected = (body: unknown): boolean => versionsIn(body).join() === expected.join();
    const { body } = await page.waitFor('system_info', isExpected, SLOW);
    assert.ok(infoOf(body).dunebugger_components.every(({ latest_version }) => latest_version === null));
  });

  it('a subject that nobody has heard of arrives, and is news once; what is said to us does not', async () => {
    const since = page.seen.length;
    for (const body of [1, 2]) site.core.publish('weather_forecast', body);
    site.core.publish('get_version', null);
    site.core.publish('sequence', 'behind it');
    await page.waitFor('sequence', (body) => body === 'behind it', { since });
    assert.deepEqual(page.bodies('weather_forecast', since), [1, 2]);
    assert.deepEqual(page.bodies('get_version', since), []);
    const news = site.log().filter(({ subject, level }) => subject === 'weather_forecast' && level === 'info');
    assert.equal(news.length, 1);
  });

  it('the cloud is away: of each state the newest waits, of events all, known or not', async () => {
    const since = page.seen.length;
    await site.cloud.gate.behave({ kind: 'refuse' });
    await site.cloud.pubsub.waitForLive(0, { ...SLOW, userId: 'device' });
    site.cloud.pubsub.forgetDroppedSessions();
    for (const n of [1, 2, 3]) {
      site.core.publish('modes_list', { modes: [n] });
      site.core.publish('weather_forecast', n);
      site.core.publish('backup_result', n);
    }
    await site.core.listening();
    await site.cloud.gate.behave({ kind: 'open' });
    await site.joined();
    site.core.publish('sequence', 'after the cloud');
    await page.waitFor('sequence', (body) => body === 'after the cloud', { ...SLOW, since });
    assert.deepEqual(page.bodies('modes_list', since), [{ modes: [3] }]);
    assert.deepEqual(page.bodies('weather_forecast', since), [3]);
    assert.deepEqual(page.bodies('backup_result', since), [1, 2, 3]);
  });

  it('the bus is away: the scheduler is told of the clock again, and the page gets its modes', async () => {
    const lines = site.daemon.lines.length;
    const heard = site.scheduler.commands.length;
    await site.nats.kill();
    await site.daemon.waitForLine(/The bus is not there/, { ...SLOW, since: lines });
    await opensMainPage();
    await site.daemon.waitForLine(/A command from a browser was dropped/, { ...SLOW, since: lines });
    await site.nats.start();
    await site.daemon.waitForLine(/The bus is there/, { ...SLOW, since: lines });
    await Promise.all([site.core.listening(SLOW), site.scheduler.listening(SLOW)]);
    // Told when the bus is there, whether the scheduler is back on it then or not; asked for at its start it is told for certain.
    await site.scheduler.die();
    await site.scheduler.revive();
    assert.equal(await schedulerKnows(heard), true);
    const since = await opensMainPage();
    await page.waitFor('modes_list', undefined, { ...SLOW, since });
    await page.waitFor('analytics_metrics', undefined, { ...SLOW, since });
  });

  it('core is away: nothing is made up, and back as another version it is shown so', async () => {
    await site.core.die();
    const since = await opensMainPage();
    await site.core.revive('1.5.0');
    site.core.publish('scheduler_status', 'behind it');
    await page.waitFor('scheduler_status', undefined, { ...SLOW, since });
    assert.deepEqual(page.bodies('modes_list', since), []);
    await page.waitFor('system_info', (body) => versionsIn(body).includes('dunebugger-core 1.5.0'), SLOW);
    const again = await opensMainPage();
    await page.waitFor('modes_list', undefined, { ...SLOW, since: again });
  });

  it('an update of core: handed over, followed, and told, though the cloud goes meanwhile', async () => {
    const since = page.seen.length;
    const lines = site.daemon.lines.length;
    await page.send('updater.update', { component: 'dunebugger-core', version: '1.6.0' });
    await site.daemon.waitForLine(/An update is handed to the update coordinator/, { ...SLOW, since: lines });
    const [request] = await coordinator.waiting();
    assert.ok(request);
    assert.equal(request.component, 'core');
    await coordinator.progress(request, 'downloading');
    const says = (text: string) => (body: unknown) => (body as { message?: string }).message?.includes(text) === true;
    await page.waitFor('log', says('Update of core: downloading'), { ...SLOW, since });
    await site.cloud.gate.behave({ kind: 'refuse' });
    await site.cloud.pubsub.waitForLive(0, { ...SLOW, userId: 'device' });
    site.cloud.pubsub.forgetDroppedSessions();
    await coordinator.end(request, { success: true, message: 'Command completed successfully', output: 'all is well' });
    await site.daemon.waitForLine(/An update of a component succeeded/, { ...SLOW, since: lines });
    await site.cloud.gate.behave({ kind: 'open' });
    const { body } = await page.waitFor('log', says('Update of core succeeded'), { ...SLOW, since });
    assert.equal((body as { output: string }).output, 'all is well');
    await site.joined();
    const asked = page.seen.length;
    await page.send('updater.check_updates', 'null');
    await page.waitFor('update_check_result', undefined, { ...SLOW, since: asked });
    await page.waitFor('log', says('updated on the device itself, by apt'), { ...SLOW, since: asked });
  });

  it('and nothing was said that a page would not understand, nor anything at error', () => {
    const unknown = page.strange.map((message) => (message as { subject: string }).subject);
    assert.deepEqual([...new Set(unknown)].sort(), ['backup_result', 'weather_forecast']);
    assert.deepEqual(
      site.log().filter(({ level }) => level === 'error' || level === 'fatal'),
      [],
    );
  });
});
