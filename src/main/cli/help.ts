/** What `--help` says. */
import {
  COMMANDS,
  COMMAND_NAMES,
  COMMON_EXITS,
  PROGRAM,
  SUMMARY,
  synopsisOf,
  WHENCE,
  type CommandName,
} from './commands.js';

/** A terminal's usual width, columns. */
const WIDTH = 100;

export function helpText(): string {
  return [
    `${PROGRAM}: ${SUMMARY}`,
    '',
    ...COMMAND_NAMES.flatMap((name) => [...ofCommand(name), '']),
    `  ${PROGRAM} --help | --version`,
    '',
    ...wrapped(`Further exit codes: ${exitWords(COMMON_EXITS)}.`, 0),
    ...wrapped(WHENCE, 0),
    '',
  ].join('\n');
}

function ofCommand(name: CommandName): readonly string[] {
  const command = COMMANDS[name];
  return [
    ...wrapped([PROGRAM, name, ...synopsisOf(command)].map(unbroken).join(' '), 2, 8),
    ...wrapped(command.what, 6),
    ...wrapped(`Exit codes: ${exitWords(command.exits)}.`, 6),
  ].map((line) => line.replaceAll(NO_BREAK, ' '));
}

/** Stands for a blank at which no line ends. */
const NO_BREAK = '\0';

function unbroken(text: string): string {
  return text.replaceAll(' ', NO_BREAK);
}

function exitWords(exits: Readonly<Record<number, string>>): string {
  return Object.entries(exits)
    .map(([code, meaning]) => `${code} ${meaning}`)
    .join(', ');
}

/** `text` in lines of at most {@link WIDTH} columns, the first indented by `indent`, the others by `hanging`. */
function wrapped(text: string, indent: number, hanging = indent): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || line.length + 1 + word.length > WIDTH)
      lines.push(`${' '.repeat(line === undefined ? indent : hanging)}${word}`);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}
