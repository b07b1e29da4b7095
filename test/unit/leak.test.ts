/** The detector of slow leaks: what it has to find, and what it must not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seeded } from '../lab/random.js';
import { trendOf } from '../month/leak.js';

const KB = 1_024;
const ALLOWED = 256 * KB;

/** A heap of 30 MB that is measured 60 times, with so much noise. */
function heap(of: (cycle: number) => number, noise: number, seed: number): number[] {
  const random = seeded(seed);
  return Array.from({ length: 60 }, (_, cycle) => 30_000 * KB + of(cycle) + random.between(-noise, noise));
}

const SEEDS = Array.from({ length: 200 }, (_, index) => index);
const found = (of: (cycle: number) => number, noise: number): number =>
  SEEDS.filter((seed) => trendOf(heap(of, noise, seed), ALLOWED).leaks).length;

describe('a slow leak', () => {
  it('is found in noise that is larger than what leaks in a cycle', () => {
    assert.equal(
      found((cycle) => cycle * 20 * KB, 100 * KB),
      SEEDS.length,
    );
  });

  it('is found where it is one handle every few cycles', () => {
    const values = Array.from({ length: 40 }, (_, cycle) => 30 + Math.floor(cycle / 4));
    assert.ok(trendOf(values, 1).leaks);
  });

  it('is found although a figure or two are far off', () => {
    const values = heap((cycle) => cycle * 30 * KB, 50 * KB, 7);
    values[40] = 90_000 * KB;
    values[58] = 10_000 * KB;
    assert.ok(trendOf(values, ALLOWED).leaks);
  });
});

describe('no leak', () => {
  const noiseAlone = found(() => 0, 400 * KB);
  it('is what noise makes, however large', () => assert.ok(noiseAlone <= 1, `${noiseAlone}`));

  it('is what has filled its caches in the first half', () => {
    assert.equal(
      found((cycle) => 4_000 * KB * (1 - Math.exp(-cycle / 6)), 100 * KB),
      0,
    );
  });

  it('is a saw, as of a file that is begun anew when it is full', () => {
    const values = Array.from({ length: 60 }, (_, cycle) => 750 * KB + (cycle % 8) * 32 * KB);
    assert.equal(trendOf(values, ALLOWED).leaks, false);
  });

  it('is a figure that never changes, one that shrinks, or one that grows by less than is allowed', () => {
    const flat = Array.from({ length: 20 }, () => 31);
    assert.equal(trendOf(flat, 0).leaks, false);
    assert.equal(
      found((cycle) => -cycle * 50 * KB, 10 * KB),
      0,
    );
    assert.equal(
      found((cycle) => cycle * 2 * KB, 1 * KB),
      0,
    );
  });

  it('cannot be told from too few figures', () => {
    assert.throws(() => trendOf([1, 2, 3], 0), /3 values tell no trend: 16 are needed/);
  });
});
