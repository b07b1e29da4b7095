/** What a migration has done, so that a second one does not do it again and `--undo` can put it back. */
import { isRecord } from './compose.js';
import type { Container } from './docker.js';
import type { Files, FileState } from './files.js';
import { JOURNAL } from './places.js';

export type FileRole = 'conf' | 'environment' | 'compose';

/** Written down before the step is done, so that a power cut in between leaves nothing unknown. */
export type Entry =
  | {
      readonly kind: 'file';
      readonly role: FileRole;
      readonly path: string;
      /** What was there; null: nothing. */
      readonly before: FileState | null;
      /** Hash of what is written. */
      readonly after: string;
      /** Where a copy of what was there lies; null: nothing was there. */
      readonly backup: string | null;
    }
  | {
      readonly kind: 'container-removed';
      readonly name: string;
      readonly running: boolean;
      readonly files: readonly string[];
      readonly folder: string;
      readonly project: string;
      readonly service: string;
    }
  | { readonly kind: 'container-retired'; readonly name: string; readonly running: boolean; readonly restart: string }
  | { readonly kind: 'service'; readonly active: boolean; readonly enabled: boolean }
  | { readonly kind: 'container-restarted'; readonly name: string };

export interface Journal {
  /** ISO 8601, UTC; by a clock that may be wrong. */
  readonly startedAt: string;
  /** In the order of doing. */
  readonly entries: readonly Entry[];
  /** The last entry was begun; nobody knows whether it was done. */
  readonly open: boolean;
}

export type JournalReading =
  | { readonly kind: 'none' }
  | { readonly kind: 'journal'; readonly journal: Journal }
  /** `why` completes a sentence that begins with the file's name. */
  | { readonly kind: 'unusable'; readonly why: string };

export function readJournal(files: Files): JournalReading {
  const file = files.text(JOURNAL);
  if (file.kind === 'missing') return { kind: 'none' };
  if (file.kind === 'unusable') return { kind: 'unusable', why: file.problem };
  let parsed: unknown;
  try {
    parsed = JSON.parse(file.text);
  } catch {
    return { kind: 'unusable', why: 'is not JSON' };
  }
  if (!isRecord(parsed) || parsed['version'] !== 1 || !Array.isArray(parsed['entries'])) {
    return { kind: 'unusable', why: 'is not what this version writes' };
  }
  const entries = parsed['entries'] as unknown[];
  if (!entries.every(isEntry)) return { kind: 'unusable', why: 'has an entry that this version does not know' };
  return {
    kind: 'journal',
    journal: { startedAt: String(parsed['startedAt']), entries, open: parsed['open'] === true },
  };
}

/** For root alone: it names what holds secrets, and an undo does what it says. */
export function writeJournal(files: Files, { startedAt, entries, open }: Journal): void {
  const text = `${JSON.stringify({ version: 1, startedAt, entries, open }, undefined, 2)}\n`;
  files.write(JOURNAL, text, { mode: 0o600, uid: 0, gid: 0 });
}

/** What is done for certain: the last one of a broken-off run only if the file is what was to be written. */
export function settled({ entries, open }: Journal, files: Files): readonly Entry[] {
  const last = entries.at(-1);
  if (!open || last === undefined) return entries;
  return last.kind === 'file' && files.state(last.path)?.sha256 === last.after ? entries : entries.slice(0, -1);
}

export function removalOf({ name, running, compose }: Container): Entry & { kind: 'container-removed' } {
  const { files = [], folder = '/', project = '', service = '' } = compose ?? {};
  return { kind: 'container-removed', name, running, files, folder, project, service };
}

function isEntry(entry: unknown): entry is Entry {
  if (!isRecord(entry)) return false;
  const text = (...keys: readonly string[]): boolean => keys.every((key) => typeof entry[key] === 'string');
  const flag = (...keys: readonly string[]): boolean => keys.every((key) => typeof entry[key] === 'boolean');
  switch (entry['kind']) {
    case 'file':
      return (
        text('role', 'path', 'after') &&
        (entry['before'] === null ? entry['backup'] === null : isState(entry['before']) && text('backup'))
      );
    case 'container-removed': {
      const list = entry['files'];
      return (
        text('name', 'folder', 'project', 'service') &&
        flag('running') &&
        Array.isArray(list) &&
        list.every((file) => typeof file === 'string')
      );
    }
    case 'container-retired':
      return text('name', 'restart') && flag('running');
    case 'service':
      return flag('active', 'enabled');
    case 'container-restarted':
      return text('name');
    default:
      return false;
  }
}

function isState(state: unknown): state is FileState {
  return (
    isRecord(state) &&
    typeof state['sha256'] === 'string' &&
    (['mode', 'uid', 'gid'] as const).every((key) => Number.isSafeInteger(state[key]))
  );
}
