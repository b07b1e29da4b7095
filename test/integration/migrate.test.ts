/** `migrate` on a copy of each layout of the Python version, with stand-ins of docker and systemctl on the PATH. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { runCommandsIn } from '../../src/main/cli/migrate/commands.js';
import { lockFolder } from '../../src/main/cli/migrate/lock.js';
import { CliProcess } from '../support/cli-process.js';
import { OldPi, POWER_CUT, type OldPiOptions } from '../support/old-pi.js';
import { dotEnvOf, GENERATIONS } from '../support/python-generations.js';
import { LAYOUTS, type Layout } from '../support/python-layouts.js';

const CONF = '/etc/dunebugger-remote/dunebugger.conf';
const ENVIRONMENT = '/etc/dunebugger-remote/environment';
const LOCK = new URL('../../src/main/cli/migrate/lock.js', import.meta.url).href;
const JOURNAL = '/etc/dunebugger-remote/migration.json';
const [HOME] = LAYOUTS as readonly [Layout, ...Layout[]];

let pi: OldPi;
function oldPi(layout: Layout = HOME, options: OldPiOptions = {}): OldPi {
  pi = new OldPi(layout, options);
  return pi;
}
afterEach(() => pi.dispose());

for (const layout of LAYOUTS) {
  describe(`an old installation ${layout.name}`, () => {
    it('is shown with what would be done and why, and nothing is changed', async () => {
      oldPi(layout);
      const before = pi.snapshot();
      const { code, stdout, stderr } = await pi.migrate('plan');
      assert.deepEqual([code, stderr], [0, '']);
      const steps = stdout.split('\n').filter((line) => /^ {2}\d\. /.test(line));
      assert.deepEqual(
        steps.map((line) => line.trim()),
        [
          `1. Write ${CONF} as ${layout.confFile} is`,
          `2. Write into ${ENVIRONMENT} the variables of ${layout.envFile}, for root alone (0600)`,
          `3. ${layout.composeFile}: take out the service ${layout.service} and the \`depends_on\` of ${layout.scheduler} on it`,
          '4. Stop and remove the container dunebugger-remote (running, restart unless-stopped)',
          '5. Start dunebugger-remote.service',
          '6. Restart the container dunebugger-scheduler',
        ],
      );
      assert.match(stdout, /\[Websocket\] connectionIntervalSecs = 60 \(default: 7\)/);
      assert.match(stdout, /AUTH0_PASSWORD = \(not shown\)/);
      assert.match(stdout, /WS_GROUP_NAME = velasquez/);
      assert.match(stdout, /Nothing was changed\. To do it: sudo dunebugger-remote migrate --apply/);
      assert.deepEqual(pi.snapshot(), before);
      assert.deepEqual(pi.changes, []);
    });

    it('is moved by --apply, in the order of the plan', async () => {
      oldPi(layout);
      const { code, stderr } = await pi.migrate('apply');
      assert.deepEqual([code, stderr], [0, '']);
      assert.equal(pi.read(CONF), layout.files.get(layout.confFile));
      assert.match(pi.read(ENVIRONMENT), /^AUTH0_PASSWORD="Sabbia & dune #42"$/m);
      assert.match(
        pi.read(ENVIRONMENT),
        /^# The Web PubSub group of this installation\. Required\.\nWS_GROUP_NAME=velasquez$/m,
      );
      assert.equal(pi.mode(ENVIRONMENT), '600');
      assert.equal(pi.mode(JOURNAL), '600');
      assert.doesNotMatch(pi.read(JOURNAL), /Sabbia/);
      assert.equal(pi.read(layout.composeFile), layout.composeAfter);
      assert.equal(pi.read(`${layout.composeFile}.before-migrate`), layout.files.get(layout.composeFile));
      assert.deepEqual(pi.containers, ['+dunebugger-scheduler']);
      assert.deepEqual(pi.changes, [
        'docker stop dunebugger-remote',
        'docker rm dunebugger-remote',
        'systemctl restart dunebugger-remote.service',
        'docker restart dunebugger-scheduler',
      ]);
    });

    it('is left alone by a second --apply, which says that there is nothing to do', async () => {
      oldPi(layout);
      await pi.migrate('apply');
      const [files, changes] = [pi.snapshot(), pi.changes];
      for (const does of ['apply', 'plan'] as const) {
        const { code, stdout, stderr } = await pi.migrate(does);
        assert.deepEqual([code, stderr], [0, '']);
        assert.match(stdout, /Nothing to do: all is moved already/);
      }
      assert.deepEqual([pi.snapshot(), pi.changes], [files, changes]);
    });

    it('is put back by --undo, file by file, container by container; a second one has nothing to undo', async () => {
      oldPi(layout);
      const before = pi.snapshot();
      await pi.migrate('apply');
      const since = pi.changes.length;
      const { code, stdout, stderr } = await pi.migrate('undo');
      assert.deepEqual([code, stderr], [0, '']);
      assert.match(stdout, /Done: all is as it was before/);
      assert.deepEqual(pi.snapshot(), before);
      assert.deepEqual(pi.containers, ['+dunebugger-remote', '+dunebugger-scheduler']);
      const folder = layout.composeFile.replace(/\/[^/]*$/, '');
      assert.deepEqual(pi.changes.slice(since), [
        'systemctl stop dunebugger-remote.service',
        `docker compose -f ${layout.composeFile} --project-directory ${folder} -p pi up --detach --no-deps ${layout.service}`,
        'docker restart dunebugger-scheduler',
      ]);
      const again = await pi.migrate('undo');
      assert.deepEqual([again.code, again.stderr], [0, '']);
      assert.match(again.stdout, /Nothing to undo/);
      assert.equal((await pi.migrate('apply')).code, 0, 'and it can be moved again');
    });

    it('is moved on a mounted card without a word to docker or systemd; the container is for the first start', async () => {
      oldPi(layout);
      const before = pi.snapshot();
      const { code, stdout } = await pi.migrate('apply', 'card');
      assert.equal(code, 0);
      assert.match(stdout, /still in the Docker of that system/);
      assert.equal(pi.read(layout.composeFile), layout.composeAfter);
      assert.match(pi.read(ENVIRONMENT), /^WS_GROUP_NAME=velasquez$/m);
      assert.deepEqual(pi.changes, []);

      await pi.migrate('undo', 'card');
      assert.deepEqual(pi.snapshot(), before);
      await pi.migrate('apply', 'card');
      const later = await pi.migrate('apply');
      assert.deepEqual([later.code, later.stderr], [0, '']);
      assert.deepEqual(pi.containers, ['+dunebugger-scheduler']);
      assert.equal(pi.state.service.ActiveState, 'active');
    });
  });
}

describe('an old installation that is not quite what it should be', () => {
  it('its conf is missing: said, the rest is moved, ours stays as it is', async () => {
    oldPi();
    pi.remove(HOME.confFile);
    const ours = pi.read(CONF).replace('authURL =', 'authURL = dunebugger.eu.auth0.com');
    pi.write(CONF, ours);
    const { code, stdout } = await pi.migrate('apply');
    assert.equal(code, 0, stdout);
    assert.match(
      stdout,
      /\/opt\/dunebugger-remote\/config\/dunebugger\.conf, where the old service has its conf, is not there/,
    );
    assert.equal(pi.read(CONF), ours);
    assert.match(pi.read(ENVIRONMENT), /^WS_GROUP_NAME=velasquez$/m);
  });

  it('its .env is missing, and nothing else knows the sign-in: nothing is changed, exit 78', async () => {
    oldPi();
    pi.remove(HOME.envFile);
    const before = pi.snapshot();
    const { code, stdout, stderr } = await pi.migrate('apply');
    assert.equal(code, 78);
    assert.match(stdout, /\/home\/pi\/\.env, which the old service has its environment from, is not there/);
    assert.match(stdout, /would not start with these settings:\n {2}- WS_GROUP_NAME is not set: name the group/);
    assert.match(stderr, /nothing was changed; see to the above/);
    assert.deepEqual([pi.snapshot(), pi.changes], [before, []]);
  });

  it('its .env is missing, but the container still has it: taken from there', async () => {
    oldPi();
    pi.change(({ containers }) => {
      const lines = pi.read(HOME.envFile).trimEnd().split('\n');
      containers[0]!.Config.Env.push(...lines.map((line) => line.replaceAll(/['"]/g, '')));
    });
    pi.remove(HOME.envFile);
    const { code, stdout } = await pi.migrate('apply');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /the variables of the container dunebugger-remote/);
    assert.match(pi.read(ENVIRONMENT), /^AUTH0_PASSWORD="Sabbia & dune #42"$/m);
  });

  it('its conf is no conf: nothing is changed, and each line that is wrong is named', async () => {
    oldPi();
    pi.write(HOME.confFile, '[Websocket]\nconnectionIntervalSecs = soon\n');
    const before = pi.snapshot();
    const { code, stdout } = await pi.migrate('apply');
    assert.equal(code, 78);
    assert.match(stdout, /line 2: \[Websocket\] connectionIntervalSecs = "soon" is not allowed/);
    assert.deepEqual([pi.snapshot(), pi.changes], [before, []]);
  });

  for (const [what, text, says] of [
    ['no YAML', 'services:\n  dunebugger-remote: [\n', /docker-compose\.yaml is not valid YAML: .*by hand/],
    [
      'an anchor that others use',
      'services:\n  dunebugger-remote: &it\n    image: x/dunebugger-remote\n  other:\n    <<: *it\n    image: z\n',
      /docker-compose\.yaml uses parts of the old service elsewhere/,
    ],
    [
      'somebody in its network',
      'services:\n  dunebugger-remote:\n    image: x/y\n  vpn:\n    image: z\n    network_mode: service:dunebugger-remote\n',
      /docker-compose\.yaml has a service vpn that needs the old one by its `network_mode`/,
    ],
  ] as const) {
    it(`its compose file has ${what}: nothing is changed`, async () => {
      oldPi();
      pi.write(HOME.composeFile, text);
      const before = pi.snapshot();
      const { code, stdout } = await pi.migrate('apply');
      assert.equal(code, 1);
      assert.match(stdout, says);
      assert.deepEqual([pi.snapshot(), pi.changes], [before, []]);
    });
  }

  it('its compose file is one that Docker Compose refuses anyway: moved, and said', async () => {
    oldPi();
    pi.write(HOME.composeFile, pi.read(HOME.composeFile).replace('    image: nats:latest\n', ''));
    const { code, stdout } = await pi.migrate('apply');
    assert.equal(code, 0, stdout);
    assert.match(
      stdout,
      /was no valid compose file before, and is none afterwards: .*"nats-server" has neither an image/,
    );
  });

  it('its container comes from `docker run`: stopped for good, not removed; --undo lets it come back', async () => {
    oldPi(HOME, { docker: 'without-compose' });
    pi.remove(HOME.composeFile);
    pi.change(({ containers }) => {
      containers[0]!.Mounts.push({
        Type: 'bind',
        Source: '/srv/elsewhere',
        Destination: '/app/app/config',
      });
    });
    pi.write('/srv/elsewhere/dunebugger.conf', pi.read(HOME.confFile));
    const { code, stdout } = await pi.migrate('apply');
    assert.equal(code, 0, stdout);
    assert.match(stdout, new RegExp(`Write ${CONF} as /srv/elsewhere/dunebugger\\.conf is`));
    assert.match(stdout, /Found, but not used: \/opt\/dunebugger-remote\/config\/dunebugger\.conf/);
    assert.deepEqual(pi.containers, ['+dunebugger-scheduler', '-dunebugger-remote']);
    assert.equal(pi.state.containers[0]!.HostConfig.RestartPolicy.Name, 'no');
    assert.match((await pi.migrate('apply')).stdout, /Nothing to do/);
    assert.equal((await pi.migrate('undo')).code, 0);
    assert.deepEqual(pi.containers, ['+dunebugger-remote', '+dunebugger-scheduler']);
    assert.equal(pi.state.containers[0]!.HostConfig.RestartPolicy.Name, 'unless-stopped');
  });

  it('its variables are those of February 2026: by our names, also where ours are set to nothing', async () => {
    const environment = GENERATIONS.find(({ confFile }) => confFile === undefined);
    oldPi();
    pi.remove(HOME.confFile);
    pi.write(HOME.envFile, dotEnvOf(environment!));
    const { code, stdout } = await pi.migrate('apply');
    assert.equal(code, 0, stdout);
    assert.match(pi.read(ENVIRONMENT), /^AUTH0_CLIENT_SECRET=cV3-nT8_pQ6wZ1rK5yB0$/m);
    assert.match(pi.read(ENVIRONMENT), /^DUNEBUGGER_AUTH_AUTH_URL=dunebugger\.eu\.auth0\.com$/m);
    assert.doesNotMatch(pi.read(ENVIRONMENT), /^WEBSOCKET_/m);
  });

  it('the bus has a name that only the container knew: said, with what to do', async () => {
    oldPi();
    pi.write('/etc/hosts', '127.0.0.1 localhost\n# 127.0.0.1 nats-server\n');
    assert.match((await pi.migrate('plan')).stdout, /add the line `127\.0\.0\.1 nats-server`/);
  });

  it('there is none: said, with where it was looked for', async () => {
    oldPi(HOME, { docker: 'absent' });
    for (const file of [HOME.composeFile, HOME.confFile, HOME.envFile]) pi.remove(file);
    const { code, stdout, stderr } = await pi.migrate('apply');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /Nothing of the Python version was found here/);
  });
});

describe('a Pi that is not quite what it should be', () => {
  it('has no Docker (any more): the files are moved, the service is started', async () => {
    oldPi(HOME, { docker: 'absent' });
    const { code, stdout } = await pi.migrate('apply');
    assert.equal(code, 0, stdout);
    assert.match(stdout, /There is no Docker here/);
    assert.equal(pi.read(HOME.composeFile), HOME.composeAfter);
    assert.deepEqual(pi.changes, ['systemctl restart dunebugger-remote.service']);
    assert.equal((await pi.migrate('undo')).code, 0);
    assert.equal(pi.read(HOME.composeFile), HOME.files.get(HOME.composeFile));
  });

  for (const [trouble, says] of [
    ['hangs', /Docker does not answer as it should.*`docker ps` did not end within 20 s/],
    ['fails', /Docker does not answer as it should.*Cannot connect to the Docker daemon/],
  ] as const) {
    it(`has a Docker that ${trouble}: nothing is changed, forth and back`, async () => {
      oldPi();
      pi.change(({ troubles }) => (troubles['all'] = trouble));
      const before = pi.snapshot();
      const { code, stdout } = await pi.migrate('apply');
      assert.equal(code, 1);
      assert.match(stdout, says);
      assert.deepEqual([pi.snapshot(), pi.changes.filter((call) => !call.startsWith('docker ps'))], [before, []]);

      pi.change(({ troubles }) => delete troubles['all']);
      await pi.migrate('apply');
      const moved = pi.snapshot();
      pi.change(({ troubles }) => (troubles['all'] = trouble));
      const { code: undone, stderr } = await pi.migrate('undo');
      assert.equal(undone, 1);
      assert.match(stderr, /the old container cannot be brought back: .* Nothing was changed/);
      assert.deepEqual(pi.snapshot(), moved);
    });
  }

  it('has a Docker without Docker Compose: nothing could make the container anew, so it is kept, and comes back by --undo', async () => {
    oldPi();
    pi.change(({ troubles }) => (troubles['compose'] = 'fails'));
    assert.equal((await pi.migrate('apply')).code, 0);
    assert.deepEqual(pi.containers, ['+dunebugger-scheduler', '-dunebugger-remote']);
    assert.equal((await pi.migrate('undo')).code, 0);
    assert.deepEqual(pi.containers, ['+dunebugger-remote', '+dunebugger-scheduler']);
  });

  it('loses its power at any moment: the next --apply ends where an unbroken one does, --undo where it began', async () => {
    oldPi();
    const [before, beforeState] = [pi.snapshot(), pi.state];
    await pi.migrate('apply');
    const [after, afterState] = [pi.snapshot(), pi.state];
    await pi.migrate('undo');
    let moments = 0;
    for (const goingOn of ['apply', 'undo'] as const) {
      for (let moment = 0; ; moment += 1) {
        pi.state = beforeState;
        const cut = await pi.migrate('apply', 'here', { cutAt: moment });
        if (cut.code !== POWER_CUT) break;
        moments += 1;
        const what = `${goingOn} after a cut at ${moment}`;
        const { code, stderr } = await pi.migrate(goingOn);
        assert.deepEqual([code, stderr], [0, ''], what);
        const [files, state] = goingOn === 'apply' ? [after, afterState] : [before, beforeState];
        assert.deepEqual(withoutJournal(pi.snapshot()), withoutJournal(files), what);
        assert.deepEqual(namesIn(pi.state), namesIn(state), what);
        assert.equal((await pi.migrate('undo')).code, 0, what);
        assert.deepEqual(pi.snapshot(), before, what);
      }
      await pi.migrate('undo');
    }
    assert.ok(moments > 40, `${moments} moments`);

    for (let moment = 0; ; moment += 1) {
      pi.state = beforeState;
      await pi.migrate('apply');
      const cut = await pi.migrate('undo', 'here', { cutAt: moment });
      if (cut.code !== POWER_CUT) break;
      assert.equal((await pi.migrate('undo')).code, 0);
      assert.deepEqual(pi.snapshot(), before, `undo after a cut at ${moment}`);
      assert.deepEqual(namesIn(pi.state), namesIn(beforeState));
    }
  });

  it('has a Docker that hangs in the middle: what is done stays, a second run does the rest, --undo all', async () => {
    oldPi();
    const before = pi.snapshot();
    pi.change(({ troubles }) => (troubles['stop'] = 'hangs'));
    const { code, stderr } = await pi.migrate('apply');
    assert.equal(code, 1);
    assert.match(
      stderr,
      /`docker stop dunebugger-remote` did not end within 90 s; what was done before it stays: run this again to go on/,
    );
    pi.change(({ troubles }) => delete troubles['stop']);
    const again = await pi.migrate('apply');
    assert.equal(again.code, 0, again.stdout);
    assert.doesNotMatch(again.stdout, /Write /, 'the files are written already');
    assert.deepEqual(pi.containers, ['+dunebugger-scheduler']);
    assert.equal(pi.state.service.ActiveState, 'active');
    assert.equal((await pi.migrate('undo')).code, 0);
    assert.deepEqual([pi.snapshot(), pi.containers], [before, ['+dunebugger-remote', '+dunebugger-scheduler']]);
  });

  it('refuses a file in the middle: said with the file, a second run does the rest', async () => {
    oldPi();
    pi.write(`${HOME.composeFile}.before-migrate/in-the-way`, '');
    const { code, stderr } = await pi.migrate('apply');
    assert.equal(code, 1);
    assert.match(stderr, /docker-compose\.yaml\.before-migrate.*: E/);
    assert.deepEqual(pi.changes, [], 'the old one still runs');
    pi.remove(`${HOME.composeFile}.before-migrate`);
    assert.equal((await pi.migrate('apply')).code, 0);
    assert.equal((await pi.migrate('undo')).code, 0);
    assert.equal(pi.read(HOME.composeFile), HOME.files.get(HOME.composeFile));
  });

  it('has files that were edited since: --undo keeps those beside, and says so', async () => {
    oldPi();
    await pi.migrate('apply');
    pi.write(CONF, '# mine\n');
    const edited = `${pi.read(HOME.composeFile)}# and mine\n`;
    pi.write(HOME.composeFile, edited);
    const second = await pi.migrate('apply');
    assert.match(second.stdout, /Nothing to do/, 'what was edited since is not taken back');
    const { code, stdout } = await pi.migrate('undo');
    assert.equal(code, 0);
    assert.match(
      stdout,
      new RegExp(`${CONF} was edited since: what it says now is kept in ${CONF}\\.edited-after-migrate`),
    );
    assert.equal(pi.read(`${CONF}.edited-after-migrate`), '# mine\n');
    assert.equal(pi.read(`${HOME.composeFile}.edited-after-migrate`), edited);
    assert.equal(pi.read(HOME.composeFile), HOME.files.get(HOME.composeFile));
  });

  it('has lost a copy: --undo leaves that file and puts the rest back; the journal keeps what is left', async () => {
    oldPi();
    await pi.migrate('apply');
    pi.remove(`${CONF}.before-migrate`);
    const { code, stderr } = await pi.migrate('undo');
    assert.equal(code, 1);
    assert.match(stderr, /dunebugger\.conf stays as it is: .*\.before-migrate, the copy of what it was, is gone/);
    assert.equal(pi.read(HOME.composeFile), HOME.files.get(HOME.composeFile));
    assert.match(pi.read(JOURNAL), /"role": "conf"/);
    assert.doesNotMatch(pi.read(JOURNAL), /"role": "compose"/);
  });

  it('is configured already: what is set there stays, and a difference is said without the secret', async () => {
    oldPi();
    pi.write(ENVIRONMENT, 'WS_GROUP_NAME=other\nAUTH0_PASSWORD="of mine"\n', 0o600);
    const { code, stdout } = await pi.migrate('apply');
    assert.equal(code, 0, stdout);
    assert.match(
      stdout,
      /WS_GROUP_NAME of \/home\/pi\/\.env is not taken over: .* has set it to something else \("other"\)/,
    );
    assert.match(stdout, /AUTH0_PASSWORD of \/home\/pi\/\.env is not taken over: [^"\n]*$/m);
    assert.match(
      pi.read(ENVIRONMENT),
      /^WS_GROUP_NAME=other\nAUTH0_PASSWORD="of mine"\n\n# Taken over .*\nAUTH0_CLIENT_ID=/m,
    );
  });

  it('has not the package: nothing is changed, since nothing would take the place of the old one', async () => {
    oldPi(HOME, { installed: false });
    const before = pi.snapshot();
    const { code, stdout } = await pi.migrate('apply');
    assert.equal(code, 1);
    assert.match(stdout, /dunebugger-remote\.service is not installed here.*: install the package first/);
    assert.deepEqual([pi.snapshot(), pi.changes], [before, []]);
  });

  it('has a journal that is none: nothing is changed', async () => {
    oldPi();
    for (const text of [
      '{',
      '{"version":2,"entries":[]}',
      '{"version":1,"entries":[{"kind":"file","path":"/etc/passwd"}]}',
    ]) {
      pi.write(JOURNAL, text);
      for (const does of ['apply', 'undo'] as const) {
        const { code, stderr } = await pi.migrate(does);
        assert.equal(code, 1);
        assert.match(stderr, /migration\.json (?:is not|has an entry).*what was done cannot be known/);
      }
    }
    assert.deepEqual(pi.changes, []);
  });

  it('is moved by two at the same time: one does it, the other says so and changes nothing', async () => {
    oldPi();
    const both = await Promise.all([pi.migrate('apply'), pi.migrate('apply')]);
    const [done, refused] = both[0].code === 0 ? both : [both[1], both[0]];
    assert.deepEqual([done.code, refused.code, refused.stdout], [0, 1, '']);
    assert.match(refused.stderr, /another `dunebugger-remote migrate` is at work; nothing was changed/);
    assert.deepEqual(pi.changes, [
      'docker stop dunebugger-remote',
      'docker rm dunebugger-remote',
      'systemctl restart dunebugger-remote.service',
      'docker restart dunebugger-scheduler',
    ]);
    assert.match((await pi.migrate('apply')).stdout, /Nothing to do: all is moved already/);
  });

  it('is being moved by another process: apply and undo wait for nothing, the plan is shown; one that is killed leaves no lock', async () => {
    oldPi();
    const folder = path.join(pi.root, '/etc/dunebugger-remote');
    const before = pi.snapshot();
    const script = `
      const { lockFolder } = await import(${JSON.stringify(LOCK)});
      console.log((await lockFolder(${JSON.stringify(folder)})).kind);
      setInterval(() => undefined, 1_000);`;
    const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [said] = (await once(other.stdout, 'data')) as [Buffer];
      assert.equal(said.toString(), 'held\n');
      for (const does of ['apply', 'undo'] as const) {
        const { code, stderr } = await pi.migrate(does);
        assert.equal(code, 1);
        assert.match(stderr, /another `dunebugger-remote migrate` is at work/);
      }
      assert.equal((await pi.migrate('plan')).code, 0);
      assert.deepEqual([pi.snapshot(), pi.changes], [before, []]);
    } finally {
      other.kill('SIGKILL');
    }
    // The kernel takes the lock back in its own time.
    let undone = await pi.migrate('undo');
    for (let i = 0; i < 500 && undone.code !== 0; i += 1) {
      await setTimeout(10);
      undone = await pi.migrate('undo');
    }
    assert.equal(undone.code, 0, undone.stderr);
    assert.equal((await pi.migrate('apply')).code, 0);
  });

  it('is on a machine without flock: it cannot be known, so nothing is changed', async () => {
    oldPi();
    const folder = path.join(pi.root, '/etc');
    assert.deepEqual(await lockFolder(folder, { PATH: '/nowhere' }), { kind: 'failed', why: 'flock: ENOENT' });
    const missing = await lockFolder(`${folder}/nothing/here`);
    assert.match(missing.kind === 'failed' ? missing.why : missing.kind, /^flock ended with \d+$/);
  });

  it('is asked by somebody who is not root: the plan is shown, nothing else', async () => {
    oldPi();
    assert.equal((await pi.migrate('plan', 'here', { isRoot: false })).code, 0);
    for (const does of ['apply', 'undo'] as const) {
      const { code, stdout, stderr } = await pi.migrate(does, 'here', { isRoot: false });
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, new RegExp(`sudo dunebugger-remote migrate --${does}`));
    }
  });

  it('is a card with links: they lead to the card, never out of it', async () => {
    oldPi();
    pi.write('/srv/env', pi.read(HOME.envFile));
    pi.remove(HOME.envFile);
    symlinkSync('/srv/env', `${pi.root}${HOME.envFile}`);
    pi.write('/srv/compose', pi.read(HOME.composeFile));
    pi.remove(HOME.composeFile);
    symlinkSync('../../../../../../srv/compose', `${pi.root}${HOME.composeFile}`);
    assert.equal((await pi.migrate('apply', 'card')).code, 0);
    assert.match(pi.read(ENVIRONMENT), /^WS_GROUP_NAME=velasquez$/m);
    assert.equal(pi.read('/srv/compose'), HOME.composeAfter);
  });
});

function withoutJournal(files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...files].filter(([file]) => file !== JOURNAL));
}

function namesIn({ containers }: OldPi['state']): readonly string[] {
  return containers.map(({ Name, State }) => `${Name} ${State.Running}`).sort();
}

describe('the command itself', () => {
  it('shows a card, as a process', async () => {
    oldPi();
    const { code, stdout, stderr } = await CliProcess.run({ args: ['migrate', '--root', pi.root] });
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(
      stdout,
      new RegExp(`Nothing was changed\\. To do it: sudo dunebugger-remote migrate --root ${pi.root} --apply`),
    );
  });

  it('asks the real commands on the PATH, and ends what hangs with all that it has started', async () => {
    oldPi(HOME, { processes: true });
    assert.equal((await pi.migrate('apply')).code, 0);
    assert.deepEqual(pi.containers, ['+dunebugger-scheduler']);

    const run = runCommandsIn({ PATH: '/usr/bin:/bin' });
    const hung = await run('sh', ['-c', 'sleep 600 & echo $!; wait'], { deadlineMs: 500 });
    assert.deepEqual(hung, { kind: 'hung', deadlineMs: 500 });
    assert.deepEqual(await run('no-such-command', []), { kind: 'missing' });
    assert.deepEqual(await run('cat', [], { input: 'x' }), { kind: 'ended', code: 0, stdout: 'x', stderr: '' });
    assert.deepEqual(await run('sh', ['-c', 'kill -9 $$']), { kind: 'broken', why: 'ended by SIGKILL' });
  });
});
