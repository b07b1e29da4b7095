/** Every command once: the parser, the help, the manual page and the completion of the shell follow from this table. */

/** What a shell offers for a word. */
export type Completes = 'file' | 'folder';

export interface OptionSpec {
  /** How its value is called; undefined: it takes none. */
  readonly value?: string;
  readonly completes?: Completes;
  /** One sentence or two. */
  readonly what: string;
}

export const OPTIONS = {
  config: {
    value: 'FILE',
    completes: 'file',
    what: 'The conf file. Default: $DUNEBUGGER_CONFIG, else /etc/dunebugger-remote/dunebugger.conf, else the shipped one.',
  },
  json: { what: 'Answers with JSON, for programs.' },
  watch: { what: 'Goes on every 2 s.' },
  since: { value: '24h|7d|DATE', what: 'Only what was so many hours or days ago at most, or since a date.' },
  csv: { what: 'Answers with a table for spreadsheets.' },
  textfile: {
    value: 'FILE',
    completes: 'file',
    what: "Writes them to FILE, whole or not at all, in the format of node_exporter's textfile collector.",
  },
  domain: { value: 'HOST[:PORT]', what: 'The HTTPS site that is asked, instead of [Websocket] testDomain.' },
  timeout: {
    value: 'SECONDS',
    what: 'The deadline of each phase of a check, instead of [Websocket] connectionTimeoutSecs.',
  },
  deep: { what: 'Tries sign-in, cloud connection and bus itself, even where the service is connected.' },
  bundle: {
    value: 'FILE',
    completes: 'file',
    what: 'Writes what helps with a bug report into FILE (tar.gz), without secrets.',
  },
  apply: { what: 'Does what the plan says. Needs root.' },
  undo: { what: 'Puts back what was there before. Needs root.' },
  root: {
    value: 'FOLDER',
    completes: 'folder',
    what: 'The card of another machine that is mounted at FOLDER. Docker and systemd are not asked then.',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

export type OptionName = keyof typeof OPTIONS;

/** A word that is no option. */
export interface Operand {
  readonly word: string;
  readonly completes: Completes;
  readonly what: string;
}

export interface CommandSpec {
  readonly options: readonly OptionName[];
  /** One that may be given. Default: none. */
  readonly operand?: Operand;
  /** Options of which only one may be given. */
  readonly either?: readonly OptionName[];
  /** For the help, the manual page: what it does. */
  readonly what: string;
  /** Exit codes of its own, with what they mean. */
  readonly exits: Readonly<Record<number, string>>;
}

const CONF: Operand = {
  word: 'FILE',
  completes: 'file',
  what: 'The conf file, in place of the one that the service reads.',
};

const COMMAND_TABLE = {
  run: {
    options: ['config'],
    what: 'Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again.',
    exits: { 0: 'stopped', 1: 'an error (it is in the log)', 78: 'the configuration is wrong' },
  },
  check: {
    options: ['json', 'config', 'domain', 'timeout'],
    what: 'Looks at the internet once, phase by phase, says what is wrong and what to do about it.',
    exits: {
      0: 'online',
      1: 'offline',
      71: 'the system refuses what the check needs',
      78: 'the configuration is wrong',
    },
  },
  status: {
    options: ['json', 'watch', 'config'],
    what: 'Asks the running service how it is: the sentence, the first cause of a trouble, the chain to the cloud. For root and members of the group dunebugger.',
    exits: { 0: 'connected', 1: 'not connected', 3: 'no service answers', 77: 'not allowed to ask' },
  },
  doctor: {
    options: ['json', 'deep', 'bundle', 'config'],
    what: 'Looks at everything from this machine to the cloud within 10 s, says of each what is wrong and what to do, and names the first cause. With root it sees all.',
    exits: { 0: 'nothing failed', 1: 'something failed', 73: 'the file of --bundle cannot be made' },
  },
  outages: {
    options: ['since', 'json', 'csv', 'config'],
    either: ['json', 'csv'],
    what: 'When the internet and the cloud were away, and the sums of 24 h, 7, 30 and 365 days; also while the service does not run, for root.',
    exits: { 0: 'fine', 74: 'the card cannot be read', 77: 'not allowed to ask' },
  },
  'config check': {
    options: [],
    operand: CONF,
    what: 'Reads the configuration as the service has it, or would have it with FILE, and says all that is wrong with it; of a running service what it would take over by a reload, and what by a restart. With sudo it sees environment and credentials, too.',
    exits: { 0: 'it starts with this', 78: 'it does not' },
  },
  'config show': {
    options: ['json'],
    operand: CONF,
    what: 'Shows each setting with its value and where that came from: a line of the conf file, a variable, a credential, or the default. No secret is shown.',
    exits: { 0: 'it starts with this', 78: 'it does not' },
  },
  metrics: {
    options: ['textfile', 'config'],
    what: 'The metrics of the running service, as OpenMetrics. With --textfile they say that the service is down where none answers.',
    exits: { 0: 'fine', 3: 'no service answers', 73: 'FILE cannot be written', 77: 'not allowed to ask' },
  },
  migrate: {
    options: ['apply', 'undo', 'root'],
    either: ['apply', 'undo'],
    what: 'Moves here from the Python version: its conf, its environment, its container. Shows the plan; --apply does it, --undo puts it back; both need root.',
    exits: { 0: 'fine', 1: 'something is in the way or failed', 78: 'the settings would not do' },
  },
} as const satisfies Readonly<Record<string, CommandSpec>>;

/** A command; one of two words has a blank in it. */
export type CommandName = keyof typeof COMMAND_TABLE;

export const COMMANDS: Readonly<Record<CommandName, CommandSpec>> = COMMAND_TABLE;

export const COMMAND_NAMES = Object.keys(COMMAND_TABLE) as readonly CommandName[];

/** Exit codes that any command may end with; sysexits.h. */
export const COMMON_EXITS: Readonly<Record<number, string>> = {
  64: 'the command line is wrong',
  70: 'an error in the program itself',
};

export const PROGRAM = 'dunebugger-remote';
export const SUMMARY = 'watches the internet and keeps the cloud connection of a DuneBugger installation';

/** Where the configuration comes from, in a sentence. */
export const WHENCE =
  'The configuration is read from FILE, else $DUNEBUGGER_CONFIG, else /etc/dunebugger-remote/dunebugger.conf, else the shipped conf/dunebugger.conf; a .env beside it and the environment win over it.';

/** An option as one writes it, such as `--config FILE`. */
export function written(name: OptionName): string {
  const { value }: OptionSpec = OPTIONS[name];
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

/** Options and operand of a command in brackets, options that exclude each other in one pair. */
export function synopsisOf({ options, either = [], operand }: CommandSpec): readonly string[] {
  const first = options.find((name) => either.includes(name));
  const words = options
    .filter((name) => name === first || !either.includes(name))
    .map((name) => `[${name === first ? either.map(written).join(' | ') : written(name)}]`);
  return operand === undefined ? words : [...words, `[${operand.word}]`];
}
