import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { humanDuration } from '../../src/main/base/duration.js';
import { narrate, type Note } from '../../src/main/connection/narration.js';

describe('narration', () => {
  const table: [Note, string, string][] = [
    [
      { kind: 'internet-lost', reason: 'dns-timeout', was: 'connected', recoverableForMs: 55_000 },
      'warn',
      'Internet lost (name server silent): closed the cloud connection; resuming it when it is back, if the service still keeps it (for 30 s at least)',
    ],
    [
      { kind: 'internet-lost', reason: 'no-link', was: 'backing-off' },
      'warn',
      'Internet lost (no network link): retries of the cloud connection are paused until it is back',
    ],
    [
      { kind: 'internet-lost', reason: undefined, was: 'connecting' },
      'warn',
      'Internet lost: gave up the cloud connection attempt; connecting when it is back',
    ],
    [
      { kind: 'internet-back', stabilizationMs: 3_000, spreadMs: 0, recoverable: false },
      'info',
      'Internet is back: waiting 3 s for it to settle, then connecting',
    ],
    [
      { kind: 'offline-at-start', reason: 'portal' },
      'warn',
      'No internet at start (captive portal or foreign certificate): the cloud connection is not tried',
    ],
    [{ kind: 'will-connect' }, 'info', 'The cloud connection will be opened as soon as the internet is there'],
    [
      {
        kind: 'attempt-failed',
        number: 2,
        failure: { kind: 'failed', message: 'handshake timed out' },
        delayMs: 28_000,
      },
      'warn',
      'Cloud connection attempt 2 failed (handshake timed out) although the internet is there; next attempt in 28 s',
    ],
    [
      {
        kind: 'attempt-failed',
        number: 2,
        failure: { kind: 'failed', message: 'connect EMFILE', refusal: 'EMFILE' },
        delayMs: 9_000,
      },
      'warn',
      'The system refuses what the cloud connection needs (EMFILE, this process has no file handle left); nobody was asked, and it is tried again until it can be opened',
    ],
    [
      {
        kind: 'attempt-failed',
        number: 1,
        failure: { kind: 'refused', status: 401, message: 'Unauthorized' },
        delayMs: 60_000,
      },
      'error',
      'The cloud refused the sign-in (401: Unauthorized): check the AUTH0_… settings or WEBPUBSUB_CLIENT_URL, whichever you use; next attempt in 60 s',
    ],
    [
      {
        kind: 'attempt-failed',
        number: 1,
        failure: { kind: 'throttled', message: 'Too Many Requests' },
        delayMs: 900_000,
      },
      'warn',
      'The cloud has too many connections, messages or sign-ins from us (429: Too Many Requests); next attempt in 15 min',
    ],
    [
      {
        kind: 'attempt-failed',
        number: 1,
        failure: { kind: 'throttled', status: 503, retryAfterMs: 9_000, message: 'HTTP 503' },
        delayMs: 15_000,
      },
      'warn',
      'The cloud asked for a pause (503: HTTP 503); next attempt in 15 s',
    ],
    [
      { kind: 'recovered', downMs: 40_000, givenUp: 3 },
      'info',
      'Cloud connection resumed after 40 s; 3 messages of ours were given up unacknowledged',
    ],
    [
      { kind: 'connected', attempt: 4, number: 2, givenUp: 1 },
      'info',
      'Connected to the cloud, at attempt 2; 1 message of ours was given up unacknowledged',
    ],
    [{ kind: 'recovered', downMs: 4_200 }, 'info', 'Cloud connection resumed after 4 s; no message was lost'],
  ];
  for (const [note, level, message] of table) {
    it(`${level}: ${message}`, () => {
      const narration = narrate(note);
      assert.equal(narration.level, level);
      assert.equal(narration.message, message);
    });
  }

  it('tells internet loss and connection failure apart in the fields, too', () => {
    assert.deepEqual(narrate({ kind: 'internet-lost', reason: 'no-route', was: 'connecting' }).fields, {
      reason: 'no-route',
      was: 'connecting',
    });
    const failed = narrate({
      kind: 'attempt-failed',
      number: 3,
      failure: { kind: 'failed', message: 'x' },
      delayMs: 1_234,
    });
    assert.deepEqual(failed.fields, { attempt: 3, failure: 'failed', cause: 'x', retrySecs: 1.2 });
  });

  it('rounds durations for reading', () => {
    const read = [0, 400, 1_000, 28_400, 119_000, 150_000, 900_000, 3_600_000, 7_200_000, 9_000_000].map(humanDuration);
    assert.deepEqual(read, [
      '0 ms',
      '400 ms',
      '1 s',
      '28 s',
      '119 s',
      '2 min 30 s',
      '15 min',
      '60 min',
      '2 h',
      '2 h 30 min',
    ]);
  });
});
