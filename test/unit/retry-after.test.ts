import assert from 'node:assert/strict';
import { it } from 'node:test';
import { retryAfterMs } from '../../src/main/base/retry-after.js';

const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT';
const AT = Date.UTC(1994, 10, 6, 8, 49, 37);

const table: [
  value: string | undefined,
  date: string | undefined,
  nowMs: number | undefined,
  ms: number | undefined,
][] = [
  [undefined, DATE, AT, undefined],
  ['0', undefined, AT, 0],
  [' 120 ', DATE, AT, 120_000],
  // The clock of this machine is decades off.
  ['Sun, 06 Nov 1994 08:50:07 GMT', DATE, 0, 30_000],
  ['Sun, 06 Nov 1994 08:50:07 GMT', undefined, AT, 30_000],
  ['Sun, 06 Nov 1994 08:50:07 GMT', 'nonsense', AT, 30_000],
  // Neither the response nor a clock that can be trusted says what time it is.
  ['Sun, 06 Nov 1994 08:50:07 GMT', undefined, undefined, undefined],
  ['120', undefined, undefined, 120_000],
  ['Sunday, 06-Nov-94 08:49:38 GMT', DATE, 0, 1_000],
  ['Sun Nov  6 08:49:39 1994', DATE, 0, 2_000],
  // In the past.
  ['Sun, 06 Nov 1994 08:00:00 GMT', DATE, AT, 0],
  ['-5', DATE, AT, undefined],
  ['1.5', DATE, AT, undefined],
  ['12345678901', DATE, AT, undefined],
  ['soon', DATE, AT, undefined],
  ['', DATE, AT, undefined],
];
for (const [value, date, nowMs, ms] of table) {
  it(`${value} at ${date} is ${ms}`, () => {
    assert.equal(retryAfterMs({ 'retry-after': value, date }, nowMs), ms);
  });
}
