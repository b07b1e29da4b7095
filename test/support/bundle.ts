/** What a bundle of the doctor holds, unpacked by the system's own tar. */
import { execFileSync } from 'node:child_process';
import { gatherLine } from './everything-logged.js';

/** By name, without the folder that all are in. All of it is searched for secrets at the end of the tests. */
export function unpack(archive: Uint8Array): ReadonlyMap<string, string> {
  const tar = (...args: string[]): string =>
    execFileSync('tar', args, { input: archive, encoding: 'utf8', maxBuffer: 64 << 20 });
  const names = tar('--list', '--gzip').trim().split('\n');
  const files = new Map(
    names.map((name) => [name.slice(name.indexOf('/') + 1), tar('--extract', '--gzip', '--to-stdout', name)]),
  );
  for (const text of files.values()) gatherLine('bundle', text);
  return files;
}
