/**
 * The clock under a real systemd: what journal, scheduler, browser and status line say with systemd-timesyncd, with chrony and with neither, and
 * with a clock that is years off at the start and set right while running.
 *
 * A container has the kernel's clock of its host, which nobody here may touch. So the daemon's clock is libfaketime's; timesyncd and chronyd
 * are the real ones and ask a real time server, but what timesyncd tells the kernel is swallowed on its way (a system call filter that says
 * "done"), and chronyd runs with `-x`.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { RemoteChild } from '../lab/remote-call.js';
import type { ComponentCalls } from '../lab/component.js';
import { Lab } from '../lab/lab.js';
import { etcOf } from '../lab/netns.js';
import { NET, SITE_NAME } from '../lab/topology.js';
import { registerSecret } from '../support/everything-logged.js';
import { findNatsServer, NatsServerMissingError } from '../support/nats-server.js';
import type { JournalEntry, Machine } from './machine.js';
import { ENVIRONMENT, machineWithService, UNIT } from './service.js';

const GROUP = 'velasquez';
const CREDENTIAL = '/etc/dunebugger-remote/credentials/WEBPUBSUB_CLIENT_URL';
const CA_FILE = '/etc/ssl/certs/lab.pem';
const FAKETIME = '/usr/lib/faketime.so';
const OFFSET = '/etc/faketime';
/** Where no time server is. */
const NOBODY = '10.77.66.99';
/** Done, without being done. */
const SWALLOWED = 'SystemCallFilter=\nSystemCallFilter=~adjtimex:0 clock_adjtime:0 clock_settime:0';

/** From the packages that the machine has ready. */
const apt = (name: string): string =>
  `DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends -o Dpkg::Options::=--force-confold ${name} 2>&1`;

const TRUSTED = /^The clock can be trusted/;
const UNTRUSTED = /^The clock cannot be trusted/;

describe('the clock, as an operator, the scheduler and a browser see it', () => {
  let lab: Lab;
  let machine: Machine;
  let components: RemoteChild<ComponentCalls>;

  const environment = (timeServer: string): string =>
    [
      `WS_GROUP_NAME=${GROUP}`,
      `DUNEBUGGER_WEBSOCKET_TEST_DOMAIN=${SITE_NAME}`,
      'DUNEBUGGER_WEBSOCKET_CONNECTION_INTERVAL_SECS=2',
      'DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_SERVERS=nats://127.0.0.1:4222',
      `DUNEBUGGER_NTP_NTP_SERVERS=${timeServer}`,
      'DUNEBUGGER_NTP_NTP_CHECK_INTERVAL_SECS=1',
      'DUNEBUGGER_NTP_NTP_TIMEOUT=1',
      '',
    ].join('\n');

  before(async () => {
    const nats = findNatsServer();
    if (nats === undefined) throw new NatsServerMissingError();
    lab = await Lab.create({ ipv6: false });
    const url = await lab.internet.call('clientAccessUrl', { userId: 'device' });
    registerSecret(new URL(url).searchParams.get('access_token')!);
    await lab.internet.call('browserJoin', { group: GROUP, userId: 'browser' });
    const namespace = lab.namespace('pi');
    await lab.ip('pi', 'link set lo up');
    lab.exec('pi', nats, ['--addr', '127.0.0.1', '--port', '4222'], { stdio: 'ignore' });
    components = await RemoteChild.start<ComponentCalls>(namespace, './component-main.js');
    await components.call('start', { url: 'nats://127.0.0.1:4222' });
    machine = await machineWithService({
      network: { namespace, resolvConf: `${etcOf(namespace)}/resolv.conf` },
      environment: environment(NET.v4),
      dropIn: [
        `Environment=NODE_EXTRA_CA_CERTS=${CA_FILE} LD_PRELOAD=${FAKETIME} FAKETIME_TIMESTAMP_FILE=${OFFSET}`,
        'Environment=FAKETIME_CACHE_DURATION=1 FAKETIME_DONT_FAKE_MONOTONIC=1',
      ],
      prepare: async (it) => {
        await it.write(CA_FILE, lab.ca);
        await it.write(CREDENTIAL, `${url}\n`, '600');
        await it.write(FAKETIME, readFileSync(lab.clockEnv()['LD_PRELOAD']!), '755');
        await it.write(OFFSET, '-6y\n');
      },
    });
  });
  after(async () => {
    await components.stop();
    // A machine is gone before its network is.
    await machine.stop();
    await lab.destroy();
  });

  const timeServer = (behaviour: 'answers' | 'silent'): Promise<void> =>
    lab.internet.call('time', { silent: behaviour === 'silent' });
  const scheduler = async (): Promise<boolean | undefined> => (await components.call('clockStatus', undefined)).at(-1);
  const browser = async (): Promise<unknown> =>
    (await lab.internet.call('browserMessages', { since: 0 }))
      .map(({ data }) => data as { readonly subject?: string; readonly body?: unknown })
      .filter(({ subject }) => subject === 'ntp_status')
      .at(-1)?.body;
  const own = async (sinceMs: number): Promise<JournalEntry[]> =>
    (await machine.journal(UNIT, '--identifier=dunebugger-remote')).filter(({ atMs }) => atMs >= sinceMs);
  const statusIs = (pattern: RegExp): Promise<boolean> =>
    machine.until(
      `the status is ${String(pattern)}`,
      async () => pattern.test(await machine.show('StatusText')),
      60_000,
    );
  const bothHear = (available: boolean): Promise<boolean> =>
    machine.until(
      `scheduler and browser hear ${available}`,
      async () =>
        (await scheduler()) === available && JSON.stringify(await browser()) === `{"ntp_available":${available}}`,
      60_000,
    );

  /** Starts the service afresh; resolves with what it says first of the clock. */
  async function startsSaying(pattern: RegExp): Promise<string> {
    const sinceMs = Date.now();
    await machine.sh(`systemctl restart ${UNIT}`);
    return (await machine.logged(pattern, { sinceMs })).message;
  }

  it('no time service, six years behind at the start: offline because of the clock, and not trusted', async () => {
    await machine.logged(UNTRUSTED);
    const offline = await machine.logged(/^Offline: the clock of this machine is wrong/);
    assert.match(offline.message, /timedatectl.* reason=clock/);
    assert.equal(offline.priority, 4);
    assert.equal(await scheduler(), false);
    await statusIs(/^Offline since \d\d:\d\d: the clock of this machine is wrong; .*; the clock cannot be trusted$/);
  });

  it('set right while running: said, online after seconds and not years, trusted as soon as a time server agrees', async (t) => {
    const sinceMs = Date.now();
    await machine.write(OFFSET, '+0\n');
    const set = await machine.logged(/^The system clock was set while running/, { sinceMs });
    const bySecs = Number(/bySecs=(\d+)/.exec(set.message)?.[1]);
    assert.ok(Math.abs(bySecs / 86_400 / 365.25 - 6) < 0.1, set.message);
    const online = await machine.logged(/^Online again after /, { sinceMs });
    assert.ok(Number(/offlineSecs=([\d.]+)/.exec(online.message)?.[1]) < 120, online.message);
    await statusIs(/^Online, connected since \d\d:\d\d, group velasquez; the clock cannot be trusted$/);
    await timeServer('answers');
    await machine.logged(TRUSTED, { sinceMs });
    await bothHear(true);
    // Since when has it been: by the clock as it goes now.
    await statusIs(/^Online, connected since \d\d:\d\d, group velasquez$/);
    const lines = await own(0);
    t.diagnostic(lines.map(({ message }) => message).join('\n'));
    for (const { message } of lines) assert.doesNotMatch(message, /(after|for|in) \d+ (h|years)\b/);
  });

  it("two days ahead: said by the test site's date, once; then right again", async () => {
    const sinceMs = Date.now();
    await timeServer('silent');
    await machine.write(OFFSET, '+2d\n');
    await machine.logged(/^The clock of this machine is 2 days ahead compared with the test site/, { sinceMs });
    await statusIs(/^Online, connected since \d.*, group velasquez; the clock is 2 days ahead$/);
    await bothHear(false);
    await timeServer('answers');
    await machine.write(OFFSET, '+0\n');
    await machine.logged(/^The clock of this machine agrees with the test site again/, { sinceMs });
    await bothHear(true);
    await statusIs(/^Online, connected since \d\d:\d\d, group velasquez$/);
    const lines = (await own(sinceMs)).map(({ message }) => message);
    assert.equal(lines.filter((line) => line.includes('2 days ahead')).length, 1, lines.join('\n'));
    assert.ok(!lines.some((line) => /^(Offline|Online|Connected|Cloud)/.test(line)), 'the connection was not touched');
  });

  it('systemd-timesyncd, synchronised, not synchronised and then again: its file says so', async () => {
    await machine.write(ENVIRONMENT, environment(NOBODY), '600');
    await machine.write('/etc/systemd/timesyncd.conf.d/test.conf', `[Time]\nNTP=${NET.v4}\n`);
    await machine.write(
      '/etc/systemd/system/systemd-timesyncd.service.d/test.conf',
      `[Unit]\nConditionVirtualization=\nConditionCapability=\n[Service]\nAmbientCapabilities=\nCapabilityBoundingSet=\n${SWALLOWED}\n`,
    );
    await machine.sh(apt('systemd-timesyncd'));
    const file = '/run/systemd/timesync/synchronized';
    await machine.until('timesyncd is synchronised', async () => (await machine.run('test', ['-e', file])).code === 0);
    assert.match(await startsSaying(TRUSTED), /kernel=synchronised/);
    await bothHear(true);

    await timeServer('silent');
    await machine.sh('systemctl restart systemd-timesyncd');
    await startsSaying(UNTRUSTED);
    await bothHear(false);

    const sinceMs = Date.now();
    await timeServer('answers');
    await machine.sh('systemctl restart systemd-timesyncd');
    assert.match((await machine.logged(TRUSTED, { sinceMs })).message, /kernel=synchronised/);
    await bothHear(true);
  });

  it('chrony: by its own word, and not before it is synchronised', async () => {
    await machine.write('/etc/default/chrony', 'DAEMON_OPTS="-F 0 -x"\n');
    await machine.write('/etc/systemd/system/chrony.service.d/test.conf', '[Unit]\nConditionCapability=\n');
    await machine.sh(apt('chrony'));
    await timeServer('silent');
    await chronyWith(`server ${NET.v4} iburst\n`);
    assert.match(await startsSaying(UNTRUSTED), /kernel=unsynchronised/);

    const sinceMs = Date.now();
    await timeServer('answers');
    await chronyWith(`server ${NET.v4} iburst\n`);
    assert.match((await machine.logged(TRUSTED, { sinceMs })).message, /kernel=synchronised/);
    await bothHear(true);
  });

  async function chronyWith(conf: string): Promise<void> {
    await machine.write('/etc/chrony/chrony.conf', conf);
    await machine.sh('systemctl restart chrony');
  }
});
