/** `npm run month`: a month of the real daemon in some twenty minutes. Exit code 1 if something grew. `--short`: the form that the tests run. `--leaks`: something leaks on purpose. */
import { parseArgs } from 'node:util';
import { inWords, month } from './month.js';
import { LEAKING, MONTH, SHORT } from './plan.js';
import type { Figure } from './sample.js';

const { values } = parseArgs({
  options: { short: { type: 'boolean', default: false }, leaks: { type: 'boolean', default: false } },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const plan = values.leaks ? LEAKING : values.short ? SHORT : MONTH;
const { counts, cycles } = plan;
const startedAt = performance.now();

say(
  `${cycles} cycles of, together: ${Object.entries(counts)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ')}`,
);
const { trends, joined, recovered, mostOnCard, complaints } = await month({
  plan,
  say,
  leaks: values.leaks,
});
for (const figure of Object.keys(trends) as Figure[]) say(`${figure.padEnd(24)} ${inWords(trends[figure])}`);
say(
  `joined anew ${joined}, sessions that went on ${recovered}, the history at most ${Math.round(mostOnCard / 1_024)} kB`,
);
say(`${Math.round((performance.now() - startedAt) / 1_000)} s`);
for (const complaint of complaints) say(`WRONG: ${complaint}`);
say(complaints.length === 0 ? 'Passed: nothing grew' : 'Failed');
process.exitCode = complaints.length === 0 ? 0 : 1;
