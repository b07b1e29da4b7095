import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  DEFAULT_BACKOFF,
  exponentialMs,
  ordinaryDelayMs,
  refusedDelayMs,
  throttledDelayMs,
} from '../../src/main/connection/backoff.js';

describe('backoff', () => {
  it('doubles from 15 s to 300 s', () => {
    const secs = [1, 2, 3, 4, 5, 6, 7].map((n) => ordinaryDelayMs(n, DEFAULT_BACKOFF, 0) / 1000);
    assert.deepEqual(secs, [15, 30, 60, 120, 240, 300, 300]);
  });

  it('is anything from a second to that bound', () => {
    assert.equal(ordinaryDelayMs(1, DEFAULT_BACKOFF, 0.5), 8_000);
    assert.equal(ordinaryDelayMs(1, { ...DEFAULT_BACKOFF, baseMs: 200 }, 0.9), 200);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (n, random) => {
          const delayMs = ordinaryDelayMs(n, DEFAULT_BACKOFF, random);
          const mostMs = exponentialMs(n, DEFAULT_BACKOFF.baseMs, DEFAULT_BACKOFF.capMs);
          assert.ok(delayMs <= mostMs && delayMs >= 1_000);
        },
      ),
    );
  });

  it('does not overflow', () => {
    for (const n of [53, 54, 1_024, 1_025, 10_000, Number.MAX_SAFE_INTEGER]) {
      assert.equal(exponentialMs(n, 15_000, 300_000), 300_000);
    }
    assert.equal(exponentialMs(10_000, 0, 300_000), 0);
  });

  it('waits after a refusal no longer than until a fresh sign-in is allowed, and never less than a second', () => {
    const secs = (n: number, allowedInMs?: number): number => refusedDelayMs(n, DEFAULT_BACKOFF, 0, allowedInMs) / 1000;
    assert.deepEqual([secs(3), secs(3, 3_600_000), secs(3, 70_000), secs(3, 3)], [240, 240, 70, 1]);
  });

  it('has a longer schedule for a refused sign-in: at most 100 a day', () => {
    const secs = [1, 2, 3, 4, 5, 6].map((n) => refusedDelayMs(n, DEFAULT_BACKOFF, 0) / 1000);
    assert.deepEqual(secs, [60, 120, 240, 480, 900, 900]);
    let attempts = 0;
    for (let atMs = 0; atMs <= 86_400_000; atMs += refusedDelayMs(attempts, DEFAULT_BACKOFF, 0)) attempts += 1;
    assert.equal(attempts, 100);
    assert.equal(refusedDelayMs(5, DEFAULT_BACKOFF, 0.5) / 1000, 990);
  });

  const throttled: [string, number, number | undefined, number][] = [
    ['without Retry-After: a minute at least', 1, undefined, 60_000],
    ['in a row', 9, undefined, 60_000],
    ['a short Retry-After: no sooner for that', 2, 10_000, 60_000],
    ['a long Retry-After is obeyed', 1, 700_000, 700_000],
    ['a quarter of an hour at most', 1, 86_400_000, 900_000],
    ['infinity', 1, Infinity, 900_000],
    ['nonsense', 1, NaN, 60_000],
    ['the past', 1, -5, 60_000],
  ];
  for (const [name, n, retryAfterMs, expectedMs] of throttled) {
    it(`429, ${name}`, () => assert.equal(throttledDelayMs(n, retryAfterMs, DEFAULT_BACKOFF, 0), expectedMs));
  }

  it('429: jittered upwards, so that nobody comes sooner and no two in the same second', () => {
    const secs = (n: number, retryAfterMs: number | undefined, random: number): number =>
      throttledDelayMs(n, retryAfterMs, DEFAULT_BACKOFF, random) / 1000;
    assert.deepEqual([secs(1, 1_000, 0.5), secs(1, 300_000, 0.5), secs(1, 900_000, 0.5)], [90, 450, 1_125]);
    assert.deepEqual(
      [1, 2, 3, 4, 5, 50].map((n) => Math.round(secs(n, undefined, 0.999_99))),
      [120, 240, 480, 720, 720, 720],
    );
    assert.deepEqual([secs(4, 300_000, 0), Math.round(secs(4, 300_000, 0.999_99))], [300, 720]);
  });
});
