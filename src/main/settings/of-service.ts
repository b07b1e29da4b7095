/**
 * The settings as the service has them, for a command that is run beside it: what systemd hands to the service stands in files, of which
 * root may read all and others some. Never throws: whoever diagnoses a machine goes on with what there is.
 */
import { dirname } from 'node:path';
import {
  loadSettings,
  readSettings,
  SettingsError,
  type LoadedSettings,
  type LoadOptions,
  type ReadSettings,
} from '../settings.js';
import { readEnvironmentFile } from './environment-file.js';
import type { Environment } from './environment.js';
import { readFileFromDisk, readText, type ReadFile } from './files.js';

export interface ServiceSources {
  /** The file that the service is told to read. Default: as `loadSettings` looks for it. */
  readonly confFile?: string | undefined;
  /** Variables of the service's environment that stand in no file. */
  readonly environment: Environment;
  /** `EnvironmentFile=`, the first one first; one that is not there says nothing. */
  readonly environmentFiles: readonly string[];
  /** Where the secrets lie, a file each. */
  readonly credentialsDirectory?: string | undefined;
  /** Where a `.env` is looked for that is not beside the conf. Default: the conf's own folder. */
  readonly workingDirectory?: string;
  /** Default: from disk. */
  readonly readFile?: ReadFile;
}

export interface ServiceSettings {
  /** Where they are wrong: without what only the connection needs, and where that is wrong, too, the defaults. */
  readonly loaded: LoadedSettings;
  /** Its whole environment, as far as it can be read. */
  readonly environment: Environment;
  /** With these the service does not start. Empty as well where `hidden` leaves it open. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  /** Files with settings that this user may not read. */
  readonly hidden: readonly string[];
}

export function loadServiceSettings(sources: ServiceSources): ServiceSettings {
  const { options, environment, problems, hidden } = optionsOf(sources);
  const whole = attempt(options, 'run');
  if (whole.loaded !== undefined) {
    return { loaded: whole.loaded, environment, problems, warnings: whole.loaded.warnings, hidden: [...hidden] };
  }
  const part = attempt(options, 'check');
  // What is missing may stand where we may not look; what is wrong is wrong all the same.
  problems.push(...(hidden.size > 0 ? part.problems : whole.problems));
  const loaded = part.loaded ?? loadSettings({ env: {}, readFile: readNothing, purpose: 'check' });
  return { loaded, environment, problems, warnings: whole.warnings, hidden: [...hidden] };
}

/** What there is to read, be it right or wrong. */
export interface ServiceRead extends ReadSettings {
  /** Files with variables that were read. */
  readonly environmentFiles: readonly string[];
  /** Files with settings that this user may not read: what is missing because of them is no problem. */
  readonly hidden: readonly string[];
}

export function readServiceSettings(sources: ServiceSources): ServiceRead {
  const { options, problems, hidden, environmentFiles } = optionsOf(sources);
  const whole = readSettings({ ...options, purpose: 'run' });
  const read = hidden.size > 0 ? readSettings({ ...options, purpose: 'check' }) : whole;
  return { ...read, problems: [...problems, ...read.problems], environmentFiles, hidden: [...hidden] };
}

interface Reading {
  readonly options: LoadOptions;
  readonly environment: Environment;
  readonly environmentFiles: readonly string[];
  readonly problems: string[];
  /** Grows as files are read. */
  readonly hidden: ReadonlySet<string>;
}

function optionsOf(sources: ServiceSources): Reading {
  const { confFile, credentialsDirectory } = sources;
  const hidden = new Set<string>();
  const readFile = withoutHidden(sources.readFile ?? readFileFromDisk, confFile, hidden);
  const problems: string[] = [];
  const environment = { ...sources.environment };
  const environmentFiles: string[] = [];
  const filesOfEnv = new Map<string, string>();
  for (const path of sources.environmentFiles) {
    const file = readText(readFile, path);
    if (file.kind === 'unusable') problems.push(`${path} ${file.problem}`);
    if (file.kind !== 'text') continue;
    environmentFiles.push(path);
    for (const [name, value] of readEnvironmentFile(file.text)) {
      environment[name] = value;
      filesOfEnv.set(name, path);
    }
  }
  const options: LoadOptions = {
    env: environment,
    filesOfEnv,
    readFile,
    // Not the folder of whoever runs the command.
    workingDirectory: sources.workingDirectory ?? dirname(confFile ?? '/nowhere/at-all'),
    ...(confFile === undefined ? {} : { confFile }),
    ...(credentialsDirectory === undefined ? {} : { credentialsDirectory }),
  };
  return { options, environment, environmentFiles, problems, hidden };
}

interface Attempt {
  readonly loaded?: LoadedSettings;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

function attempt(options: LoadOptions, purpose: 'run' | 'check'): Attempt {
  try {
    const loaded = loadSettings({ ...options, purpose });
    return { loaded, problems: [], warnings: loaded.warnings };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error;
  }
}

/** What may not be read is missing, and noted; but for the conf itself, which the service must be able to read. */
function withoutHidden(readFile: ReadFile, confFile: string | undefined, hidden: Set<string>): ReadFile {
  return (path) => {
    try {
      return readFile(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== 'EACCES' && code !== 'EPERM') || path === confFile) throw error;
      hidden.add(path);
      throw notThere(path);
    }
  };
}

const readNothing: ReadFile = (path) => {
  throw notThere(path);
};

function notThere(path: string): Error {
  return Object.assign(new Error(`${path} is not there`), { code: 'ENOENT' });
}
