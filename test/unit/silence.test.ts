/** When a silent socket is asked. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expectedRoundTripMs, pingAfterMs } from '../../src/main/connection/web-pubsub/silence.js';

const POLICY = { idlePingMs: 10_000, quickIdlePingMs: 12_000, halfOpenTimeoutMs: 15_000 };

describe('a ping is due', () => {
  for (const [roundTripMs, afterMs] of [
    [undefined, 10_000],
    [1, 12_000],
    [375, 12_000],
    [500, 11_000],
    [900, 10_000],
  ] as const)
    it(`after ${afterMs / 1_000} s where an answer takes ${roundTripMs ?? 'nobody knows how many'} ms`, () =>
      assert.equal(pingAfterMs(POLICY, roundTripMs), afterMs));

  it('at the one time that a policy has', () =>
    assert.equal(pingAfterMs({ idlePingMs: 60, halfOpenTimeoutMs: 250 }, 1), 60));
});

it('one quick answer on a slow line is not believed at once, several are', () => {
  let expected: number | undefined;
  const after = (...samples: number[]): number => {
    for (const sample of samples) expected = expectedRoundTripMs(expected, sample);
    return Math.round(expected ?? 0);
  };
  assert.equal(after(40), 40);
  assert.equal(after(900), 900);
  assert.equal(after(40), 675);
  assert.equal(after(40, 40, 40, 40, 40, 40, 40, 40, 40, 40), 40);
});
