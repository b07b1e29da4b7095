/**
 * `dunebugger.conf`, the environment, a `.env` and systemd's credentials -> one frozen, validated {@link Settings}.
 *
 * A value is taken from the first of these that has it (an option of the command line comes before them all):
 * 1. a file of its name in `$CREDENTIALS_DIRECTORY` (secrets only; a trailing newline is stripped),
 * 2. the environment: the names of `conf/dunebugger-remote.env.example`, `DUNEBUGGER_<SECTION>_<KEY>` for every key of the conf file, and the names
 *    of a proxy that all programs know (`HTTPS_PROXY`, `NO_PROXY`),
 * 3. the `.env` beside the conf file or, where there is none, the one in the working directory; one that only root may read is taken from
 *    the credential `dotenv`,
 * 4. the conf file: the one asked for, else `$DUNEBUGGER_CONFIG`, else `/etc/dunebugger-remote/dunebugger.conf`, else the package's own
 *    `conf/dunebugger.conf`,
 * 5. the default.
 */
import { HIDDEN, printable } from './log/redact.js';
import { checkTogether } from './settings/consistency.js';
import { variablesOf, type Environment } from './settings/environment.js';
import { SettingsError } from './settings/error.js';
import { secretsOfProxy } from './settings/proxy.js';
import { readFileFromDisk, type ReadFile } from './settings/files.js';
import { usedInstead } from './settings/instead.js';
import {
  put,
  readConf,
  readDotEnv,
  takeConf,
  takeCredentials,
  takeVariables,
  type Findings,
  type Found,
} from './settings/sources.js';
import { sourceWords, type Source } from './settings/source.js';
import { nameOf, ROWS, type SettingName, type Settings, type Spec } from './settings/table.js';

export { diffSettings, shown, takeOverLive, type SettingChange, type SettingsDiff } from './settings/diff.js';
export { SettingsError } from './settings/error.js';
export { hostsOf } from './settings/hosts.js';
export { proxyOf, proxyOfSite } from './settings/proxy.js';
export { tellable } from './settings/running.js';
export { settingOfVariable, SHIPPED_CONF } from './settings/sources.js';
export { nameOf, TABLE, type SettingName, type Settings } from './settings/table.js';
export { parseHostPort, type HostPort } from './settings/values.js';

export interface LoadOptions {
  /** The conf file the operator named: it must exist. Default: see above; none found is not an error. */
  readonly confFile?: string;
  /** The process's environment. */
  readonly env: Environment;
  /** Files that some variables of it stand in, by their names. Default: none. */
  readonly filesOfEnv?: ReadonlyMap<string, string>;
  /** Default: from disk. */
  readonly readFile?: ReadFile;
  /** Default: `$CREDENTIALS_DIRECTORY`. */
  readonly credentialsDirectory?: string;
  /** Where a `.env` is looked for last. Default: the process's working directory. */
  readonly workingDirectory?: string;
  /**
   * `run` (default) asks for everything the connection needs; `check` for what a look at the internet needs: a device that is not
   * signed in yet can still be diagnosed.
   */
  readonly purpose?: 'run' | 'check';
  /** What was said on the command line, with the option's name; wins over everything, and an empty text is not "not said". */
  readonly commandLine?: Readonly<Partial<Record<SettingName, CommandLineValue>>>;
}

export interface CommandLineValue {
  /** Such as `--timeout`, for messages. */
  readonly option: string;
  readonly text: string;
}

export interface LoadedSettings {
  readonly settings: Settings;
  /** To be logged at warning: what was ignored and what was probably meant. */
  readonly warnings: readonly string[];
  /** To be logged once at info: defaults in use, keys that no longer do anything. */
  readonly notices: readonly string[];
  readonly sources: {
    /** Absolute; undefined where no conf file was found. */
    readonly confFile: string | undefined;
    readonly envFile: string | undefined;
    /** Where each value came from, in words; `default` for most. */
    readonly of: Readonly<Record<SettingName, string>>;
  };
}

/** What was read, be it right or wrong. */
export interface ReadSettings extends LoadedSettings {
  /** With any of these nothing starts; what is wrong has its default in `settings`. */
  readonly problems: readonly string[];
  /** Where each setting was found, what counts first; empty: nowhere, so it has its default. */
  readonly foundAt: Readonly<Record<SettingName, readonly Source[]>>;
  /** Whose value is not allowed, and nothing is taken in its place. */
  readonly bad: ReadonlySet<SettingName>;
}

/** A longer list helps nobody, and the log is bounded. */
const MOST_MESSAGES = 30;

/**
 * Reads and checks everything.
 * @throws {SettingsError} with all problems at once.
 */
export function loadSettings(options: LoadOptions): LoadedSettings {
  const { settings, problems, warnings, notices, sources } = readSettings(options);
  if (problems.length > 0) throw new SettingsError(bounded(problems), bounded(warnings));
  return { settings, warnings: bounded(warnings), notices: bounded(notices), sources };
}

/** The same, but for whoever wants to see all of it: never throws for a setting, and bounds no list. */
export function readSettings(options: LoadOptions): ReadSettings {
  const readFile = options.readFile ?? readFileFromDisk;
  const env = variablesOf(options.env);
  const findings: Findings = { found: new Map(), problems: [], warnings: [], notices: [] };
  const { found, problems, warnings, notices } = findings;

  const conf = readConf(readFile, options.confFile ?? env.get('DUNEBUGGER_CONFIG'), problems);
  if (conf !== undefined) takeConf(conf, findings);
  else notices.push('No conf file was found: every setting has its default unless the environment sets it');
  // Whoever diagnoses a machine is often not the user who may read its secrets, and a look at the internet needs none.
  const unreadable = options.purpose === 'check' ? warnings : problems;
  const credentials = options.credentialsDirectory ?? env.get('CREDENTIALS_DIRECTORY');
  const dotEnv = readDotEnv(readFile, conf?.path, options.workingDirectory ?? process.cwd(), credentials, unreadable);
  if (dotEnv !== undefined)
    takeVariables(dotEnv.variables, (name) => ({ kind: 'variables', file: dotEnv.path, name }), findings);
  const { filesOfEnv } = options;
  takeVariables(
    env,
    (name) => {
      const file = filesOfEnv?.get(name);
      return file === undefined ? { kind: 'environment', name } : { kind: 'variables', file, name };
    },
    findings,
  );
  takeCredentials(readFile, credentials, { found, problems: unreadable });
  takeCommandLine(options.commandLine ?? {}, found);

  const values: Partial<Record<SettingName, unknown>> = {};
  const origins: Partial<Record<SettingName, string>> = {};
  const foundAt: Partial<Record<SettingName, readonly Source[]>> = {};
  const bad = new Set<SettingName>();
  for (const [key, spec] of ROWS) {
    const [given] = found.get(key) ?? [];
    let value = given === undefined ? spec.default : spec.type.parse(given.text);
    if (given !== undefined && value === undefined) {
      // Whoever has just typed it would rather correct it.
      const instead = given.typed === true ? undefined : usedInstead(key, given.text);
      value = instead;
      if (instead === undefined) {
        bad.add(key);
        problems.push(notAllowed(spec, given));
      } else {
        const used = String(instead);
        warnings.push(`${notAllowed(spec, given)}; ${/^[\w.]+$/.test(used) ? used : quoted(used)} is used`);
      }
    }
    values[key] = value ?? spec.default;
    origins[key] = value === undefined || given === undefined ? 'default' : sourceWords(given.source);
    foundAt[key] = (found.get(key) ?? []).map(({ source }) => source);
  }
  const settings = Object.freeze(values) as Settings;
  checkTogether(settings, bad, options.purpose ?? 'run', problems, warnings);

  return {
    settings,
    problems,
    warnings,
    notices,
    bad,
    foundAt: foundAt as Record<SettingName, readonly Source[]>,
    sources: { confFile: conf?.path, envFile: dotEnv?.path, of: Object.freeze(origins) as Record<SettingName, string> },
  };
}

/**
 * The values no log may show. A client id or user name that is also an open setting (many a device signs in under its own name) is not
 * among them: hiding it would hide that setting everywhere.
 */
export function secretsOf(settings: Settings): readonly string[] {
  const open = new Set<unknown>(ROWS.filter(([, spec]) => !spec.secret).flatMap(([key]) => settings[key]));
  const names = [settings.auth0ClientId, settings.auth0Username].filter((name) => !open.has(name));
  // The password, or the token that stands alone: nats://user:password@host, nats://token@host.
  const ofBus = settings.mQueueServers.map((server) => /:\/\/(?:[^:@]*:)?([^@]*)@/.exec(server)?.[1] ?? '');
  const ofProxy = secretsOfProxy(settings.httpsProxy);
  const all = [settings.auth0ClientSecret, settings.auth0Password, settings.clientUrl, ...names, ...ofBus, ...ofProxy];
  return [...new Set(all)].filter((value) => value !== '');
}

function takeCommandLine(given: NonNullable<LoadOptions['commandLine']>, found: Findings['found']): void {
  for (const [key, { option, text }] of Object.entries(given) as [SettingName, CommandLineValue][]) {
    const source = { kind: 'option', option } as const;
    put(found, key, { text: text.trim(), source, subject: `${sourceWords(source)} (${nameOf(key)})`, typed: true });
  }
}

function notAllowed(spec: Spec<unknown>, { text, subject }: Found): string {
  return `${subject} = ${spec.secret ? '(value not shown)' : quoted(text)} is not allowed: give ${spec.type.allowed}`;
}

/** Fit to print. Whoever forgets the scheme of nats://user:password@host has still written a password. */
function quoted(text: string): string {
  return `"${printable(text.replace(/[^\s/,]+@/g, `${HIDDEN}@`), 80)}"`;
}

function bounded(messages: readonly string[]): readonly string[] {
  const rest = messages.length - MOST_MESSAGES;
  return Object.freeze(rest > 0 ? [...messages.slice(0, MOST_MESSAGES), `and ${rest} more`] : [...messages]);
}
