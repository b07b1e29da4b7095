/** The tables of close codes and statuses, and what follows from them for a session. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { closePolicy, KNOWN_CLOSE_CODES } from '../../src/main/connection/web-pubsub/close-codes.js';
import {
  causeOf,
  culpritOf,
  endOfRecovery,
  isFinal,
  openFailure,
  pauseAfter,
  refusesToken,
  type LinkEnd,
  type TryEnd,
} from '../../src/main/connection/web-pubsub/endings.js';
import { mayBeEverybodys } from '../../src/main/connection/spread.js';
import type { LossCause } from '../../src/main/connection/session.js';
import { RecoveryPace } from '../../src/main/connection/web-pubsub/recovery-pace.js';
import { httpPolicy, KNOWN_STATUSES } from '../../src/main/connection/web-pubsub/http-statuses.js';

const closed = (code: number): LinkEnd => ({ kind: 'closed', code, reason: '' });

describe('close codes', () => {
  it('has a row for every code of RFC 6455, 7.4.1, and of the IANA registry up to 3008', () => {
    const registered = [...Array.from({ length: 16 }, (_, n) => 1_000 + n), 3_000, 3_003, 3_008];
    assert.deepEqual([...KNOWN_CLOSE_CODES].sort(), registered);
  });

  const table: [code: number, final: boolean, culprit: 'oldest' | 'largest' | undefined, pauseMs: number][] = [
    [1000, false, undefined, 0],
    [1001, false, undefined, 0],
    [1002, false, 'oldest', 0],
    [1003, false, 'oldest', 0],
    [1005, false, undefined, 0],
    [1006, false, undefined, 0],
    [1007, false, 'oldest', 0],
    [1008, true, undefined, 0],
    [1009, false, 'largest', 0],
    [1010, true, undefined, 0],
    [1011, false, undefined, 0],
    [1012, false, undefined, 0],
    [1013, false, undefined, 5_000],
    [1014, false, undefined, 0],
    [3000, true, undefined, 0],
    [3003, true, undefined, 0],
    [3008, false, undefined, 0],
    // By class.
    [1016, false, undefined, 0],
    [2999, false, undefined, 0],
    [3001, false, undefined, 0],
    [4000, false, undefined, 0],
    [4999, false, undefined, 0],
  ];
  for (const [code, final, culprit, pauseMs] of table) {
    it(`${code}, ${closePolicy(code).meaning}: ${final ? 'gone' : 'resumable'}, culprit ${culprit ?? 'none'}`, () => {
      const end = closed(code);
      assert.deepEqual([isFinal(end), culpritOf(end), pauseAfter(end)], [final, culprit, pauseMs]);
      assert.equal(endOfRecovery(end) !== undefined, final);
    });
  }

  it('takes unauthorised and forbidden for a refusal of the token', () => {
    assert.deepEqual(
      [1000, 1008, 3000, 3003, 3008].map((code) => refusesToken(closed(code))),
      [false, false, true, true, false],
    );
    assert.equal(openFailure(closed(3000), '').kind, 'refused');
    assert.equal(openFailure(closed(1011), '').kind, 'failed');
    const here = openFailure({ kind: 'failed', message: 'no handle', refusal: 'EMFILE' }, '');
    assert.deepEqual(here, { kind: 'failed', message: 'the connection failed (no handle)', refusal: 'EMFILE' });
  });
});

describe('what took a session', () => {
  const table: [string, TryEnd, LossCause, everybodys: boolean][] = [
    ['a close frame', closed(1001), { kind: 'service', code: 1001 }, true],
    ['the session is gone', closed(1008), { kind: 'service', code: 1008 }, true],
    ['a key that was changed', closed(3000), { kind: 'service', code: 3000 }, true],
    ['a private code', closed(4001), { kind: 'service', code: 4001 }, true],
    ['a refusal of the recovery', { kind: 'http', status: 503 }, { kind: 'service', code: 503 }, true],
    ['no farewell', closed(1006), { kind: 'broken' }, true],
    ['a reset', { kind: 'failed', message: 'read ECONNRESET' }, { kind: 'broken' }, true],
    [
      'a socket that this machine refused',
      { kind: 'failed', message: 'EMFILE', refusal: 'EMFILE' },
      { kind: 'own' },
      false,
    ],
    ['silence', { kind: 'half-open', afterMs: 15_000 }, { kind: 'silent' }, false],
    ['no handshake', { kind: 'timeout', stage: 'handshake', afterMs: 10_000 }, { kind: 'silent' }, false],
    ['a message of ours', closed(1009), { kind: 'own' }, false],
    ['a frame that is none', { kind: 'violation', message: 'RSV1' }, { kind: 'own' }, false],
    ['we ourselves', { kind: 'suspended' }, { kind: 'own' }, false],
    ['another connection', { kind: 'wrong-greeting' }, { kind: 'own' }, false],
  ];
  for (const [name, end, cause, everybodys] of table) {
    it(`${name}: ${cause.kind}, ${everybodys ? 'perhaps everybody' : 'this device only'}`, () => {
      assert.deepEqual(causeOf(end), cause);
      assert.equal(mayBeEverybodys(cause), everybodys);
    });
  }
});

describe('the pace of a recovery', () => {
  const waits = (random: number): number[] => {
    const pace = new RecoveryPace(1_000);
    pace.opened(0, random);
    pace.begin();
    return [1, 2, 3, 4, 5].map((n) => {
      pace.opened(n * 100_000, random);
      return pace.waitMs(n * 100_000);
    });
  };

  it('grows to eight times the spacing, of which half is jittered', () => {
    assert.deepEqual(waits(0), [1_000, 2_000, 4_000, 8_000, 8_000]);
    assert.deepEqual(waits(0.5), [750, 1_500, 3_000, 6_000, 6_000]);
  });

  it('opens the first at once, unless the end before asks for a pause', () => {
    const pace = new RecoveryPace(1_000);
    assert.equal(pace.waitMs(5), 0);
    pace.pause(5, 5_000);
    assert.deepEqual([pace.waitMs(5), pace.waitMs(5_005)], [5_000, 0]);
  });
});

describe('statuses', () => {
  const table: [status: number, recovery: 'retry' | 'end', opening: string][] = [
    [200, 'retry', 'failed'],
    [302, 'retry', 'failed'],
    [400, 'end', 'failed'],
    [401, 'end', 'refused'],
    [403, 'end', 'refused'],
    [404, 'end', 'failed'],
    [405, 'end', 'failed'],
    [407, 'end', 'failed'],
    [408, 'retry', 'failed'],
    [410, 'end', 'failed'],
    [414, 'end', 'failed'],
    [418, 'end', 'failed'],
    [421, 'retry', 'failed'],
    [425, 'retry', 'failed'],
    [426, 'end', 'failed'],
    [429, 'retry', 'throttled'],
    [451, 'end', 'failed'],
    [500, 'retry', 'failed'],
    [501, 'end', 'failed'],
    [503, 'retry', 'failed'],
    [505, 'end', 'failed'],
    [511, 'retry', 'failed'],
    [599, 'retry', 'failed'],
  ];
  for (const [status, recovery, opening] of table) {
    it(`${status}: ${recovery}, ${opening}`, () => {
      const end: LinkEnd = { kind: 'http', status };
      assert.equal(httpPolicy(status).recovery, recovery);
      assert.equal(endOfRecovery(end) === undefined, recovery === 'retry');
      assert.equal(openFailure(end, '').kind, opening);
      assert.equal(refusesToken(end), opening === 'refused');
    });
  }

  it('has no row that nobody has looked at here', () => {
    const looked = new Set(table.map(([status]) => status));
    assert.deepEqual(
      KNOWN_STATUSES.filter((status) => !looked.has(status)),
      [],
    );
  });

  it('takes whoever asks for a pause at their word, but a refusal stays a refusal', () => {
    const kind = (status: number): string => openFailure({ kind: 'http', status, retryAfterMs: 1_000 }, '').kind;
    assert.deepEqual([302, 404, 429, 500, 503, 401, 403].map(kind), [
      ...['throttled', 'throttled', 'throttled', 'throttled', 'throttled', 'refused', 'refused'],
    ]);
  });
});
