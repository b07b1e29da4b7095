/** `dunebugger-remote status` against a real daemon: connected, in an outage, hung, dead. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Json } from '../../src/main/base/json.js';
import { CliProcess, type Finished } from '../support/cli-process.js';
import { Installation, SECRETS } from '../support/installation.js';
import { problemsWith } from '../support/json-schema.js';

const SCHEMA = JSON.parse(readFileSync(new URL('../../../conf/status.schema.json', import.meta.url), 'utf8')) as Record<
  string,
  unknown
>;

describe('dunebugger-remote status', () => {
  let site: Installation;
  let directory = '';
  let socket = '';
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'cli-status-'));
    socket = path.join(directory, 'control.sock');
    site = await Installation.create({ env: { DUNEBUGGER_STATUS_CONTROL_SOCKET: socket } });
    await site.startConnected();
  });
  after(async () => {
    await site.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const status = (...args: readonly string[]): Promise<Finished> =>
    CliProcess.run({ args: ['status', ...args], env: { DUNEBUGGER_STATUS_CONTROL_SOCKET: socket } });

  it('connected: the sentence first, exit 0; as JSON what the schema says', async () => {
    const text = await status();
    assert.equal(text.code, 0, text.stdout + text.stderr);
    assert.match(text.stdout, /^Online, connected since \d\d:\d\d, group velasquez\b/);
    assert.match(text.stdout, /^ {2}ok {3}cloud {8}group velasquez$/m);
    assert.match(text.stdout, /^Last hour: \d+ checks, 0 % failed; latency /m);
    const json = await status('--json');
    assert.deepEqual([json.code, json.stderr], [0, '']);
    assert.deepEqual(problemsWith(JSON.parse(json.stdout) as Json, SCHEMA), []);
    for (const secret of Object.values(SECRETS)) assert.ok(!`${text.stdout}${json.stdout}`.includes(secret));
  });

  it('in an outage: what is wrong, what to do, what is next; exit 1', async () => {
    const since = site.daemon.lines.length;
    await site.breakInternet('refused');
    await site.daemon.waitForLine(/Internet lost/, { since });
    const { code, stdout } = await status();
    assert.equal(code, 1);
    assert.match(stdout, /^Offline since \d\d:\d\d: test site refuses connections/);
    assert.match(stdout, /\n {2}What to do: The test site or a firewall refuses port 443/);
    assert.match(stdout, /\n {2}Next: The internet is looked at again every /);
    assert.match(stdout, /^ {2}BAD {2}internet {5}test site refuses connections$/m);
    assert.match(stdout, /^ {2}- {4}cloud {8}not looked at because of the above$/m);
    await site.repairInternet();
  });

  it('--watch goes on until it is ended', async () => {
    const watch = CliProcess.start({
      args: ['status', '--json', '--watch'],
      env: { DUNEBUGGER_STATUS_CONTROL_SOCKET: socket },
    });
    await watch.waitForLine(/"snapshotVersion":1/);
    await watch.waitForLine(/"snapshotVersion":1/, { since: 1 });
    await watch.kill();
  });

  it('suspended: says that nobody answers, soon; goes on as if nothing had been', async () => {
    site.daemon.signal('SIGSTOP');
    const { code, stdout, ms } = await status();
    site.daemon.signal('SIGCONT');
    assert.equal(code, 3);
    assert.match(stdout, /^No answer: the service does not answer\n/);
    // The command's own deadlines are 1.6 s; the rest is this machine's.
    assert.ok(ms < 10_000);
    assert.notEqual((await status()).code, 3);
  });

  it('dead, with its socket left behind: exit 3, as JSON too', async () => {
    await site.daemon.kill();
    const { code, stdout } = await status('--json');
    assert.equal(code, 3);
    const { outcome, trouble } = JSON.parse(stdout) as { outcome: string; trouble: { code: string; remedy: string } };
    assert.equal(outcome, 'no-answer');
    assert.match(trouble.code, /^service-/);
    assert.ok(trouble.remedy.length > 10);
  });
});
