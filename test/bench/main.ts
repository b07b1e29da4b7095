/**
 * `npm run bench -- --minutes 10`: this daemon beside what a Node user would write and beside the official client left to itself, in the
 * network lab. Needs root. It prints tables and writes JSON; the exit code says whether it could measure, not what.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureHealthy, measureStarts } from './healthy.js';
import { CASES, measureOutages } from './outages.js';
import { promisesOf } from './promises.js';
import { costTable, outageTable, promiseTable } from './report.js';

const USAGE = `Usage: npm run bench -- [--quick] [--minutes N] [--json FILE]
  --quick      about two minutes: three faults, two phases, a short look at the costs
  --minutes N  how long the costs of a healthy network are measured; default 2 (10 is what the promises speak of)
  --json FILE  where the figures go; default build/bench.json`;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    minutes: { type: 'string' },
    json: { type: 'string', default: fileURLToPath(new URL('../../../build/bench.json', import.meta.url)) },
    help: { type: 'boolean', default: false },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
if (values.help) {
  say(USAGE);
  process.exit(0);
}

const THOROUGH = {
  minutes: 2,
  warmUpSecs: 60,
  starts: 5,
  phases: [0.1, 0.3, 0.5, 0.7, 0.9],
  cases: CASES,
  sideBySide: 6,
};
const QUICK = {
  minutes: 0.5,
  warmUpSecs: 10,
  starts: 2,
  phases: [0.3, 0.8],
  cases: CASES.filter(({ fault }) => ['link-down', 'black-hole', 'dns-nxdomain'].includes(fault.name)),
  sideBySide: 6,
};
const plan = values.quick ? QUICK : THOROUGH;
const minutes = Number(values.minutes ?? plan.minutes);
if (!(minutes > 0 && minutes <= 24 * 60)) {
  process.stderr.write(`--minutes ${values.minutes}: a number above 0 is wanted, such as 10\n${USAGE}\n`);
  process.exit(2);
}

const startedAt = new Date();
say(`Each program is started ${plan.starts} times`);
const starts = await measureStarts(plan.starts);
say(`A healthy network for ${minutes} min, after ${plan.warmUpSecs} s to settle`);
const healthy = await measureHealthy({ seconds: minutes * 60, warmUpSecs: plan.warmUpSecs });
say(`${plan.cases.length} faults at ${plan.phases.length} phases; ms to offline/online/group:`);
const outages = await measureOutages({ ...plan, say: (line) => say(`  ${line}`) });

const promises = promisesOf(healthy, outages);
const sections: readonly (readonly [string, string])[] = [
  ['Seconds, median (worst): fault to offline, repair to online, repair to the group', outageTable(outages)],
  ['What it costs', costTable(healthy, starts, outages.loopDelay)],
  ['What was promised', promiseTable(promises)],
];
for (const [title, text] of sections) say(`\n${title}\n\n${text}`);

const machine = {
  node: process.version,
  processor: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  kernel: release(),
  commit: commit(),
};
const result = {
  startedAt,
  tookSecs: Math.round((Date.now() - startedAt.getTime()) / 1_000),
  machine,
  minutes,
  starts,
  healthy,
  outages,
  promises,
};
mkdirSync(dirname(values.json), { recursive: true });
writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
say(
  `\n${result.tookSecs} s on ${machine.cores} cores of ${machine.processor}, Node ${machine.node}; figures in ${values.json}`,
);

function commit(): string | undefined {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return undefined;
  }
}
