import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseClientUrl, urlGiven } from '../../src/main/connection/credentials/client-url.js';
import { createCredentials, MissingCredentialsError } from '../../src/main/connection/credentials/create.js';
import { fixedUrl } from '../../src/main/connection/credentials/fixed-url.js';
import { jwtExpiryMs } from '../../src/main/connection/credentials/jwt.js';
import { SignInError } from '../../src/main/connection/credentials/provider.js';
import { pauseAskedFor, retryAfterMs } from '../../src/main/connection/credentials/throttle.js';
import { gathered } from '../support/everything-logged.js';

const NOW = Date.parse('2025-06-01T12:00:00Z');
const never = new AbortController().signal;
const silent = gathered({
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
});
const noLookup = (): never => assert.fail('no name is to be looked up');

function jwt(claims: unknown): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256' })}.${part(claims)}.c2lnbmF0dXJl`;
}

describe('jwtExpiryMs', () => {
  it('reads exp as milliseconds', () => {
    assert.equal(jwtExpiryMs(jwt({ exp: 1_750_000_000 })), 1_750_000_000_000);
  });

  for (const [what, token] of [
    ['no exp', jwt({ sub: 'pi' })],
    ['exp as text', jwt({ exp: '1750000000' })],
    ['a negative exp', jwt({ exp: -1 })],
    ['an exp past the end of time', jwt({ exp: 1e18 })],
    ['claims that are null', jwt(null)],
    ['two parts', 'a.b'],
    ['four parts', `${jwt({ exp: 1 })}.x`],
    ['a payload that is not JSON', 'a.!!!.c'],
    ['100 KiB', jwt({ exp: 1_750_000_000, padding: 'x'.repeat(100_000) })],
  ] as const) {
    it(`is undefined for ${what}`, () => assert.equal(jwtExpiryMs(token), undefined));
  }

  it('throws for no text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (header, payload) => {
        jwtExpiryMs(`${header}.${payload}.x`);
        jwtExpiryMs(`a.${Buffer.from(payload).toString('base64url')}.x`);
      }),
    );
  });
});

describe('parseClientUrl', () => {
  it('accepts a client access URL and reads its expiry', () => {
    const url = `wss://example.webpubsub.azure.com/client/hubs/dunebugger?access_token=${jwt({ exp: 1_750_000_000 })}`;
    assert.deepEqual(parseClientUrl(url), {
      ok: true,
      url,
      host: 'example.webpubsub.azure.com',
      expiresAtMs: 1_750_000_000_000,
    });
  });

  for (const loopback of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]']) {
    it(`accepts ws: to ${loopback}`, () => assert.ok(parseClientUrl(`ws://${loopback}:8080/client/hubs/h`).ok));
  }

  for (const [what, value] of [
    ['ws: to another machine', 'ws://example.com/client/hubs/h'],
    ['ws: to a name that begins like loopback', 'ws://127.0.0.1.example.com/client/hubs/h'],
    ['https:', 'https://example.com/client/hubs/h'],
    ['another path', 'wss://example.com/'],
    ['a path without a hub', 'wss://example.com/client/hubs/'],
    ['a path that goes on', 'wss://example.com/client/hubs/h/../../../x'],
    ['a password', 'wss://user:word@example.com/client/hubs/h'],
    ['20 KiB', `wss://example.com/client/hubs/h?access_token=${'x'.repeat(20_000)}`],
    ['no text', 42],
    ['null', null],
    ['an object', { url: 'wss://example.com/client/hubs/h' }],
    ['nothing', ''],
  ] as const) {
    it(`refuses ${what}`, () => {
      const parsed = parseClientUrl(value);
      assert.ok(!parsed.ok);
      assert.doesNotMatch(parsed.problem, /example|xxx|user:/);
    });
  }
});

describe('fixedUrl', () => {
  const url = (exp: number): string => `wss://example.com/client/hubs/h?access_token=${jwt({ exp })}`;

  it('gives out the URL with its expiry', async () => {
    const provider = fixedUrl({ clientUrl: url(NOW / 1_000 + 60), trustedWallMs: () => NOW });
    const given = await provider.get(never);
    assert.equal(given.expiresAtMs, NOW + 60_000);
    assert.equal(provider.description, 'WEBPUBSUB_CLIENT_URL (example.com)');
  });

  it('gives it out again after a refusal, as there is no other', async () => {
    const provider = fixedUrl({ clientUrl: url(NOW / 1_000 + 60), trustedWallMs: () => NOW });
    const first = await provider.get(never);
    provider.refused(first);
    assert.equal((await provider.get(never)).url, first.url);
  });

  it('says when the token expired and what to do', async () => {
    const provider = fixedUrl({ clientUrl: url(NOW / 1_000), trustedWallMs: () => NOW });
    await assert.rejects(provider.get(never), (error) => {
      assert.ok(error instanceof SignInError);
      assert.equal(error.kind, 'refused');
      assert.match(error.message, /expired at 2025-06-01T12:00:00.000Z: make a new one .* set WEBPUBSUB_CLIENT_URL/);
      assert.doesNotMatch(error.message, /eyJ/);
      return true;
    });
  });

  it('leaves it to the service where the clock cannot be trusted', async () => {
    const provider = fixedUrl({ clientUrl: url(NOW / 1_000), trustedWallMs: () => undefined });
    assert.equal((await provider.get(never)).expiresAtMs, NOW);
  });

  it('says what is wrong with a URL that is none', async () => {
    await assert.rejects(
      fixedUrl({ clientUrl: 'https://example.com/?access_token=hidden', trustedWallMs: () => NOW }).get(never),
      (error) => error instanceof SignInError && error.kind === 'refused' && !error.message.includes('hidden'),
    );
  });
});

describe('how long a URL is good for', () => {
  const parsed = { ok: true, url: 'wss://example.com/client/hubs/h', host: 'example.com', expiresAtMs: NOW } as const;
  const at = (ms: number): string => new Date(ms).toUTCString();
  for (const [name, headers, trustedWallMs, expiresAtMs, lifeMs] of [
    ['by the clock of whoever gave it', { date: at(NOW - 3_600_000) }, undefined, NOW, 3_600_000],
    ['by that clock, whatever ours says', { date: at(NOW - 3_600_000) }, Date.UTC(1970, 0, 2), NOW, 3_600_000],
    ['by ours where the answer has no date', {}, NOW - 60_000, NOW, 60_000],
    ['nobody can tell', {}, undefined, NOW, undefined],
    ['it had expired', { date: at(NOW + 5_000) }, undefined, NOW, -5_000],
    ['it says nothing itself', { date: at(NOW) }, NOW, undefined, undefined],
  ] as const) {
    it(name, () => assert.equal(urlGiven({ ...parsed, expiresAtMs }, headers, trustedWallMs).lifeMs, lifeMs));
  }
});

describe('retryAfterMs', () => {
  for (const [headers, expected] of [
    [{ 'retry-after': '30' }, 30_000],
    [{ 'retry-after': '0' }, 1_000],
    [{ 'retry-after': '999999999' }, 24 * 3_600_000],
    [{ 'retry-after': 'Sun, 01 Jun 2025 12:02:00 GMT' }, 120_000],
    [{ 'x-ratelimit-reset': String(NOW / 1_000 + 90) }, 90_000],
    [{ 'retry-after': 'soon', 'x-ratelimit-reset': String(NOW / 1_000 + 90) }, 90_000],
    [{ 'x-ratelimit-reset': String(NOW / 1_000 - 90) }, 1_000],
    [{ 'x-ratelimit-reset': 'soon' }, undefined],
    [{}, undefined],
  ] as const) {
    it(`${JSON.stringify(headers)} -> ${String(expected)}`, () => assert.equal(retryAfterMs(headers, NOW), expected));
  }

  it("compares with the server's clock where it is known, as this machine's may be wrong", () => {
    const headers = { date: 'Sun, 01 Jun 2025 12:00:00 GMT', 'x-ratelimit-reset': String(NOW / 1_000 + 45) };
    assert.equal(retryAfterMs(headers, Date.parse('1970-01-02')), 45_000);
  });

  it('a time that nothing can be compared with asks for nothing', () => {
    assert.equal(retryAfterMs({ 'x-ratelimit-reset': String(NOW / 1_000 + 45) }, undefined), undefined);
    assert.equal(pauseAskedFor({ 'retry-after': 'Sun, 01 Jun 2025 12:02:00 GMT' }, undefined), undefined);
    assert.equal(pauseAskedFor({ 'retry-after': '7' }, undefined), 7_000);
  });
});

describe('createCredentials', () => {
  const common = { lookup: noLookup, log: silent, trustedWallMs: () => NOW };
  const secrets = { clientId: 'id', clientSecret: 'secret', username: 'user', password: 'word' };
  const auth0 = { authUrl: 'dunebugger.eu.auth0.com', ...secrets };
  const clientUrl = 'wss://example.com/client/hubs/h';
  const negotiateUrl = 'https://example.com/api/negotiate?code=hidden';

  for (const [given, description] of [
    [{ clientUrl, negotiateUrl, auth0 }, 'WEBPUBSUB_CLIENT_URL (example.com)'],
    [{ negotiateUrl, auth0 }, 'negotiate endpoint (example.com)'],
    [{ clientUrl: '', negotiateUrl: ' ', auth0 }, 'Auth0 (dunebugger.eu.auth0.com)'],
    [{ auth0: { ...auth0, authUrl: 'https://localhost:8443/' } }, 'Auth0 (localhost:8443)'],
  ] as const) {
    it(`chooses ${description} of ${Object.keys(given).join(', ')}`, () => {
      assert.equal(createCredentials({ ...common, ...given }).description, description);
    });
  }

  it('names what is missing', () => {
    assert.throws(
      () => createCredentials({ ...common, auth0: { ...auth0, username: undefined, password: '' } }),
      (error) => {
        assert.ok(error instanceof MissingCredentialsError);
        assert.deepEqual(error.missing, ['AUTH0_USERNAME', 'AUTH0_PASSWORD']);
        return true;
      },
    );
    const all = /set AUTH0_CLIENT_ID, AUTH0_CLIENT_SECRET, AUTH0_USERNAME, AUTH0_PASSWORD, or WEBPUBSUB_CLIENT_URL/;
    assert.throws(() => createCredentials(common), all);
  });

  for (const authUrl of ['', 'not a host', 'host/path', 'user:word@host', 'http://host']) {
    it(`refuses the authURL "${authUrl}" without a call`, async () => {
      const provider = createCredentials({ ...common, auth0: { ...auth0, authUrl } });
      await assert.rejects(provider.get(never), /authURL in \[Auth\] is not a host name/);
    });
  }
});
