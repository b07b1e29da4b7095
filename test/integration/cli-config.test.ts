/** `config check` and `config show` where no systemd has the service: what `run` would have here, of every source. */
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CliProcess, type Finished } from '../support/cli-process.js';
import { registerSecret } from '../support/everything-logged.js';

const SECRETS = {
  password: 'Wanderdune#38',
  clientSecret: 'q8Zr-0aK_t6Lw',
  clientId: 'kD73ksPq01',
  username: 'pi-in-the-dunes@example.org',
  bus: 'nats-Pass-51',
} as const;

interface Shown {
  readonly ofService: boolean;
  readonly confFile: string | null;
  readonly envFile: string | null;
  readonly problems: readonly string[];
  readonly settings: readonly {
    readonly name: string;
    readonly section: string | null;
    readonly value?: unknown;
    readonly secret: boolean;
    readonly set?: boolean;
    readonly source: object;
    readonly notCounting: readonly object[];
    readonly allowed: boolean;
  }[];
}

describe('config', () => {
  let folder = '';
  let conf = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'cli-config-'));
    conf = path.join(folder, 'dunebugger.conf');
    for (const secret of Object.values(SECRETS)) registerSecret(secret);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** No systemctl is found, so the machine's own service, if it has one, plays no part. */
  const config = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
    CliProcess.run({ args: ['config', ...args], env: { PATH: '/nonexistent', ...env }, cwd: folder });

  const lines = (text: string): readonly string[] => text.trimEnd().split('\n');

  /** One of each source: the conf, the .env, the environment, a credential. */
  async function ofEverySource(): Promise<Record<string, string>> {
    await writeFile(
      conf,
      `[Websocket]\n# one line down\ntestDomain = example.org\nconnectionIntervalSecs = 9\nconnectionTimeoutSecs = 3\n[Auth]\nauthURL = auth.example\n[MessageQueue]\nmQueueServers = nats://core:${SECRETS.bus}@bus:4222\n`,
    );
    await writeFile(
      path.join(folder, '.env'),
      `WS_GROUP_NAME=velasquez\nAUTH0_CLIENT_ID=${SECRETS.clientId}\nAUTH0_CLIENT_SECRET='${SECRETS.clientSecret}'\nDUNEBUGGER_WEBSOCKET_CONNECTION_TIMEOUT_SECS=1\nAUTH0_PASSWORD=another-one\n`,
    );
    const credentials = path.join(folder, 'credentials');
    await mkdir(credentials, { recursive: true });
    await writeFile(path.join(credentials, 'AUTH0_PASSWORD'), `${SECRETS.password}\n`);
    return {
      CREDENTIALS_DIRECTORY: credentials,
      AUTH0_USERNAME: SECRETS.username,
      DUNEBUGGER_WEBSOCKET_CONNECTION_INTERVAL_SECS: '11',
      LOCATION_DESCRIPTION: `by ${SECRETS.password}`,
    };
  }

  it('show: each value with where it came from, and what does not count beside it; no secret', async () => {
    const env = await ofEverySource();
    const { code, stdout, stderr } = await config(['show', conf], env);
    assert.deepEqual([code, stderr], [0, '']);
    const line = (name: string): string => lines(stdout).find((text) => text.startsWith(`  ${name} `)) ?? '';
    assert.equal(lines(stdout)[0], `Read: ${conf}, ${path.join(folder, '.env')}`);
    assert.match(line('testDomain'), new RegExp(`testDomain +example\\.org +${conf}, line 3; default smart`));
    assert.match(line('backoffCapSecs'), /backoffCapSecs +300 +default$/);
    assert.match(line('mQueueEnabled'), /mQueueEnabled +True +default$/);
    assert.match(
      line('connectionIntervalSecs'),
      new RegExp(` 11 +environment variable DUNEBUGGER_\\w+; default 7; not counting: ${conf}, line 4$`),
    );
    assert.match(
      line('connectionTimeoutSecs'),
      new RegExp(` 1 +${folder}/\\.env, DUNEBUGGER_\\w+; default 2; not counting: ${conf}, line 5$`),
    );
    assert.match(line('WS_GROUP_NAME'), new RegExp(` velasquez +${folder}/\\.env, WS_GROUP_NAME; default`));
    assert.match(
      line('AUTH0_PASSWORD'),
      new RegExp(
        ` \\(set, not shown\\) +credential ${folder}/credentials/AUTH0_PASSWORD; not counting: ${folder}/.env, `,
      ),
    );
    assert.match(line('AUTH0_USERNAME'), / \(set, not shown\) +environment variable AUTH0_USERNAME$/);
    assert.match(line('WEBPUBSUB_CLIENT_URL'), / \(not set\) +default$/);
    assert.match(line('mQueueServers'), / nats:\/\/\*\*\*@bus:4222 /);
    assert.match(line('LOCATION_DESCRIPTION'), / by \*\*\* /, 'a secret in the value of an open setting');
    assertNoSecret(stdout);
  });

  it('show --json: the same for programs', async () => {
    const env = await ofEverySource();
    const { code, stdout, stderr } = await config(['show', '--json', conf], env);
    assert.deepEqual([code, stderr], [0, '']);
    const shown = JSON.parse(stdout) as Shown;
    assert.deepEqual([shown.ofService, shown.confFile, shown.problems], [false, conf, []]);
    const of = (name: string): Shown['settings'][number] => shown.settings.find((setting) => setting.name === name)!;
    assert.deepEqual(of('connectionIntervalSecs').value, 11);
    assert.deepEqual(of('connectionIntervalSecs').source, {
      kind: 'environment',
      name: 'DUNEBUGGER_WEBSOCKET_CONNECTION_INTERVAL_SECS',
    });
    assert.deepEqual(of('connectionIntervalSecs').notCounting, [{ kind: 'conf', file: conf, line: 4 }]);
    assert.deepEqual(of('nameServers').value, []);
    assert.deepEqual(of('nameServers').source, { kind: 'default' });
    assert.deepEqual(of('mQueueServers').value, ['nats://***@bus:4222']);
    const password = of('AUTH0_PASSWORD');
    assert.deepEqual([password.secret, password.set, 'value' in password], [true, true, false]);
    assert.deepEqual(password.source, { kind: 'credential', file: `${folder}/credentials/AUTH0_PASSWORD` });
    assert.deepEqual([of('WEBPUBSUB_CLIENT_URL').set, of('WS_GROUP_NAME').value], [false, 'velasquez']);
    assertNoSecret(stdout);
  });

  it('check: all that is wrong, then how many, exit 78; what is right, exit 0', async () => {
    const env = await ofEverySource();
    const right = await config(['check', conf], env);
    assert.deepEqual([right.code, right.stderr], [0, ''], right.stdout);
    assert.deepEqual(lines(right.stdout).slice(1), ['No errors, no warnings: it starts with this.']);
    assertNoSecret(right.stdout);

    const broken = path.join(folder, 'broken.conf');
    await writeFile(
      broken,
      `[Websocket]\nconnectionIntervalSecs = soon\ntestdomein = x\nstateCheckIntervalSecs = 1\n[MessageQueue]\nmQueueSubjectRoot = a.*\n${Array.from({ length: 40 }, (_, n) => `[Odd${n}]\nkey = 1`).join('\n')}\n`,
    );
    const { code, stdout } = await config(['check', broken], { AUTH0_PASSWORD: SECRETS.password });
    assert.equal(code, 78);
    const errors = lines(stdout).filter((text) => text.startsWith('Error: '));
    assert.equal(
      errors.filter((text) => text.includes(`${broken}, line 2: [Websocket] connectionIntervalSecs`)).length,
      1,
    );
    assert.equal(
      errors.filter((text) => text.includes(`${broken}, line 6: [MessageQueue] mQueueSubjectRoot`)).length,
      1,
    );
    const warnings = lines(stdout).filter((text) => text.startsWith('Warning: '));
    assert.equal(warnings.length, 41, 'all of them, however many');
    assert.ok(warnings.some((text) => text.endsWith('did you mean [Websocket] testDomain?')));
    assert.ok(lines(stdout).some((text) => /^Note: .*stateCheckIntervalSecs no longer does anything$/.test(text)));
    assert.match(lines(stdout).at(-1)!, /^\d+ errors, 41 warnings: it does not start with this\.$/);
    assertNoSecret(stdout);
  });

  it('show: what is wrong is marked, the error beside it on standard error, exit 78', async () => {
    const broken = path.join(folder, 'wrong.conf');
    await writeFile(broken, '[Websocket]\nwebsocketEnabled = False\nconnectionIntervalSecs = soon\n');
    const { code, stdout, stderr } = await config(['show', broken], { AUTH0_CLIENT_SECRET: SECRETS.clientSecret });
    assert.equal(code, 78);
    assert.match(stdout, /connectionIntervalSecs +7 .*wrong\.conf, line 3: not allowed, see the error$/m);
    assert.match(stderr, /^Error: .*line 3: \[Websocket\] connectionIntervalSecs = "soon" is not allowed: give/);
  });

  it('a file that is not there, and one that may not be read', async () => {
    const missing = await config(['check', path.join(folder, 'missing.conf')]);
    assert.equal(missing.code, 78);
    assert.match(missing.stdout, /^Error: .*missing\.conf does not exist/m);
    const folderAsFile = await config(['check', folder]);
    assert.match(folderAsFile.stdout, /^Error: .* is a directory, not a file$/m);
  });

  it('what a running service would take over: by a reload, and only by a restart', async () => {
    const socket = path.join(folder, 'control.sock');
    const file = path.join(folder, 'running.conf');
    await chmod(folder, 0o755);
    await rm(path.join(folder, '.env'), { force: true });
    const text = (interval: number, halfOpen: number, burst: number): string =>
      `[Websocket]\nwebsocketEnabled = False\nconnectionIntervalSecs = ${interval}\nhalfOpenTimeoutSecs = ${halfOpen}\nrateLimitBurst = ${burst}\n[MessageQueue]\nmQueueEnabled = False\n[Status]\ncontrolSocket = ${socket}\n`;
    await writeFile(file, text(7, 15, 200));
    const env = { DUNEBUGGER_WEBSOCKET_RATE_LIMIT_BURST: '300', AUTH0_PASSWORD: SECRETS.password };
    const daemon = CliProcess.start({ args: ['run', '--config', file], env, cwd: folder });
    try {
      await daemon.waitForLine(/DuneBugger Remote starts/, { timeoutMs: 30_000 });
      const checked = async (): Promise<readonly string[]> => {
        const { code, stdout } = await config(['check', file], env);
        assert.equal(code, 0, stdout);
        return lines(stdout);
      };
      let last: readonly string[] = [];
      for (let round = 0; round < 100 && !last.at(-1)?.startsWith('The running service'); round += 1)
        last = await checked();
      assert.equal(last.at(-1), 'The running service has all of it, secrets apart.');

      await writeFile(file, text(9, 20, 200));
      const { stdout } = await config(['check', file], { AUTH0_PASSWORD: 'changed-by-now' });
      assert.deepEqual(lines(stdout).slice(2), [
        'The running service would take over by a reload (systemctl reload dunebugger-remote):',
        '  [Websocket] connectionIntervalSecs: 7 -> 9',
        'It would take over by a restart only (systemctl restart dunebugger-remote):',
        '  [Websocket] halfOpenTimeoutSecs: 15 -> 20',
        // Its environment stays what it was until then.
        '  [Websocket] rateLimitBurst: 300 -> 200',
      ]);
      daemon.signal('SIGHUP');
      await daemon.waitForLine(/Configuration reloaded, but/, { timeoutMs: 30_000 });
      assert.doesNotMatch((await config(['check', file], env)).stdout, /connectionIntervalSecs/);
    } finally {
      await daemon.kill();
    }
  });
});

function assertNoSecret(text: string): void {
  for (const secret of Object.values(SECRETS)) assert.ok(!text.includes(secret), text);
}
