import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CliProcess, type Finished } from '../support/cli-process.js';

const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Finished> =>
  CliProcess.run({ args, env });

describe('the command line', () => {
  it('--help and -h say what there is, on standard output', async () => {
    for (const option of ['--help', '-h']) {
      const { code, stdout, stderr } = await run([option]);
      assert.deepEqual([code, stderr], [0, '']);
      for (const word of [
        'run',
        'check',
        'status',
        '--config',
        '--json',
        '--domain',
        '--timeout',
        '--version',
        '78',
        '64',
      ]) {
        assert.ok(stdout.includes(word), `${word} is missing in:\n${stdout}`);
      }
      for (const line of stdout.split('\n')) assert.ok(line.length <= 100, `too wide for a terminal: ${line}`);
    }
  });

  it('--version is that of the package', async () => {
    const file = new URL('../../../package.json', import.meta.url);
    const { version } = JSON.parse(await readFile(file, 'utf8')) as { version: string };
    assert.deepEqual(await outcome(['--version']), [0, `${version}\n`, '']);
  });

  for (const [args, problem] of [
    [[], /say what to do: run, check, status, .* or migrate$/m],
    [['stop'], /"stop" is not a command: run, check, status, .* and migrate are$/m],
    [['run', 'fast'], /unexpected argument "fast"/],
    [['run', '--json'], /--json belongs to check, status,? .*and /],
    [['outages', '--json', '--csv'], /--json and --csv exclude each other/],
    [['outages', '--since', 'soon'], /--since takes a number of hours or days/],
    [['check', '--watch'], /--watch belongs to status/],
    [['run', '--domain', 'example.org'], /--domain belongs to check/],
    [['migrate', '--json'], /--json belongs to check, status,? .*and /],
    [['migrate', '--config', 'x'], /--config belongs to run, check, status,? .*and /],
    [['migrate', '--apply', '--undo'], /--apply and --undo exclude each other: give one/],
    [['check', '--root', '/mnt'], /--root belongs to migrate/],
    [['check', '--colour'], /Unknown option '--colour'/],
    [['check', '--timeout'], /'--timeout <value>' argument missing/],
    [['check', '--config', ''], /--config names no file/],
  ] as const) {
    it(`"${args.join(' ')}" is wrong, said in one line, with where to look: exit 64`, async () => {
      const [code, stdout, stderr] = await outcome(args);
      assert.deepEqual([code, stdout], [64, '']);
      assert.match(stderr, problem);
      assert.match(stderr, /^dunebugger-remote: [^\n]+\n(?:[^\n]+\n)?Try: dunebugger-remote --help\n$/);
    });
  }
});

describe('a configuration that is wrong', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'cli-usage-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const conf = async (text: string): Promise<string> => {
    const file = path.join(directory, 'dunebugger.conf');
    await writeFile(file, text);
    return file;
  };

  it('run: every problem at once, one clear line each, then what to do: exit 78', async () => {
    const file = await conf(
      '[Websocket]\nconnectionIntervalSecs = soon\ntestdomein = example.org\nstabilizationSecs = -1\n[Log]\ndunebuggerLogLevel = LOUD\n',
    );
    const env = { AUTH0_PASSWORD: 'correct-horse', DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_SUBJECT_ROOT: 'a.*' };
    const [code, stdout, stderr] = await outcome(['run', '--config', file], env);
    assert.equal(code, 78, stdout);
    assert.equal(stderr, '');
    const lines = stdout.trimEnd().split('\n');
    const errors = lines.filter((line) => line.includes(' ERROR '));
    for (const problem of [
      new RegExp(`${file}, line 2: \\[Websocket\\] connectionIntervalSecs = "soon" is not allowed: give .+`),
      new RegExp(`${file}, line 4: \\[Websocket\\] stabilizationSecs = "-1" is not allowed: give .+`),
      /environment variable DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_SUBJECT_ROOT .*"a\.\*" is not allowed: give/,
      /WS_GROUP_NAME is not set: name the group/,
      /There is no way to sign in: .* are not set\. Set all of/,
    ]) {
      assert.equal(errors.filter((line) => problem.test(line)).length, 1, `${String(problem)} in\n${stdout}`);
    }
    assert.equal(errors.length, 5, stdout);
    // As Python did, the daemon would start with another level; it is told all the same.
    const level = new RegExp(
      ` WARNING .*${file}, line 6: \\[Log\\] dunebuggerLogLevel = "LOUD" is not allowed: give .*DEBUG.*; INFO is used`,
    );
    assert.equal(lines.filter((line) => level.test(line)).length, 1, stdout);
    assert.match(lines.at(-1) ?? '', / INFO .*Not started: correct the above, then start again/);
    // The misspelt key is told as well: it is why the one that was meant has no effect.
    assert.equal(lines.filter((line) => / WARNING .*did you mean \[Websocket\] testDomain\?/.test(line)).length, 1);
    assert.ok(!stdout.includes('correct-horse'));
  });

  it('run: a file that is not there is named, with how to name another: exit 78', async () => {
    const file = path.join(directory, 'missing.conf');
    const [code, stdout] = await outcome(['run', '--config', file]);
    assert.equal(code, 78);
    assert.ok(stdout.includes(`${file} does not exist: name the conf file with --config or DUNEBUGGER_CONFIG`), stdout);
  });

  it('check: a wrong option is named as it was given, on standard error, and no report follows: exit 78', async () => {
    const file = await conf('[Websocket]\n');
    for (const [option, text, words] of [
      ['--timeout', 'soon', /option --timeout \(\[Websocket\] connectionTimeoutSecs\) = "soon" is not allowed: give/],
      ['--domain', 'https://example.org/', /option --domain \(\[Websocket\] testDomain\) = .* is not allowed: give/],
      ['--domain', '', /option --domain \(\[Websocket\] testDomain\) = "" is not allowed: give/],
    ] as const) {
      const [code, stdout, stderr] = await outcome(['check', '--json', '--config', file, `${option}=${text}`]);
      assert.deepEqual([code, stdout], [78, ''], stderr);
      assert.match(stderr, words);
    }
  });
});

async function outcome(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<[number | null, string, string]> {
  const { code, stdout, stderr } = await run(args, env);
  return [code, stdout, stderr];
}
