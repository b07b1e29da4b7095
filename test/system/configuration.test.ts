/** Reload and start with good and bad configurations, through systemctl and journalctl. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { JournalEntry, Machine } from './machine.js';
import { addDropIn, CONF, ENVIRONMENT, machineWithService, mainPid, UNIT } from './service.js';

describe('the service and its configuration', () => {
  let machine: Machine;

  before(async () => {
    machine = await machineWithService();
  });
  after(() => machine.stop());

  const since = async (from: number, ...filters: string[]): Promise<JournalEntry[]> =>
    (await machine.journal(UNIT, '--identifier=dunebugger-remote', ...filters)).filter(({ atMs }) => atMs >= from);

  async function reload(conf: string): Promise<number> {
    await machine.write(CONF, conf);
    const from = Date.now();
    await machine.sh(`systemctl reload ${UNIT}`);
    return from;
  }

  it('a good configuration is taken over on reload, in the same process', async () => {
    const pid = await mainPid(machine);
    const from = await reload('[Log]\ndunebuggerLogLevel = DEBUG\n[Websocket]\nconnectionIntervalSecs = 1\n');
    const said = await machine.logged(/^Configuration reloaded: the changes are in force/, { sinceMs: from });
    assert.equal(said.priority, 6);
    assert.match(said.message, /connectionIntervalSecs/);
    await machine.until('debug lines come', async () =>
      (await since(from, '--priority=debug')).some((e) => e.priority === 7),
    );
    await machine.until('the status follows', async () =>
      /next look in 1 s(;|$)/.test(await machine.show('StatusText')),
    );
    assert.equal(await mainPid(machine), pid);
    assert.equal(await machine.show('ActiveState'), 'active');
  });

  it('what changes only with a restart is named', async () => {
    const from = await reload('[Log]\ndunebuggerLogLevel = INFO\n[Websocket]\nhalfOpenTimeoutSecs = 20\n');
    const said = await machine.logged(/halfOpenTimeoutSecs changes only with a restart: systemctl restart/, {
      sinceMs: from,
    });
    assert.equal(said.priority, 4);
  });

  it('a bad configuration changes nothing and says what is wrong', async () => {
    const pid = await mainPid(machine);
    const status = await machine.show('StatusText');
    const from = await reload('[Websocket]\nconnectionIntervalSecs = soon\nconnectionTimeoutSecs = two\n');
    await machine.logged(/^Not reloaded: everything goes on/, { sinceMs: from });
    const errors = await since(from, '--priority=err');
    assert.match(
      errors[0]!.message,
      /dunebugger\.conf, line 2: \[Websocket\] connectionIntervalSecs = "soon" is not allowed/,
    );
    assert.match(errors[1]!.message, /line 3: \[Websocket\] connectionTimeoutSecs = "two" is not allowed/);
    await machine.sh('sleep 3');
    assert.equal(await mainPid(machine), pid);
    assert.equal(await machine.show('ActiveState'), 'active');
    assert.equal(await machine.show('StatusText'), status);

    const later = await reload('# all good again\n');
    await machine.logged(/^Configuration reloaded/, { sinceMs: later });
  });

  it('config check and show: as the service has it, for root; what others may not see is named', async () => {
    await machine.write(CONF, '[Websocket]\nconnectionIntervalSecs = 8\nhalfOpenTimeoutSecs = 30\n');
    await machine.write('/etc/dunebugger-remote/credentials/AUTH0_PASSWORD', 'of the credential\n', '600');
    const checked = await machine.run('dunebugger-remote', ['config', 'check']);
    assert.deepEqual(checked.stdout.trimEnd().split('\n'), [
      `Read as the service has it: ${CONF}, ${ENVIRONMENT}`,
      'No errors, no warnings: it starts with this.',
      'The running service would take over by a reload (systemctl reload dunebugger-remote):',
      '  [Websocket] connectionIntervalSecs: 7 -> 8',
      'It would take over by a restart only (systemctl restart dunebugger-remote):',
      '  [Websocket] halfOpenTimeoutSecs: 15 -> 30',
    ]);
    assert.equal(checked.code, 0);
    const { stdout, code } = await machine.run('dunebugger-remote', ['config', 'show']);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^ +WS_GROUP_NAME +velasquez +${ENVIRONMENT}, WS_GROUP_NAME`, 'm'));
    assert.match(stdout, /^ +AUTH0_PASSWORD +\(set, not shown\) +credential \/etc\/dunebugger-remote\/credentials\//m);
    assert.doesNotMatch(stdout, /of the credential|access_token/);

    // In place of the service's own, a file that is to become it.
    await machine.write('/root/new.conf', '[Websocket]\nconnectionIntervalSecs = soon\n');
    const other = await machine.run('dunebugger-remote', ['config', 'check', '/root/new.conf']);
    assert.equal(other.code, 78);
    assert.match(
      other.stdout,
      /^Error: \/root\/new\.conf, line 2: .*\n1 error, no warnings: it does not start with this\.$/m,
    );

    // D-Bus answers nobody who is not in this file.
    await machine.sh("echo 'stranger:x:1501:1501::/:/bin/sh' >> /etc/passwd");
    const stranger = await machine.run('setpriv', [
      ...['--reuid=1501', '--regid=1501', '--clear-groups'],
      ...['dunebugger-remote', 'config', 'check'],
    ]);
    assert.equal(stranger.code, 0, stranger.stdout);
    assert.match(stranger.stdout, new RegExp(`^Not looked at: ${ENVIRONMENT} may not be read by this user, so `, 'm'));
    assert.doesNotMatch(stranger.stdout, /WS_GROUP_NAME/);
    await machine.sh('rm /etc/dunebugger-remote/credentials/AUTH0_PASSWORD');
    await machine.write(CONF, '');
  });

  it('a storm of reloads, good and bad, kills nothing', async () => {
    const pid = await mainPid(machine);
    for (let round = 0; round < 10; round += 1) {
      await machine.write(CONF, round % 2 === 0 ? '[Websocket]\nconnectionIntervalSecs = x\n' : '');
      await machine.sh(`systemctl reload ${UNIT}; kill -HUP ${pid}; kill -HUP ${pid}`);
    }
    const from = await reload('[Websocket]\nconnectionIntervalSecs = 5\n');
    await machine.logged(/^Configuration reloaded/, { sinceMs: from });
    await machine.until('active, not reloading', async () => (await machine.show('ActiveState')) === 'active');
    assert.equal(await mainPid(machine), pid);
  });

  it('a wrong configuration at start: one clear line, exit 78, no restart', async () => {
    await machine.write(CONF, '[Websocket]\nconnectionTimeoutSecs = two\n');
    const from = Date.now();
    const { code } = await machine.run('systemctl', ['restart', UNIT]);
    assert.notEqual(code, 0);
    await machine.sh('sleep 5');
    assert.equal(await machine.show('ActiveState'), 'failed');
    assert.equal(await machine.show('ExecMainStatus'), '78');
    assert.equal(await machine.show('NRestarts'), '0');
    const errors = await since(from, '--priority=err');
    assert.equal(errors.length, 1, errors.map(({ message }) => message).join('\n'));
    assert.match(
      errors[0]!.message,
      /\/etc\/dunebugger-remote\/dunebugger\.conf, line 2: \[Websocket\] connectionTimeoutSecs = "two" is not allowed: give .*seconds/,
    );
    await machine.write(CONF, '');
    await machine.sh(`systemctl restart ${UNIT}`);
  });

  it('a file that cannot be read as configuration is an error as clear', async () => {
    await machine.sh(`head -c 2000 /dev/urandom > ${CONF}`);
    const from = Date.now();
    await machine.run('systemctl', ['restart', UNIT]);
    assert.equal(await machine.show('ExecMainStatus'), '78');
    const [error] = await since(from, '--priority=err');
    assert.match(error!.message, /dunebugger\.conf/);
    await machine.write(CONF, '');
    await machine.sh(`systemctl restart ${UNIT}`);
  });

  it('websocketEnabled = False: active, and the status says why nothing happens', async () => {
    await machine.write(CONF, '[Websocket]\nwebsocketEnabled = False\n');
    await addDropIn(machine, 'fast', ['WatchdogSec=2']);
    await machine.sh(`systemctl daemon-reload; systemctl restart ${UNIT}`);
    const pid = await mainPid(machine);
    assert.match(await machine.show('StatusText'), /^Idle: websocketEnabled is False(; the clock cannot be trusted)?$/);
    await machine.sh('sleep 4');
    assert.equal(await mainPid(machine), pid, 'the watchdog is fed');
  });
});
