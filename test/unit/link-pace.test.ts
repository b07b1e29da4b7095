/** How often changes of the link may cause a check. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LinkPace } from '../../src/workers/link-pace.js';

/** Wishes come all the time; returns when each check begins. */
function checksUntil(untilMs: number, pace = new LinkPace(), fromMs = 0): number[] {
  const begun: number[] = [];
  for (let nowMs = fromMs; nowMs < untilMs; nowMs += 10) {
    if (pace.freeAtMs(nowMs) > nowMs) continue;
    pace.took(nowMs);
    begun.push(nowMs);
  }
  return begun;
}

describe('checks because of the link', () => {
  it('the first few are not put off, as when a cable goes in and addresses and routes follow', () => {
    assert.deepEqual(checksUntil(100), [0, 10, 20, 30]);
  });

  it('while it flaps for hours, one every other second', () => {
    assert.ok(checksUntil(3_600_000).length <= 1_800 + 4);
    const begun = checksUntil(60_000);
    for (const [i, at] of begun.entries()) if (i > 4) assert.ok(at - begun[i - 1]! <= 2_000, 'and not less often');
  });

  it('after a quiet while there are a few at once again', () => {
    const pace = new LinkPace();
    checksUntil(60_000, pace);
    assert.equal(checksUntil(80_050, pace, 80_000).length, 4);
  });
});
