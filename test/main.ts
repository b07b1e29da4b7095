/** `npm test [-- GROUP ...]`: first what the tests need is installed, or named where it cannot be; then `run.ts` runs them. */
import { LEFT_OUT, prepare } from './debian.js';
import { GROUPS } from './groups.js';

const names = process.argv.slice(2);
const isRoot = process.getuid?.() === 0;
const chosen = GROUPS.filter(
  ({ name, needsRoot }) => (names.length === 0 || names.includes(name)) && (needsRoot === undefined || isRoot),
);
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const prepared = prepare(chosen, isRoot, say);
if (prepared.kind === 'failed') {
  say(prepared.why);
  say('The tests were not started: install the packages by hand, or mend what apt-get complains of.');
  process.exitCode = 1;
} else {
  if (prepared.kind === 'missing') {
    say(`Not root, so not installed: ${prepared.packages.join(' ')}; tests that need them are left out and named.`);
    process.env[LEFT_OUT] = prepared.packages.map((name) => `${name} is not installed`).join('\n');
  }
  await import('./run.js');
}
