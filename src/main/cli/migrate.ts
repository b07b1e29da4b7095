/** `dunebugger-remote migrate`: from the Python version to this one. Shows what it would do; `--apply` does it, `--undo` puts it back. */
import { readFileSync } from 'node:fs';
import { systemClock } from '../base/clock.js';
import { applySteps } from './migrate/apply.js';
import { runCommandsIn, type RunCommand } from './migrate/commands.js';
import { lookAtDocker, whyNotValid, type DockerState } from './migrate/docker.js';
import { Files } from './migrate/files.js';
import { findOld, type Found } from './migrate/find.js';
import { readJournal, settled, type Journal } from './migrate/journal.js';
import { lockFolder } from './migrate/lock.js';
import { lookAtOurs } from './migrate/ours.js';
import { JOURNAL, OUR_FOLDER } from './migrate/places.js';
import { planMove } from './migrate/plan.js';
import type { Plan, Step } from './migrate/step.js';
import { undoAll } from './migrate/undo.js';
import { foundLines, nothingFoundLines, planLines, stepLines } from './migrate/words.js';

/** Exit codes: nothing is in the way, or all was done; something is in the way, or a step failed. */
const EXIT_OK = 0;
const EXIT_FAILED = 1;
/** EX_CONFIG of sysexits.h: the service would not start with what would be taken over. */
const EXIT_CONFIG = 78;

export interface MigrateOptions {
  readonly does: 'plan' | 'apply' | 'undo';
  /** Where the system's files are, such as a mounted card. Default: `/`, with its Docker and its systemd. */
  readonly root?: string;
}

/** What the command stands on; tests hand in their own. */
export interface MigrateWorld {
  readonly files: Files;
  /** undefined: the system is not the one that runs here. */
  readonly run: RunCommand | undefined;
  readonly isRoot: boolean;
  readonly say: (line: string) => void;
  readonly complain: (line: string) => void;
}

/** Prints and resolves with the exit code. Changes nothing unless asked to. */
export async function migrate({ does, root = '/' }: MigrateOptions): Promise<number> {
  const files = new Files(root);
  return move(does, {
    files,
    run: files.live ? runCommandsIn(process.env) : undefined,
    isRoot: process.geteuid?.() === 0,
    say: (line) => process.stdout.write(`${line}\n`),
    complain: (line) => process.stderr.write(`dunebugger-remote: ${line}\n`),
  });
}

export async function move(does: MigrateOptions['does'], world: MigrateWorld): Promise<number> {
  const { files, run, isRoot, complain } = world;
  if (does !== 'plan' && !isRoot && run !== undefined) {
    complain(`this changes files and services of the system: sudo dunebugger-remote migrate --${does}`);
    return EXIT_FAILED;
  }
  if (does === 'plan') return underLock(does, world);
  const lock = await lockFolder(files.real(files.nearestFolder(OUR_FOLDER)));
  if (lock.kind !== 'held') {
    complain(
      lock.kind === 'taken'
        ? 'another `dunebugger-remote migrate` is at work; nothing was changed. Run this again when it has ended'
        : `whether another \`migrate\` is at work cannot be known (${lock.why}); nothing was changed`,
    );
    return EXIT_FAILED;
  }
  try {
    return await underLock(does, world);
  } finally {
    await lock.release();
  }
}

async function underLock(does: MigrateOptions['does'], world: MigrateWorld): Promise<number> {
  const { files, run, isRoot, complain } = world;
  const reading = readJournal(files);
  if (reading.kind === 'unusable' && (isRoot || does !== 'plan')) {
    complain(
      `${JOURNAL} ${reading.why}: what was done cannot be known. Move it away if you are sure, then run this again`,
    );
    return EXIT_FAILED;
  }
  const journal = reading.kind === 'journal' ? reading.journal : undefined;
  const docker: DockerState = run === undefined ? { kind: 'not-asked' } : await lookAtDocker(run);
  return does === 'undo' ? undo(world, journal, docker) : forward(does, world, journal, docker);
}

async function forward(
  does: 'plan' | 'apply',
  { files, run, isRoot, say, complain }: MigrateWorld,
  earlier: Journal | undefined,
  docker: DockerState,
): Promise<number> {
  const found = findOld(files, docker);
  const hosts = files.text('/etc/hosts');
  const plan = await withChecks(
    planMove({
      found,
      ours: await lookAtOurs(files, run),
      done: earlier === undefined ? [] : settled(earlier, files),
      live: run !== undefined,
      readFile: (path) => readFileSync(files.real(path)),
      hosts: hosts.kind === 'text' ? hosts.text : undefined,
    }),
    files,
    run,
    found,
  );
  if (!plan.found && plan.problems.length === 0) {
    for (const line of nothingFoundLines(run === undefined ? files.root : '/')) say(line);
    return EXIT_OK;
  }
  for (const line of [...foundLines(found), ...planLines(plan)]) say(line);
  say('');
  const blocked =
    plan.problems.length > 0
      ? EXIT_FAILED
      : plan.settingsProblems.length > 0 && plan.steps.length > 0
        ? EXIT_CONFIG
        : EXIT_OK;
  if (blocked !== EXIT_OK) {
    complain(
      `nothing was changed; see to the above, then run this again${isRoot ? '' : ' (by sudo, which may read everything)'}`,
    );
    return blocked;
  }
  if (plan.steps.length === 0) {
    say(
      earlier === undefined ? 'Nothing to do.' : `Nothing to do: all is moved already (${JOURNAL} has what was done).`,
    );
    return EXIT_OK;
  }
  const at = run !== undefined ? '' : ` --root ${files.root}`;
  if (does === 'plan') {
    say(`Nothing was changed. To do it: sudo dunebugger-remote migrate${at} --apply`);
    return EXIT_OK;
  }
  return apply(plan.steps, { files, run, say, complain }, earlier, at);
}

/** What only the machine can say of a plan: may the files be written, does Docker Compose take what becomes of its file? */
async function withChecks(plan: Plan, files: Files, run: RunCommand | undefined, found: Found): Promise<Plan> {
  const problems = [...plan.problems];
  const notes = [...plan.notes];
  const writes = plan.steps.flatMap((step) => (step.kind === 'write' ? [step] : []));
  for (const path of [...writes.map(({ path }) => path), ...(plan.steps.length > 0 ? [JOURNAL] : [])]) {
    const why = files.whyNotWritable(path);
    if (why !== undefined) problems.push(`${path} ${why}`);
  }
  if (writes.some(({ role }) => role === 'environment')) {
    for (const path of found.envFiles) {
      const mode = files.state(path)?.mode ?? 0;
      if ((mode & 0o077) !== 0) {
        notes.push(
          `${path} holds the sign-in, and others may read it (mode ${mode.toString(8)}): remove it when all is well`,
        );
      }
    }
  }
  const compose = found.docker.kind === 'there' ? found.docker.compose : undefined;
  for (const { role, path, text } of writes) {
    if (role !== 'compose' || run === undefined) continue;
    const folder = path.slice(0, path.lastIndexOf('/')) || '/';
    const why = await whyNotValid(run, compose, text, folder);
    if (why === undefined) continue;
    const before = found.composeFiles.find((file) => file.path === path)?.text ?? '';
    if ((await whyNotValid(run, compose, before, folder)) === undefined)
      problems.push(`${path}: without the old service ${why}`);
    else notes.push(`${path} was no valid compose file before, and is none afterwards: ${why}`);
  }
  return { ...plan, problems, notes };
}

async function apply(
  steps: readonly Step[],
  { files, run, say, complain }: Omit<MigrateWorld, 'isRoot'>,
  earlier: Journal | undefined,
  at: string,
): Promise<number> {
  let asked: NodeJS.Signals | undefined;
  const onStop = (signal: NodeJS.Signals): void => {
    asked = signal;
  };
  // A terminal that goes away (SIGHUP) is no wish to stop half-way; a wish to stop is granted between two steps.
  const ignore = (): void => undefined;
  process.on('SIGHUP', ignore).on('SIGINT', onStop).on('SIGTERM', onStop);
  try {
    say('Doing it:');
    const applied = await applySteps(steps, {
      files,
      run: run ?? (() => Promise.resolve({ kind: 'missing' })),
      journal: earlier ?? { startedAt: new Date(systemClock.wallMs()).toISOString(), entries: [], open: false },
      onStep: (step, number) => say(stepLines(step, number)[0] ?? ''),
      goesOn: () => asked === undefined,
    });
    const back = `what was done before it stays: run this again to go on, or put it back by sudo dunebugger-remote migrate${at} --undo`;
    switch (applied.kind) {
      case 'done':
        say(`Done. To put it back: sudo dunebugger-remote migrate${at} --undo`);
        return EXIT_OK;
      case 'stopped':
        complain(`stopped by ${asked ?? 'a signal'}; ${back}`);
        return EXIT_FAILED;
      case 'failed':
        complain(`${applied.why}; ${back}`);
        return EXIT_FAILED;
    }
  } finally {
    process.off('SIGHUP', ignore).off('SIGINT', onStop).off('SIGTERM', onStop);
  }
}

async function undo(
  { files, run, say, complain }: MigrateWorld,
  journal: Journal | undefined,
  docker: DockerState,
): Promise<number> {
  if (journal === undefined) {
    say(`Nothing to undo: there is no ${JOURNAL}${run !== undefined ? '' : ` below ${files.root}`}.`);
    return EXIT_OK;
  }
  const needsDocker = run !== undefined && journal.entries.some(({ kind }) => kind.startsWith('container-'));
  if (needsDocker && docker.kind !== 'there') {
    const why = docker.kind === 'failing' ? docker.why : 'there is no `docker` here any more';
    complain(`the old container cannot be brought back: ${why}. Nothing was changed`);
    return EXIT_FAILED;
  }
  const unwritable = journal.entries.flatMap((entry) => {
    const why = entry.kind === 'file' ? files.whyNotWritable(entry.path) : undefined;
    return entry.kind === 'file' && why !== undefined ? [`${entry.path} ${why}`] : [];
  });
  if (unwritable.length > 0) {
    complain(`${unwritable.join('; ')}. Nothing was changed`);
    return EXIT_FAILED;
  }
  say(`Putting back what ${JOURNAL} says was changed:`);
  const problems = await undoAll({ files, run, journal, onLine: (line) => say(`  ${line}`) });
  for (const problem of problems) complain(problem);
  say(problems.length === 0 ? 'Done: all is as it was before.' : `Not all of it: what is left stays in ${JOURNAL}.`);
  return problems.length === 0 ? EXIT_OK : EXIT_FAILED;
}
