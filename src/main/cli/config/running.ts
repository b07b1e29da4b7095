/** What the running service would take over. Pure. */
import type { RunningSettings } from '../../observe/running-settings.js';
import type { ReadSettings } from '../../settings.js';
import { nameOf, ROWS } from '../../settings/table.js';
import { shown } from '../../settings/diff.js';

export interface Changes {
  /** By a reload; each such as `[Websocket] connectionIntervalSecs: 7 -> 10`. */
  readonly reload: readonly string[];
  /** Only by a restart. */
  readonly restart: readonly string[];
}

/** Secrets are not compared: the service does not say them. */
export function changesOf(running: RunningSettings, read: ReadSettings, redact: (text: string) => string): Changes {
  const reload: string[] = [];
  const restart: string[] = [];
  for (const [key, spec] of ROWS) {
    const before = running.settings[key];
    if (before === undefined || spec.secret) continue;
    const after = redact(shown(spec, read.settings[key]));
    if (before === after) continue;
    const [source] = read.foundAt[key];
    // The environment of a process stays what it was.
    const ofEnvironment = running.ofEnvironment.includes(key) || (source !== undefined && source.kind !== 'conf');
    (spec.live && !ofEnvironment ? reload : restart).push(`${nameOf(key)}: ${before} -> ${after}`);
  }
  return { reload, restart };
}
