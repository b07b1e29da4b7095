import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  idleText,
  statusText,
  type ClockGlance,
  type ConnectionGlance,
  type InternetGlance,
} from '../../src/main/status-text.js';
import type { CheckEvidence } from '../../src/workers/protocol.js';

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
const RIGHT: ClockGlance = { trusted: true, farOffMs: undefined };
const online: InternetGlance = { verdict: 'online', sinceMs: at(14, 2) };

const AT_PORTAL: CheckEvidence = {
  checkId: 1,
  trigger: 'interval',
  startedAtMs: 0,
  ms: 1,
  ok: false,
  https: [],
  portal: { phase: 'portal', address: '192.0.2.1', ms: 1, sign: 'portal', login: 'http://hotel.test/in' },
};

const cases: readonly [text: string, internet: InternetGlance, connection: Partial<ConnectionGlance>][] = [
  [
    'Online, connected since 14:02, group velasquez; the system refuses the internet checks (EMFILE, this process has no file handle left)',
    { ...online, lastEvidence: { ...AT_PORTAL, refused: 'EMFILE' } },
    { kind: 'connected', sinceMs: at(14, 2), group: 'velasquez' },
  ],
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
    'Offline since 14:02: captive portal or foreign certificate, log in at http://hotel.test/in; next look in 2 s',
    { verdict: 'offline', reason: 'portal', sinceMs: at(14, 2), lastEvidence: AT_PORTAL },
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
  [
    'Online, waiting its turn, so that not all devices come at once; connecting at 15:30:28',
    online,
    { kind: 'spreading', nextAttemptAtMs: at(15, 30, 28) },
  ],
  ['Online, resuming the cloud connection, group velasquez', online, { kind: 'recovering', group: 'velasquez' }],
  ['Online, connecting to the cloud, group velasquez', online, { kind: 'connecting', group: 'velasquez' }],
  ['Online, not connected', online, { kind: 'stopped' }],
];

describe('statusText', () => {
  for (const [text, internet, connection] of cases) {
    it(text, () => {
      assert.equal(
        statusText(internet, { ...IDLE, ...connection }, { clock: RIGHT, offlineIntervalSecs: 2, nowMs: NOW }),
        text,
      );
    });
  }

  const DAY_MS = 86_400_000;
  for (const [clock, words] of [
    [RIGHT, ''],
    [{ trusted: undefined, farOffMs: undefined }, ''],
    [{ trusted: false, farOffMs: undefined }, '; the clock cannot be trusted'],
    [{ trusted: false, farOffMs: -6 * 365 * DAY_MS }, '; the clock is 6 years behind'],
    [{ trusted: true, farOffMs: 1.2 * DAY_MS }, '; the clock is 1 day ahead'],
    [{ trusted: true, farOffMs: 700 * DAY_MS }, '; the clock is 700 days ahead'],
  ] as const) {
    it(`of the clock: "${words}"`, () => {
      const text = statusText(online, { ...IDLE, kind: 'stabilising' }, { clock, offlineIntervalSecs: 2, nowMs: NOW });
      assert.equal(text, `Online, waiting for it to settle, then connecting${words}`);
      assert.equal(idleText(clock), `Idle: websocketEnabled is False${words}`);
    });
  }
});
