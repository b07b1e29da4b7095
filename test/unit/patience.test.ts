/** How long a try may take on a slow line. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { extended, keptForMs, lateAfterMs } from '../../src/workers/probe/patience.js';

/** A check at the defaults: a time-out of 2 s for a step of silence, 4 s for all of it. */
const TIMEOUT_MS = 2_000;
const BOUND_MS = 2 * TIMEOUT_MS;

/** A try that began with the names found at `namesMs`; each step takes the given time. Undefined: it was given up. */
function online(
  namesMs: number,
  steps: { readonly tcp: number; readonly tls: number; readonly http: number },
): boolean {
  let deadlineMs = Math.min(BOUND_MS, namesMs + TIMEOUT_MS);
  let nowMs = namesMs + steps.tcp;
  if (nowMs > deadlineMs) return false;
  const roundTripMs = steps.tcp;
  deadlineMs = extended('tls', { nowMs, roundTripMs, deadlineMs, boundMs: BOUND_MS });
  nowMs += steps.tls;
  if (nowMs > deadlineMs) return false;
  deadlineMs = extended('http', { nowMs, roundTripMs, deadlineMs, boundMs: BOUND_MS });
  return nowMs + steps.http <= deadlineMs;
}

describe('a try on a slow line', () => {
  for (const roundTripMs of [1, 100, 400, 700, 900]) {
    it(`${roundTripMs} ms a round trip: names, TCP, TLS 1.3 and the answer fit`, () => {
      assert.ok(online(roundTripMs, { tcp: roundTripMs, tls: roundTripMs, http: roundTripMs }));
    });
  }

  it('a lost packet in any one step is outlived at 400 ms', () => {
    // RFC 6298: 1 s for the first packet, then three round trips.
    assert.ok(online(400, { tcp: 1_400, tls: 400, http: 400 }), 'tcp');
    assert.ok(online(400, { tcp: 400, tls: 1_600, http: 400 }), 'tls');
    assert.ok(online(400, { tcp: 400, tls: 400, http: 1_600 }), 'http');
  });

  it('on a fast line a step that hangs has no more than the time-out', () => {
    const deadlineMs = 10 + TIMEOUT_MS;
    for (const step of ['tls', 'http'] as const)
      assert.equal(extended(step, { nowMs: 30, roundTripMs: 20, deadlineMs, boundMs: BOUND_MS }), deadlineMs);
  });

  it('is never shortened, and never beyond the bound of the check', () => {
    for (const nowMs of [0, 1_000, 3_000, 3_999])
      for (const roundTripMs of [0, 500, 5_000])
        for (const deadlineMs of [nowMs + 1, 3_999, BOUND_MS]) {
          const until = extended('tls', { nowMs, roundTripMs, deadlineMs, boundMs: BOUND_MS });
          assert.ok(until >= Math.min(deadlineMs, BOUND_MS) && until <= BOUND_MS, `${nowMs} ${roundTripMs} ${until}`);
        }
  });

  it('an answer in its usual time is not late, and on a fast line it is late after a fifth of the time-out', () => {
    assert.equal(lateAfterMs(400, undefined), 400);
    assert.equal(lateAfterMs(400, 20), 400);
    assert.ok(lateAfterMs(400, 900) > 900);
  });

  it('a kept connection outlives a lost packet at 900 ms, and has no more than the time-out on a fast line', () => {
    assert.ok(keptForMs(TIMEOUT_MS, 900) > 900 + 3 * 900 - 1);
    assert.ok(keptForMs(TIMEOUT_MS, 5_000) <= BOUND_MS);
    for (const usualMs of [undefined, 0, 20, 400]) assert.equal(keptForMs(TIMEOUT_MS, usualMs), TIMEOUT_MS);
  });
});
