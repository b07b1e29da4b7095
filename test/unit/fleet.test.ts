/** A small fleet of the runs of `npm run fleet`: the ratios that it must keep to. Seeded, and without a clock. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BOUNDS } from '../fleet/bounds.js';
import { figuresOf, type Figures } from '../fleet/figures.js';
import { ours } from '../fleet/ours.js';
import { RULES, rival } from '../fleet/rivals.js';
import { SCENARIOS } from '../fleet/scenario.js';
import { run, type Client } from '../fleet/world.js';

const DEVICES = 2_000;
const SEED = 7;
/** So few devices fill a second less evenly: four standard deviations of the busiest second of the bound. */
const noise = (perSec: number): number => perSec + 4 * Math.sqrt(perSec);

function figures(name: string, client: Client): Figures {
  const scenario = SCENARIOS.find((one) => one.name === name);
  assert.ok(scenario, name);
  return figuresOf(scenario, client.name, run(scenario, client, DEVICES, SEED));
}

describe('a small fleet', () => {
  const known = new Map<string, Figures>();
  const of = (scenario: string): Figures => {
    const found = known.get(scenario) ?? figures(scenario, ours());
    known.set(scenario, found);
    return found;
  };

  for (const bound of BOUNDS) {
    it(`${bound.scenario}: ${bound.what}`, (t) => {
      const value = bound.of(of(bound.scenario));
      const most = bound.perDevice ? noise((bound.most * DEVICES) / 100_000) : bound.most;
      t.diagnostic(`${value.toFixed(2)}, at most ${most.toFixed(2)}`);
      assert.ok(value <= most, `${value} is more than ${most}`);
    });
  }

  it('everybody is in at the end of every scenario', () => {
    for (const { name } of SCENARIOS) assert.equal(of(name).shareIn, 1, name);
  });

  it('without the spread half of a region is there in one second', () => {
    const off = figures('region-20-min-over-0-s', ours('off', { returnSpreadSecs: 0 }));
    assert.ok(off.peakPerSec > 0.4 * DEVICES, String(off.peakPerSec));
    assert.ok(of('region-20-min-over-0-s').peakPerSec < off.peakPerSec / 12);
  });

  it('behind a limit of sign-ins it asks less often than whoever retries by a rule', () => {
    const naive = figures('sign-ins-50', rival(RULES[0]!));
    assert.ok(of('sign-ins-50').attempts < naive.attempts / 20, `${naive.attempts} attempts of the naive one`);
  });

  it('a run is repeated by its seed', () => {
    assert.deepEqual(figures('restart', ours()), of('restart'));
  });
});
