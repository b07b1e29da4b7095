import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MAX_DEBUG_LINES, RepeatedWarning, WARN_EVERY_MS } from '../../src/main/remote/repeated-warning.js';
import { RecordedLog } from '../support/recorded-log.js';
import { SteppedClock } from '../support/stepped-clock.js';

it('a warning that is provoked at will is one line a minute with a count, and a bounded number of lines at debug', async () => {
  const log = new RecordedLog();
  const clock = new SteppedClock();
  const warning = new RepeatedWarning(log, clock);
  for (let i = 0; i < 10_000; i += 1) warning.warn({ i }, 'Broken.');
  assert.deepEqual(log.at('warn'), ['Broken.']);
  assert.equal(log.at('debug').length, MAX_DEBUG_LINES);
  await clock.advance(WARN_EVERY_MS);
  warning.warn({ i: 'next' }, 'Broken.');
  assert.deepEqual(log.lines.at(-1), { level: 'warn', fields: { i: 'next', leftOut: 9_999 }, message: 'Broken.' });
  warning.warn({}, 'Broken.');
  assert.equal(log.at('debug').length, MAX_DEBUG_LINES + 1);
});
