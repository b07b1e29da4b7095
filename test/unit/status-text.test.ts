import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statusText, type ConnectionGlance } from '../../src/main/status-text.js';
import type { VerdictState } from '../../src/workers/protocol.js';

/** Local time, as an operator reads it. */
const at = (hours: number, minutes: number, seconds = 0, day = 24): number =>
  new Date(2026, 10, day, hours, minutes, seconds).getTime();

const NOW = at(15, 30);
const IDLE: ConnectionGlance = {
  kind: 'waiting-for-internet',
  sinceMs: NOW,
  group: undefined,
  nextAttemptAtMs: undefined,
  lastFailure: undefined,
};
const online: VerdictState = { verdict: 'online', sinceMs: at(14, 2) };

const cases: readonly [text: string, internet: VerdictState, connection: Partial<ConnectionGlance>][] = [
  ['Looking for the internet for the first time', { verdict: 'unknown', sinceMs: NOW }, {}],
  [
    'Offline since 14:02: name server silent; next look in 2 s',
    { verdict: 'offline', reason: 'dns-timeout', sinceMs: at(14, 2) },
    {},
  ],
  [
    'Offline since 2026-11-23 09:05: no network link; next look in 2 s',
    { verdict: 'offline', reason: 'no-link', sinceMs: at(9, 5, 0, 23) },
    {},
  ],
  [
    'Online, connected since 14:02, group velasquez',
    online,
    { kind: 'connected', sinceMs: at(14, 2), group: 'velasquez' },
  ],
  [
    'Online, not connected: the cloud answers 503; next attempt at 15:30:28',
    online,
    { kind: 'backing-off', nextAttemptAtMs: at(15, 30, 28), lastFailure: { message: 'the cloud answers 503' } },
  ],
  ['Online, not connected; next attempt at 15:30:28', online, { kind: 'backing-off', nextAttemptAtMs: at(15, 30, 28) }],
  ['Online, waiting for it to settle, then connecting', online, { kind: 'stabilising' }],
  ['Online, resuming the cloud connection, group velasquez', online, { kind: 'recovering', group: 'velasquez' }],
  ['Online, connecting to the cloud, group velasquez', online, { kind: 'connecting', group: 'velasquez' }],
  ['Online, not connected', online, { kind: 'stopped' }],
];

describe('statusText', () => {
  for (const [text, internet, connection] of cases) {
    it(text, () => {
      assert.equal(statusText(internet, { ...IDLE, ...connection }, { offlineIntervalSecs: 2, nowMs: NOW }), text);
    });
  }
});
