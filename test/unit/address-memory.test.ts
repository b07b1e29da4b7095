import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  NOTHING_FAILED,
  failedLast,
  learn,
  stalled,
  swallowed,
  swallows,
} from '../../src/workers/net/address-memory.js';

const TEN_MINUTES = 600_000;
const A = '2001:db8::1';
const B = '192.0.2.1';
const C = '192.0.2.2';
const port = 443;

describe('the memory of addresses that failed', () => {
  const memory = learn(NOTHING_FAILED, { port, tried: [A, B], winner: B }, 1_000);

  it('tries them last, skips none, and leaves the order alone otherwise', () => {
    assert.deepEqual(failedLast(NOTHING_FAILED, [A, B, C], port, 1_000), [A, B, C]);
    assert.deepEqual(failedLast(memory, [A, B, C], port, 1_000), [B, C, A]);
    assert.deepEqual(failedLast(memory, [A], port, 1_000), [A]);
    assert.deepEqual(failedLast(memory, [], port, 1_000), []);
    const both = learn(memory, { port, tried: [B, C], winner: C }, 2_000);
    assert.deepEqual(failedLast(both, [B, A, C], port, 2_000), [C, B, A]);
  });

  it('tries one last that opened and then stalled, until it wins and answers', () => {
    const after = stalled(NOTHING_FAILED, A, port, 1_000);
    assert.deepEqual(failedLast(after, [A, B], port, 1_000), [B, A]);
    assert.deepEqual(failedLast(after, [A, B], port, 1_000 + TEN_MINUTES), [A, B]);
    let full = after;
    for (let i = 0; i < 1_000; i += 1) full = stalled(full, `198.51.100.${i}`, port, 2_000 + i);
    assert.ok(full.size <= 64);
  });

  it('tries a family last that swallows, at whatever host and port, also after it has opened again', () => {
    const [later, elsewhere] = ['2001:db8::2', 8443];
    const slow = learn(NOTHING_FAILED, { port, tried: [A, B], winner: A }, 1_000);
    const after = swallowed(slow, A, 1_000);
    assert.deepEqual(failedLast(after, [A, B, later, C], port, 1_000), [C, B, A, later]);
    assert.deepEqual(failedLast(after, [later, C], elsewhere, 1_000), [C, later]);
    assert.deepEqual([swallows(after, later, 1_000), swallows(after, C, 1_000)], [true, false]);
    const opened = learn(after, { port, tried: [A], winner: A }, 2_000);
    assert.deepEqual(failedLast(opened, [A, C], port, 2_000), [C, A]);
    assert.deepEqual(failedLast(after, [A, C], port, 1_000 + TEN_MINUTES), [A, C]);
    assert.equal(swallows(after, A, 1_000 + TEN_MINUTES), false);
  });

  it('knows one port from another', () => {
    assert.deepEqual(failedLast(memory, [A, B], 8443, 1_000), [A, B]);
  });

  it('forgets after ten minutes, and at once when the address wins', () => {
    assert.deepEqual(failedLast(memory, [A, B], port, 1_000 + TEN_MINUTES - 1), [B, A]);
    assert.deepEqual(failedLast(memory, [A, B], port, 1_000 + TEN_MINUTES), [A, B]);
    const again = learn(memory, { port, tried: [B, A], winner: A }, 2_000);
    assert.deepEqual(failedLast(again, [A, B], port, 2_000), [A, B]);
    const later = learn(memory, { port, tried: [C], winner: C }, 1_000 + TEN_MINUTES);
    assert.equal(later.size, 0);
  });

  it('is bounded, and forgets the oldest first', () => {
    let full = memory;
    for (let i = 0; i < 1_000; i += 1) {
      full = learn(full, { port, tried: [`198.51.100.${i}`, B], winner: B }, 2_000 + i);
      assert.ok(full.size <= 64);
    }
    assert.deepEqual(failedLast(full, [A, '198.51.100.999', B], port, 3_000), [A, B, '198.51.100.999']);
  });
});
