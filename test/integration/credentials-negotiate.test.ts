import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { createCredentials } from '../../src/main/connection/credentials/create.js';
import { SignInError } from '../../src/main/connection/credentials/provider.js';
import { createLookup } from '../../src/main/net/lookup.js';
import { gathered } from '../support/everything-logged.js';

const silent = gathered({
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
});
const never = new AbortController().signal;
const CLIENT_URL = 'wss://localhost/client/hubs/dunebugger?access_token=a.e30.c';

/** A provider for an endpoint on loopback that answers like `handler`. */
async function endpoint(t: TestContext, handler: RequestListener) {
  let calls = 0;
  const server = createServer((request, response) => {
    calls += 1;
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const provider = createCredentials({
    negotiateUrl: `http://localhost:${port}/api/negotiate?code=hidden-key`,
    lookup: createLookup({ timeoutMs: 2_000 }),
    log: silent,
    trustedWallMs: () => undefined,
    timeoutMs: 5_000,
  });
  return { provider, server, calls: () => calls };
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): RequestListener {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

describe('negotiate endpoint', () => {
  it('gives the URL, once for many', async (t) => {
    const { provider, calls } = await endpoint(t, json(200, { url: CLIENT_URL }));
    const [a, b] = await Promise.all([provider.get(never), provider.get(never)]);
    assert.deepEqual([a.url, b.url, calls()], [CLIENT_URL, CLIENT_URL, 1]);
    assert.equal((await provider.get(never)).cached, true);
  });

  for (const [what, handler, kind, message] of [
    ['401', json(401, ''), 'refused', /refused \(401\): look at the negotiate URL and the key/],
    ['403', json(403, ''), 'refused', /refused \(403\)/],
    ['404', json(404, ''), 'failed', /answered 404: look at the negotiate URL/],
    ['302', json(302, '', { location: 'https://example.com/' }), 'failed', /answered 302: look at the negotiate URL/],
    ['503', json(503, ''), 'failed', /answered 503: it has trouble of its own/],
    ['429', json(429, '', { 'retry-after': '77' }), 'throttled', /too often \(429\)/],
    ['503 with a pause', json(503, '', { 'retry-after': '77' }), 'throttled', /asks for a pause \(503\)/],
    [
      '302 with a pause, as a date',
      json(302, '', { date: 'Sun, 01 Jun 2025 12:00:00 GMT', 'retry-after': 'Sun, 01 Jun 2025 12:01:17 GMT' }),
      'throttled',
      /asks for a pause \(302\)/,
    ],
    ['403 with a pause', json(403, '', { 'retry-after': '77' }), 'refused', /refused \(403\)/],
    ['HTML', json(200, '<html>Welcome to the hotel</html>'), 'failed', /has no "url"/],
    ['JSON without a URL', json(200, { uri: CLIENT_URL }), 'failed', /has no "url"/],
    ['an unencrypted URL', json(200, { url: 'ws://example.com/client/hubs/h' }), 'failed', /not encrypted/],
    [
      'a URL of something else',
      json(200, { url: 'wss://example.com/socket' }),
      'failed',
      /not that of a Web PubSub client/,
    ],
    ['a URL that is none', json(200, { url: { href: CLIENT_URL } }), 'failed', /is not text/],
  ] as const) {
    it(`${what} -> ${kind}`, async (t) => {
      const { provider } = await endpoint(t, handler);
      await assert.rejects(provider.get(never), (error) => {
        assert.ok(error instanceof SignInError);
        assert.equal(error.kind, kind);
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hidden-key|access_token|hotel/);
        if (kind === 'throttled') assert.equal(error.retryAfterMs, 77_000);
        return true;
      });
    });
  }

  it('says where nobody listens, and asks again at once when told to', async (t) => {
    const { provider, server } = await endpoint(t, json(200, { url: CLIENT_URL }));
    await new Promise((resolve) => server.close(resolve));
    for (let i = 0; i < 2; i += 1) {
      await assert.rejects(provider.get(never), /negotiate endpoint gave no answer: localhost:\d+: .*ECONNREFUSED/);
    }
  });

  it('is given up at once with its signal', async (t) => {
    const { provider, server } = await endpoint(t, () => undefined);
    const controller = new AbortController();
    const waiting = provider.get(controller.signal);
    await once(server, 'request');
    controller.abort();
    await assert.rejects(waiting, /given up/);
  });
});
