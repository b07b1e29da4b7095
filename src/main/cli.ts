#!/usr/bin/env node
/** The command line: takes it apart, then hands over. */
import { readFileSync } from 'node:fs';
import { readCommandLine, type Given } from './cli/command-line.js';
import { helpText } from './cli/help.js';
import { complaintOfNode } from './cli/node-version.js';

/** sysexits.h: the command line is wrong. */
const EXIT_USAGE = 64;
/** sysexits.h: an error in the program itself. */
const EXIT_SOFTWARE = 70;

/** sysexits.h: EX_CONFIG, after which systemd does not try again. */
const EXIT_CONFIG = 78;

const { version, engines } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
  readonly engines: { readonly node: string };
};

/** Resolves with the exit code; undefined: the daemon is in its loop and ends the process itself. */
async function main(argv: readonly string[]): Promise<number | undefined> {
  const complaint = complaintOfNode(process.versions.node, process.execPath, engines.node);
  if (complaint !== undefined) {
    // In the journal at error (sd-daemon(3)).
    process.stderr.write(
      `${process.env['JOURNAL_STREAM'] === undefined ? '' : '<3>'}dunebugger-remote: ${complaint}\n`,
    );
    return EXIT_CONFIG;
  }
  const line = readCommandLine(argv);
  switch (line.kind) {
    case 'help':
      return print(helpText());
    case 'version':
      return print(`${version}\n`);
    case 'wrong':
      return usage(line.problem);
    case 'command':
      return carryOut(line.given);
  }
}

/** Each command is loaded only if it is asked for. */
async function carryOut({ command, has, valueOf, operand }: Given): Promise<number | undefined> {
  const config = valueOf('config');
  const confFile = config === undefined ? {} : { confFile: config };
  switch (command) {
    case 'run': {
      const { run } = await import('./cli/run.js');
      return run({ ...confFile, version });
    }
    case 'config check': {
      const { configCheck } = await import('./cli/config-check.js');
      return configCheck(operand);
    }
    case 'config show': {
      const { configShow } = await import('./cli/config-show.js');
      return configShow({ file: operand, json: has('json') });
    }
    case 'migrate': {
      const { migrate } = await import('./cli/migrate.js');
      const root = valueOf('root');
      return migrate({
        does: has('apply') ? 'apply' : has('undo') ? 'undo' : 'plan',
        ...(root === undefined ? {} : { root }),
      });
    }
    case 'check': {
      const { check } = await import('./cli/check.js');
      const [domain, timeoutSecs] = [valueOf('domain'), valueOf('timeout')];
      return check({
        ...confFile,
        json: has('json'),
        ...(domain === undefined ? {} : { domain }),
        ...(timeoutSecs === undefined ? {} : { timeoutSecs }),
      });
    }
    case 'status': {
      const { status } = await import('./cli/status.js');
      return status({ ...confFile, json: has('json'), watch: has('watch') });
    }
    case 'doctor': {
      const { doctor } = await import('./cli/doctor.js');
      const bundle = valueOf('bundle');
      return doctor({
        ...confFile,
        json: has('json'),
        deep: has('deep'),
        version,
        ...(bundle === undefined ? {} : { bundle }),
      });
    }
    case 'metrics': {
      const { metrics } = await import('./cli/metrics.js');
      const textfile = valueOf('textfile');
      return metrics({ ...confFile, ...(textfile === undefined ? {} : { textfile }) });
    }
    case 'outages': {
      const { outages } = await import('./cli/outages.js');
      const since = valueOf('since');
      return outages({
        ...confFile,
        format: has('json') ? 'json' : has('csv') ? 'csv' : 'text',
        ...(since === undefined ? {} : { since }),
      });
    }
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
