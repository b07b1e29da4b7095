/**
 * A day on which the cloud refuses every connection, in seconds: the real supervisor, credentials and session over real sockets to a
 * fake Auth0 and a local service, and a clock that is stepped. Auth0 limits such calls, so they are counted.
 */
import assert from 'node:assert/strict';
import { describe, it, before, type TestContext } from 'node:test';
import { createCredentials } from '../../src/main/connection/credentials/create.js';
import type { OpenSession } from '../../src/main/connection/session.js';
import { ConnectionSupervisor } from '../../src/main/connection/supervisor.js';
import { createOpenSession } from '../../src/main/connection/web-pubsub.js';
import { createLookup } from '../../src/main/net/lookup.js';
import { seeded } from '../lab/random.js';
import { CertificateAuthority, type KeyAndChain } from '../support/certificates.js';
import { FakeAuth0 } from '../support/fake-auth0.js';
import { RecordedLog } from '../support/recorded-log.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { SwitchedMonitor } from '../support/switched-monitor.js';
import { WebPubSubServer } from '../support/web-pubsub-server.js';

const DAY_SECS = 86_400;
const MOST_CALLS = 100;
const SECRETS = {
  clientId: 'id',
  clientSecret: 'storm-client-secret',
  username: 'user',
  password: 'storm-pass-word',
} as const;

let authority: CertificateAuthority;
let certificate: KeyAndChain;

before(async () => {
  authority = await CertificateAuthority.create();
  certificate = await authority.issue({ names: ['localhost', '127.0.0.1'] });
});

interface Day {
  readonly auth0: FakeAuth0;
  readonly cloud: WebPubSubServer;
  readonly monitor: SwitchedMonitor;
  readonly log: RecordedLog;
  readonly attempts: () => number;
  /** Lets simulated seconds pass; an attempt under way is waited for, as its sockets are real. */
  readonly pass: (secs: number) => Promise<void>;
}

async function begin(t: TestContext, validSecs = DAY_SECS): Promise<Day> {
  const clock = new SteppedClock();
  const cloud = await WebPubSubServer.start({ ca: authority });
  const auth0 = await FakeAuth0.start({
    ...certificate,
    ...SECRETS,
    wssUrl: () => cloud.clientAccessUrl({ expiresInSecs: validSecs }),
  });
  const log = new RecordedLog();
  const lookup = createLookup({ timeoutMs: 5_000, nameServers: ['127.0.0.1:1'] });
  const monitor = new SwitchedMonitor();
  const ca = authority.certificatePem;
  const open = createOpenSession({
    credentials: createCredentials({
      auth0: { authUrl: auth0.authUrl, ...SECRETS },
      lookup,
      ca,
      log,
      now: () => clock.nowMs(),
      // The sign-in's own date counts.
      trustedWallMs: () => undefined,
    }),
    group: 'g',
    lookup,
    ca,
    mayOpen: () => monitor.status.verdict === 'online',
    log,
  });
  const running = new Set<Promise<unknown>>();
  let attempts = 0;
  const openSession: OpenSession = (options) => {
    attempts += 1;
    const attempt = open(options);
    running.add(attempt);
    const ended = (): void => void running.delete(attempt);
    attempt.then(ended, ended);
    return attempt;
  };
  // By chance, but the same each time. What a day of the shortest waits costs is in test/unit/credentials-cached.test.ts.
  const chance = seeded(1);
  const supervisor = new ConnectionSupervisor({ monitor, openSession, log, clock, random: () => chance.next() });
  t.after(async () => {
    await supervisor.stop();
    await Promise.all([auth0.close(), cloud.stop()]);
  });
  supervisor.start();
  const pass = async (secs: number): Promise<void> => {
    for (let i = 0; i < secs; i += 1) {
      await clock.advance(1_000);
      while (running.size > 0) await Promise.allSettled(running);
    }
  };
  return { auth0, cloud, monitor, log, attempts: () => attempts, pass };
}

function calls({ auth0 }: Day): number {
  return auth0.calls.token + auth0.calls.userinfo;
}

describe('a day of refusals costs Auth0 few calls', () => {
  for (const status of [401, 429]) {
    it(`the cloud answers every handshake with ${status}`, async (t) => {
      const day = await begin(t);
      day.cloud.behaveOnHandshake({ kind: 'status', status });
      await day.pass(DAY_SECS);
      assert.ok(day.attempts() > 20, `${day.attempts()} attempts`);
      assert.ok(calls(day) >= 2 && calls(day) <= MOST_CALLS, `${calls(day)} calls`);
      t.diagnostic(`${status}: ${day.attempts()} attempts, ${calls(day)} calls to Auth0`);
    });
  }

  it('the cloud refuses the connection itself', async (t) => {
    const day = await begin(t);
    await day.cloud.refuseTcp();
    await day.pass(DAY_SECS);
    assert.ok(day.attempts() > 200, `${day.attempts()} attempts`);
    // The URL is renewed once, before its token expires.
    assert.ok(calls(day) >= 2 && calls(day) <= 4, `${calls(day)} calls`);
  });

  it('the cloud refuses every join', async (t) => {
    const day = await begin(t);
    day.cloud.behaveOnAcks({ kind: 'fail', error: 'Forbidden' });
    await day.pass(DAY_SECS);
    assert.ok(calls(day) >= 2 && calls(day) <= MOST_CALLS, `${calls(day)} calls`);
  });

  it('the cloud refuses, and the internet comes and goes every minute', async (t) => {
    const day = await begin(t);
    day.cloud.behaveOnHandshake({ kind: 'status', status: 401 });
    for (let minute = 0; minute < DAY_SECS / 60; minute += 1) {
      day.monitor.become(minute % 2 === 0);
      await day.pass(60);
    }
    assert.ok(calls(day) >= 2 && calls(day) <= MOST_CALLS, `${calls(day)} calls`);
  });

  it('the cloud refuses tokens that live for ten minutes only', async (t) => {
    const day = await begin(t, 600);
    day.cloud.behaveOnHandshake({ kind: 'status', status: 401 });
    await day.pass(DAY_SECS);
    assert.ok(calls(day) >= 2 && calls(day) <= MOST_CALLS, `${calls(day)} calls`);
  });

  for (const [what, misbehaviour] of [
    ['refuses the password', { kind: 'answer', status: 403, body: '{"error":"invalid_grant"}' }],
    ['has trouble of its own', { kind: 'answer', status: 503 }],
    ['is asked too often', { kind: 'answer', status: 429 }],
  ] as const) {
    it(`Auth0 ${what}`, async (t) => {
      const day = await begin(t);
      day.auth0.misbehave('token', misbehaviour);
      await day.pass(DAY_SECS);
      assert.ok(calls(day) >= 2 && calls(day) <= MOST_CALLS, `${calls(day)} calls`);
      assert.equal(day.cloud.counts.upgrades, 0);
    });
  }

  it('once the cloud takes connections again, the daemon is back within the longest delay', async (t) => {
    const day = await begin(t);
    day.cloud.behaveOnHandshake({ kind: 'status', status: 401 });
    await day.pass(6 * 3_600);
    day.cloud.behaveOnHandshake({ kind: 'normal' });
    await day.pass(901);
    assert.equal(day.cloud.liveConnections('device').length, 1);
    assert.ok(calls(day) <= MOST_CALLS, `${calls(day)} calls`);
  });
});
