/** `migrate` on a real system: the package installed, a real systemd, the real files; only Docker is a stand-in, on the PATH. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { containerOf, type StandInState } from '../support/docker-stand-in.js';
import { registerSecret } from '../support/everything-logged.js';
import { SECRETS } from '../support/installation.js';
import { LAYOUTS, type Layout } from '../support/python-layouts.js';
import type { Machine, RunResult } from './machine.js';
import { CONF, ENVIRONMENT, machineWithService, mainPid, UNIT } from './service.js';

const FOLDER = '/var/lib/docker-stand-in';
const STAND_IN = fileURLToPath(new URL('../support/docker-stand-in.js', import.meta.url));
const JOURNAL = '/etc/dunebugger-remote/migration.json';
/** What it is with nothing filled in. */
const EMPTY = '# Mine\nWS_GROUP_NAME=\nAUTH0_PASSWORD=\n';

for (const secret of Object.values(SECRETS)) registerSecret(secret);

describe('a Pi with the Python version', () => {
  let machine: Machine;
  let shippedConf: string;

  before(async () => {
    machine = await machineWithService({ environment: EMPTY });
    shippedConf = await machine.sh(`cat ${CONF}`);
    // Type of the module, for Node.
    await machine.write(`${FOLDER}/package.json`, '{"type":"module"}');
    await machine.write(`${FOLDER}/docker-stand-in.js`, readFileSync(STAND_IN));
    await machine.write(
      '/usr/local/bin/docker',
      `#!/bin/sh\nexec /usr/bin/node ${FOLDER}/docker-stand-in.js ${FOLDER} docker "$@"\n`,
      '755',
    );
  });
  after(() => machine.stop());

  /** As an operator at the shell, whose PATH has /usr/local/bin. */
  const migrate = (...args: readonly string[]): Promise<RunResult> =>
    machine.run('env', [
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'dunebugger-remote',
      'migrate',
      ...args,
    ]);

  const state = async (): Promise<StandInState> =>
    JSON.parse(await machine.sh(`cat ${FOLDER}/state.json`)) as StandInState;

  const put = async (
    containers: StandInState['containers'],
    troubles: StandInState['troubles'] = {},
  ): Promise<void> => {
    const service = { ActiveState: '', UnitFileState: '' };
    const yamlFrom = '/usr/lib/dunebugger-remote/package.json';
    const whole: StandInState = { root: '', yamlFrom, troubles, containers, service };
    await machine.write(`${FOLDER}/state.json`, JSON.stringify(whole));
  };

  /** The machine as it is before a move: the old installation runs, ours has just been installed. */
  async function layOut(layout: Layout): Promise<void> {
    await machine.sh(`
      rm -rf /opt/dunebugger* /home/pi ${JOURNAL} ${FOLDER}/calls /etc/dunebugger-remote/*migrate
      systemctl stop ${UNIT}`);
    await machine.write(CONF, shippedConf);
    await machine.write(ENVIRONMENT, EMPTY, '600');
    for (const [path, text] of layout.files) await machine.write(path, text);
    const { composeFile, service, scheduler } = layout;
    const origin = { file: composeFile, folder: composeFile.replace(/\/[^/]*$/, ''), project: 'pi' };
    await put(
      [
        [service, 'dunebugger-remote'],
        [scheduler, 'dunebugger-scheduler'],
      ].map(([name = '', container = '']) =>
        containerOf(name, { image: `x/${container}:1`, container_name: container, restart: 'unless-stopped' }, origin),
      ),
    );
  }

  const names = async (): Promise<readonly string[]> =>
    (await state()).containers.map(({ Name, State }) => `${State.Running ? '+' : '-'}${Name.slice(1)}`).sort();

  /** Mode, owner and hash of all that a move may touch. */
  const files = (): Promise<string> =>
    machine.sh(
      `find /etc/dunebugger-remote /opt /home -type f -exec stat -c '%n %a %U:%G' {} + -exec sha256sum {} + | sort`,
    );

  for (const layout of LAYOUTS) {
    it(`${layout.name}: plan, apply, apply again, undo`, async () => {
      await layOut(layout);
      const before = await files();

      const plan = await migrate();
      assert.deepEqual([plan.code, plan.stderr], [0, ''], plan.stdout);
      assert.match(plan.stdout, /6\. Restart the container dunebugger-scheduler/);
      assert.equal(await files(), before);

      const applied = await migrate('--apply');
      assert.deepEqual([applied.code, applied.stderr], [0, ''], applied.stdout);
      assert.equal(await machine.sh(`cat '${layout.composeFile}'`), layout.composeAfter);
      assert.deepEqual(await names(), ['+dunebugger-scheduler']);
      assert.equal(await machine.show('ActiveState'), 'active');
      // What systemd made of the file, quotes and all, is what the service has.
      const environment = await machine.sh(`tr '\\0' '\\n' < /proc/${await mainPid(machine)}/environ`);
      assert.match(environment, new RegExp(`^AUTH0_PASSWORD=${SECRETS.password}$`, 'm'));
      assert.match(environment, /^LOCATION_DESCRIPTION=Chiesa di San Nicola, Bari$/m);
      assert.equal((await machine.sh(`stat -c '%a %U' ${ENVIRONMENT} ${JOURNAL}`)).trim(), '600 root\n600 root');

      const moved = await files();
      const again = await migrate('--apply');
      assert.deepEqual([again.code, again.stderr], [0, '']);
      assert.match(again.stdout, /Nothing to do: all is moved already/);
      assert.equal(await files(), moved);

      const undone = await migrate('--undo');
      assert.deepEqual([undone.code, undone.stderr], [0, ''], undone.stdout);
      assert.equal(await files(), before);
      assert.deepEqual(await names(), ['+dunebugger-remote', '+dunebugger-scheduler']);
      assert.notEqual(await machine.show('ActiveState'), 'active');
      for (const { stdout } of [plan, applied, again, undone]) {
        for (const secret of Object.values(SECRETS)) assert.ok(!stdout.includes(secret));
      }
    });
  }

  it('a file is read-only: nothing is changed, and which one it is is said', async () => {
    const [layout] = LAYOUTS as readonly [Layout, ...Layout[]];
    await layOut(layout);
    const before = await files();
    for (const path of [layout.composeFile, '/etc/dunebugger-remote']) {
      await machine.sh(`mount --bind '${path}' '${path}'; mount -o remount,bind,ro '${path}'`);
      try {
        const { code, stdout, stderr } = await migrate('--apply');
        assert.equal(code, 1, stdout);
        assert.match(
          stdout,
          new RegExp(`In the way:\\n {2}- ${path}.* cannot be written \\(its file system is read-only`),
        );
        assert.match(stderr, /nothing was changed/);
      } finally {
        await machine.sh(`umount '${path}'`);
      }
      assert.equal(await files(), before);
    }
    assert.deepEqual(await names(), ['+dunebugger-remote', '+dunebugger-scheduler']);
  });

  it('the old .env is missing: nothing is changed, exit 78; with the conf missing the rest is moved', async () => {
    const [, layout] = LAYOUTS as readonly [Layout, Layout, ...Layout[]];
    await layOut(layout);
    await machine.sh(`rm '${layout.envFile}'`);
    const before = await files();
    const { code, stdout } = await migrate('--apply');
    assert.equal(code, 78, stdout);
    assert.match(stdout, /WS_GROUP_NAME is not set/);
    assert.equal(await files(), before);

    await layOut(layout);
    await machine.sh(`rm '${layout.confFile}'; echo AUTH_AUTHURL=dunebugger.eu.auth0.com >> '${layout.envFile}'`);
    const moved = await migrate('--apply');
    assert.equal(moved.code, 0, moved.stdout);
    assert.match(moved.stdout, /where the old service has its conf, is not there/);
    assert.equal(await machine.sh(`cat ${CONF}`), shippedConf);
    assert.equal(await machine.show('ActiveState'), 'active');
    assert.equal((await migrate('--undo')).code, 0);
  });

  it('Docker fails, or is not there', async () => {
    const [layout] = LAYOUTS as readonly [Layout, ...Layout[]];
    await layOut(layout);
    const before = await files();
    const { containers } = await state();
    await put(containers, { all: 'fails' });
    const failing = await migrate('--apply');
    assert.equal(failing.code, 1);
    assert.match(failing.stdout, /Docker does not answer as it should/);
    assert.equal(await files(), before);

    await machine.sh('mv /usr/local/bin/docker /root/docker');
    const without = await migrate('--apply');
    assert.equal(without.code, 0, without.stdout);
    assert.match(without.stdout, /There is no Docker here/);
    assert.equal(await machine.sh(`cat '${layout.composeFile}'`), layout.composeAfter);
    assert.equal(await machine.show('ActiveState'), 'active');
    assert.equal((await migrate('--undo')).code, 0);
    assert.equal(await files(), before);
    await machine.sh('mv /root/docker /usr/local/bin/docker');
  });

  it('somebody who is not root is told what to type', async () => {
    const { code, stderr } = await machine.run('setpriv', [
      '--reuid=nobody',
      '--clear-groups',
      'dunebugger-remote',
      'migrate',
      '--apply',
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /sudo dunebugger-remote migrate --apply/);
  });
});
