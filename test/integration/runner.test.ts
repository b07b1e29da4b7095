/** The runner of the tests itself, on groups of a made-up project: a runner that calls a failure a success would hide everything. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const BUILT = fileURLToPath(new URL('../../', import.meta.url));

const test = (body: string): string =>
  `import { it } from 'node:test'; import assert from 'node:assert';\nimport * as all from '../support/everything-logged.js';\n${body}`;
const PASSES = test("it('passes', () => {});");

interface Run {
  readonly code: unknown;
  readonly out: string;
  readonly last: string;
}

/** Runs one group `g` with these files; `group` adds to its row. */
async function run(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  group: object = {},
  {
    prefix = [],
    args = [],
    more = [],
    env: given = {},
  }: {
    readonly prefix?: readonly string[];
    readonly args?: readonly string[];
    /** Further groups over the same files, each as it differs from `g`. */
    readonly more?: readonly object[];
    readonly env?: NodeJS.ProcessEnv;
  } = {},
): Promise<Run> {
  const root = await mkdtemp(path.join(tmpdir(), 'dunebugger-runner-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const built = path.join(root, 'dist', 'test');
  for (const folder of ['support', 'g', 'secrets']) await mkdir(path.join(built, folder), { recursive: true });
  for (const folder of ['g', 'secrets']) await mkdir(path.join(root, 'test', folder), { recursive: true });
  for (const file of [
    'run.js',
    'support/left-behind.js',
    'support/everything-logged.js',
    'support/process.js',
    'support/results-reporter.js',
    'secrets/search.js',
    'secrets/secrets.test.js',
  ])
    await cp(path.join(BUILT, 'test', file), path.join(built, file));
  await symlink(path.join(BUILT, 'src'), path.join(root, 'dist', 'src'));
  await writeFile(path.join(root, 'package.json'), '{"type":"module"}');
  await writeFile(path.join(root, 'test', 'secrets', 'secrets.test.ts'), '');
  for (const [name, text] of Object.entries(files)) {
    await writeFile(path.join(root, 'test', 'g', `${name}.test.ts`), '');
    await writeFile(path.join(built, 'g', `${name}.test.js`), text);
  }
  const row = { name: 'g', folder: 'g', stage: 1, filesAtOnce: 1, deadlineSecs: 60, logs: false };
  const secrets = { ...row, name: 'secrets', folder: 'secrets' };
  const table = `export const GROUPS = ${JSON.stringify([group, ...more].map((own) => ({ ...row, ...own })))};\nexport const SECRETS = ${JSON.stringify(secrets)};\n`;
  await writeFile(path.join(built, 'groups.js'), table);
  // Of this run's own gathering, or of node:test's word to its children, nothing reaches the one under test.
  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], TMPDIR: root, ...given };
  const [command, ...rest] = [...prefix, process.execPath, path.join(built, 'run.js'), ...args] as [
    string,
    ...string[],
  ];
  return new Promise((resolve) => {
    execFile(command, rest, { env, cwd: root }, (error, stdout, stderr) => {
      const out = stdout + stderr;
      resolve({ code: error?.code ?? 0, out, last: stdout.trim().split('\n').at(-1) ?? '' });
    });
  });
}

describe('the runner of the tests', () => {
  it('adds up the tests of all files, and shows what they print', async (t) => {
    const { code, last, out } = await run(t, {
      a: PASSES,
      b: test("it('two', () => console.log('printed by two')); it('three', () => {});"),
    });
    assert.deepEqual([code, last], [0, '3 passed, 0 failed']);
    assert.match(out, /printed by two/);
  });

  for (const [what, files, last, says] of [
    [
      'a failed test',
      { a: PASSES, b: test("it('wrong', () => assert.ok(false));") },
      '1 passed, 1 failed',
      /FAILED g: wrong/,
    ],
    [
      'a failed test in a suite, once',
      {
        a: test(
          "import { describe } from 'node:test'; describe('s', () => { it('x', () => assert.ok(false)); it('y', () => {}); });",
        ),
      },
      '1 passed, 1 failed',
      /FAILED g: x/,
    ],
    [
      'a hook that fails',
      {
        a: test(
          "import { describe, before } from 'node:test'; describe('s', () => { before(() => { throw new Error('no'); }); it('x', () => {}); });",
        ),
      },
      '0 passed, 2 failed',
      /FAILED g: /,
    ],
    ['a skipped test', { a: PASSES, b: test("it.skip('later', () => {});") }, '1 passed, 1 failed', /not run: later/],
    ['a test still to do', { a: test("it.todo('later');") }, '0 passed, 1 failed', /not run: later/],
    ['a file that cannot be loaded', { a: PASSES, b: 'import "./not-there.js";' }, '1 passed, 1 failed', /b\.test/],
    [
      'a process that ends badly',
      { a: PASSES, b: test("it('kills', () => process.exit(3));") },
      '1 passed, 1 failed',
      /b\.test/,
    ],
    ['a group without a test', {}, '0 passed, 1 failed', /FAILED g: there is no test in it/],
  ] as const) {
    it(`fails with ${what}`, async (t) => {
      const result = await run(t, files);
      assert.deepEqual([result.code, result.last], [1, last], result.out);
      assert.match(result.out, says);
    });
  }

  it('ends a file that is still there after its last test, and tells what holds it', async (t) => {
    const holds = test(
      "import { spawn } from 'node:child_process'; it('passes', () => void spawn('sleep', ['20'], { stdio: 'ignore' }));",
    );
    const { code, last, out } = await run(t, { a: holds, b: PASSES }, {}, { env: { TEST_ENDS_WITHIN_MS: '1000' } });
    assert.deepEqual([code, last], [1, '2 passed, 1 failed'], out);
    assert.match(out, /Still there 1 s after the last test; handles: .*ProcessWrap.*; children: \d+ sleep 20/);
    assert.match(out, /FAILED g: .*a\.test/);
  });

  it('ends a group that is past its deadline, with what it had printed', async (t) => {
    const hangs = test(
      "it('hangs', async () => { console.log('so far'); await new Promise((r) => setTimeout(r, 3_600_000)); });",
    );
    const { code, last, out } = await run(t, { a: hangs }, { deadlineSecs: 3 });
    assert.equal(code, 1, out);
    assert.match(out, /FAILED g: it took longer than 3 s .* still running: .*\d+ \S of \d+: .*g\/a\.test\.js/);
    assert.match(last, /^0 passed, [1-9] failed$/);
  });

  it('fails a group that needs root with a sentence, where there is none', async (t) => {
    // Root takes another number for itself; its files stay readable, wherever this tree lies.
    const prefix = process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=1000'] : [];
    const { code, out, last } = await run(t, { a: PASSES }, { needsRoot: 'it digs' }, { prefix });
    assert.deepEqual([code, last], [1, '0 passed, 1 failed']);
    assert.match(out, /it needs root, since it digs: run the tests as root/);
  });

  it('leaves a group that needs root out beside one that does not, and names it and why', async (t) => {
    const prefix = process.getuid?.() === 0 ? ['unshare', '--user', '--map-user=1000'] : [];
    const more = [{ name: 'h', needsRoot: 'it digs' }];
    const { code, out, last } = await run(t, { a: PASSES }, {}, { prefix, more });
    assert.deepEqual([code, last], [0, '1 passed, 0 failed'], out);
    assert.match(out, /^LEFT OUT h: it needs root, since it digs$/m);
    const asked = await run(t, { a: PASSES }, {}, { prefix, more, args: ['h'] });
    assert.deepEqual([asked.code, asked.last], [1, '0 passed, 1 failed'], asked.out);
  });

  it('leaves out what was skipped for want of a package, where it was told that it is missing, and names it', async (t) => {
    const files = { a: PASSES, b: test("it('on the bus', { skip: 'no bus here' }, () => {});") };
    const { code, out, last } = await run(t, files, {}, { env: { TEST_LEFT_OUT: 'no cloud here\nno bus here' } });
    assert.deepEqual([code, last], [0, '1 passed, 0 failed'], out);
    assert.match(out, /^LEFT OUT g: on the bus .*its package is missing$/m);
    const { code: unaware } = await run(t, files);
    assert.equal(unaware, 1);
    const suite = {
      a: "import { describe, it } from 'node:test'; describe('all of it', { skip: 'no bus here' }, () => { it('x', () => {}); });",
    };
    const whole = await run(t, suite, {}, { env: { TEST_LEFT_OUT: 'no bus here' } });
    assert.match(whole.out, /^LEFT OUT g: all of it .*its package is missing$/m);
    assert.deepEqual(whole.last, '0 passed, 0 failed');
    assert.equal((await run(t, suite)).last, '0 passed, 1 failed');
  });

  it('names the groups where one is not known', async (t) => {
    const { code, out } = await run(t, { a: PASSES }, {}, { args: ['h'] });
    assert.equal(code, 64);
    assert.match(out, /No such group: h\. There are: g/);
  });

  for (const [what, body, failed] of [
    ['a secret in what was logged', "all.registerSecret('issued-1'); all.gatherLine('x', 'it is issued-1');", true],
    ['nothing logged at all', "all.registerSecret('issued-1');", true],
    ['no secret issued at all', "all.gatherLine('x', 'fine');", true],
    ['no secret in what was logged', "all.registerSecret('issued-1'); all.gatherLine('x', 'fine');", false],
  ] as const) {
    it(`${failed ? 'fails with' : 'passes with'} ${what}`, async (t) => {
      const { code, out } = await run(t, { a: test(`it('logs', () => { ${body} });`) }, { logs: true });
      assert.equal(code, failed ? 1 : 0, out);
      if (failed) assert.match(out, /FAILED secrets: by g holds no secret/);
    });
  }
});
