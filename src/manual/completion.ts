/** The completion of bash, from the table of commands. Pure. */
import { COMMANDS, COMMAND_NAMES, OPTIONS, PROGRAM, type Completes, type OptionSpec } from '../main/cli/commands.js';

/** compgen's own lists. */
const LISTS: Readonly<Record<Completes, string>> = { file: '-f', folder: '-d' };

const NAME = `_${PROGRAM.replaceAll('-', '_')}`;

export function bashCompletion(): string {
  const [firstWords, secondWords] = [0, 1].map((at) =>
    [...new Set(COMMAND_NAMES.map((name) => name.split(' ')[at] ?? ''))].filter((word) => word !== ''),
  ) as [string[], string[]];
  const groups = firstWords.filter((word) => !COMMAND_NAMES.some((name) => name === word));
  const options = Object.entries<OptionSpec>(OPTIONS).filter(([, { value }]) => value !== undefined);
  const valued = options.map(([name]) => `--${name}`);
  return `# bash completion for ${PROGRAM}; made from its table of commands.
# shellcheck shell=bash

${NAME}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  local command='' words='' options='' files='' word value='' i
  COMPREPLY=()

  # bash cuts --option=value into three words.
  [[ $cur != '=' ]] || cur=''
  [[ $prev != '=' ]] || prev=\${COMP_WORDS[COMP_CWORD - 2]}

  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $value && $word != '=' ]]; then
      value=''
      continue
    fi
    case $word in
      ${valued.join(' | ')}) value=$word ;;
      = | -*) ;;
      ${groups.join(' | ')}) [[ -n $command ]] || command=$word ;;
      *)
        case $command in
          '') command=$word ;;
          ${groups.join(' | ')}) command="$command $word" ;;
        esac
        ;;
    esac
  done

  case $prev in
${cases(options.map(([name, { completes }]) => [`--${name}`, valueReply(completes)]))}
  esac

  case $command in
    '')
      words='${firstWords.join(' ')}'
      options='--help --version'
      ;;
${cases([...groups.map((group) => [group, `words='${secondsOf(group).join(' ')}'`] as const), ...COMMAND_NAMES.map((name) => [`'${name}'`, ofCommand(name)] as const)])}
  esac

  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
  elif [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$files" -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  fi
}

complete -F ${NAME} ${PROGRAM}
`;

  function secondsOf(group: string): readonly string[] {
    return secondWords.filter((word) => COMMAND_NAMES.some((name) => name === `${group} ${word}`));
  }
}

function cases(entries: readonly (readonly [pattern: string, body: string])[]): string {
  return entries.map(([pattern, body]) => `    ${pattern}) ${body} ;;`).join('\n');
}

/** What to do where the value of an option is wanted: its kind of names, or nothing, since only the user knows it. */
function valueReply(completes: Completes | undefined): string {
  if (completes === undefined) return 'return';
  const fill = `mapfile -t COMPREPLY < <(compgen ${LISTS[completes]} -- "$cur")`;
  return `compopt -o filenames 2>/dev/null; ${fill}; return`;
}

function ofCommand(name: (typeof COMMAND_NAMES)[number]): string {
  const { options, operand } = COMMANDS[name];
  const own = `options='${options.map((option) => `--${option}`).join(' ')}'`;
  return operand === undefined ? own : `${own} files=${LISTS[operand.completes]}`;
}
