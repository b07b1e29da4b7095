/**
 * Runs groups of tests: all of them, or those named on the command line. `npm test [-- GROUP ...]`.
 *
 * Each group is a `node --test` of its own; what it prints is shown whole when it has ended. The last line is `N passed, N failed`, the sums
 * over the groups; the exit code says whether anything failed. What counts as failed, besides tests: a group without a single test, one that
 * needs root and has not got it, one past its deadline, one that ends badly without naming a test.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { GROUPS, SECRETS, type Group } from './groups.js';
import { GATHER_DIR } from './support/everything-logged.js';
import { groupLines } from './support/process.js';
import type { Result } from './support/results-reporter.js';

interface Outcome {
  readonly group: Group;
  readonly passed: number;
  /** What failed: names of tests, or a sentence on the group. */
  readonly failures: readonly string[];
  readonly secs: number;
  /** What was not run, and why; no failure. */
  readonly leftOut?: readonly string[];
}

const HERE = path.dirname(fileURLToPath(import.meta.url));
const REPORTER = path.join(HERE, 'support', 'results-reporter.js');
const LEFT_BEHIND = path.join(HERE, 'support', 'left-behind.js');
/** Between asking a group past its deadline to end and killing it. */
const GRACE_MS = 5_000;
const EXIT_USAGE = 64;
const EXIT_INTERRUPTED = 130;

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const running = new Set<ChildProcess>();
/** Somebody pressed Ctrl-C: nothing more is started. */
const interrupted = new AbortController();

async function main(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !GROUPS.some((group) => group.name === name));
  if (unknown.length > 0) {
    say(`No such group: ${unknown.join(', ')}. There are: ${GROUPS.map(({ name }) => name).join(', ')}`);
    return EXIT_USAGE;
  }
  const named = names.length === 0 ? GROUPS : GROUPS.filter(({ name }) => names.includes(name));
  // Whoever asks for all tests without being root gets those that can run; whoever asks for one of the others is told.
  const runnable = named.filter(({ needsRoot }) => needsRoot === undefined || process.getuid?.() === 0);
  const chosen = names.length === 0 && runnable.length > 0 ? runnable : named;
  const leftOut = named
    .filter((group) => !chosen.includes(group))
    .map(({ name, needsRoot = '' }) => `${name}: it needs root, since ${needsRoot}`);
  const folder = mkdtempSync(path.join(tmpdir(), 'dunebugger-tests-'));
  const startedAtMs = performance.now();
  const outcomes: Outcome[] = [];
  for (const stage of [...new Set(chosen.map((group) => group.stage))].sort((a, b) => a - b)) {
    if (interrupted.signal.aborted) break;
    const sideBySide = chosen.filter((group) => group.stage === stage);
    outcomes.push(...(await Promise.all(sideBySide.map((group) => run(group, folder)))));
  }
  const logging = chosen.filter((group) => group.logs).map(({ name }) => name);
  if (logging.length > 0 && !interrupted.signal.aborted) outcomes.push(await run(SECRETS, folder, logging));

  const failures = outcomes.flatMap(({ group, failures: of }) => of.map((failure) => `${group.name}: ${failure}`));
  leftOut.push(...outcomes.flatMap(({ group, leftOut: of = [] }) => of.map((what) => `${group.name}: ${what}`)));
  summarise(outcomes, failures, leftOut, (performance.now() - startedAtMs) / 1_000);
  if (failures.length === 0) rmSync(folder, { recursive: true, force: true });
  else say(`The output of each group and what was logged are in ${folder}`);
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
  say(`${passed} passed, ${failures.length} failed`);
  return failures.length === 0 && passed > 0 ? 0 : 1;
}

/** @param logging for the search for secrets: the groups that must have logged */
async function run(group: Group, folder: string, logging: readonly string[] = []): Promise<Outcome> {
  const startedAtMs = performance.now();
  const secs = (): number => (performance.now() - startedAtMs) / 1_000;
  const files = filesOf(group);
  if (files.length === 0) return end({ group, passed: 0, failures: ['there is no test in it'], secs: 0 }, '');
  if (group.needsRoot !== undefined && process.getuid?.() !== 0) {
    const failure = `it needs root, since ${group.needsRoot}: run the tests as root, such as by sudo`;
    return end({ group, passed: 0, failures: [failure], secs: 0 }, '');
  }

  const [log, results, gathered] = ['output', 'results', ''].map((kind) =>
    path.join(folder, kind === '' ? group.name : `${group.name}.${kind}`),
  ) as [string, string, string];
  mkdirSync(gathered);
  say(`${group.name}: started, ${files.length} files`);
  const output = openSync(log, 'w');
  const child = spawn(
    process.execPath,
    [
      '--enable-source-maps',
      `--import=${LEFT_BEHIND}`,
      '--test',
      `--test-concurrency=${group.filesAtOnce}`,
      ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
      ...[`--test-reporter=${REPORTER}`, `--test-reporter-destination=${results}`],
      ...files,
    ],
    {
      stdio: ['ignore', output, output],
      // A group of processes, so that one past its deadline ends with all that it started.
      detached: true,
      env: {
        ...process.env,
        [GATHER_DIR]: gathered,
        ...(logging.length > 0 && { TEST_GATHERED: folder, TEST_GATHERED_GROUPS: logging.join(',') }),
      },
    },
  );
  closeSync(output);
  running.add(child);
  const late = new AbortController();
  let unfinished: readonly string[] = [];
  const deadline = setTimeout(() => {
    late.abort();
    unfinished = child.pid === undefined ? [] : groupLines(child.pid);
    void endAll(child);
  }, group.deadlineSecs * 1_000);
  const ended = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(code === 0 ? '' : `node --test ended with ${signal ?? String(code)}`));
  });
  clearTimeout(deadline);
  running.delete(child);

  const { passed, failed, leftOut } = read(results);
  const failures = [...failed];
  if (late.signal.aborted)
    failures.push(
      `it took longer than ${group.deadlineSecs} s and was ended; what it had printed is above; still running: ${unfinished.join('; ')}`,
    );
  else if (failures.length === 0 && ended !== '') failures.push(ended);
  else if (passed + failures.length + leftOut.length === 0) failures.push('not one test ran');
  return end({ group, passed, failures, leftOut, secs: secs() }, readFileSync(log, 'utf8'));
}

/** Named after the sources: the build keeps the output of a test that is gone. */
function filesOf({ folder, files = /^/ }: Group): readonly string[] {
  const sources = path.join(HERE, '..', '..', 'test', folder);
  if (!existsSync(sources)) return [];
  return readdirSync(sources)
    .filter((name) => name.endsWith('.test.ts') && files.test(name))
    .sort()
    .map((name) => path.join(HERE, folder, name.replace(/ts$/, 'js')));
}

function read(results: string): Pick<Outcome, 'passed'> & Record<'failed' | 'leftOut', readonly string[]> {
  if (!existsSync(results)) return { passed: 0, failed: [], leftOut: [] };
  const lines = readFileSync(results, 'utf8').split('\n');
  // A runner that was ended may leave half a line.
  const all = lines.slice(0, -1).map((line) => JSON.parse(line) as Result);
  return {
    passed: all.filter((result) => result.passed !== undefined).length,
    failed: all.flatMap((result) => result.failed ?? []),
    leftOut: all.flatMap((result) =>
      result.leftOut === undefined ? [] : [`${result.leftOut}: its package is missing`],
    ),
  };
}

function end(outcome: Outcome, output: string): Outcome {
  say(`\n===== ${outcome.group.name} =====\n${output.trimEnd()}`);
  for (const failure of outcome.failures) say(`FAILED ${outcome.group.name}: ${failure}`);
  return outcome;
}

function summarise(
  outcomes: readonly Outcome[],
  failures: readonly string[],
  leftOut: readonly string[],
  secs: number,
): void {
  say('\n===== summary =====');
  for (const { group, passed, failures: of, secs: took } of outcomes)
    say(`${group.name.padEnd(12)} ${number(passed)} passed ${number(of.length)} failed ${number(took)} s`);
  for (const what of leftOut) say(`LEFT OUT ${what}`);
  for (const failure of failures) say(`FAILED ${failure}`);
  say(`${Math.round(secs)} s in all on Node ${process.versions.node}`);
}

const number = (value: number): string => value.toFixed(0).padStart(5);

/** Ends a group with everything it started. */
async function endAll(child: ChildProcess): Promise<void> {
  signal(child, 'SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, GRACE_MS).unref());
  signal(child, 'SIGKILL');
}

function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // It is gone already.
  }
}

for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    interrupted.abort();
    for (const child of running) void endAll(child);
  });
}

const code = await main(process.argv.slice(2));
process.exitCode = interrupted.signal.aborted ? EXIT_INTERRUPTED : code;
