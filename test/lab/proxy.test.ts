/** A network whose only way out is a proxy: tinyproxy as Debian has it. Needs root. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { DoctorReport } from '../../src/main/cli/doctor/report.js';
import { LabDaemon } from './daemon.js';
import { DoctorSeat } from './doctor-seat.js';
import { textOf } from './journal.js';
import { Lab } from './lab.js';
import { etcOf } from './netns.js';
import { leaveOnlyTheProxy, sentPastTheProxy, startTinyproxy } from './tinyproxy.js';
import { LAN, PORTS } from './topology.js';
import { endOf } from '../support/ends.js';

const OPEN = 3_128;
const STRICT = 3_129;
const LOGIN = { user: 'pi', password: 'Blaues-Wunder-1893' };

describe('a network whose only way out is a proxy', () => {
  let lab: Lab;
  let open: ChildProcess;
  let daemon: LabDaemon | undefined;

  before(async () => {
    lab = await Lab.create({ ipv6: false });
    await leaveOnlyTheProxy(lab);
    [open] = await Promise.all([
      startTinyproxy(lab, { port: OPEN }),
      startTinyproxy(lab, { port: STRICT, login: LOGIN }),
    ]);
  });
  after(async () => {
    await daemon?.kill();
    await lab.destroy();
  });

  function startBy(login: string, port: number): LabDaemon {
    return LabDaemon.start(lab, { env: { HTTPS_PROXY: `http://${login}${LAN.v4}:${port}`, NO_PROXY: '' } });
  }

  async function assertAllByProxy(): Promise<void> {
    assert.deepEqual(await lab.connectionsTo('pi', PORTS.cloud), []);
    assert.equal(await sentPastTheProxy(lab), 0);
  }

  it('is online, signed in and connected by it; a proxy that dies and comes back is told as that', async () => {
    daemon = startBy('', OPEN);
    const online = await daemon.verdict('online', 0);
    await daemon.joined();
    await assertAllByProxy();
    process.stdout.write(`online after ${online.atMs - daemon.startedAtMs} ms\n`);
    assert.deepEqual(
      daemon.verdicts().map(({ verdict }) => verdict),
      ['online'],
      daemon.journal.tail(),
    );

    const since = daemon.journal.mark();
    open.kill();
    await endOf(open, 'the proxy');
    const offline = await daemon.verdict('offline', since);
    assert.equal(offline.reason, 'proxy', textOf(offline.line));
    assert.match(offline.line.msg, /the proxy opens no way.*Nothing listens where the proxy should be/);
    open = await startTinyproxy(lab, { port: OPEN });
    await daemon.joined(since);
    await assertAllByProxy();
    await daemon.stop();
  });

  it('wants a login: without one and with a wrong one it is told what to write where, with the right one it serves', async () => {
    for (const [login, words] of [
      ['', /wants a user name and a password \(407, or 401\).*HTTPS_PROXY.*user:password@host:port/],
      [`${LOGIN.user}:Elbflorenz@`, /refuses the user name or the password/],
    ] as const) {
      daemon = startBy(login, STRICT);
      const offline = await daemon.verdict('offline', 0);
      assert.equal(offline.reason, 'proxy', textOf(offline.line));
      assert.match(offline.line.msg, words);
      await daemon.stop();
    }
    daemon = startBy(`${LOGIN.user}:${LOGIN.password}@`, STRICT);
    await daemon.joined();
    await assertAllByProxy();
    assert.ok(daemon.journal.find(({ msg }) => msg.includes('(with a login)')).length === 1);
    await daemon.stop();
  });

  it('has a proxy with a name that only the house knows', async () => {
    writeFileSync(`${etcOf(lab.namespace('pi'))}/hosts`, `127.0.0.1 localhost\n${LAN.v4} proxy.house.test\n`);
    daemon = LabDaemon.start(lab, { env: { https_proxy: `http://proxy.house.test:${OPEN}` } });
    await daemon.joined();
    assert.deepEqual(
      daemon.verdicts().map(({ verdict }) => verdict),
      ['online'],
      daemon.journal.tail(),
    );
    await assertAllByProxy();
    await daemon.stop();
  });
});

describe('the doctor where a proxy is the only way out', () => {
  let seat: DoctorSeat;
  let proxy: ChildProcess;
  before(async () => {
    seat = await DoctorSeat.create({
      prepare: async (lab) => {
        await leaveOnlyTheProxy(lab);
        proxy = await startTinyproxy(lab, { port: OPEN });
      },
      env: { HTTPS_PROXY: `http://${LAN.v4}:${OPEN}`, NO_PROXY: '' },
    });
    await seat.until(({ outcome }) => outcome === 'connected', 'connected');
  });
  after(() => seat.destroy());

  /** What each check says. */
  async function looks(t: TestContext): Promise<{ report: DoctorReport; said: (id: string) => string }> {
    const { report, ms } = await seat.doctor();
    t.diagnostic(`${report.sentence} (${ms} ms)`);
    const said = (id: string): string => {
      const one = report.checks.find((check) => check.id === id);
      return `${one?.outcome ?? 'no'} ${one?.words ?? 'such check'}`;
    };
    assert.equal(await sentPastTheProxy(seat.lab), 0);
    return { report, said };
  }

  /** NTP knows no proxy. */
  const butForTheClock = ({ checks }: DoctorReport): readonly string[] =>
    checks
      .filter(({ id, outcome }) => id !== 'clock' && (outcome === 'warn' || outcome === 'fail'))
      .map(({ id }) => id);

  it('nothing is wrong but the clock; a name server and a default route are not missed', async (t) => {
    const { report, said } = await looks(t);
    assert.deepEqual([report.outcome, report.first, butForTheClock(report)], ['warn', 'clock', []]);
    assert.match(said('proxy'), /^pass 10\.77\.1\.1:3128 opens a way in \d+ ms$/);
    assert.match(said('routes'), /^skip no default route; the internet is reached otherwise$/);
    assert.match(said('name-servers'), /^skip the test site needs none$/);
    assert.match(said('hosts'), /^pass cloud\.lab\.test:8443 can be reached/);
  });

  it('the proxy wants a login: that is the first cause, and nothing behind it is blamed', async (t) => {
    proxy.kill();
    await once(proxy, 'exit');
    proxy = await startTinyproxy(seat.lab, { port: OPEN, login: LOGIN });
    await seat.until(({ internet }) => internet?.verdict === 'offline', 'offline');
    const { report, said } = await looks(t);
    assert.deepEqual([report.outcome, report.first, butForTheClock(report)], ['fail', 'proxy', ['proxy']]);
    assert.match(said('proxy'), /^fail 10\.77\.1\.1:3128: the proxy wants a user name and a password/);
    for (const id of ['site', 'families', 'line', 'hosts', 'sign-in', 'websocket', 'group'])
      assert.match(said(id), /^skip not looked at: the proxy opens no way$/, id);
  });

  it('nothing listens where the proxy should be: the same', async (t) => {
    proxy.kill();
    await once(proxy, 'exit');
    const { report, said } = await looks(t);
    assert.deepEqual([report.outcome, report.first, butForTheClock(report)], ['fail', 'proxy', ['proxy']]);
    assert.match(said('proxy'), /^fail 10\.77\.1\.1:3128: nothing listens where the proxy should be$/);
  });

  it('without the service: signs in and connects by the proxy itself', async (t) => {
    proxy = await startTinyproxy(seat.lab, { port: OPEN });
    await seat.until(({ outcome }) => outcome === 'connected', 'connected again');
    await seat.daemon.kill();
    const { report, said } = await looks(t);
    assert.deepEqual([report.outcome, report.first, butForTheClock(report)], ['fail', 'service', ['service']]);
    assert.match(said('sign-in'), /^pass by negotiate endpoint/);
    assert.match(said('websocket'), /^pass one of our own opens$/);
    assert.match(said('group'), /^pass let into the group lab/);
  });
});
