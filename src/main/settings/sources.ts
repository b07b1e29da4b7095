import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { printable } from '../log/redact.js';
import { parseConf } from './dialect.js';
import { parseDotEnv } from './environment.js';
import { readText, type FileText, type ReadFile } from './files.js';
import { nearest } from './nearest.js';
import { sourceWords, type Source } from './source.js';
import { envNameOf, nameOf, OBSOLETE, ROWS, TABLE, type SettingName } from './table.js';
import { yesNo, type ValueType } from './values.js';

/** One text for a setting, not yet parsed. */
export interface Found {
  readonly text: string;
  readonly source: Source;
  /** Its source with the setting's own name: what a message about its value begins with. */
  readonly subject: string;
  /** On the command line. */
  readonly typed?: boolean;
}

/** What the sources gave so far. Each later source goes before the finds of the earlier ones. */
export interface Findings {
  /** Of each setting all that was found, what counts first. */
  readonly found: Map<SettingName, readonly [Found, ...Found[]]>;
  readonly problems: string[];
  readonly warnings: string[];
  readonly notices: string[];
}

export function put(found: Findings['found'], key: SettingName, find: Found): void {
  found.set(key, [find, ...(found.get(key) ?? [])]);
}

const SYSTEM_CONF = '/etc/dunebugger-remote/dunebugger.conf';

/** The conf file the package ships; this file is compiled to dist/src/main/settings/. */
export const SHIPPED_CONF = fileURLToPath(new URL('../../../../conf/dunebugger.conf', import.meta.url));

/** The conf file that was found. */
export interface Conf {
  readonly path: string;
  readonly text: string;
}

/** The first conf file there is; a named one must be there. */
export function readConf(readFile: ReadFile, asked: string | undefined, problems: string[]): Conf | undefined {
  for (const candidate of asked === undefined ? [SYSTEM_CONF, SHIPPED_CONF] : [asked]) {
    const path = resolve(candidate);
    const file = readText(readFile, path);
    if (file.kind === 'text') return { path, text: file.text };
    if (file.kind === 'unusable') problems.push(`${path} ${file.problem}`);
    else if (asked !== undefined)
      problems.push(`${path} does not exist: name the conf file with --config or DUNEBUGGER_CONFIG`);
    if (file.kind === 'unusable') return undefined;
  }
  return undefined;
}

export function takeConf(conf: Conf, { found, problems, warnings, notices }: Findings): void {
  const { entries, problems: broken } = parseConf(conf.text);
  problems.push(...broken.map((text) => `${conf.path}, ${text}`));
  const sections = [
    ...new Set([...ROWS.flatMap(([, spec]) => spec.section ?? []), ...OBSOLETE.map((old) => old.section)]),
  ];
  const strange = new Set<string>();
  const lines = new Map<SettingName, number>();
  for (const { section, key, value, line } of entries) {
    const where = `${conf.path}, line ${line}`;
    const wanted = key.toLowerCase();
    const row = ROWS.find(([name, spec]) => spec.section === section && name.toLowerCase() === wanted);
    if (row !== undefined) {
      const [name] = row;
      const first = lines.get(name);
      const counts = first === undefined || key === name ? line : first;
      lines.set(name, counts);
      // Python's keys differed by their case, and only one of them was ours.
      if (first !== undefined) {
        warnings.push(`${where}: ${nameOf(name)} stands in line ${first} in another case; line ${counts} counts`);
      }
      if (counts === line) {
        const source = { kind: 'conf', file: conf.path, line } as const;
        put(found, name, { text: value, source, subject: `${where}: ${nameOf(name)}` });
      }
    } else if (!sections.includes(section)) {
      if (strange.has(section)) continue;
      strange.add(section);
      const meant = nearest(section, sections, (name) => name);
      warnings.push(
        `${where}: section [${printable(section, 60)}] is unknown and ignored${meant === undefined ? '' : `; did you mean [${meant}]?`}`,
      );
    } else if (OBSOLETE.some((old) => old.section === section && old.key.toLowerCase() === wanted)) {
      notices.push(`${where}: [${section}] ${printable(key, 60)} no longer does anything`);
    } else {
      const meant = nearest(
        key,
        ROWS.filter(([, spec]) => spec.section !== undefined),
        ([name]) => name,
      )?.[0];
      warnings.push(
        `${where}: [${section}] ${printable(key, 60)} is unknown and ignored${meant === undefined ? '' : `; did you mean ${nameOf(meant)}?`}`,
      );
    }
  }
}

/** Name of the credential that is the `.env` beside the conf file, where only root may read that itself. */
const DOT_ENV_CREDENTIAL = 'dotenv';

/** The first `.env` there is: beside the conf file, then in the working directory. */
export function readDotEnv(
  readFile: ReadFile,
  confPath: string | undefined,
  workingDirectory: string,
  credentialsDirectory: string | undefined,
  problems: string[],
): { readonly path: string; readonly variables: ReadonlyMap<string, string> } | undefined {
  const directories = new Set([...(confPath === undefined ? [] : [dirname(confPath)]), resolve(workingDirectory)]);
  for (const directory of directories) {
    const path = join(directory, '.env');
    const file = readText(readFile, path);
    if (file.kind === 'text') return { path, variables: parseDotEnv(file.text) };
    if (file.kind === 'unusable') {
      // systemd, as root, has read it for us.
      const handedOver: FileText =
        credentialsDirectory === undefined
          ? { kind: 'missing' }
          : readText(readFile, join(credentialsDirectory, DOT_ENV_CREDENTIAL));
      if (handedOver.kind === 'text') return { path, variables: parseDotEnv(handedOver.text) };
      problems.push(`${path} ${file.problem}`);
      return undefined;
    }
  }
  return undefined;
}

/** Variables that are ours by their prefix: a slip in one of these deserves a word. */
const OUR_PREFIX = /^(?:DUNEBUGGER|AUTH0|WEBPUBSUB)_/;

/** Names of the Python version of February 2026, `SECTION_OPTION`, where they differ in more than case from the key. */
const RENAMED: readonly (readonly [string, SettingName])[] = [
  ['AUTH_CLIENTID', 'auth0ClientId'],
  ['AUTH_CLIENTSECRET', 'auth0ClientSecret'],
  ['AUTH_USERNAME', 'auth0Username'],
  ['AUTH_PASSWORD', 'auth0Password'],
  ['WEBSOCKET_GROUPNAME', 'wsGroupName'],
  ['SYSTEM_DEVICEID', 'deviceId'],
  ['SYSTEM_LOCATIONDESCRIPTION', 'locationDescription'],
];

/** That version's names of our settings; every key of a section has one. */
const ALIASES: ReadonlyMap<string, SettingName> = new Map([
  ...ROWS.flatMap(([key, { section }]) =>
    section === undefined ? [] : [[`${section}_${key}`.toUpperCase(), key] as const],
  ),
  ...RENAMED,
]);

/** What every program is told in the same way, the first that is set counts: in small letters first, as curl has it. */
const COMMON: readonly (readonly [SettingName, readonly string[]])[] = [
  ['httpsProxy', ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY']],
  ['noProxy', ['no_proxy', 'NO_PROXY']],
];

/** Of these variables, those that set something of ours by such a name: unless one of our own names does. */
function commonIn(variables: ReadonlyMap<string, string>): ReadonlyMap<string, SettingName> {
  return new Map(
    COMMON.flatMap(([key, names]) => {
      const ours = [TABLE[key].envName, aliasOf(key)].some((name) => name !== undefined && variables.has(name));
      const name = ours ? undefined : names.find((one) => variables.has(one));
      return name === undefined ? [] : [[name, key] as const];
    }),
  );
}

/** The setting that a variable of this name sets; undefined: none of ours. */
export function settingOfVariable(name: string): SettingName | undefined {
  return (
    ALIASES.get(name) ??
    COMMON.find(([, names]) => names.includes(name))?.[0] ??
    ROWS.find(([, { envName }]) => envName === name)?.[0]
  );
}

function aliasOf(key: SettingName): string | undefined {
  return [...ALIASES].find(([, aliased]) => aliased === key)?.[0];
}

/** @param sourceOf where a variable of that name stands */
export function takeVariables(
  variables: ReadonlyMap<string, string>,
  sourceOf: (name: string) => Source,
  { found, warnings, notices }: Findings,
): void {
  const seen = (key: SettingName, name: string): Found | undefined => {
    const [counts] = found.get(key) ?? [];
    return counts !== undefined && 'name' in counts.source && counts.source.name === name ? counts : undefined;
  };
  const rows = new Map<string, SettingName>(ROWS.map(([key, spec]) => [spec.envName, key]));
  const obsolete = new Set(OBSOLETE.map(({ section, key }) => envNameOf(section, key)));
  const common = commonIn(variables);
  for (const [name, text] of variables) {
    const source = sourceOf(name);
    const where = sourceWords(sourceOf(printable(name, 80)));
    const key = rows.get(name);
    const aliased = ALIASES.get(name);
    const shared = common.get(name);
    if (shared !== undefined) {
      put(found, shared, { text, source, subject: `${where} (${nameOf(shared)})` });
    } else if (aliased !== undefined) {
      const ours = TABLE[aliased].envName;
      const given = variables.get(ours) ?? seen(aliased, ours)?.text;
      if (given === undefined) {
        const subject = `${where} (${nameOf(aliased)})`;
        const { secret, type } = TABLE[aliased];
        const value = secret ? text : text.trim();
        // That version took every word but `true` for False.
        const noBoolean = (type as ValueType<unknown>) === yesNo && yesNo.parse(value) === undefined;
        if (noBoolean) {
          warnings.push(`${subject} = "${printable(value, 80)}" is not allowed: give ${yesNo.allowed}; False is used`);
        }
        put(found, aliased, { text: noBoolean ? 'False' : value, source, subject });
      } else if (given.trim() !== text.trim()) {
        warnings.push(`${where} says something else than ${ours}, which counts: remove one of them`);
      }
    } else if (key !== undefined) {
      const alias = aliasOf(key);
      const other = alias === undefined ? undefined : seen(key, alias);
      if (alias !== undefined && other !== undefined && other.text.trim() !== text.trim()) {
        warnings.push(`${where} says something else than ${alias}, and counts: remove one of them`);
      }
      const subject = TABLE[key].section === undefined ? where : `${where} (${nameOf(key)})`;
      put(found, key, { text: TABLE[key].secret ? text : text.trim(), source, subject });
    } else if (obsolete.has(name)) {
      notices.push(`${where} no longer does anything`);
    } else if (OUR_PREFIX.test(name) && name !== 'DUNEBUGGER_CONFIG') {
      const meant = nearest(name, [...rows.keys()], (known) => known);
      if (meant === undefined && !name.startsWith('DUNEBUGGER_')) continue;
      warnings.push(`${where} is unknown and ignored${meant === undefined ? '' : `; did you mean ${meant}?`}`);
    }
  }
}

/** systemd's `LoadCredential=`: one file a secret. */
export function takeCredentials(
  readFile: ReadFile,
  directory: string | undefined,
  { found, problems }: Pick<Findings, 'found' | 'problems'>,
): void {
  if (directory === undefined) return;
  for (const [key, spec] of ROWS) {
    if (!spec.secret) continue;
    const path = join(directory, spec.envName);
    const file = readText(readFile, path);
    if (file.kind === 'unusable') problems.push(`${path} ${file.problem}`);
    if (file.kind !== 'text') continue;
    const text = file.text.replace(/\r?\n$/, '');
    const source = { kind: 'credential', file: path } as const;
    if (text !== '') put(found, key, { text, source, subject: sourceWords(source) });
  }
}
