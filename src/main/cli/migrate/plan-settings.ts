/** Which settings are taken over, into which file, and whether the service starts with them. Decides only. */
import { posix } from 'node:path';
import { isIP } from 'node:net';
import { printable } from '../../log/redact.js';
import {
  loadSettings,
  nameOf,
  parseHostPort,
  settingOfVariable,
  SettingsError,
  TABLE,
  type LoadedSettings,
  type SettingName,
  type Settings,
} from '../../settings.js';
import { fillIn, readEnvironmentFile } from '../../settings/environment-file.js';
import type { Found } from './find.js';
import * as places from './places.js';
import type { PlanInput, Step } from './step.js';

export interface SettingsPlan {
  readonly steps: readonly Step[];
  readonly notes: readonly string[];
  readonly problems: readonly string[];
}

export function planSettings({ found, ours, done, readFile, hosts }: PlanInput): SettingsPlan {
  const notes: string[] = [];
  const isDone = (role: 'conf' | 'environment'): boolean =>
    done.some((entry) => entry.kind === 'file' && entry.role === role);
  const conf = found.conf !== undefined && !isDone('conf') ? found.conf.text : ours.conf;
  const taken = isDone('environment') ? [] : takenOver(found, notes);
  const before = readEnvironmentFile(ours.environment ?? '');
  const fresh = taken.filter(({ name, value, secret, where }) => {
    const there = before.get(name) ?? '';
    if (there !== '' && there !== value) {
      const said = secret ? '' : ` ("${printable(there, 80)}")`;
      notes.push(
        `${name} of ${where} is not taken over: ${places.OUR_ENVIRONMENT} has set it to something else${said}`,
      );
    }
    return there === '';
  });
  const environment = fillIn(
    ours.environment ?? '',
    new Map(fresh.map(({ name, value }) => [name, value])),
    'Taken over from the Python version by `dunebugger-remote migrate`.',
  );

  const { loaded, problems } = load(conf, environment, readFile);
  notes.push(...(loaded?.warnings ?? []).map((warning) => `The service will say at each start: ${warning}`));
  notes.push(...busNotes(loaded?.settings, hosts));
  const steps: Step[] = [];
  if (conf !== undefined && conf !== ours.conf && found.conf !== undefined) {
    steps.push({
      kind: 'write',
      role: 'conf',
      path: places.OUR_CONF,
      text: conf,
      what: `Write ${places.OUR_CONF} as ${found.conf.path} is`,
      why: 'the settings stay what they were; a key that is not in it has its default',
      details: loaded === undefined ? [] : changedSettings(loaded),
    });
  }
  if (fresh.length > 0) {
    steps.push({
      kind: 'write',
      role: 'environment',
      path: places.OUR_ENVIRONMENT,
      text: environment,
      what: `Write into ${places.OUR_ENVIRONMENT} the variables of ${[...new Set(fresh.map(({ where }) => where))].join(' and ')}, for root alone (0600)`,
      why: 'group, device and sign-in stay what they were',
      details: fresh.map(({ name, value, secret }) => `${name} = ${secret ? '(not shown)' : printable(value, 80)}`),
    });
  }
  if (found.otherConfs.length > 0) notes.push(`Found, but not used: ${found.otherConfs.join(', ')}`);
  return { steps, notes, problems };
}

interface Taken {
  /** Our name of it. */
  readonly name: string;
  readonly value: string;
  readonly secret: boolean;
  readonly where: string;
}

/** What of the old variables is a setting, by our names; the first counts, and our own name before February's. */
function takenOver({ variables }: Found, notes: string[]): readonly Taken[] {
  const byName = new Map<string, Taken>();
  const given = variables
    .filter(({ value }) => value !== '')
    .map((variable) => ({ ...variable, key: settingOfVariable(variable.name) }));
  const isOwn = ({ name, key }: { name: string; key: SettingName | undefined }): boolean =>
    key !== undefined && TABLE[key].envName === name;
  for (const { name, value, where, key } of [...given.filter(isOwn), ...given.filter((each) => !isOwn(each))]) {
    if (key === undefined) continue;
    const { envName, secret } = TABLE[key];
    const first = byName.get(envName);
    if (first === undefined) byName.set(envName, { name: envName, value, secret, where });
    else if (first.value !== value)
      notes.push(`${name} of ${where} is not taken over: ${first.where} says something else, which counts`);
  }
  return [...byName.values()];
}

/** As the service reads them: what systemd hands over, a `.env` beside the conf, the credentials. */
function load(
  conf: string | undefined,
  environment: string,
  readFile: ReadFileOfOurs,
): { readonly loaded?: LoadedSettings; readonly problems: readonly string[] } {
  try {
    const loaded = loadSettings({
      ...(conf === undefined ? {} : { confFile: places.OUR_CONF }),
      env: Object.fromEntries(readEnvironmentFile(environment)),
      readFile: (path) => (path === places.OUR_CONF && conf !== undefined ? Buffer.from(conf) : readFile(path)),
      credentialsDirectory: posix.join(places.OUR_FOLDER, 'credentials'),
      workingDirectory: places.OUR_FOLDER,
    });
    return { loaded, problems: [] };
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return { problems: error.problems };
  }
}

type ReadFileOfOurs = PlanInput['readFile'];

/** What the conf says that is not the default anyway. */
function changedSettings({ settings, sources }: LoadedSettings): readonly string[] {
  return (Object.keys(TABLE) as SettingName[])
    .filter((key) => sources.of[key].startsWith(places.OUR_CONF) && !isDefault(key, settings[key]))
    .map(
      (key) =>
        `${nameOf(key)} = ${printable(shown(settings[key]), 120)} (default: ${shown(TABLE[key].default) || 'none'})`,
    );
}

function isDefault(key: SettingName, value: Settings[SettingName]): boolean {
  return shown(value) === shown(TABLE[key].default);
}

function shown(value: Settings[SettingName]): string {
  return typeof value === 'object' ? value.join(',') : String(value);
}

/** A name that only the old container's network knew. */
function busNotes(settings: Settings | undefined, hosts: string | undefined): readonly string[] {
  if (settings?.mQueueEnabled !== true) return [];
  const known = new Set(
    (hosts ?? '').split('\n').flatMap((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1)),
  );
  return settings.mQueueServers.flatMap((server) => {
    const host = parseHostPort(server.replace(/^.*[/@]/, ''))?.host ?? '';
    if (host === '' || isIP(host) !== 0 || host === 'localhost' || host.includes('.') || known.has(host)) return [];
    return [
      `/etc/hosts does not know ${host}, the server of the bus: add the line \`127.0.0.1 ${host}\` unless your network's name server knows it`,
    ];
  });
}
