import { shown } from './diff.js';
import { variablesOf, type Environment } from './environment.js';
import { settingOfVariable } from './sources.js';
import { ROWS, type Settings } from './table.js';

/** What may be told of the settings that a process with this environment runs with: texts by name, and the names that the environment sets. */
export function tellable(
  settings: Settings,
  env: Environment,
): { readonly settings: Readonly<Record<string, string>>; readonly ofEnvironment: readonly string[] } {
  const open = ROWS.filter(([, { secret }]) => !secret);
  const set = new Set([...variablesOf(env).keys()].map(settingOfVariable));
  return {
    settings: Object.fromEntries(open.map(([key, spec]) => [key, shown(spec, settings[key])])),
    ofEnvironment: open.map(([key]) => key).filter((key) => set.has(key)),
  };
}
