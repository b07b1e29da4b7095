/**
 * `npm run fleet [-- --devices N] [--only NAME] [--seed N]`: what a hundred thousand devices do to a cloud. Prints a table; with all scenarios it
 * also writes the pictures, the figures and the table into docs/.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BOUNDS } from './bounds.js';
import { figuresOf, type Figures } from './figures.js';
import { ours } from './ours.js';
import { curvesOf, pictureOf } from './picture.js';
import { RULES, rival } from './rivals.js';
import { SCENARIOS, type Scenario } from './scenario.js';
import { boundsTable, scenarioTable, document } from './tables.js';
import { run } from './world.js';

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const DOCS = fileURLToPath(new URL('../../../docs/', import.meta.url));

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '100000' },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: '7' },
  },
});
const devices = Number(values.devices);
const seed = Number(values.seed);
const clients = [ours(), ours('this daemon, returnSpreadSecs = 0', { returnSpreadSecs: 0 }), ...RULES.map(rival)];
const chosen = SCENARIOS.filter(({ name }) => name.includes(values.only));

const results: { scenario: Scenario; figures: Figures[] }[] = [];
let oursMs = 0;
let allMs = 0;
for (const scenario of chosen) {
  const figures = clients.map((client, n) => {
    const before = process.cpuUsage();
    const result = figuresOf(scenario, client.name, run(scenario, client, devices, seed));
    const { user, system } = process.cpuUsage(before);
    allMs += (user + system) / 1_000;
    if (n === 0) oursMs += (user + system) / 1_000;
    return result;
  });
  results.push({ scenario, figures });
  print(`\n${scenario.title}\n${scenarioTable(figures)}`);
}

const kept = BOUNDS.flatMap((bound) => {
  const figures = results.find(({ scenario }) => scenario.name === bound.scenario)?.figures[0];
  return figures === undefined ? [] : [{ bound, value: bound.of(figures) }];
});
print(`\n${boundsTable(kept, devices)}`);
print(
  `\n${devices.toLocaleString('en')} devices, seed ${seed}; processor time: ${(oursMs / 1_000).toFixed(0)} s for this daemon's runs, ${(allMs / 1_000).toFixed(0)} s with all others`,
);

if (values.only === '' && devices === 100_000) {
  mkdirSync(DOCS, { recursive: true });
  for (const { scenario, figures } of results) {
    writeFileSync(path.join(DOCS, `fleet-${scenario.name}.svg`), pictureOf(scenario.title, curvesOf(figures)));
  }
  const json = results.map(({ scenario, figures }) => ({
    scenario: scenario.name,
    title: scenario.title,
    clients: figures.map(({ arrivals: _, ...rest }) => rest),
  }));
  writeFileSync(path.join(DOCS, 'fleet.json'), `${JSON.stringify({ devices, seed, scenarios: json }, null, 2)}\n`);
  writeFileSync(path.join(DOCS, 'fleet.md'), document(results, kept, devices, seed));
}
if (kept.some(({ bound, value }) => value > (bound.perDevice ? (bound.most * devices) / 100_000 : bound.most))) {
  process.exitCode = 1;
}
