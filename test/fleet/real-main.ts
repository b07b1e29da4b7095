/**
 * `npm run fleet:real [-- --devices 200]`: some eight minutes of real sockets, and beside them what the simulation says of as many devices. Writes
 * docs/fleet-real.json and the pictures of both curves.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebPubSubServer } from '../support/web-pubsub-server.js';
import { figuresOf, type Figures } from './figures.js';
import { ours } from './ours.js';
import { pictureOf } from './picture.js';
import { allIn, HASTE, hastenedPolicy, LimitedSignIn, RealDevice } from './real.js';
import { SCENARIOS, type Scenario } from './scenario.js';
import { realDocument, type Side } from './tables.js';
import { run } from './world.js';

const DOCS = fileURLToPath(new URL('../../../docs/', import.meta.url));
const { values } = parseArgs({ options: { devices: { type: 'string', default: '200' } } });
const count = Number(values.devices);
/** The simulated curve is the mean of so many fleets: two hundred devices alone are mostly chance. */
const FLEETS = 20;
const print = (text: string): void => void process.stdout.write(`${text}\n`);

interface Measured extends Side {
  readonly perSec: readonly number[];
}

const cloud = await WebPubSubServer.start();
const signIn = await LimitedSignIn.start(cloud);
const policy = hastenedPolicy();
const devices = Array.from({ length: count }, () => new RealDevice(cloud, signIn, policy));
for (const device of devices) {
  device.start();
  await sleep(5);
}
await allIn(devices, 30_000);

/** What happens, and then everything until all are in; in the time of the policy as it is shipped. */
async function real(happens: () => Promise<void> | void, withinSecs: number): Promise<Measured> {
  // A session must be stable, or its end is a failure.
  await sleep(policy.stableMs + 1_000);
  for (const device of devices) device.attemptedAtMs.length = device.inAtMs.length = 0;
  signIn.askedAtMs.length = 0;
  const before = performance.now();
  await happens();
  const fromMs = devices[0]?.status.verdict === 'online' ? Math.max(before, begunAtMs) : before;
  await sleep(500);
  await allIn(devices, (withinSecs / HASTE) * 1_000);
  const secs = (atMs: number): number => ((atMs - fromMs) / 1_000) * HASTE;
  const attempted = devices.flatMap(({ attemptedAtMs }) => attemptedAtMs.map(secs));
  const perSec: number[] = [];
  for (const sec of attempted.map((at) => Math.max(0, Math.floor(at)))) perSec[sec] = (perSec[sec] ?? 0) + 1;
  // A second without an attempt is a hole.
  const filled = Array.from({ length: perSec.length }, (_, sec) => perSec[sec] ?? 0);
  const inAt = devices.map(({ inAtMs }) => secs(inAtMs.at(-1) ?? Infinity)).sort((a, b) => a - b);
  const at = (share: number): number | null => {
    const value = inAt[Math.ceil(inAt.length * share) - 1] ?? Infinity;
    return Number.isFinite(value) ? Math.round(value * 10) / 10 : null;
  };
  return {
    peakPerSec: Math.max(0, ...filled),
    halfInSecs: at(0.5),
    ninetyInSecs: at(0.9),
    lastInSecs: at(1),
    attempts: attempted.length / count,
    perSec: filled,
  };
}

let begunAtMs = 0;
async function outage(secs: number): Promise<void> {
  for (const device of devices) device.become(false);
  await sleep((secs / HASTE) * 1_000);
  begunAtMs = performance.now();
  // Each looks every 2 s.
  await Promise.all(
    devices.map(async (device) => {
      await sleep((Math.random() * 2_000) / HASTE);
      device.become(true);
    }),
  );
}

function simulated(scenario: Scenario): Measured {
  const all: Figures[] = Array.from({ length: FLEETS }, (_, seed) =>
    figuresOf(scenario, 'simulated', run(scenario, ours(), count, seed + 1)),
  );
  const mean = (of: (figures: Figures) => number): number =>
    Math.round((all.reduce((sum, one) => sum + of(one), 0) / all.length) * 10) / 10;
  const longest = Math.max(...all.map(({ arrivals }) => arrivals.length));
  return {
    peakPerSec: mean(({ peakPerSec }) => peakPerSec),
    halfInSecs: mean(({ halfInSecs }) => halfInSecs ?? Infinity),
    ninetyInSecs: mean(({ ninetyInSecs }) => ninetyInSecs ?? Infinity),
    lastInSecs: mean(({ lastInSecs }) => lastInSecs ?? Infinity),
    attempts: mean(({ attempts }) => attempts),
    perSec: Array.from({ length: longest }, (_, sec) => mean(({ arrivals }) => arrivals[sec] ?? 0)),
  };
}

const runs: readonly [name: string, happens: () => Promise<void> | void, withinSecs: number][] = [
  ['restart', () => void cloud.close(1001, 'restart', {}, true), 600],
  ['region-20-min-over-0-s', () => outage(1_200), 600],
  [
    'sign-ins-50',
    () => {
      // 50 a second for 100,000, in the time of the hastened policy.
      signIn.perSec = ((50 * count) / 100_000) * HASTE;
      for (const device of devices) device.forgetUrl();
      return outage(1_200);
    },
    4_000,
  ],
];
const results = [];
mkdirSync(DOCS, { recursive: true });
for (const [name, happens, withinSecs] of runs) {
  const scenario = SCENARIOS.find((one) => one.name === name);
  if (scenario === undefined) throw new Error(name);
  const sides = { real: await real(happens, withinSecs), simulated: simulated(scenario) };
  results.push({ scenario: name, ...sides });
  for (const [side, figures] of Object.entries(sides)) {
    print(`${name}, ${side}: ${JSON.stringify({ ...figures, perSec: undefined })}`);
  }
  const curves = [
    { name: `${count} real ones`, perSec: sides.real.perSec },
    { name: `simulated, mean of ${FLEETS}`, perSec: sides.simulated.perSec },
  ];
  writeFileSync(path.join(DOCS, `fleet-real-${name}.svg`), pictureOf(scenario.title, curves));
}
const json = results.map(({ scenario, ...sides }) => ({
  scenario,
  real: { ...sides.real, perSec: undefined },
  simulated: { ...sides.simulated, perSec: undefined },
}));
writeFileSync(
  path.join(DOCS, 'fleet-real.json'),
  `${JSON.stringify({ devices: count, haste: HASTE, runs: json }, null, 2)}\n`,
);
writeFileSync(path.join(DOCS, 'fleet-real.md'), realDocument(results, count, HASTE));
await Promise.all(devices.map((device) => device.stop()));
await signIn.stop();
await cloud.stop();
