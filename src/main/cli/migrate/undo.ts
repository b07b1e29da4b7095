/** Puts back what the journal says was changed, the last first. */
import { composeCommand, failureOf } from './docker.js';
import type { RunCommand } from './commands.js';
import { whyOf, type Files } from './files.js';
import { writeJournal, type Entry, type Journal } from './journal.js';
import { EDITED_ENDING, JOURNAL, UNIT } from './places.js';

/** Docker Compose may have to fetch the image again, over a slow line. */
const UP_DEADLINE_MS = 600_000;
const DEADLINE_MS = 90_000;

export interface UndoOptions {
  readonly files: Files;
  /** undefined: the system is not the one that runs here. */
  readonly run: RunCommand | undefined;
  readonly journal: Journal;
  /** A line for each thing that was done. */
  readonly onLine: (line: string) => void;
}

/** Resolves with what could not be put back, a sentence each; that stays in the journal. */
export async function undoAll(options: UndoOptions): Promise<readonly string[]> {
  const { files, run, journal } = options;
  const problems: string[] = [];
  const left = new Set<Entry>();
  const { entries } = journal;
  const attempt = async (entry: Entry, act: () => string | undefined | Promise<string | undefined>): Promise<void> => {
    let why: string | undefined;
    try {
      why = await act();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      why = whyOf(error);
    }
    if (why === undefined) return;
    problems.push(why);
    left.add(entry);
  };

  // Before the old one comes back, or both would take each command.
  const service = entries.find((entry) => entry.kind === 'service');
  if (service !== undefined && run !== undefined) {
    await attempt(service, () => ask(options, DEADLINE_MS, `Stopped ${UNIT}`, 'systemctl', 'stop', UNIT));
  }
  for (const entry of entries.toReversed()) {
    if (entry.kind === 'file') await attempt(entry, () => putBack(entry, options));
  }
  if (run === undefined) {
    const machine = entries.filter(({ kind }) => kind !== 'file');
    for (const entry of machine) left.add(entry);
    if (machine.length > 0) problems.push('containers and services are put back on the running system only');
  } else {
    for (const entry of unique(entries)) await attempt(entry, () => bringBack(entry, run, options));
    if (service !== undefined) await attempt(service, () => serviceAsBefore(service, options));
  }
  for (const entry of entries) {
    if (entry.kind === 'file' && entry.backup !== null && !left.has(entry)) files.remove(entry.backup);
  }
  if (left.size === 0) files.remove(JOURNAL);
  else writeJournal(files, { ...journal, entries: entries.filter((entry) => left.has(entry)), open: false });
  return problems;
}

function putBack(entry: Entry & { kind: 'file' }, { files, onLine }: UndoOptions): string | undefined {
  const { path, before, after, backup } = entry;
  const now = files.state(path);
  // Never written, or put back by hand.
  if (now?.sha256 === before?.sha256) return undefined;
  if (before !== null && backup !== null && files.state(backup)?.sha256 !== before.sha256) {
    return `${path} stays as it is: ${backup}, the copy of what it was, is gone or was changed`;
  }
  if (now !== undefined && now.sha256 !== after) {
    const aside = `${path}${EDITED_ENDING}`;
    files.copy(path, aside);
    onLine(`${path} was edited since: what it says now is kept in ${aside}`);
  }
  if (before === null || backup === null) {
    files.remove(path);
    onLine(`Removed ${path}`);
  } else {
    files.restore(backup, path, before);
    onLine(`Put back ${path}`);
  }
  return undefined;
}

async function bringBack(entry: Entry, run: RunCommand, options: UndoOptions): Promise<string | undefined> {
  switch (entry.kind) {
    case 'file':
    case 'service':
      return undefined;
    case 'container-removed': {
      const { name, running, files, folder, project, service } = entry;
      const compose = await composeCommand(run);
      const up = [
        ...files.flatMap((file) => ['-f', file]),
        ...['--project-directory', folder, '-p', project, 'up', '--detach', '--no-deps'],
        ...(running ? [service] : ['--no-start', service]),
      ];
      if (compose === undefined) {
        return `the container ${name} is not back, since there is no Docker Compose here: docker compose ${up.join(' ')}`;
      }
      const [command = '', ...args] = compose;
      return ask(options, UP_DEADLINE_MS, `Made the container ${name} anew`, command, ...args, ...up);
    }
    case 'container-retired': {
      const { name, running, restart } = entry;
      return (
        (await ask(
          options,
          DEADLINE_MS,
          `${name} comes back by itself again`,
          'docker',
          'update',
          `--restart=${restart}`,
          name,
        )) ??
        (running ? ask(options, DEADLINE_MS, `Started the container ${name}`, 'docker', 'start', name) : undefined)
      );
    }
    case 'container-restarted':
      return ask(options, DEADLINE_MS, `Restarted the container ${entry.name}`, 'docker', 'restart', entry.name);
  }
}

async function serviceAsBefore(entry: Entry & { kind: 'service' }, options: UndoOptions): Promise<string | undefined> {
  const { active, enabled } = entry;
  return (
    (enabled
      ? undefined
      : await ask(options, DEADLINE_MS, `Disabled ${UNIT}, as before`, 'systemctl', 'disable', UNIT)) ??
    (active ? await ask(options, DEADLINE_MS, `Started ${UNIT}, as before`, 'systemctl', 'start', UNIT) : undefined)
  );
}

async function ask(
  { run, onLine }: UndoOptions,
  deadlineMs: number,
  done: string,
  command: string,
  ...args: readonly string[]
): Promise<string | undefined> {
  if (run === undefined) return undefined;
  const why = failureOf([command, ...args].join(' '), await run(command, args, { deadlineMs }));
  if (why === undefined) onLine(done);
  return why;
}

/** A broken-off run and its repetition write the same thing down twice. */
function unique(entries: readonly Entry[]): readonly Entry[] {
  const known = new Set<string>();
  return entries.filter((entry) => {
    const key = `${entry.kind} ${'name' in entry ? entry.name : ''}`;
    if (entry.kind === 'file' || known.has(key)) return false;
    known.add(key);
    return true;
  });
}
