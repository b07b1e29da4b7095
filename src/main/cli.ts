#!/usr/bin/env node
/** The command line: parses, then hands over. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/** sysexits.h: the command line is wrong. */
const EXIT_USAGE = 64;
/** sysexits.h: an error in the program itself. */
const EXIT_SOFTWARE = 70;

const HELP = `dunebugger-remote: watches the internet and keeps the cloud connection of a DuneBugger installation

  dunebugger-remote run [--config FILE]
      Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again.
      Exit codes: 0 stopped, 1 an error (it is in the log), 78 the configuration is wrong.

  dunebugger-remote check [--json] [--config FILE] [--domain HOST[:PORT]] [--timeout SECONDS]
      Looks at the internet once, phase by phase, says what is wrong and what to do about it.
      Exit codes: 0 online, 1 offline, 71 the system refuses what the check needs,
      78 the configuration is wrong.

  dunebugger-remote status [--json] [--watch] [--config FILE]
      Asks the running service how it is: the sentence, the first cause of a trouble, the chain to
      the cloud. --watch goes on every 2 s. For root and members of the group dunebugger.
      Exit codes: 0 connected, 1 not connected, 3 no service answers, 77 not allowed to ask.

  dunebugger-remote outages [--since 24h|7d|DATE] [--json | --csv] [--config FILE]
      When the internet and the cloud were away, and the sums of 24 h, 7, 30 and 365 days; also
      while the service does not run, for root. Exit codes: 0 fine, 77 not allowed to ask.

  dunebugger-remote migrate [--apply | --undo] [--root FOLDER]
      Moves here from the Python version: its conf, its environment, its container. Shows the plan;
      --apply does it, --undo puts it back; both need root. --root: of a card mounted at FOLDER.
      Exit codes: 0 fine, 1 something is in the way or failed, 78 the settings would not do.

  dunebugger-remote --help | --version

Further exit codes: 64 the command line is wrong, 70 an error in the program itself.
The configuration is read from FILE, else $DUNEBUGGER_CONFIG,
else /etc/dunebugger-remote/dunebugger.conf, else the shipped conf/dunebugger.conf;
a .env beside it and the environment win over it.
`;

function packageVersion(): string {
  const file = new URL('../../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version;
}

/** The commands, and the options that belong to each. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  run: ['config'],
  check: ['config', 'json', 'domain', 'timeout'],
  status: ['config', 'json', 'watch'],
  outages: ['config', 'json', 'csv', 'since'],
  migrate: ['apply', 'undo', 'root'],
};

/** `a, b or c` */
function oneOf(names: readonly string[], word: 'and' | 'or'): string {
  return names.join(', ').replace(/, ([^,]*)$/, ` ${word} $1`);
}

/** Resolves with the exit code; undefined: the daemon is in its loop and ends the process itself. */
async function main(argv: readonly string[]): Promise<number | undefined> {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        config: { type: 'string' },
        json: { type: 'boolean' },
        watch: { type: 'boolean' },
        csv: { type: 'boolean' },
        since: { type: 'string' },
        domain: { type: 'string' },
        timeout: { type: 'string' },
        apply: { type: 'boolean' },
        undo: { type: 'boolean' },
        root: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'V' },
      },
    });
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  if (values.help === true) return print(HELP);
  if (values.version === true) return print(`${packageVersion()}\n`);
  const [command, ...rest] = positionals;
  if (command === undefined) return usage(`say what to do: ${oneOf(Object.keys(OPTIONS), 'or')}`);
  const own = Object.hasOwn(OPTIONS, command) ? OPTIONS[command] : undefined;
  if (own === undefined) return usage(`"${command}" is not a command: ${oneOf(Object.keys(OPTIONS), 'and')} are`);
  if (rest.length > 0) return usage(`unexpected argument "${rest[0] ?? ''}"`);
  const foreign = Object.keys(values).find((option) => !own.includes(option));
  if (foreign !== undefined) {
    const owners = Object.keys(OPTIONS).filter((name) => OPTIONS[name]?.includes(foreign));
    return usage(`--${foreign} belongs to ${oneOf(owners, 'and')}`);
  }
  if (values.config === '') return usage('--config names no file');
  const confFile = values.config === undefined ? {} : { confFile: values.config };
  switch (command) {
    case 'run': {
      const { run } = await import('./cli/run.js');
      return run({ ...confFile, version: packageVersion() });
    }
    case 'migrate': {
      if (values.apply === true && values.undo === true) return usage('--apply and --undo are opposites: give one');
      if (values.root === '') return usage('--root names no folder');
      const { migrate } = await import('./cli/migrate.js');
      return migrate({
        does: values.apply === true ? 'apply' : values.undo === true ? 'undo' : 'plan',
        ...(values.root === undefined ? {} : { root: values.root }),
      });
    }
    case 'check': {
      const { check } = await import('./cli/check.js');
      return check({
        ...confFile,
        json: values.json === true,
        ...(values.domain === undefined ? {} : { domain: values.domain }),
        ...(values.timeout === undefined ? {} : { timeoutSecs: values.timeout }),
      });
    }
    case 'status': {
      const { status } = await import('./cli/status.js');
      return status({ ...confFile, json: values.json === true, watch: values.watch === true });
    }
    case 'outages': {
      if (values.json === true && values.csv === true) return usage('--json and --csv exclude each other: give one');
      const { outages } = await import('./cli/outages.js');
      return outages({
        ...confFile,
        format: values.json === true ? 'json' : values.csv === true ? 'csv' : 'text',
        ...(values.since === undefined ? {} : { since: values.since }),
      });
    }
    default:
      // Its options are known, so it is one of the above.
      throw new Error(`no code for ${command}`);
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function usage(problem: string): number {
  process.stderr.write(`dunebugger-remote: ${problem}\nTry: dunebugger-remote --help\n`);
  return EXIT_USAGE;
}

// Whoever reads may leave early (`check | head -1`): that is no error of ours, and the exit code still tells the verdict.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

try {
  const code = await main(process.argv.slice(2));
  if (code !== undefined) process.exitCode = code;
} catch (error) {
  process.stderr.write(
    `dunebugger-remote: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exitCode = EXIT_SOFTWARE;
}
