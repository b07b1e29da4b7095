/** `npm run soak -- --seconds 180 --seed 7`: a random sequence of faults, judged. Exit code 1 if something was wrong. */
import { parseArgs } from 'node:util';
import { textOf } from './journal.js';
import { soak } from './soak.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '180' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    /** Prints the daemon's log at the end in any case. */
    journal: { type: 'boolean', default: false },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const whole = (name: 'seconds' | 'seed', least: number): number => {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number >= least) return number;
  process.stderr.write(`--${name} ${values[name]}: a whole number from ${least} on is wanted, such as 180\n`);
  process.exit(2);
};
const seconds = whole('seconds', 1);
const seed = whole('seed', 0);

say(
  `Soak of ${seconds} s with seed ${seed}; the same faults again: npm run soak -- --seconds ${seconds} --seed ${seed}`,
);
const { complaints, summary, journal } = await soak({ seconds, seed, say });
if (complaints.length > 0 || values.journal) for (const line of journal.lines) say(textOf(line));
for (const [key, value] of Object.entries(summary)) say(`${key.padEnd(14)} ${value}`);
if (complaints.length === 0) {
  say(`Passed: connected, nothing lost, every transition explained (seed ${seed})`);
} else {
  for (const complaint of complaints) say(`WRONG: ${complaint}`);
  say(`Failed with seed ${seed}`);
  process.exitCode = 1;
}
