/** Carries a plan out, step by step, each written down before it is done. */
import { failureOf } from './docker.js';
import type { RunCommand } from './commands.js';
import { sha256Of, whyOf, type Files } from './files.js';
import { removalOf, writeJournal, type Entry, type Journal } from './journal.js';
import { BACKUP_ENDING, UNIT } from './places.js';
import type { Step } from './step.js';

/** Ten seconds of grace for the container itself, and a slow card. */
const STOP_DEADLINE_MS = 90_000;
/** The unit's own TimeoutStartSec is 60 s. */
const START_DEADLINE_MS = 90_000;
/** Files written anew are for root; what was there keeps its owner and mode. */
const FRESH = { mode: 0o644, uid: 0, gid: 0 } as const;
const SECRET_MODE = 0o600;

export interface ApplyOptions {
  readonly files: Files;
  readonly run: RunCommand;
  /** What earlier runs have written down. */
  readonly journal: Journal;
  /** Told before each step. */
  readonly onStep: (step: Step, number: number) => void;
  /** Asked before each step: is it to go on? */
  readonly goesOn: () => boolean;
}

export type Applied =
  | { readonly kind: 'done' }
  /** Stopped before a step, by whoever sits there. */
  | { readonly kind: 'stopped' }
  /** A step failed; `why` is a sentence. Those before it are done. */
  | { readonly kind: 'failed'; readonly step: Step; readonly why: string };

export async function applySteps(steps: readonly Step[], options: ApplyOptions): Promise<Applied> {
  const { files, journal, onStep, goesOn } = options;
  let entries: readonly Entry[] = journal.entries;
  for (const [index, step] of steps.entries()) {
    if (!goesOn()) return { kind: 'stopped' };
    onStep(step, index + 1);
    try {
      entries = [...entries, entryOf(step, files)];
      writeJournal(files, { ...journal, entries, open: true });
      const why = await carryOut(step, options);
      if (why !== undefined) return { kind: 'failed', step, why };
      writeJournal(files, { ...journal, entries, open: false });
    } catch (error) {
      // What the file system or the card says; a bug has no errno.
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      const { path } = error as NodeJS.ErrnoException;
      return { kind: 'failed', step, why: `${path === undefined ? '' : `${path}: `}${whyOf(error)}` };
    }
  }
  return { kind: 'done' };
}

function entryOf(step: Step, files: Files): Entry {
  switch (step.kind) {
    case 'write': {
      const before = files.state(step.path) ?? null;
      const backup = before === null ? null : backupPath(files, step.path, before.sha256);
      return { kind: 'file', role: step.role, path: step.path, before, after: sha256Of(step.text), backup };
    }
    case 'remove-container':
      return removalOf(step.container);
    case 'retire-container': {
      const { name, running, restart } = step.container;
      return { kind: 'container-retired', name, running, restart };
    }
    case 'start-service':
      return { kind: 'service', ...step.before };
    case 'restart-container':
      return { kind: 'container-restarted', name: step.name };
  }
}

/** Undefined: done; else why not, as a sentence. */
async function carryOut(step: Step, { files, run }: ApplyOptions): Promise<string | undefined> {
  const ask = async (command: string, ...args: readonly string[]): Promise<string | undefined> =>
    failureOf([command, ...args].join(' '), await run(command, args, { deadlineMs: STOP_DEADLINE_MS }));
  switch (step.kind) {
    case 'write': {
      const before = files.state(step.path);
      if (before !== undefined) files.copy(step.path, backupPath(files, step.path, before.sha256));
      const mode = step.role === 'environment' ? { mode: SECRET_MODE } : {};
      files.write(step.path, step.text, { ...FRESH, ...before, ...mode });
      return undefined;
    }
    case 'remove-container':
      return (await ask('docker', 'stop', step.container.name)) ?? (await ask('docker', 'rm', step.container.name));
    case 'retire-container':
      return (
        (await ask('docker', 'update', '--restart=no', step.container.name)) ??
        (await ask('docker', 'stop', step.container.name))
      );
    case 'start-service': {
      const enabled = step.before.enabled ? undefined : await ask('systemctl', 'enable', UNIT);
      if (enabled !== undefined) return enabled;
      const started = await run('systemctl', ['restart', UNIT], { deadlineMs: START_DEADLINE_MS });
      const why = failureOf(`systemctl restart ${UNIT}`, started);
      return why === undefined ? undefined : `${why}. Its journal says what is wrong: journalctl -u ${UNIT} -n 20`;
    }
    case 'restart-container':
      return ask('docker', 'restart', step.name);
  }
}

/** Beside the file; an earlier copy of something else is never written over. */
function backupPath(files: Files, path: string, sha256: string): string {
  for (let number = 1; ; number += 1) {
    const backup = `${path}${BACKUP_ENDING}${number === 1 ? '' : `.${number}`}`;
    const there = files.state(backup);
    if (there === undefined || there.sha256 === sha256) return backup;
  }
}
