/** What `systemctl show` says of the unit, taken apart. Pure. */
import type { UnitProperties } from '../service-state.js';

/** Asked for beside those that say why nobody answers. */
export const MORE_PROPERTIES = [
  'UnitFileState',
  'NRestarts',
  'Result',
  'NeedDaemonReload',
  'ExecStart',
  'Environment',
  'EnvironmentFiles',
] as const;

/** Where the unit of the package takes the secrets from (`LoadCredential=`). */
export const CREDENTIALS = '/etc/dunebugger-remote/credentials';

export interface UnitSources {
  readonly confFile: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly environmentFiles: readonly string[];
}

/** Undefined where there is no such unit, or no systemd. */
export function sourcesOf(unit: UnitProperties): UnitSources | undefined {
  if (unit['LoadState'] !== 'loaded') return undefined;
  return {
    confFile: /--config[ =](\S+)/.exec(unit['ExecStart'] ?? '')?.[1],
    environment: Object.fromEntries(wordsOf(unit['Environment'] ?? '').flatMap(assignment)),
    environmentFiles: (unit['EnvironmentFiles'] ?? '')
      .split('\n')
      .map((line) => line.replace(/ \(ignore_errors=\w+\)$/, ''))
      .filter((file) => file.startsWith('/')),
  };
}

function assignment(word: string): [string, string][] {
  const at = word.indexOf('=');
  return at < 1 ? [] : [[word.slice(0, at), word.slice(at + 1)]];
}

/** Separated by blanks; those with blanks in them stand in quotes, with C's escapes. */
function wordsOf(text: string): string[] {
  return [...text.matchAll(/(?:"(?:[^"\\]|\\.)*"|\$'(?:[^'\\]|\\.)*'|[^\s"])+/g)].map(([word]) =>
    word.replace(/^\$'|'$/g, '').replace(/"((?:[^"\\]|\\.)*)"/g, (_, inner: string) => inner.replace(/\\(.)/g, '$1')),
  );
}
