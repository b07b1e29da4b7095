/** The doctor beside the real service: as root, as another user of the group and as a stranger; with the service stopped, hung and dead. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { DoctorReport } from '../../src/main/cli/doctor/report.js';
import type { ComponentCalls } from '../lab/component.js';
import { Lab } from '../lab/lab.js';
import { etcOf } from '../lab/netns.js';
import { RemoteChild } from '../lab/remote-call.js';
import { CLOUD_NAME, DEVICE, NET, PORTS, SITE_NAME } from '../lab/topology.js';
import { unpack } from '../support/bundle.js';
import { registerSecret } from '../support/everything-logged.js';
import { findNatsServer, NatsServerMissingError } from '../support/nats-server.js';
import type { Machine } from './machine.js';
import { addDropIn, CONF, mainPid, machineWithService, UNIT } from './service.js';
import { assertSoon, timed, type TimedResult } from './timed.js';

const GROUP = 'velasquez';
const ENVIRONMENT = '/etc/dunebugger-remote/environment';
const CREDENTIAL = '/etc/dunebugger-remote/credentials/WEBPUBSUB_CLIENT_URL';
const CA_FILE = '/etc/dunebugger-remote/ca.pem';
const NATS_PORT = 4222;
const CONF_TEXT = `[Websocket]
testDomain = ${CLOUD_NAME}:${PORTS.cloud}
[Network]
caFile = ${CA_FILE}
[MessageQueue]
mQueueServers = nats://127.0.0.1:${NATS_PORT}
[NTP]
ntpServers = ${NET.v4}
`;
const PROMISED_MS = 10_000;

type User = 'root' | 'member' | 'stranger';

describe('the doctor beside the service', () => {
  let lab: Lab;
  let machine: Machine;
  let components: RemoteChild<ComponentCalls>;
  let users: Readonly<Record<User, readonly string[]>>;

  before(async () => {
    const nats = findNatsServer();
    if (nats === undefined) throw new NatsServerMissingError();
    lab = await Lab.create();
    await lab.internet.call('time', { silent: false });
    const url = await lab.internet.call('clientAccessUrl', { userId: DEVICE });
    registerSecret(new URL(url).searchParams.get('access_token')!);
    await lab.internet.call('browserJoin', { group: GROUP, userId: 'browser' });
    const namespace = lab.namespace('pi');
    lab.exec('pi', nats, ['--addr', '127.0.0.1', '--port', String(NATS_PORT)], { stdio: 'ignore' });
    components = await RemoteChild.start<ComponentCalls>(namespace, './component-main.js');
    await components.call('start', { url: `nats://127.0.0.1:${NATS_PORT}` });
    machine = await machineWithService({
      network: { namespace, resolvConf: `${etcOf(namespace)}/resolv.conf` },
      // What stands here only root may read, and whoever may ask the service.
      environment: [`DUNEBUGGER_WEBSOCKET_TEST_DOMAIN=${SITE_NAME}`, `WS_GROUP_NAME=${GROUP}`, ''].join('\n'),
      prepare: async (it) => {
        await it.write(CONF, CONF_TEXT);
        await it.write(CA_FILE, lab.ca);
        await it.write(CREDENTIAL, `${url}\n`, '600');
      },
    });
    const group = (await machine.sh('getent group dunebugger | cut -d: -f3')).trim();
    // A minimal Debian has no useradd; D-Bus answers nobody who is not in this file.
    await machine.sh("printf '%s\\n' 'member:x:1500:1500::/:/bin/sh' 'stranger:x:1501:1501::/:/bin/sh' >> /etc/passwd");
    users = {
      root: [],
      member: ['setpriv', '--reuid=1500', '--regid=1500', `--groups=${group}`],
      stranger: ['setpriv', '--reuid=1501', '--regid=1501', '--clear-groups'],
    };
    await connected();
  });
  after(async () => {
    await components.stop();
    // A machine is gone before its network is.
    await machine.stop();
    await lab.destroy();
  });

  const connected = (): Promise<boolean> =>
    machine.until(
      'connected, with both components and a clock that can be trusted',
      async () => {
        const { stdout } = await machine.run('dunebugger-remote', ['status', '--json']);
        if (!stdout.includes('"outcome":"connected"') || !stdout.includes('"trusted":true')) return false;
        return stdout.match(/"state":"running"/g)?.length === 2;
      },
      60_000,
    );

  const timedAs = (user: User, command: string): Promise<TimedResult> => timed(machine, users[user], command);

  async function doctor(user: User, ...args: string[]): Promise<{ code: number; report: DoctorReport; told: string }> {
    const { code, stdout, stderr, ms } = await timedAs(user, ['dunebugger-remote doctor --json', ...args].join(' '));
    assert.ok(stdout.startsWith('{'), `${stdout}${stderr}`);
    const report = JSON.parse(stdout) as DoctorReport;
    const told = JSON.stringify(report, undefined, 1);
    assert.ok(report.ms < PROMISED_MS && ms < 2 * PROMISED_MS, `${report.ms} ms, ${ms} ms`);
    for (const { words } of report.checks) assert.doesNotMatch(words, /this check failed/, told);
    return { code, report, told };
  }

  const found = ({ checks }: DoctorReport, id: string): string => {
    const check = checks.find((one) => one.id === id);
    return `${check?.outcome ?? ''} ${check?.trouble ?? ''} ${check?.words ?? ''}`;
  };
  const bad = ({ checks }: DoctorReport): readonly string[] =>
    checks.filter(({ outcome }) => outcome === 'fail' || outcome === 'warn').map(({ id }) => id);

  it('root, all is well: no FAIL, no WARN, and hardly anything is skipped', async () => {
    const { code, report, told } = await doctor('root');
    assert.deepEqual([code, report.sentence, bad(report)], [0, 'Nothing is wrong.', []], told);
    const skipped = report.checks.filter(({ outcome }) => outcome === 'skip').map(({ id }) => id);
    // This is no Pi.
    for (const id of skipped) assert.ok(['power', 'heat', 'proxy'].includes(id), told);
    assert.match(found(report, 'unit'), /^pass {2}active \(running\), enabled$/);
    assert.match(found(report, 'permissions'), /^pass/);
    assert.match(found(report, 'service'), /answers: Online, connected since/);
  });

  it('root, --deep: a connection of its own, closed again, and nobody hears of it', async () => {
    const since = await lab.internet.call('browserCount', undefined);
    const { code, report, told } = await doctor('root', '--deep');
    assert.deepEqual([code, bad(report)], [0, []], told);
    assert.match(found(report, 'sign-in'), /by WEBPUBSUB_CLIENT_URL/);
    assert.match(found(report, 'websocket'), /one of our own opens/);
    assert.match(found(report, 'group'), /let into the group velasquez/);
    const { live, maxLiveOfDevice } = await lab.internet.call('cloud', undefined);
    assert.equal(maxLiveOfDevice, 2, 'there was a second one');
    await machine.until('it is closed', async () => (await lab.internet.call('cloud', undefined)).live.length === 2);
    assert.ok(live.length <= 3);
    const messages = await lab.internet.call('browserMessages', { since });
    const subjects = messages.map(({ data }) => (data as { readonly subject?: string }).subject);
    assert.deepEqual(
      subjects.filter((subject) => subject !== 'heartbeat' && subject !== 'system_info' && subject !== 'ntp_status'),
      [],
    );
    const alarms = (await machine.journal(UNIT)).filter(({ message }) => message.startsWith('Another controller'));
    assert.deepEqual(alarms, [], 'the service takes it for a second remote');
  });

  it('a member of the group: asks the service; what it may not read is skipped, with the words how to', async () => {
    const { code, report, told } = await doctor('member');
    assert.deepEqual([code, bad(report)], [0, []], told);
    assert.match(report.sentence, /^Nothing is wrong with what this user may look at/);
    assert.match(found(report, 'service'), /answers: Online/);
    // Its name stands in a file that only root may read: the service has told it.
    assert.match(found(report, 'site'), /^pass {2}site\.lab\.test answers/);
    assert.match(found(report, 'configuration'), /^skip .*may not read \/etc\/dunebugger-remote\/environment/);
    assert.equal(report.checks.find(({ id }) => id === 'configuration')?.remedy, 'Run it with sudo');
  });

  it('a stranger: may not ask the service, and is told how; the network is looked at all the same', async () => {
    const { code, report, told } = await doctor('stranger');
    assert.deepEqual([code, bad(report)], [0, []], told);
    assert.match(found(report, 'service'), /^skip {2}not allowed to ask$/);
    assert.match(report.checks.find(({ id }) => id === 'service')?.remedy ?? '', /^sudo adduser \$USER dunebugger/);
    assert.match(found(report, 'sign-in'), /^skip {2}this user may not read the secrets$/);
    assert.match(found(report, 'unit'), /^pass/);
    assert.match(found(report, 'links'), /^pass/);
    assert.match(found(report, 'site'), /^pass {2}cloud\.lab\.test:8443 answers/);
  });

  it('the bundle: status, history, settings, journal; nobody else may read it, and there is no secret in it', async () => {
    const { code, stderr } = await timedAs('root', 'dunebugger-remote doctor --bundle /root/report.tar.gz');
    assert.equal(code, 0, stderr);
    assert.equal((await machine.sh('stat -c %a /root/report.tar.gz')).trim(), '600');
    const files = unpack(Buffer.from(await machine.sh('base64 /root/report.tar.gz'), 'base64'));
    assert.match(files.get('status.json') ?? '', /"outcome": "connected"/);
    assert.match(files.get('settings.txt') ?? '', /^ +WEBPUBSUB_CLIENT_URL +\(set, not shown\)/m);
    assert.match(files.get('journal.txt') ?? '', /DuneBugger Remote starts/);
    assert.match(files.get('system.txt') ?? '', /PRETTY_NAME/);
    assert.ok(
      [...files.keys()].some((name) => name.startsWith('history/')),
      [...files.keys()].join(),
    );
  });

  it('exposed secrets, a conf that the service may not read: named, with the command', async () => {
    await machine.sh(`chmod 644 ${ENVIRONMENT}`);
    const exposed = await doctor('root');
    assert.deepEqual([exposed.code, bad(exposed.report)], [0, ['permissions']], exposed.told);
    assert.match(found(exposed.report, 'permissions'), /^warn secrets-exposed \/etc\/dunebugger-remote\/environment$/);
    await machine.sh(`chmod 600 ${ENVIRONMENT}; chmod 600 ${CA_FILE}`);
    const hidden = await doctor('root');
    assert.deepEqual([hidden.code, bad(hidden.report)], [1, ['permissions']], hidden.told);
    assert.match(
      hidden.report.sentence,
      /^First cause: the service may not read a file \(.*ca\.pem is closed to others\)/,
    );
    await machine.sh(`chmod 644 ${CA_FILE}`);
  });

  it('suspended: both say so', async () => {
    await machine.sh(`systemctl kill --signal=STOP ${UNIT}`);
    const status = await timedAs('member', 'dunebugger-remote status');
    const { code, report, told } = await doctor('root');
    await machine.sh(`systemctl kill --signal=CONT ${UNIT}`);
    assert.equal(status.code, 3);
    assert.match(status.stdout, /^No answer: the process of the service is suspended\n/);
    assertSoon(status);
    assert.deepEqual([code, report.first], [1, 'service'], told);
    assert.match(report.sentence, /^First cause: the process of the service is suspended\.$/);
    await connected();
  });

  it('stopped: both say so; cloud, bus and components are looked at all the same', async () => {
    await machine.sh(`systemctl stop ${UNIT}`);
    const status = await timedAs('member', 'dunebugger-remote status');
    assert.equal(status.code, 3);
    assert.match(status.stdout, /^No answer: the service is stopped\n/);
    assertSoon(status);
    const { code, report, told } = await doctor('root');
    assert.deepEqual([code, bad(report)], [1, ['unit', 'service']], told);
    assert.match(report.sentence, /^First cause: the service is stopped/);
    assert.match(found(report, 'group'), /let into the group velasquez/);
    assert.match(found(report, 'bus'), /^pass {2}nats:\/\/127\.0\.0\.1:4222 answers$/);
    assert.match(found(report, 'core'), /^pass {2}answers$/);
    assert.match(found(report, 'scheduler'), /^pass {2}answers$/);
    await machine.sh(`systemctl start ${UNIT}`);
    await connected();
  });

  it('dead: both say so', async () => {
    await addDropIn(machine, 'no-restart', ['Restart=no']);
    await machine.sh(`systemctl daemon-reload; kill -KILL ${await mainPid(machine)}`);
    await machine.until('it has failed', async () => (await machine.show('ActiveState')) === 'failed');
    const status = await timedAs('member', 'dunebugger-remote status');
    assert.equal(status.code, 3);
    assert.match(status.stdout, /^No answer: the service has failed\n/);
    assertSoon(status);
    const { code, report, told } = await doctor('root');
    assert.deepEqual([code, bad(report)], [1, ['unit', 'service']], told);
    assert.match(report.sentence, /^First cause: the service has failed/);
    assert.match(found(report, 'unit'), /signal/);
  });
});
