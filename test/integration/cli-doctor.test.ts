/** The command `doctor` on this very machine, whatever network it has: its report, its exit codes, its bundle. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Json } from '../../src/main/base/json.js';
import { CHECKS } from '../../src/main/cli/doctor/checks.js';
import type { DoctorReport } from '../../src/main/cli/doctor/report.js';
import { TROUBLES } from '../../src/main/troubles.js';
import { unpack } from '../support/bundle.js';
import { CliProcess, type Finished } from '../support/cli-process.js';
import { registerSecret } from '../support/everything-logged.js';
import { problemsWith } from '../support/json-schema.js';

const SCHEMA = JSON.parse(readFileSync(new URL('../../../conf/doctor.schema.json', import.meta.url), 'utf8')) as Record<
  string,
  unknown
>;

const SECRETS = {
  AUTH0_CLIENT_ID: '7QpXkV2mZt4R9sLw',
  AUTH0_CLIENT_SECRET: 'cV3-nT8_pQ6wZ1rK5yB0',
  AUTH0_USERNAME: 'velasquez@example.org',
  AUTH0_PASSWORD: 'Sabbia & dune #42',
} as const;
const BUS_PASSWORD = 'buspassword77';

describe('doctor', () => {
  let folder = '';
  let conf = '';
  before(() => {
    for (const secret of [...Object.values(SECRETS), BUS_PASSWORD]) registerSecret(secret);
    folder = mkdtempSync(path.join(tmpdir(), 'doctor-'));
    conf = path.join(folder, 'dunebugger.conf');
    writeFileSync(
      conf,
      `[Auth]\nauthURL = 127.0.0.1:1\n[Websocket]\ntestDomain = 127.0.0.1:1\n[MessageQueue]\nmQueueServers = nats://us:${BUS_PASSWORD}@127.0.0.1:1\n[Status]\ncontrolSocket = ${path.join(folder, 'none.sock')}\n`,
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: string[]): Promise<Finished> =>
    CliProcess.run({
      args: ['doctor', '--config', conf, ...args],
      env: { WS_GROUP_NAME: 'velasquez', DUNEBUGGER_NTP_NTP_SERVERS: '127.0.0.1', ...SECRETS },
    });

  it('for programs: as its schema says, a check each, and a remedy to whatever is wrong', async () => {
    const { code, stdout, stderr } = await run('--json');
    assert.equal(stderr, '');
    assert.equal(code, 1);
    const report = JSON.parse(stdout) as DoctorReport;
    assert.deepEqual(problemsWith(report as unknown as Json, SCHEMA), []);
    assert.deepEqual(
      report.checks.map(({ id }) => id),
      CHECKS.map(({ id }) => id),
    );
    for (const { outcome, trouble, remedy, words } of report.checks) {
      assert.doesNotMatch(words, /this check failed/);
      assert.equal(trouble !== null && trouble in TROUBLES, outcome === 'warn' || outcome === 'fail');
      if (trouble !== null) assert.ok(remedy !== null && remedy !== '');
    }
    assert.equal(report.outcome, 'fail');
    assert.ok(report.ms < 10_000, `${report.ms} ms`);
    const of = (id: string): string | null | undefined => report.checks.find((check) => check.id === id)?.trouble;
    assert.deepEqual([of('service'), of('site'), of('bus')], ['service-absent', 'tcp-refused', 'bus-away']);
    assert.equal(of('configuration'), null);
  });

  it('for people: the last line is one sentence that names the first cause', async () => {
    const { code, stdout } = await run();
    assert.equal(code, 1);
    const lines = stdout.trimEnd().split('\n');
    assert.match(lines.at(-1) ?? '', /^First cause: no service answers here\.$/);
    assert.match(lines.at(-2) ?? '', /^What to do first: Install the package/);
    assert.ok(lines.includes('The network'));
    assert.ok(!stdout.includes(BUS_PASSWORD));
  });

  it('the bundle: for its owner alone, all that there is, no secret', async () => {
    const file = path.join(folder, 'bundle.tar.gz');
    const { code, stderr } = await run('--bundle', file);
    assert.equal(code, 1, 'the exit code is still that of the report');
    assert.match(stderr, /^Written: .*bundle\.tar\.gz, without secrets/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const files = unpack(readFileSync(file));
    for (const name of ['README.txt', 'doctor.txt', 'doctor.json', 'status.txt', 'settings.txt', 'dunebugger.conf'])
      assert.ok((files.get(name) ?? '').length > 10, name);
    const all = [...files.values()].join('\n');
    for (const secret of [...Object.values(SECRETS), BUS_PASSWORD]) assert.ok(!all.includes(secret), secret);
    assert.match(files.get('settings.txt') ?? '', /^ +AUTH0_PASSWORD +\(set, not shown\)/m);
    assert.match(files.get('settings.txt') ?? '', /mQueueServers +nats:\/\/\*\*\*@127\.0\.0\.1:1/);
    assert.match(files.get('dunebugger.conf') ?? '', /mQueueServers = nats:\/\/\*\*\*@127\.0\.0\.1:1/);
    assert.doesNotMatch(all, /(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/i, 'a hardware address');
  });

  it('a file that is there, a link, a folder that is not: left alone, said, exit code 73', async () => {
    const [there, link] = [path.join(folder, 'there'), path.join(folder, 'link')];
    writeFileSync(there, 'mine');
    symlinkSync(path.join(folder, 'elsewhere'), link);
    for (const [file, words] of [
      [there, /is there already, and is left alone/],
      [link, /is there already, and is left alone/],
      [path.join(folder, 'no', 'where'), /cannot be written \(ENOENT\)/],
    ] as const) {
      const { code, stderr } = await run('--bundle', file);
      assert.equal(code, 73);
      assert.match(stderr, words);
    }
    assert.equal(readFileSync(there, 'utf8'), 'mine');
  });
});
