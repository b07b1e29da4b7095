/** Who may read what: the service its files, nobody else the secrets. */
import { dirname } from 'node:path';
import { fail, pass, skip, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';
import type { System } from '../system.js';
import { CREDENTIALS, sourcesOf } from '../unit.js';

const FOR_OTHERS = 0o004;
const FOLDER_FOR_OTHERS = 0o001;
const NOT_FOR_ROOT_ALONE = 0o077;

export class PermissionsCheck implements Check {
  readonly id = 'permissions';
  readonly area = 'service';
  readonly title = 'permissions';
  readonly withinMs = 4_000;

  async run({ system, unit, configuration }: Facts): Promise<Finding> {
    const [sources, { settings, confFile, loaded }] = await Promise.all([unit().then(sourcesOf), configuration()]);
    if (sources === undefined) return skip('there is no service of systemd to look at');
    for (const file of [confFile, settings.caFile]) {
      if (file === undefined || file === '') continue;
      const why = await whyUnreadable(system, file);
      if (why !== undefined) return fail('conf-hidden', why, remedyFor(file));
    }
    const { envFile } = loaded.sources;
    const secret = [...sources.environmentFiles, ...(envFile === undefined ? [] : [envFile]), CREDENTIALS];
    const exposed = await exposedOf(system, secret);
    if (exposed !== undefined) {
      const mode = exposed === CREDENTIALS ? '700' : '600';
      return warn('secrets-exposed', exposed, `sudo chown root:root ${exposed}, sudo chmod ${mode} ${exposed}`);
    }
    return pass('the service may read its files, and nobody else the secrets');
  }
}

/** It runs as a user of its own (`DynamicUser=`), and sees no home (`ProtectHome=`). */
async function whyUnreadable(system: System, file: string): Promise<string | undefined> {
  if (/^\/(?:home|root|run\/user)\//.test(file)) return `${file} is in a home, which the service does not see`;
  for (let folder = dirname(file); folder !== '/'; folder = dirname(folder)) {
    const facts = await system.stat(folder);
    if (typeof facts === 'object' && (facts.mode & FOLDER_FOR_OTHERS) === 0) return `the folder ${folder} is closed`;
  }
  const facts = await system.stat(file);
  return typeof facts === 'object' && (facts.mode & FOR_OTHERS) === 0 ? `${file} is closed to others` : undefined;
}

function remedyFor(file: string): string {
  return /^\/(?:home|root|run\/user)\//.test(file)
    ? 'Put it into /etc/dunebugger-remote, and name that in the settings'
    : `sudo chmod a+r ${file}, and sudo chmod a+x for the folders above it`;
}

/** One that somebody but root may read. What is not there exposes nothing. */
async function exposedOf(system: System, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const facts = await system.stat(path);
    if (typeof facts === 'object' && ((facts.mode & NOT_FOR_ROOT_ALONE) !== 0 || facts.uid !== 0)) return path;
  }
  return undefined;
}
