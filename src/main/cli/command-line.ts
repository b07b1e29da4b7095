/** Takes a command line apart after the table of commands. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { COMMANDS, COMMAND_NAMES, OPTIONS, type CommandName, type OptionName, type OptionSpec } from './commands.js';

export interface Given {
  readonly command: CommandName;
  /** True of an option without a value that was given. */
  readonly has: (option: OptionName) => boolean;
  /** Value of an option; undefined: it was not given. */
  readonly valueOf: (option: OptionName) => string | undefined;
  /** The word that is no option; undefined: it was not given. */
  readonly operand: string | undefined;
}

export type CommandLine =
  | { readonly kind: 'command'; readonly given: Given }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  /** `problem` says what is wrong, in a sentence. */
  | { readonly kind: 'wrong'; readonly problem: string };

const PARSED = {
  allowPositionals: true,
  options: {
    ...Object.fromEntries(
      Object.entries<OptionSpec>(OPTIONS).map(([name, { value }]) => [
        name,
        { type: value === undefined ? 'boolean' : 'string' } as const,
      ]),
    ),
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean', short: 'V' },
  },
} as const satisfies ParseArgsConfig;

/** @param argv without the program and its script */
export function readCommandLine(argv: readonly string[]): CommandLine {
  let parsed;
  try {
    parsed = parseArgs({ ...PARSED, args: [...argv] });
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
  const values = parsed.values as Readonly<Record<string, string | boolean | undefined>>;
  if (values['help'] === true) return { kind: 'help' };
  if (values['version'] === true) return { kind: 'version' };
  const { positionals } = parsed;
  const named = commandOf(positionals);
  if ('problem' in named) return wrong(named.problem);
  const { command, rest } = named;
  const { operand: allowed } = COMMANDS[command];
  const [operand, unexpected] = allowed === undefined ? [undefined, rest[0]] : rest;
  if (unexpected !== undefined) return wrong(`unexpected argument "${unexpected}"`);
  if (operand === '') return wrong(`${allowed?.word ?? ''} names no ${allowed?.completes ?? ''}`);
  const problem = problemOf(command, values);
  if (problem !== undefined) return wrong(problem);
  return {
    kind: 'command',
    given: {
      command,
      operand,
      has: (option) => values[option] === true,
      valueOf: (option) => {
        const value = values[option];
        return typeof value === 'string' ? value : undefined;
      },
    },
  };
}

function commandOf(
  positionals: readonly string[],
): { readonly command: CommandName; readonly rest: readonly string[] } | { readonly problem: string } {
  if (positionals.length === 0) return { problem: `say what to do: ${list(COMMAND_NAMES, 'or')}` };
  for (const words of [2, 1]) {
    const command = COMMAND_NAMES.find((name) => name === positionals.slice(0, words).join(' '));
    if (command !== undefined) return { command, rest: positionals.slice(words) };
  }
  const [first = ''] = positionals;
  const longer = COMMAND_NAMES.filter((name) => name.startsWith(`${first} `));
  if (longer.length > 0) return { problem: `say which: ${list(longer, 'or')}` };
  return { problem: `"${first}" is not a command: ${list(COMMAND_NAMES, 'and')} are` };
}

/** What is wrong with the options of a command; undefined: nothing. */
function problemOf(
  command: CommandName,
  values: Readonly<Record<string, string | boolean | undefined>>,
): string | undefined {
  const given = (Object.keys(OPTIONS) as OptionName[]).filter((name) => values[name] !== undefined);
  const { options, either = [] } = COMMANDS[command];
  const foreign = given.find((name) => !options.includes(name));
  if (foreign !== undefined) {
    const owners = COMMAND_NAMES.filter((name) => COMMANDS[name].options.includes(foreign));
    return `--${foreign} belongs to ${list(owners, 'and')}`;
  }
  const excluding = given.filter((name) => either.includes(name)).map((name) => `--${name}`);
  if (excluding.length > 1) return `${list(excluding, 'and')} exclude each other: give one`;
  for (const name of given) {
    const { completes }: OptionSpec = OPTIONS[name];
    if (completes !== undefined && values[name] === '') return `--${name} names no ${completes}`;
  }
  return undefined;
}

function wrong(problem: string): CommandLine {
  return { kind: 'wrong', problem };
}

/** `a, b or c` */
function list(names: readonly string[], word: 'and' | 'or'): string {
  return names.join(', ').replace(/, ([^,]*)$/, ` ${word} $1`);
}
