/** What helps with a bug report, in one archive: every text in it redacted, readable by its owner alone. */
import { open, readdir, readFile, unlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { systemClock } from '../../base/clock.js';
import { HISTORY_FOLDER } from '../../observe/history/history.js';
import { createRedactor } from '../../log/redact.js';
import { showLines } from '../config-show.js';
import { viewSettings } from '../config/view.js';
import { STATE_DIRECTORY, type Facts } from './facts.js';
import { tarOf, type ArchivedFile } from './ustar.js';

export interface BundleOptions {
  readonly facts: Facts;
  /** Of the doctor: for people and for programs. */
  readonly report: { readonly text: string; readonly json: string };
  readonly version: string;
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string;
}

/** A program, milliseconds. */
const PROGRAM_MS = 4_000;
/** Of a program's output and of a file, characters: the end counts. */
const MOST_CHARS = 4 << 20;
const JOURNAL_LINES = 5_000;

/** What is asked of the machine; no program that tells a name of a Wi-Fi or a hardware address. */
const PROGRAMS: readonly (readonly [program: string, ...args: string[]])[] = [
  ['uname', '-a'],
  ['uptime'],
  ['df', '-h'],
  ['free', '-m'],
  ['ip', '-brief', 'address'],
  ['ip', 'route'],
  ['ip', '-6', 'route'],
  ['timedatectl', 'show'],
  ['systemctl', 'status', '--no-pager', '--lines=0', 'dunebugger-remote.service', 'dunebugger-remote.socket'],
  ['systemctl', 'cat', '--no-pager', 'dunebugger-remote.service'],
];
const FILES = ['/etc/os-release', '/proc/device-tree/model', '/etc/resolv.conf', '/etc/hosts'] as const;

/**
 * Gathers and writes it; what cannot be read is said in its place.
 * @throws the system's error if the file cannot be made, EEXIST if it is there
 */
export async function writeBundle(file: string, options: BundleOptions): Promise<void> {
  // Before anything is gathered: whoever named a file that is there need not wait. Never through a link somebody has laid there.
  const handle = await open(file, 'wx', 0o600);
  try {
    const atMs = systemClock.wallMs();
    const folder = `dunebugger-remote-${new Date(atMs).toISOString().slice(0, 19).replace(/\D/g, '')}`;
    const files = (await gather(options)).map(({ name, content }) => ({
      name: `${folder}/${name}`,
      content: withoutHardware(options.redact(content)),
    }));
    await handle.writeFile(await promisify(gzip)(tarOf(files, atMs)));
  } catch (error) {
    await unlink(file).catch(() => undefined);
    throw error;
  } finally {
    await handle.close();
  }
}

async function gather(options: BundleOptions): Promise<ArchivedFile[]> {
  const { facts, report, version } = options;
  const [service, { confFile }, settings, system, journal, history] = await Promise.all([
    facts.service(),
    facts.configuration(),
    settingsText(facts),
    aboutSystem(facts),
    journalOf(facts),
    historyOf(),
  ]);
  const status =
    service.kind === 'snapshot' ? JSON.stringify(service.snapshot, undefined, 2) : `No answer: ${service.why}`;
  const conf = confFile === undefined ? 'There is no conf file.' : await textOf(confFile);
  return [
    { name: 'README.txt', content: README },
    { name: 'version.txt', content: `dunebugger-remote ${version}\nnode ${process.versions.node} ${process.arch}\n` },
    { name: 'doctor.txt', content: `${report.text}\n` },
    { name: 'doctor.json', content: `${report.json}\n` },
    { name: service.kind === 'snapshot' ? 'status.json' : 'status.txt', content: `${status}\n` },
    { name: 'settings.txt', content: settings },
    { name: 'dunebugger.conf', content: conf },
    { name: 'journal.txt', content: journal },
    { name: 'system.txt', content: system },
    ...history,
  ];
}

const README = `What dunebugger-remote doctor --bundle has gathered for a bug report.

Tokens, passwords and hardware addresses are taken out. What is left are settings, the names of your hosts and group, addresses of your network,
and the journal of the service: look through it before you hand it on.
`;

/** As `config show` has them, with what `config check` would complain of. */
async function settingsText({ namedConf }: Facts): Promise<string> {
  const view = await viewSettings(namedConf);
  const lines = showLines(view, createRedactor());
  return `${[...lines, '', ...view.problems, ...view.warnings].join('\n')}\n`;
}

async function aboutSystem({ system }: Facts): Promise<string> {
  const said = await Promise.all(
    PROGRAMS.map(async ([program, ...args]) => {
      const text = await system.run(program, args, PROGRAM_MS);
      return `$ ${[program, ...args].join(' ')}\n${text ?? '(nothing)'}`;
    }),
  );
  const files = await Promise.all(
    FILES.map(async (file) => `$ cat ${file}\n${(await system.read(file)) ?? '(nothing)'}`),
  );
  return `${[...said, ...files].join('\n\n')}\n`;
}

async function journalOf({ system }: Facts): Promise<string> {
  const args = ['--unit=dunebugger-remote', `--lines=${JOURNAL_LINES}`, '--no-pager', '--output=short-iso-precise'];
  const text = await system.longRun('journalctl', args, PROGRAM_MS, MOST_CHARS);
  return text ?? 'Not readable by this user, or there is none: run it with sudo.\n';
}

/** Whatever files are there. */
async function historyOf(): Promise<ArchivedFile[]> {
  const folder = path.join(STATE_DIRECTORY, HISTORY_FOLDER);
  const names = await readdir(folder).catch((error: unknown) => (error as NodeJS.ErrnoException).code ?? 'unknown');
  if (typeof names === 'string')
    return [{ name: 'history.txt', content: `Not there, or not for this user: ${names}\n` }];
  return Promise.all(
    names
      .filter((name) => /^[\w.-]{1,60}$/.test(name))
      .map(async (name) => ({ name: `history/${name}`, content: await textOf(path.join(folder, name)) })),
  );
}

async function textOf(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).slice(-MOST_CHARS);
  } catch (error) {
    return `Not readable by this user: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}\n`;
  }
}

/** The maker stays, which says something about a driver. */
function withoutHardware(text: string): string {
  return text.replace(/\b((?:[0-9a-f]{2}:){3})(?:[0-9a-f]{2}:){2}[0-9a-f]{2}\b/gi, '$1**:**:**');
}
