import assert from 'node:assert/strict';
import type { LookupFunction } from 'node:net';
import { describe, it, before, type TestContext } from 'node:test';
import { createCredentials } from '../../src/main/connection/credentials/create.js';
import { SignInError } from '../../src/main/connection/credentials/provider.js';
import { createLookup } from '../../src/main/net/lookup.js';
import { CertificateAuthority, type KeyAndChain } from '../support/certificates.js';
import { gathered } from '../support/everything-logged.js';
import { FakeAuth0, type FakeAuth0Options } from '../support/fake-auth0.js';

const never = new AbortController().signal;
const SECRETS = {
  clientId: 'client-id-7781',
  clientSecret: 'client-secret-5512',
  username: 'pi-4411@localhost',
  password: 'pass word/2290',
} as const;

let ca: string;
let certificate: KeyAndChain;

before(async () => {
  const authority = await CertificateAuthority.create();
  ca = authority.certificatePem;
  certificate = await authority.issue({ names: ['localhost'] });
});

/** A client access URL whose token is valid for a day. */
function clientUrl(): string {
  const claims = Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1_000) + 86_400 })).toString('base64url');
  return `wss://localhost/client/hubs/dunebugger?access_token=e30.${claims}.c2ln`;
}

interface Rig {
  readonly settings?: Partial<Record<keyof typeof SECRETS | 'authUrl', string>>;
  readonly server?: Partial<FakeAuth0Options>;
  readonly timeoutMs?: number;
  readonly lookup?: LookupFunction;
}

async function rig(t: TestContext, { settings, server, timeoutMs = 5_000, lookup }: Rig = {}) {
  const fake = await FakeAuth0.start({ ...certificate, ...SECRETS, wssUrl: clientUrl, ...server });
  t.after(() => fake.close());
  const state = { now: Date.now(), log: '' };
  const line = (fields: object, message: string): void => void (state.log += `${JSON.stringify(fields)} ${message}\n`);
  const provider = createCredentials({
    auth0: { authUrl: fake.authUrl, ...SECRETS, ...settings },
    // `localhost` needs no query; nothing leaves this machine for another name.
    lookup: lookup ?? createLookup({ timeoutMs: 2_000, nameServers: ['127.0.0.1:1'] }),
    ca,
    log: gathered({ debug: line, info: line, warn: line, error: line }),
    now: () => state.now,
    trustedWallMs: () => undefined,
    timeoutMs,
  });
  t.after(() => assertNoSecret(state.log));
  return { fake, provider, state };
}

function assertNoSecret(text: string): void {
  for (const secret of Object.values(SECRETS)) assert.ok(!text.includes(secret), `a secret in: ${text}`);
  assert.doesNotMatch(text, /access_token=|eyJ|Bearer/);
}

async function failure(call: Promise<unknown>): Promise<SignInError> {
  return call.then(
    () => assert.fail('it succeeded'),
    (error: unknown) => {
      assert.ok(error instanceof SignInError, String(error));
      assertNoSecret(error.message);
      return error;
    },
  );
}

/** A name server that knows no name at all. */
const noSuchName: LookupFunction = (name, _options, callback) =>
  callback(Object.assign(new Error(`queryA ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), []);

const echo = (text: string): string => JSON.stringify({ error: 'invalid_grant', error_description: text });

describe('Auth0 sign-in', () => {
  it('gives the wss_url of the userinfo, with its expiry, in two calls', async (t) => {
    const { fake, provider, state } = await rig(t);
    const url = await provider.get(never);
    assert.match(url.url, /^wss:\/\/localhost\/client\/hubs\/dunebugger\?access_token=/);
    assert.ok(url.expiresAtMs !== undefined && Math.abs(url.expiresAtMs - state.now - 86_400_000) < 60_000);
    assert.deepEqual(fake.calls, { token: 1, userinfo: 1 });
    assert.deepEqual(fake.lastTokenRequest, {
      client_id: SECRETS.clientId,
      client_secret: SECRETS.clientSecret,
      grant_type: 'password',
      username: SECRETS.username,
      password: SECRETS.password,
      scope: 'openid profile email',
    });
    await provider.get(never);
    assert.deepEqual(fake.calls, { token: 1, userinfo: 1 });
    assert.match(state.log, /Signed in/);
  });

  for (const [what, given, kind, message] of [
    ['a wrong user name', { settings: { username: 'other' } }, 'refused', /AUTH0_USERNAME and AUTH0_PASSWORD/],
    ['a wrong password', { settings: { password: 'other' } }, 'refused', /AUTH0_USERNAME and AUTH0_PASSWORD/],
    ['a wrong client id', { settings: { clientId: 'other' } }, 'refused', /AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET/],
    [
      'a wrong client secret',
      { settings: { clientSecret: 'x' } },
      'refused',
      /AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET/,
    ],
    ['no Password grant', { server: { passwordGrant: false } }, 'refused', /AUTH0_CLIENT_ID: .* Password grant/],
    ['a userinfo without wss_url', { server: { wssUrl: () => undefined } }, 'failed', /no wss_url: is AUTH0_USERNAME/],
    ['a wss_url of null', { server: { wssUrl: () => null } }, 'failed', /no wss_url/],
    [
      'a wss_url that is none',
      { server: { wssUrl: () => ['x'] } },
      'failed',
      /The wss_url in Auth0's userinfo is not text/,
    ],
    [
      'an unencrypted wss_url',
      { server: { wssUrl: () => 'ws://example.com/client/hubs/h' } },
      'failed',
      /not encrypted/,
    ],
    ['a name that does not exist', { lookup: noSuchName }, 'failed', /no such name: look at authURL in \[Auth\]/],
    ['a name not in the certificate', { server: { host: '127.0.0.1' } }, 'failed', /Look at authURL in \[Auth\]/],
  ] as const satisfies readonly (readonly [string, Rig, string, RegExp])[]) {
    it(`${what} -> ${kind}, and says what to look at`, async (t) => {
      const { provider } = await rig(t, given);
      const error = await failure(provider.get(never));
      assert.equal(error.kind, kind);
      assert.match(error.message, message);
    });
  }

  for (const [what, status, body, kind, message] of [
    ['404', 404, '', 'failed', /\(404\): look at authURL in \[Auth\]/],
    ['302', 302, '', 'failed', /\(302\): look at authURL in \[Auth\]/],
    ['503', 503, '{"error":"invalid_grant"}', 'failed', /\(503\).*trouble of its own/],
    [
      '403 without a word',
      403,
      '',
      'refused',
      /AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET, AUTH0_USERNAME and AUTH0_PASSWORD/,
    ],
    ['401 invalid_client', 401, '{"error":"invalid_client"}', 'refused', /invalid_client: look at AUTH0_CLIENT_ID/],
    ['403 mfa_required', 403, '{"error":"mfa_required"}', 'refused', /second factor/],
    ['200 with HTML', 200, '<html>', 'failed', /not Auth0/],
    ['200 with a token that is none', 200, '{"access_token":"a\\r\\nx: y"}', 'failed', /not Auth0/],
    ['200 with null', 200, 'null', 'failed', /not Auth0/],
    ['403 that repeats the password', 403, echo(`no: ${SECRETS.password}`), 'refused', /^Auth0 refused \(403\): look/],
    [
      '403 that repeats it encoded',
      403,
      echo(encodeURIComponent(SECRETS.password)),
      'refused',
      /^Auth0 refused \(403\): l/,
    ],
    ['403 with a token in it', 403, echo('eyJhbGciOiJIUzI1NiJ9.e30.c2ln'), 'refused', /^Auth0 refused \(403\): look/],
    ['403 with control characters', 403, echo('a\u001b[31m\nb'), 'refused', /invalid_grant: a \[31m b: look/],
    ['403 with a long text', 403, echo('long '.repeat(1_000)), 'refused', /^.{50,300}$/],
  ] as const) {
    it(`${what} of the token call -> ${kind}`, async (t) => {
      const { fake, provider } = await rig(t);
      fake.misbehave('token', { kind: 'answer', status, body });
      const error = await failure(provider.get(never));
      assert.equal(error.kind, kind);
      assert.equal(error.status, status);
      assert.match(error.message, message);
    });
  }

  it('userinfo that refuses the token', async (t) => {
    const { fake, provider } = await rig(t);
    fake.misbehave('userinfo', { kind: 'answer', status: 401, body: 'Unauthorized' });
    const error = await failure(provider.get(never));
    assert.equal(error.kind, 'refused');
    assert.match(error.message, /did not accept its own access token: .* AUTH0_CLIENT_ID/);
  });

  for (const endpoint of ['token', 'userinfo'] as const) {
    it(`429 of the ${endpoint} call: no call until x-ratelimit-reset`, async (t) => {
      const { fake, provider, state } = await rig(t);
      const reset = Math.ceil(state.now / 1_000) + 600;
      fake.limit(endpoint, reset);
      const error = await failure(provider.get(never));
      assert.equal(error.kind, 'throttled');
      const waitMs = error.retryAfterMs ?? 0;
      assert.ok(waitMs > 590_000 && waitMs <= 602_000, `${waitMs} ms`);
      fake.misbehave(endpoint, undefined);
      const before = fake.calls.token;
      state.now += waitMs - 1;
      assert.equal((await failure(provider.get(never))).kind, 'throttled');
      assert.equal(fake.calls.token, before);
      state.now += 1;
      await provider.get(never);
      assert.equal(fake.calls.token, before + 1);
    });

    for (const how of [
      { kind: 'hang' },
      { kind: 'drip', everyMs: 20 },
      { kind: 'huge', bytes: 1_000_000 },
      { kind: 'cut' },
      { kind: 'noise' },
    ] as const) {
      it(`${how.kind} in the ${endpoint} call: fails within its deadline, leaves no connection, works again`, async (t) => {
        const { fake, provider } = await rig(t, {
          timeoutMs: how.kind === 'hang' || how.kind === 'drip' ? 500 : 5_000,
        });
        fake.misbehave(endpoint, how);
        assert.equal((await failure(provider.get(never))).kind, 'failed');
        while (fake.connections > 0) await new Promise((resolve) => setImmediate(resolve));
        fake.misbehave(endpoint, undefined);
        assert.equal((await provider.get(never)).cached, false);
      });
    }
  }

  it('the cloud refuses every connection for a day, tried every minute: at most 100 calls', async (t) => {
    const { fake, provider, state } = await rig(t);
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      provider.refused(await provider.get(never));
      state.now += 60_000;
    }
    const calls = fake.calls.token + fake.calls.userinfo;
    assert.ok(calls >= 20 && calls <= 100, `${calls} calls`);
    t.diagnostic(`${calls} calls`);
  });

  it('is given up at once with its signal', async (t) => {
    const { fake, provider } = await rig(t, { timeoutMs: 60_000 });
    fake.misbehave('userinfo', { kind: 'hang' });
    const controller = new AbortController();
    const call = failure(provider.get(controller.signal));
    while (fake.calls.userinfo === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    assert.match((await call).message, /given up/);
    while (fake.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});
