/** What the service may not do, on either Debian, tried from inside its sandbox: by a program that systemd starts as it starts the daemon. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Machine } from './machine.js';
import type { Debian } from './root.js';
import { machineWithService, mainPid, NODE_OF, SIGN_IN, UNIT } from './service.js';

/**
 * Runs in the service's sandbox, as ExecStartPost, and leaves in its state directory what came of each try: `ok`, or the error's
 * code. Node's own calls are enough for most; the rest is done by programs of the base system.
 */
const PROBE = String.raw`
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
const outcome = {};
const attempt = (name, work) => {
  try { const value = work(); outcome[name] = value === undefined ? 'ok' : value; } catch (error) { outcome[name] = error.code ?? error.message; }
};
const run = (file, ...args) => { try { return execFileSync(file, args, { encoding: 'utf8', stdio: 'pipe' }).trim(); } catch (e) { return 'failed: ' + (e.stderr || e.message).trim(); } };
for (const path of ['/etc', '/usr', '/usr/lib/dunebugger-remote', '/etc/dunebugger-remote', '/var/log', '/var/lib', '/srv', '/opt', '/boot', '/run', '/'])
  attempt('write ' + path, () => fs.writeFileSync(path + '/probe', 'x'));
attempt('write home', () => fs.writeFileSync('/home/other/probe', 'x'));
attempt('write root home', () => fs.writeFileSync('/root/probe', 'x'));
attempt('write state', () => fs.writeFileSync('/var/lib/dunebugger-remote/probe', 'x'));
attempt('write sysctl', () => fs.writeFileSync('/proc/sys/net/ipv4/ip_forward', '1'));
attempt('write cgroup', () => fs.mkdirSync('/sys/fs/cgroup/probe'));
attempt('read shadow', () => fs.readFileSync('/etc/shadow'));
attempt('read environment file', () => fs.readFileSync('/etc/dunebugger-remote/environment'));
attempt('read credentials', () => fs.readdirSync('/etc/dunebugger-remote/credentials'));
attempt('read home', () => fs.readFileSync('/home/other/readable-by-all', 'utf8'));
attempt('read other state', () => fs.readFileSync('/var/lib/other/private'));
attempt('read tmp', () => fs.readdirSync('/tmp').join());
attempt('read disk', () => fs.readdirSync('/dev').filter((name) => /^(sd|vd|nvme|mmcblk|mem$|kmsg$|gpiochip)/.test(name)).join());
attempt('see processes', () => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => { try { return fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8').split('\0')[0]; } catch { return 'hidden'; } }).filter((n) => !/node$/.test(n)).join());
attempt('signal another', () => { process.kill(Number(process.env.OTHER_PID), 0); });
attempt('signal init', () => { process.kill(1, 0); });
attempt('make setuid', () => { fs.writeFileSync('/var/lib/dunebugger-remote/suid', ''); fs.chmodSync('/var/lib/dunebugger-remote/suid', 0o4755); });
attempt('status', () => Object.fromEntries(fs.readFileSync('/proc/self/status', 'utf8').split('\n').map((l) => l.split(':\t'))));
attempt('uid', () => process.getuid());
outcome['read journal'] = run('journalctl', '--quiet', '--no-pager', '--lines=5');
outcome['setuid program'] = run('/bin/su', 'root', '-c', 'id');
outcome['user namespace'] = run('unshare', '--user', '--map-root-user', 'id');
outcome['mount'] = run('mount', '-t', 'tmpfs', 'none', '/mnt');
outcome['become root'] = run('setpriv', '--reuid=0', '--clear-groups', 'id');
outcome['set clock'] = run('date', '-s', '2001-01-01');
outcome['set hostname'] = run('hostname', 'probe');
outcome['change link'] = run('ip', 'link', 'set', 'lo', 'down');
outcome['make device'] = run('mknod', '/var/lib/dunebugger-remote/null', 'c', '1', '3');
outcome['bind to an interface'] = run('perl', '-e', 'use Socket; socket(my $s, AF_INET, SOCK_STREAM, 0) or die $!; setsockopt($s, SOL_SOCKET, 25, "lo\\0") or die $!; alarm 1; print "bound"');
outcome['see links'] = run('ip', '-json', 'link');
fs.writeFileSync('/var/lib/dunebugger-remote/outcome.json', JSON.stringify(outcome));
`;

/** Declares the tests, for a test file to call. */
export function describeSandbox(debian: Debian): void {
  describe(`the sandbox, on ${debian}`, () => sandboxOf(debian));
}

function sandboxOf(debian: Debian): void {
  let machine: Machine;
  let outcome: Record<string, unknown>;
  let status: Record<string, string>;

  before(async () => {
    machine = await machineWithService({
      debian,
      dropIn: ['EnvironmentFile=/run/probe-environment', `ExecStartPost=${NODE_OF[debian]} /usr/local/lib/probe.mjs`],
      prepare: async (it) => {
        await it.write('/usr/local/lib/probe.mjs', PROBE);
        await it.write('/etc/dunebugger-remote/credentials/AUTH0_PASSWORD', 'of the credential\n', '600');
        await it.sh(`
          mkdir -p /home/other /var/lib/other /srv /opt
          echo secret > /home/other/readable-by-all; chmod -R a+rX /home/other
          echo secret > /var/lib/other/private; chmod 600 /var/lib/other/private
          echo secret > /tmp/of-somebody-else
          systemd-run --quiet --unit=other sleep 600
          echo "OTHER_PID=$(systemctl show --value --property=MainPID other)" > /run/probe-environment`);
      },
    });
    outcome = JSON.parse(await machine.sh('cat /var/lib/dunebugger-remote/outcome.json')) as Record<string, unknown>;
    status = outcome['status'] as Record<string, string>;
  });
  after(() => machine.stop());

  it('the service itself is well in it', async () => {
    assert.equal(await machine.show('ActiveState'), 'active');
    const lines = await machine.sh(
      `cat /sys/fs/cgroup/system.slice/dunebugger-remote.service/cgroup.procs | while read pid; do tr '\\0' ' ' < /proc/$pid/cmdline; echo; done`,
    );
    assert.match(lines, /^ip -oneline monitor link address route/m);
    await machine.logged(/^Offline: no network link/);
    assert.deepEqual(
      (await machine.journal(UNIT, '--identifier=dunebugger-remote', '--priority=err')).map(({ message }) => message),
      [],
    );
    assert.match(String(outcome['see links']), /"ifname":"lo"/);
    // What stands by is tried over its own interface.
    assert.equal(outcome['bind to an interface'], 'bound');
  });

  it('writes nowhere but into its state directory', async () => {
    const written = Object.entries(outcome).filter(([name]) => name.startsWith('write '));
    for (const [name, what] of written) {
      if (name === 'write state') assert.equal(what, 'ok');
      else assert.match(String(what), /^(EROFS|EACCES|EPERM|ENOENT)$/, name);
    }
    assert.ok(written.length >= 15);
    assert.equal(
      (await machine.sh("find / -xdev -type f -name probe -not -path '/proc/*'")).trim(),
      '/var/lib/private/dunebugger-remote/probe',
    );
  });

  it('reads no secret of anybody else, and its own only where systemd hands it over', async () => {
    for (const name of ['shadow', 'environment file', 'credentials', 'home', 'other state'])
      assert.match(String(outcome[`read ${name}`]), /^(EACCES|EPERM|ENOENT)$/, name);
    assert.equal(outcome['read tmp'], '');
    assert.match(String(outcome['read journal']), /^(|failed: .*permission.*)$/is);
    // As the user and in the sight of the daemon: systemd 252 hands credentials to the main process alone.
    const ofDaemon = `--target ${await mainPid(machine)} --mount --setuid ${String(outcome['uid'])} --setgid ${String(outcome['uid'])}`;
    assert.equal(
      await machine.sh(`nsenter ${ofDaemon} cat /run/credentials/dunebugger-remote.service/AUTH0_PASSWORD`),
      'of the credential\n',
    );
    assert.equal(outcome['read disk'], '');
  });

  it('sees and signals no process of others', () => {
    const seen = String(outcome['see processes'])
      .split(',')
      .filter((name) => name !== '' && name !== 'ip');
    assert.deepEqual(seen, []);
    assert.match(String(outcome['signal another']), /^(EPERM|ESRCH)$/);
    assert.match(String(outcome['signal init']), /^(EPERM|ESRCH)$/);
  });

  it('is nobody in particular, and cannot become more', async () => {
    const uid = Number(outcome['uid']);
    assert.equal(uid, Number(await machine.sh('id -u dunebugger-remote')), 'a user of its own');
    assert.ok(uid > 0 && uid < 1_000, 'of the system');
    assert.equal(status['NoNewPrivs'], '1');
    assert.equal(status['Seccomp'], '2');
    for (const kind of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) assert.match(status[kind]!, /^0+$/, kind);
    assert.match(String(outcome['make setuid']), /EPERM/);
    for (const name of [
      'become root',
      'setuid program',
      'user namespace',
      'mount',
      'set clock',
      'set hostname',
      'change link',
      'make device',
    ])
      assert.match(
        String(outcome[name]),
        /^failed: .*(not permitted|denied|must be|failure)/is,
        `${name}: ${String(outcome[name])}`,
      );
    const ofDaemon = await machine.sh(`cat /proc/${await mainPid(machine)}/status`);
    assert.match(ofDaemon, /^NoNewPrivs:\t1$/m);
    assert.match(ofDaemon, /^CapBnd:\t0+$/m);
  });

  it('its exposure, as systemd rates it, is at most 1.5', async () => {
    const { stdout } = await machine.run('systemd-analyze', [
      'security',
      '--no-pager',
      '--threshold=15',
      'dunebugger-remote',
    ]);
    const level = Number(/Overall exposure level for dunebugger-remote.service: ([\d.]+)/.exec(stdout)?.[1]);
    assert.ok(level <= 1.5, stdout);
  });

  it('the unit file holds nothing that systemd does not know', async () => {
    const { code, stdout, stderr } = await machine.run('systemd-analyze', [
      'verify',
      '--man=no',
      'dunebugger-remote.service',
    ]);
    assert.equal(`${stdout}${stderr}`.trim(), '');
    assert.equal(code, 0);
  });

  it('a request to the update coordinator gets out where the README has been followed, and nowhere else', async () => {
    const requests = '/var/dunebugger/updates/requests';
    await machine.write(
      '/usr/local/lib/probe-updates.mjs',
      `import fs from 'node:fs';
      const { coordinatorFiles } = await import(process.env.FILES_MODULE);
      const said = await coordinatorFiles('/var/dunebugger/updates').hand('a-request', '{"component":"core"}');
      fs.writeFileSync('/var/lib/dunebugger-remote/said', said ?? 'handed over');`,
    );
    const module = (await machine.sh('find /usr/lib/dunebugger-remote -name coordinator-files.js')).trim();
    const dropIn = (...lines: readonly string[]): string => ['[Service]', ...lines, ''].join('\n');
    const said = async (...lines: readonly string[]): Promise<string> => {
      await machine.write(
        '/run/systemd/system/dunebugger-remote.service.d/updates.conf',
        dropIn(
          'ExecStartPost=',
          `Environment=FILES_MODULE=${module}`,
          `ExecStartPost=${NODE_OF[debian]} /usr/local/lib/probe-updates.mjs`,
          ...lines,
        ),
      );
      await machine.sh('systemctl daemon-reload; systemctl restart dunebugger-remote');
      return machine.sh('cat /var/lib/dunebugger-remote/said');
    };
    assert.match(await said(), /there is no update coordinator/);
    // As its own installation leaves it.
    await machine.sh(`mkdir -p ${requests} /var/dunebugger/updates/status; chmod 755 ${requests}`);
    assert.match(await said(), /does not let this service hand anything over/);
    await machine.sh(
      // What `groupadd --system` does; this small Debian has none.
      `echo dunebugger-updates:x:970: >> /etc/group; chgrp dunebugger-updates ${requests}; chmod 2770 ${requests}`,
    );
    assert.match(await said(), /does not let this service hand anything over/);
    assert.equal(await said('SupplementaryGroups=dunebugger-updates'), 'handed over');
    assert.equal(
      (await machine.sh(`cd ${requests}; ls -A; stat -c %a a-request.json; cat a-request.json`)).trim(),
      '.a-request.handed-over\na-request.json\n644\n{"component":"core"}',
    );
    await machine.sh('rm /run/systemd/system/dunebugger-remote.service.d/updates.conf; systemctl daemon-reload');
  });

  it('the configuration that only root may read reaches the service, a .env of the Python version too', async () => {
    assert.equal((await machine.sh("stat -c '%a %U' /etc/dunebugger-remote/environment")).trim(), '600 root');
    await machine.sh('rm /etc/dunebugger-remote/environment');
    const from = Date.now();
    await machine.write(
      '/etc/dunebugger-remote/.env',
      `${SIGN_IN}LOCATION_DESCRIPTION='a place' # with a comment\n`,
      '600',
    );
    await machine.sh('systemctl restart dunebugger-remote');
    await machine.logged(/^DuneBugger Remote starts .*env=\/etc\/dunebugger-remote\/\.env/, { sinceMs: from });
    assert.equal(await machine.show('ActiveState'), 'active');
  });
}
