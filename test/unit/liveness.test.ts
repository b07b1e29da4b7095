import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  DEFAULT_LIVENESS,
  FRESH_LIVENESS,
  liveness,
  type LivenessEvent,
} from '../../src/main/connection/web-pubsub/liveness.js';

/** What came of the events, one a second where a number of seconds is given. */
function play(...script: (LivenessEvent | number)[]): string[] {
  const effects: string[] = [];
  let state = FRESH_LIVENESS;
  let nowSecs = 0;
  const step = (event: LivenessEvent): void => {
    const [next, effect] = liveness(state, event, DEFAULT_LIVENESS);
    state = next;
    if (effect) effects.push(`${nowSecs} ${effect.kind}`);
  };
  for (const item of script) {
    if (typeof item !== 'number') step(item);
    else for (let n = 0; n < item; n += 1) step({ kind: 'passed', ms: ((nowSecs += 1), 1_000) });
  }
  return effects;
}

const heard: LivenessEvent = { kind: 'heard' };
const acknowledged: LivenessEvent = { kind: 'acknowledged' };
const unacknowledged: LivenessEvent = { kind: 'unacknowledged', waitedMs: 10_000 };

it('notices a service that says nothing any more, within 60 s', () => {
  assert.deepEqual(play(50), ['30 ask', '50 dead']);
});

it('asks once a silence, and is content with any answer', () => {
  assert.deepEqual(play(30, heard, 30, heard, 29), ['30 ask', '60 ask']);
  assert.deepEqual(play(49, heard, 20), ['30 ask']);
});

it('asks in place of a ping of the socket, if it were to ask before the next one', () => {
  const idle: LivenessEvent = { kind: 'idle', nextMs: 13_000 };
  assert.deepEqual(play(13, idle), []);
  assert.deepEqual(play(26, idle, idle, 19), ['26 ask']);
  assert.deepEqual(play(26, idle, 20), ['26 ask', '46 dead']);
  assert.deepEqual(play(26, idle, heard, 13, idle, 13, idle), ['26 ask', '52 ask']);
});

it('notices that nothing is acknowledged, though something is heard all the time', () => {
  assert.deepEqual(play(10, unacknowledged, heard, 10, unacknowledged, heard, 10, unacknowledged), ['30 dead']);
});

it('three in a row, not three', () => {
  assert.deepEqual(play(unacknowledged, unacknowledged, acknowledged, 20, unacknowledged, unacknowledged), []);
});

it('waits 15 s, however short the deadlines of the sends are', () => {
  const short: LivenessEvent = { kind: 'unacknowledged', waitedMs: 20 };
  assert.deepEqual(play(short, short, short, 14), []);
  assert.deepEqual(play(short, short, short, 15), ['15 dead']);
});
