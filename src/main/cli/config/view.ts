/** The settings that `config check` and `config show` are about: those of the service where there is one, else those that `run` would have here. */
import path from 'node:path';
import { readSettings } from '../../settings.js';
import { readServiceSettings, type ServiceRead } from '../../settings/of-service.js';
import { CREDENTIALS, MORE_PROPERTIES, sourcesOf } from '../doctor/unit.js';
import { askSystemd } from '../service-state.js';

export interface View extends ServiceRead {
  /** With the environment and the credentials that systemd hands to the service. */
  readonly ofService: boolean;
}

/** Deadline, milliseconds. */
const SYSTEMD_MS = 2_000;

/** @param file instead of the conf file that would be read */
export async function viewSettings(file: string | undefined): Promise<View> {
  const named = file === undefined ? {} : { confFile: path.resolve(file) };
  const unit = sourcesOf(await askSystemd(SYSTEMD_MS, MORE_PROPERTIES));
  if (unit === undefined) {
    return { ...readSettings({ ...named, env: process.env }), environmentFiles: [], hidden: [], ofService: false };
  }
  const read = readServiceSettings({
    ...unit,
    ...named,
    credentialsDirectory: CREDENTIALS,
    ...(unit.confFile === undefined ? {} : { workingDirectory: path.dirname(unit.confFile) }),
  });
  return { ...read, ofService: true };
}
