/** Debian 12, of which most Raspberry Pi OS in the field is made: systemd 252, a Node that is too old, and the package of this project that brings one. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ensureDeb, ensureNodeDeb, PREVIOUS_VERSION, VERSION } from './deb.js';
import { Machine } from './machine.js';
import { describeSandbox } from './sandbox.js';
import { CONF, ENVIRONMENT, mainPid, NODE_OF, restarted, SIGN_IN, UNIT } from './service.js';

const DROP_IN = '/usr/lib/systemd/system/dunebugger-remote.service.d/restart-pauses.conf';

describe('the package, on bookworm', () => {
  let machine: Machine;
  let previous: string;
  let current: string;
  let node: string;

  before(async () => {
    previous = await ensureDeb(PREVIOUS_VERSION);
    current = await ensureDeb(VERSION);
    node = await ensureNodeDeb();
    machine = await Machine.boot({ debian: 'bookworm' });
  });
  after(() => machine.stop());

  it('stands on what the test is about: systemd 252', async () => {
    assert.match(await machine.sh('systemctl --version'), /^systemd 252 /);
  });

  it('is not installed without a Node that is new enough, and apt names what it wants', async () => {
    await assert.rejects(machine.install(previous), /nodejs \(>= 20\.19\)[^]*dunebugger-remote-node/);
    assert.equal((await machine.run('systemctl', ['cat', UNIT])).code, 1);
  });

  it('is installed with the Node of this project, beside an old one of Debian, and runs in ours', async () => {
    await machine.sh('apt-get install --yes --no-install-recommends nodejs 2>&1', { deadlineMs: 120_000 });
    assert.match(await machine.sh('/usr/bin/node --version'), /^v18\./);
    await machine.write(ENVIRONMENT, SIGN_IN, '600');
    await machine.install(previous, node);

    assert.equal(
      (await machine.sh(`systemctl is-active ${UNIT}; systemctl is-enabled ${UNIT}`)).trim(),
      'active\nenabled',
    );
    assert.equal((await machine.sh(`readlink /proc/${await mainPid(machine)}/exe`)).trim(), NODE_OF.bookworm);
    await machine.logged(/^DuneBugger Remote starts version=9\.0\.0 node=24\./);
    await machine.logged(/^Offline: no network link; .*cable/);
    await machine.until('the status line says offline', async () =>
      /^Offline since \d\d:\d\d: no network link/.test(await machine.show('StatusText')),
    );
    assert.equal((await machine.sh('dunebugger-remote --version')).trim(), PREVIOUS_VERSION);
    assert.match((await machine.run('dunebugger-remote', ['status'])).stdout, /^Offline since/);
    assert.match(
      await machine.sh('dunebugger-remote config check'),
      /^Read as the service has it: .*dunebugger\.conf, .*environment\nNo errors, no warnings: it starts with this\.\nThe running service has all of it/,
    );
  });

  it('systemd 252 warns of nothing in the units, and keeps to the pause it knows', async () => {
    await machine.sh('systemctl daemon-reload');
    const all = await machine.sh(
      "journalctl --sync; journalctl --no-pager --identifier=systemd | grep -i 'unknown' || true",
    );
    assert.equal(all, '');
    const { code, stdout, stderr } = await machine.run('systemd-analyze', ['verify', '--man=no', UNIT]);
    assert.deepEqual([code, `${stdout}${stderr}`.trim()], [0, '']);
    assert.equal(await machine.show('RestartUSec'), '10s');
    assert.equal((await machine.run('test', ['-e', DROP_IN])).code, 1);
  });

  it('upgraded, reloaded, killed and stopped, it does what it should', async () => {
    await machine.write(CONF, '# mine\n[Websocket]\nconnectionIntervalSecs = 9\n');
    let pid = await mainPid(machine);
    await machine.install(current);
    assert.notEqual(await mainPid(machine), pid);
    assert.equal((await machine.sh(`head -1 ${CONF}`)).trim(), '# mine');
    await machine.logged(/^DuneBugger Remote starts version=9\.1\.0/);

    const from = Date.now();
    await machine.write(CONF, '[Websocket]\nconnectionIntervalSecs = 11\n');
    await machine.sh(`systemctl reload ${UNIT}`);
    await machine.logged(/^Configuration reloaded/, { sinceMs: from });
    assert.equal(await machine.show('ActiveState'), 'active');

    pid = await mainPid(machine);
    await machine.sh(`kill -KILL ${pid}`);
    await restarted(machine, pid);
    await machine.sh(`systemctl stop ${UNIT}`);
    assert.equal(await machine.show('Result'), 'success');
    await machine.logged(/^Stopped$/, { sinceMs: from });
    await machine.sh(`systemctl start ${UNIT}`);
  });

  it('a new build of Node has the service run in it', async () => {
    const pid = await mainPid(machine);
    await machine.sh(`dpkg --install /root/dunebugger-remote-node_*.deb 2>&1`, { deadlineMs: 120_000 });
    assert.notEqual(await restarted(machine, pid), pid);
  });

  it('left with a Node that is too old, it says so at error, and does not try again', async () => {
    await machine.sh('dpkg --remove --force-depends dunebugger-remote-node 2>&1');
    const from = Date.now();
    assert.notEqual((await machine.run('systemctl', ['restart', UNIT])).code, 0);
    assert.equal(await machine.show('ActiveState'), 'failed');
    assert.equal(await machine.show('ExecMainStatus'), '78');
    const errors = (await machine.journal(UNIT, '--identifier=dunebugger-remote', '--priority=err')).filter(
      ({ atMs }) => atMs >= from,
    );
    assert.deepEqual(
      errors.map(({ message }) => message.replace(/is 18\.[\d.]+/, 'is 18')),
      [
        'dunebugger-remote: Node 20.19 or later is needed, and this is 18 (/usr/bin/node); install nodejs (20.19 or later) or dunebugger-remote-node',
      ],
    );
  });

  it('left with no Node at all, the same', async () => {
    await machine.sh('dpkg --remove --force-depends nodejs 2>&1');
    assert.notEqual((await machine.run('systemctl', ['restart', UNIT])).code, 0);
    assert.equal(await machine.show('ExecMainStatus'), '78');
    await machine.logged(/^dunebugger-remote: there is no Node here; install nodejs \(20\.19 or later\) or/);
  });

  it('purged, it leaves nothing', async () => {
    await machine.sh('dpkg --purge dunebugger-remote dunebugger-remote-node 2>&1; rm /root/*.deb');
    const files = await machine.sh(
      "find / -xdev -path /root -prune -o -path /proc -prune -o -path /sys -prune -o -iname '*dunebugger*' -print",
    );
    assert.equal(files.trim(), '');
  });
});

describeSandbox('bookworm');
