/** The soak as a test: three minutes of random faults. `npm run soak -- --seconds N --seed S` for longer ones, and for the same again. */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { it } from 'node:test';
import { textOf } from './journal.js';
import { soak } from './soak.js';

const SECONDS = 180;

const seed = randomInt(2 ** 31);
it(`${SECONDS} s of random faults with messages both ways`, async (t) => {
  t.diagnostic(`the same faults again: npm run soak -- --seconds ${SECONDS} --seed ${seed}`);
  const { complaints, summary, journal } = await soak({ seconds: SECONDS, seed, say: (line) => t.diagnostic(line) });
  for (const [key, value] of Object.entries(summary)) t.diagnostic(`${key}: ${String(value)}`);
  assert.deepEqual(complaints, [], `with seed ${seed}; the log:\n${journal.lines.map(textOf).join('\n')}`);
});
