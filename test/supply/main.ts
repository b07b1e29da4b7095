/** `npm run audit`: fails on a known vulnerability of any dependency, and not because nobody could be asked. */
import { spawnSync } from 'node:child_process';
import { judgeAudit } from './audit.js';

const DEADLINE_MS = 60_000;

const { stdout, error } = spawnSync('npm', ['audit', '--json', '--fetch-retries=1', '--fetch-timeout=20000'], {
  timeout: DEADLINE_MS,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'ignore'],
});
const verdict = error === undefined ? judgeAudit(stdout) : ({ kind: 'unanswered', why: error.message } as const);
switch (verdict.kind) {
  case 'clean':
    process.stdout.write('No known vulnerability in any dependency\n');
    break;
  case 'unanswered':
    process.stdout.write(`Not known whether a dependency is vulnerable: ${verdict.why}\n`);
    break;
  case 'vulnerable':
    process.stdout.write(`Vulnerable dependencies:\n${verdict.found.map((line) => `  ${line}\n`).join('')}`);
    process.exitCode = 1;
    break;
}
