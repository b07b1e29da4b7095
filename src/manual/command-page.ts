/** dunebugger-remote(1), from the table of commands. Pure. */
import {
  COMMANDS,
  COMMAND_NAMES,
  COMMON_EXITS,
  OPTIONS,
  PROGRAM,
  synopsisOf,
  WHENCE,
  type CommandName,
  type OptionName,
  type OptionSpec,
} from '../main/cli/commands.js';
import { entry, heading, literal, pageText, subheading, text } from './roff.js';

export interface Edition {
  readonly version: string;
  /** Such as 2026-11-25. */
  readonly date: string;
}

const FILES: readonly (readonly [string, string])[] = [
  ['/etc/dunebugger-remote/dunebugger.conf', 'All settings, see dunebugger-remote.conf(5).'],
  ['/etc/dunebugger-remote/environment', 'Group, device and sign-in; wins over the conf file. For root alone.'],
  ['/etc/dunebugger-remote/credentials/', 'In place of the environment a secret in a file of its own. For root alone.'],
  ['/run/dunebugger-remote.sock', 'Over this socket the service is asked, by root and the group dunebugger.'],
  ['/var/lib/dunebugger-remote/', 'The history, and the client access URL of the last sign-in.'],
  ['/usr/share/dunebugger-remote/status.schema.json', 'What status --json answers.'],
];

export function commandPage({ version, date }: Edition): string {
  return pageText({
    title: PROGRAM.toUpperCase(),
    section: 1,
    date,
    source: `${PROGRAM} ${version}`,
    body: [
      heading('NAME'),
      'dunebugger\\-remote \\- cloud connection of a DuneBugger installation',
      heading('SYNOPSIS'),
      ...literal([
        ...COMMAND_NAMES.flatMap((name) => hanging([`${PROGRAM} ${name}`, ...synopsisOf(COMMANDS[name])])),
        `${PROGRAM} --help | --version`,
      ]).slice(1),
      heading('DESCRIPTION'),
      ...text(
        'A daemon for the Raspberry Pi of a DuneBugger installation. It knows whether the internet is really there, keeps one Azure Web PubSub connection alive exactly while it is, and carries messages between the browsers of the cloud and the components of the installation on NATS. It runs as the service dunebugger-remote of systemd; the other commands ask it, look at the machine, or prepare it.',
      ),
      heading('COMMANDS'),
      ...COMMAND_NAMES.flatMap(ofCommand),
      heading('OPTIONS'),
      ...(Object.keys(OPTIONS) as OptionName[]).flatMap((name) => {
        const { value = '', what }: OptionSpec = OPTIONS[name];
        return entry(`--${name}`, value, text(`${what} ${belongsTo(name)}`));
      }),
      ...entry('-h, --help', '', text('Says what there is.')),
      ...entry('-V, --version', '', text('Says the version.')),
      heading('EXIT STATUS'),
      ...text(`That of each command stands with it. Any of them may end with ${exits(COMMON_EXITS)}.`),
      heading('ENVIRONMENT'),
      ...entry('DUNEBUGGER_CONFIG', '', text(WHENCE)),
      ...text('Every setting has a variable, see dunebugger-remote.conf(5).'),
      heading('FILES'),
      ...FILES.flatMap(([file, what]) => entry(file, '', text(what))),
      heading('SEE ALSO'),
      '.BR dunebugger\\-remote.conf (5),',
      '.BR systemctl (1),',
      '.BR journalctl (1)',
      '.PP',
      ...text('/usr/share/doc/dunebugger-remote/README.md has the lines of the journal, and what to do about each.'),
    ],
  });
}

function ofCommand(name: CommandName): readonly string[] {
  const command = COMMANDS[name];
  return [
    subheading([name, ...synopsisOf(command)].join(' ')),
    ...text(command.what),
    '.PP',
    ...text(`Exit status: ${exits(command.exits)}.`),
  ];
}

/** What a terminal of 80 columns has beside the indentation. */
const SYNOPSIS_COLUMNS = 64;

/** Parts that are not broken, in lines of which the further ones are indented. */
function hanging(parts: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const part of parts) {
    const line = lines.at(-1);
    if (line === undefined) lines.push(part);
    else if (line.length + 1 + part.length > SYNOPSIS_COLUMNS) lines.push(`    ${part}`);
    else lines[lines.length - 1] = `${line} ${part}`;
  }
  return lines;
}

function exits(meanings: Readonly<Record<number, string>>): string {
  return Object.entries(meanings)
    .map(([code, meaning]) => `${code} ${meaning}`)
    .join(', ');
}

function belongsTo(option: OptionName): string {
  const commands = COMMAND_NAMES.filter((name) => COMMANDS[name].options.includes(option));
  return `(${commands.join(', ')})`;
}
