/** Asking the service: who may, what is said in each of its states, and that nothing of it listens on a network. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gatherLine } from '../support/everything-logged.js';
import type { Machine, RunResult } from './machine.js';
import { ENVIRONMENT, machineWithService, mainPid, restarted, SIGN_IN, UNIT } from './service.js';
import { assertSoon, timed, type TimedResult } from './timed.js';

const SOCKET = '/run/dunebugger-remote.sock';

describe('the control socket of the service', () => {
  let machine: Machine;
  let users: Readonly<Record<'root' | 'member' | 'stranger', readonly string[]>>;
  before(async () => {
    machine = await machineWithService();
    const group = (await machine.sh('getent group dunebugger | cut -d: -f3')).trim();
    // A minimal Debian has no useradd; D-Bus answers nobody who is not in this file.
    await machine.sh("printf '%s\\n' 'member:x:1500:1500::/:/bin/sh' 'stranger:x:1501:1501::/:/bin/sh' >> /etc/passwd");
    users = {
      root: [],
      member: ['setpriv', '--reuid=1500', '--regid=1500', `--groups=${group}`],
      stranger: ['setpriv', '--reuid=1501', '--regid=1501', '--clear-groups'],
    };
  });
  after(() => machine.stop());

  const status = (user: keyof typeof users, ...args: string[]): Promise<TimedResult> =>
    timed(machine, users[user], ['dunebugger-remote', 'status', ...args].join(' '));

  it('is made by systemd for the group, and handed over; nothing listens on a network', async () => {
    assert.equal((await machine.sh(`stat -c '%a %U %G' ${SOCKET}`)).trim(), '660 root dunebugger');
    assert.equal(await machine.show('ActiveState', 'dunebugger-remote.socket'), 'active');
    assert.equal((await machine.run('test', ['-e', '/run/dunebugger-remote/control.sock'])).code, 1);
    // A socket of UDP that asks for a route or the time is among them for the moment before it is connected.
    await machine.until(
      'nothing listens',
      async () => (await machine.sh('ss --listening --tcp --udp --raw --no-header')).trim() === '',
    );
  });

  it('answers root and members of the group; a stranger is told how to become one', async () => {
    // Before its first verdict the service has another sentence.
    await machine.logged(/^Offline: no network link/);
    for (const user of ['root', 'member'] as const) {
      const { code, stdout } = await status(user);
      assert.equal(code, 1, stdout);
      assert.match(stdout, /^Offline since \d\d:\d\d: no network link; .*\n {2}What is wrong: no network link\n/);
    }
    const { code, stdout } = await status('stranger');
    assert.equal(code, 77, stdout);
    assert.match(stdout, /^No answer: not allowed to ask\n.*\n {2}What to do: sudo adduser \$USER dunebugger/);
  });

  it('outages: told to the group while the service runs, to root without it too', async () => {
    const since = async (user: keyof typeof users): Promise<RunResult> => {
      const [command, ...before] = [...users[user], 'dunebugger-remote'];
      return machine.run(command, [...before, 'outages']);
    };
    assert.match((await since('member')).stdout, /so far {2}internet: no network link\n/);
    assert.equal((await since('stranger')).code, 77);
    assert.equal((await machine.sh('stat -c %a /var/lib/private/dunebugger-remote/history')).trim(), '700');
  });

  it('suspended: says so, soon', async () => {
    await machine.sh(`systemctl kill --signal=STOP ${UNIT}`);
    const told = await status('member');
    await machine.sh(`systemctl kill --signal=CONT ${UNIT}`);
    assert.equal(told.code, 3);
    assert.match(told.stdout, /^No answer: the process of the service is suspended\n/);
    assertSoon(told);
  });

  it('restarted, and killed: the socket goes on with the next process', async () => {
    await machine.sh(`systemctl restart ${UNIT}`);
    assert.equal((await status('member')).code, 1);
    const pid = await mainPid(machine);
    await machine.sh(`kill -KILL ${pid}`);
    await restarted(machine, pid);
    const { code, stdout } = await status('member');
    assert.equal(code, 1, stdout);
  });

  it('the page, where it is wanted: under the unit, on loopback alone or on purpose for the LAN', async () => {
    const read = (path: string): Promise<string> =>
      machine.sh(`node -e "fetch('http://127.0.0.1:8088${path}').then((a) => a.text()).then(console.log)"`);
    for (const [listen, expected] of [
      ['loopback', ['127.0.0.1:8088', '[::1]:8088']],
      ['lan', ['*:8088']],
    ] as const) {
      const wanted = `DUNEBUGGER_STATUS_STATUS_PAGE=True\nDUNEBUGGER_STATUS_STATUS_LISTEN=${listen}\n`;
      await machine.write(ENVIRONMENT, `${SIGN_IN}${wanted}`, '600');
      await machine.sh(`systemctl restart ${UNIT}`);
      const sockets = (await machine.sh('ss --listening --tcp --no-header --numeric')).trim().split('\n');
      assert.deepEqual(sockets.map((line) => line.trim().split(/\s+/)[3]).sort(), expected);
      const page = await read('/');
      assert.match(page, /<p class="sentence (bad|open)">/);
      gatherLine('page', page);
      assert.match(await read('/metrics'), /^dunebugger_remote_up 1$/m);
    }
    const file = '/run/dunebugger.prom';
    await machine.sh(`dunebugger-remote metrics --textfile ${file}`);
    assert.match(await machine.sh(`cat ${file}`), /^dunebugger_remote_up 1$/m);
    assert.equal(
      (await machine.run(users.stranger[0] ?? '', [...users.stranger.slice(1), 'dunebugger-remote', 'metrics'])).code,
      77,
    );
    await machine.write(ENVIRONMENT, SIGN_IN, '600');
    await machine.sh(`systemctl restart ${UNIT}`);
  });

  it('stopped: says so, soon, and does not start it', async () => {
    await machine.sh(`systemctl stop ${UNIT}`);
    const told = await status('member');
    assert.equal(told.code, 3);
    assert.match(told.stdout, /^No answer: the service is stopped\n.*\n {2}What to do: sudo systemctl start/);
    assertSoon(told);
    assert.equal(await machine.show('ActiveState'), 'inactive');
    assert.equal((await machine.run('test', ['-e', SOCKET])).code, 1);
    const left = await machine.run('dunebugger-remote', ['outages']);
    assert.match(left.stdout, / internet: no network link\n[^]*The service does not run/);
  });

  it('wrong configuration: says so, and a question does not start it again and again', async () => {
    await machine.write(ENVIRONMENT, 'WS_GROUP_NAME=\n', '600');
    await machine.run('systemctl', ['start', UNIT]);
    const invocation = await machine.show('InvocationID');
    const { code, stdout } = await status('member');
    assert.equal(code, 3);
    assert.match(stdout, /^No answer: the service does not start for its configuration\n/);
    assert.equal(await machine.show('InvocationID'), invocation);
    await machine.write(ENVIRONMENT, SIGN_IN, '600');
    await machine.sh(`systemctl start ${UNIT}`);
    assert.equal((await status('member')).code, 1);
  });
});
