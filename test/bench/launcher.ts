/** With which options of Node the packed command runs. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** As `conf/debian/launcher` gives them. @throws if it gives none: then it is read wrongly */
export function launcherOptions(): readonly string[] {
  const launcher = readFileSync(fileURLToPath(new URL('../../../conf/debian/launcher', import.meta.url)), 'utf8');
  const options = launcher.match(/(?<= )--[a-z][\w=-]+/g);
  if (options === null) throw new Error('conf/debian/launcher has no options of Node');
  return options;
}
