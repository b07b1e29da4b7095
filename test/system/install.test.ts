/** The package in the hands of an operator: apt install, upgrade, remove, purge; on a machine without any network. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ensureDeb, PREVIOUS_VERSION, VERSION } from './deb.js';
import { Machine } from './machine.js';
import { CONF, ENVIRONMENT, mainPid, SIGN_IN, UNIT } from './service.js';

describe('the package, on a machine without any network', () => {
  let machine: Machine;
  let previous: string;
  let current: string;

  before(async () => {
    previous = await ensureDeb(PREVIOUS_VERSION);
    current = await ensureDeb(VERSION);
    machine = await Machine.boot();
  });
  after(() => machine.stop());

  it('is installed without a configuration: says what to set, does not start, does not try again', async () => {
    const said = await machine.install(previous);
    assert.match(said, /say in \/etc\/dunebugger-remote\/environment which group this device is in/);
    assert.equal(await machine.show('ActiveState'), 'failed');
    assert.equal(await machine.show('ExecMainStatus'), '78');
    assert.equal(await machine.show('NRestarts'), '0');
    const errors = await machine.journal(UNIT, '--identifier=dunebugger-remote', '--priority=err');
    assert.match(errors[0]!.message, /WS_GROUP_NAME is not set: name the group/);
    assert.equal((await machine.sh(`stat -c '%a %U' ${ENVIRONMENT}`)).trim(), '600 root');
    assert.match(await machine.sh(`cat ${ENVIRONMENT}`), /^WS_GROUP_NAME=$/m);

    await machine.write(ENVIRONMENT, SIGN_IN, '600');
    await machine.sh(`systemctl restart ${UNIT}`);
    assert.equal(await machine.show('ActiveState'), 'active');
  });

  it('purged, it leaves no file, user or unit', async () => {
    await machine.sh('systemctl stop dunebugger-remote; apt-get purge --yes dunebugger-remote');
    await assertNothingLeft(machine);
  });

  it('apt install brings the runtime and starts the service, which says that it is offline', async () => {
    // So that apt has to find the runtime by itself, in its cache.
    await machine.sh('apt-get purge --yes nodejs libnode115 2>&1');
    await machine.write(ENVIRONMENT, SIGN_IN, '600');
    await machine.install(previous);

    assert.match(await machine.sh('nodejs --version'), /^v(20\.(19|[2-9]\d)|2[1-9]|[3-9]\d)\./);
    assert.equal(
      (await machine.sh(`systemctl is-active ${UNIT}; systemctl is-enabled ${UNIT}`)).trim(),
      'active\nenabled',
    );
    await machine.until('the status line says offline', async () =>
      /^Offline since \d\d:\d\d: no network link; next look in 2 s(;|$)/.test(await machine.show('StatusText')),
    );
    await machine.logged(/^DuneBugger Remote starts version=9\.0\.0 node=20/);
    const offline = await machine.logged(/^Offline: no network link; .*cable/);
    assert.equal(offline.priority, 4);
    assert.equal(await machine.sh(`cat ${ENVIRONMENT}`), SIGN_IN, 'a configuration that was there stays');
    assert.doesNotMatch(await machine.show('After'), /network-online/);
    assert.doesNotMatch(await machine.show('Wants'), /network-online/);
  });

  it('upgraded, it runs the new version with the changed configuration', async () => {
    const conf = `# mine\n[Websocket]\nconnectionIntervalSecs = 9 ; slow line\n`;
    await machine.write(CONF, conf);
    const pid = await mainPid(machine);
    const said = await machine.install(current);

    assert.match(said, /Unpacking dunebugger-remote \(9\.1\.0\) over \(9\.0\.0\)/);
    assert.equal(await machine.sh(`cat ${CONF}`), conf);
    assert.equal(await machine.sh(`cat ${ENVIRONMENT}`), SIGN_IN);
    assert.equal((await machine.sh(`stat -c %a ${ENVIRONMENT}`)).trim(), '600');
    assert.equal((await machine.sh('dunebugger-remote --version')).trim(), VERSION);
    assert.equal(await machine.show('ActiveState'), 'active');
    assert.notEqual(await mainPid(machine), pid);
    await machine.logged(/^DuneBugger Remote starts version=9\.1\.0/);
  });

  it('an upgrade of systemd puts in what the old one did not know; one of Node has the service run in the new one', async () => {
    const dropIn = '/usr/lib/systemd/system/dunebugger-remote.service.d/restart-pauses.conf';
    const trigger = (by: string, file: string): Promise<string> =>
      machine.sh(`dpkg-trigger --no-await --by-package=${by} ${file}; dpkg --triggers-only --pending 2>&1`);
    const pid = await mainPid(machine);
    // As an upgrade from Debian 12 finds it.
    await machine.sh(`rm ${dropIn}; systemctl daemon-reload`);
    assert.equal(await machine.show('RestartSteps'), '0');
    await trigger('systemd', '/usr/lib/systemd/systemd');
    assert.equal(await machine.show('RestartSteps'), '6');
    assert.equal(await mainPid(machine), pid);
    await trigger('nodejs', '/usr/bin/node');
    assert.notEqual(await mainPid(machine), pid);
    assert.equal(await machine.show('ActiveState'), 'active');
  });

  it('what the operator has switched off stays off through an upgrade', async () => {
    await machine.sh(`systemctl disable --now ${UNIT}`);
    await machine.sh('apt-get install --yes --reinstall /root/dunebugger-remote_9.1.0_all.deb 2>&1');
    assert.equal(await machine.show('ActiveState'), 'inactive');
    assert.equal(await machine.show('UnitFileState'), 'disabled');
    await machine.sh(`systemctl enable --now ${UNIT}`);
  });

  it('removed, it has stopped and is gone but for the configuration', async () => {
    await machine.sh('apt-get remove --yes dunebugger-remote 2>&1');
    assert.equal((await machine.run('systemctl', ['is-active', UNIT])).stdout.trim(), 'inactive');
    assert.equal(
      (await machine.sh('ls -d /usr/lib/dunebugger-remote /usr/bin/dunebugger-remote 2>/dev/null || true')).trim(),
      '',
    );
    assert.equal((await machine.sh('ls -l /proc/[0-9]*/exe 2>/dev/null | grep -c /node || true')).trim(), '0');
    assert.equal(await machine.sh(`cat ${ENVIRONMENT}`), SIGN_IN);

    await machine.install(current);
    assert.equal(
      (await machine.sh(`systemctl is-active ${UNIT}; systemctl is-enabled ${UNIT}`)).trim(),
      'active\nenabled',
    );
  });

  it('purged after a life with secrets and state, it leaves nothing either', async () => {
    await machine.write('/etc/dunebugger-remote/credentials/AUTH0_PASSWORD', 'secret\n', '600');
    await machine.sh('echo state > /var/lib/dunebugger-remote/kept');
    await machine.sh('apt-get purge --yes dunebugger-remote 2>&1');
    await assertNothingLeft(machine);
  });
});

async function assertNothingLeft(machine: Machine): Promise<void> {
  // What the test itself put into /root apart; apt and dpkg keep logs of what was once installed.
  const files = await machine.sh(
    "find / -xdev -path /root -prune -o -path /proc -prune -o -path /sys -prune -o -iname '*dunebugger*' -print",
  );
  assert.equal(files.trim(), '');
  for (const [database, name] of [
    ['passwd', 'dunebugger-remote'],
    ['group', 'dunebugger-remote'],
    ['group', 'dunebugger'],
  ] as const)
    assert.equal((await machine.run('getent', [database, name])).code, 2, `${database} ${name}`);
  const units = await machine.sh(
    'systemctl daemon-reload; systemctl list-unit-files --no-legend --no-pager; systemctl list-units --all --no-legend --no-pager',
  );
  assert.doesNotMatch(units, /dunebugger/);
  assert.equal((await machine.sh('systemctl --failed --no-legend --no-pager')).trim(), '');
}
