/** What is there of this program's own: its configuration, its service. Changes nothing. */
import { posix } from 'node:path';
import { failureOf } from './docker.js';
import type { RunCommand } from './commands.js';
import type { Files } from './files.js';
import * as places from './places.js';

export interface Ours {
  readonly conf: string | undefined;
  readonly environment: string | undefined;
  /** Is there a unit of ours in that system? */
  readonly installed: boolean;
  /** undefined: there is no systemd to ask. */
  readonly service: ServiceState | undefined;
  /** What of it could not be read, a sentence each. */
  readonly unreadable: readonly string[];
}

export interface ServiceState {
  readonly active: boolean;
  readonly enabled: boolean;
}

/** @param run undefined: the system is not the one that runs here */
export async function lookAtOurs(files: Files, run: RunCommand | undefined): Promise<Ours> {
  const unreadable: string[] = [];
  const read = (path: string): string | undefined => {
    const file = files.text(path);
    if (file.kind === 'unusable') unreadable.push(`${path} ${file.problem}`);
    return file.kind === 'text' ? file.text : undefined;
  };
  return {
    conf: read(places.OUR_CONF),
    environment: read(places.OUR_ENVIRONMENT),
    installed: places.UNIT_FOLDERS.some((folder) => files.exists(posix.join(folder, places.UNIT))),
    service: run === undefined ? undefined : await serviceState(run, unreadable),
    unreadable,
  };
}

async function serviceState(run: RunCommand, problems: string[]): Promise<ServiceState | undefined> {
  const shown = await run('systemctl', ['show', '--property=ActiveState,UnitFileState', places.UNIT]);
  if (shown.kind === 'missing') return undefined;
  const why = failureOf('systemctl show', shown);
  if (shown.kind !== 'ended' || why !== undefined) {
    problems.push(`systemd does not say how ${places.UNIT} is: ${why ?? ''}`);
    return undefined;
  }
  const property = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(shown.stdout)?.[1] ?? '';
  return {
    active: ['active', 'activating', 'reloading'].includes(property('ActiveState')),
    enabled: property('UnitFileState') !== 'disabled' && property('UnitFileState') !== '',
  };
}
