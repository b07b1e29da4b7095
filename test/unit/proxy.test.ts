/** Who goes by a proxy, how one is written, and what its answers mean. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adviceOn, evidenceLines } from '../../src/main/evidence-text.js';
import { proxyNotice } from '../../src/main/net/proxy-notice.js';
import { loadSettings, proxyOf, secretsOf, type LoadOptions } from '../../src/main/settings.js';
import { parseProxy } from '../../src/main/settings/proxy.js';
import { proxyAdvice } from '../../src/main/troubles.js';
import { PROXIES } from '../../src/main/troubles/proxies.js';
import { proxyFor } from '../../src/workers/net/proxy.js';
import { fieldOf, isInterim, MAX_HEAD_BYTES, readHead, type HttpHead } from '../../src/workers/net/http-head.js';
import { schemesOf, troubleOfFailure, troubleOfStatus, troubleOfTls } from '../../src/workers/net/proxy-answers.js';
import type { CheckEvidence, ProxyTrouble } from '../../src/workers/protocol.js';
import { reasonOf } from '../../src/workers/verdict.js';

const PROXY = { host: 'proxy.test', port: 3128, secure: false };

describe('NO_PROXY', () => {
  const straight = (entry: string, host: string, port = 443): boolean =>
    proxyFor({ ...PROXY, except: [entry] }, host, port) === undefined;

  const cases: readonly [entry: string, straight: string, byProxy: string][] = [
    ['example.org', 'example.org EXAMPLE.org. a.example.org', 'example.com notexample.org org'],
    ['.example.org', 'example.org a.b.example.org', 'anexample.org'],
    ['*.example.org', 'a.example.org', 'example.net'],
    ['Example.ORG:8443', '', 'example.org'],
    ['192.0.2.7', '192.0.2.7', '192.0.2.70 192.0.2.8 x.192.0.2.7.test'],
    ['192.0.2.0/24', '192.0.2.7 ::ffff:192.0.2.7', '192.0.3.1'],
    ['2001:db8::/32', '2001:db8::1 2001:DB8:0:0::2', '2001:db9::1 192.0.2.1'],
    ['[2001:db8::1]:443', '2001:db8::1', '2001:db8::2'],
    ['*', 'example.org 192.0.2.1 2001:db8::1', ''],
    ['192.168.*', '', '192.168.1.1'],
    ['192.0.2.0/33', '', '192.0.2.1'],
    ['://', '', 'example.org'],
  ];
  for (const [entry, without, by] of cases) {
    it(`${entry} is ${without || 'nobody'}, and not ${by || 'anybody else'}`, () => {
      for (const host of without.split(' ').filter(Boolean)) assert.ok(straight(entry, host), host);
      for (const host of by.split(' ').filter(Boolean)) assert.ok(!straight(entry, host), host);
    });
  }

  it('with a port is that port alone', () => {
    assert.ok(straight('example.org:8443', 'example.org', 8443));
    assert.ok(!straight('[2001:db8::1]:443', '2001:db8::1', 8443));
  });

  it('is not needed for this machine', () => {
    for (const host of ['localhost', 'a.localhost', '127.0.0.1', '127.9.9.9', '::1'])
      assert.equal(proxyFor({ ...PROXY, except: [] }, host, 443), undefined, host);
    assert.ok(proxyFor({ ...PROXY, except: [] }, '10.0.0.1', 443) !== undefined);
    assert.equal(proxyFor(undefined, 'example.org', 443), undefined);
  });
});

describe('A proxy in the settings', () => {
  const load = (env: Record<string, string>, conf = ''): ReturnType<typeof loadSettings> => {
    const options: LoadOptions = {
      confFile: '/x.conf',
      env,
      purpose: 'check',
      readFile: (path) => {
        if (path === '/x.conf') return Buffer.from(conf);
        throw Object.assign(new Error('no'), { code: 'ENOENT' });
      },
    };
    return loadSettings(options);
  };
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

  const forms: readonly [string, ReturnType<typeof parseProxy>][] = [
    ['http://proxy.test:3128', PROXY],
    ['HTTP://proxy.test:3128/', PROXY],
    ['proxy.test:3128', PROXY],
    ['http://proxy.test', { ...PROXY, port: 80 }],
    ['https://proxy.test', { ...PROXY, port: 443, secure: true }],
    ['http://[2001:db8::1]:3128', { ...PROXY, host: '2001:db8::1' }],
    ['http://192.0.2.1:3128', { ...PROXY, host: '192.0.2.1' }],
    ['http://pi:geheim@proxy.test:3128', { ...PROXY, authorization: basic('pi:geheim') }],
    ['pi:geheim@proxy.test:3128', { ...PROXY, authorization: basic('pi:geheim') }],
    ['http://pi:a%40b%3Ac%25@proxy.test:3128', { ...PROXY, authorization: basic('pi:a@b:c%') }],
    ['http://pi:a@b/c#d?e@proxy.test:3128', { ...PROXY, authorization: basic('pi:a@b/c#d?e') }],
    ['http://pi:100%@proxy.test:3128', { ...PROXY, authorization: basic('pi:100%') }],
    ['http://pi:größe@proxy.test:3128', { ...PROXY, authorization: basic('pi:größe') }],
    ['http://token@proxy.test:3128', { ...PROXY, authorization: basic('token:') }],
    ['http://a%3Ab:c@proxy.test:3128', undefined],
    ['http://pi:a%0d%0aX@proxy.test:3128', undefined],
    ['socks5://proxy.test:1080', undefined],
    ['http://', undefined],
    ['http://proxy.test:0', undefined],
    ['http://proxy.test:3128/path', undefined],
  ];
  for (const [text, expected] of forms) {
    it(`${text} is ${expected === undefined ? 'not allowed' : 'understood'}`, () =>
      assert.deepEqual(parseProxy(text), expected));
  }

  it('comes from the conf, from our variable, or from those that every program knows, small letters first', () => {
    const from = (env: Record<string, string>, conf?: string): string => load(env, conf).settings.httpsProxy;
    const conf = '[Network]\nhttpsProxy = http://conf.test:1\n';
    assert.equal(from({}), '');
    assert.equal(from({}, conf), 'http://conf.test:1');
    assert.equal(from({ ALL_PROXY: 'http://all.test:1' }, conf), 'http://all.test:1');
    assert.equal(from({ ALL_PROXY: 'http://all.test:1', HTTPS_PROXY: 'http://big.test:1' }), 'http://big.test:1');
    assert.equal(from({ HTTPS_PROXY: 'http://big.test:1', https_proxy: 'http://small.test:1' }), 'http://small.test:1');
    const ours = { DUNEBUGGER_NETWORK_HTTPS_PROXY: 'off', https_proxy: 'http://small.test:1' };
    assert.equal(from(ours), '');
    assert.deepEqual(load(ours).warnings, []);
    assert.equal(from({ HTTP_PROXY: 'http://plain.test:1', http_proxy: 'http://plain.test:1' }), '');
    assert.deepEqual(load({ NO_PROXY: 'a.test, 10.0.0.0/8 b.test' }).settings.noProxy, [
      'a.test',
      '10.0.0.0/8',
      'b.test',
    ]);
  });

  it('of another kind is an error that says what to do, without its password', () => {
    assert.throws(
      () => load({ ALL_PROXY: 'socks5://pi:geheim@proxy.test:1080' }),
      ({ message }: Error) => /ALL_PROXY.*\[Network\] httpsProxy.*SOCKS/.test(message) && !message.includes('geheim'),
    );
  });

  it('with an exception that can match nothing is a warning', () => {
    const { warnings } = load({ HTTPS_PROXY: 'http://proxy.test:1', NO_PROXY: 'localhost,192.168.*' });
    assert.match(warnings.join(), /"192\.168\.\*" can match nothing/);
    assert.deepEqual(load({ HTTPS_PROXY: 'http://proxy.test:1', NO_PROXY: 'localhost,192.168.0.0/16' }).warnings, []);
  });

  it('has a password that no log may show, in any of its forms; the notice at the start shows none', () => {
    const { settings } = load({ HTTPS_PROXY: 'http://pi:ge%40heim@proxy.test:3128', NO_PROXY: 'a.test' });
    const secrets = secretsOf(settings);
    for (const secret of ['ge%40heim', 'ge@heim', Buffer.from('pi:ge@heim').toString('base64')])
      assert.ok(secrets.includes(secret), secret);
    const proxy = proxyOf(settings);
    assert.ok(proxy !== undefined);
    assert.equal(
      proxyNotice(proxy),
      "All connections to the internet go by the proxy http://proxy.test:3128 (with a login), except to a.test; the bus and this machine's clock do without",
    );
  });
});

describe('The answer of a proxy', () => {
  const head = (text: string): ReturnType<typeof readHead> => readHead(Buffer.from(text, 'latin1'));
  const fields =
    'Proxy-Authenticate: Negotiate\r\nproxy-authenticate: Digest realm="a, Basic b", nonce="x", basic realm=y\r\n';

  it('is read to the end of its head, whatever ends its lines', () => {
    assert.deepEqual(head('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\x16\x03'), {
      minor: 1,
      status: 200,
      fields: ['Content-Length: 9'],
      length: 38,
    });
    assert.deepEqual(head('HTTP/1.0 200\n\nrest'), { minor: 0, status: 200, fields: [], length: 14 });
    for (const part of ['', 'H', 'HTTP/1.1 2', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\nA: b\r\n'])
      assert.equal(head(part), 'incomplete', part);
  });

  it('is none if it does not begin as one, or never ends', () => {
    for (const text of [
      'SSH-2.0-OpenSSH\r\n',
      '\x15\x03\x01\x00\x02\x02\x16',
      '\x05\xff',
      'HTTP/2 200\r\n\r\n',
      'HTTP/1.1 abc\r\n\r\n',
      '<html>',
    ])
      assert.equal(head(text), 'no-http', text);
    assert.equal(head(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(MAX_HEAD_BYTES)}`), 'no-http');
  });

  it('offers logins in one field or in several, with commas where they like', () => {
    const asks = head(`HTTP/1.1 407 No\r\n${fields}\r\n`) as HttpHead;
    assert.deepEqual(schemesOf(asks), ['negotiate', 'digest', 'basic']);
    assert.deepEqual([asks.status, asks.length], [407, 17 + fields.length + 2]);
  });

  it('has fields by name, whatever its case, and the first of several', () => {
    const answer = head('HTTP/1.1 200 OK\r\nDate:\t now \r\nDATE: later\r\nX-Age: 1\r\nage:2\r\n\r\n') as HttpHead;
    assert.deepEqual(
      ['date', 'age', 'x', 'ag'].map((name) => fieldOf(answer, name)),
      ['now', '2', undefined, undefined],
    );
  });

  it('follows an interim one, which 101 is not', () => {
    const statuses = [100, 101, 103, 199, 200].filter((status) =>
      isInterim(head(`HTTP/1.1 ${status} \r\n\r\n`) as HttpHead),
    );
    assert.deepEqual(statuses, [100, 103, 199]);
  });

  const statuses: readonly [number, string[], boolean, ProxyTrouble | undefined][] = [
    [200, [], false, undefined],
    [204, [], false, undefined],
    [299, [], true, undefined],
    [407, ['basic'], false, 'wants-login'],
    [407, [], false, 'wants-login'],
    [407, ['ntlm', 'basic'], true, 'refuses-login'],
    [407, ['ntlm', 'negotiate'], false, 'wants-other-login'],
    [407, ['digest'], true, 'wants-other-login'],
    [401, [], true, 'refuses-login'],
    [401, [], false, 'wants-login'],
    [400, [], false, 'forbids'],
    [403, [], false, 'forbids'],
    [405, [], false, 'forbids'],
    [429, [], false, 'forbids'],
    [500, [], false, 'has-no-way'],
    [502, [], false, 'has-no-way'],
    [503, [], true, 'has-no-way'],
    [504, [], false, 'has-no-way'],
    [101, [], false, 'answers-oddly'],
    [302, [], false, 'answers-oddly'],
    [999, [], false, 'answers-oddly'],
  ];
  for (const [status, schemes, hasLogin, trouble] of statuses) {
    it(`${status} (${schemes.join() || 'no challenge'}, ${hasLogin ? 'with' : 'without'} a login) is ${trouble ?? 'a way'}`, () =>
      assert.equal(troubleOfStatus(status, schemes, hasLogin), trouble));
  }

  it('may be none at all: by what the system says', () => {
    assert.equal(troubleOfFailure('tcp', 'ECONNREFUSED'), 'refuses-connections');
    assert.equal(troubleOfFailure('tcp', 'ETIMEDOUT'), 'unreachable');
    assert.equal(troubleOfFailure('tcp', 'EHOSTUNREACH'), 'unreachable');
    assert.equal(troubleOfFailure('proxy', 'ETIMEDOUT'), 'silent');
    assert.equal(troubleOfFailure('proxy', 'ECONNRESET'), 'closes');
    for (const ours of ['ENETUNREACH', 'ENETDOWN', 'ECANCELLED'])
      assert.equal(troubleOfFailure('tcp', ours), undefined);
    assert.equal(troubleOfTls('CERT_HAS_EXPIRED'), 'bad-certificate');
    assert.equal(troubleOfTls('ERR_TLS_CERT_ALTNAME_INVALID'), 'bad-certificate');
    assert.equal(troubleOfTls('ERR_SSL_WRONG_VERSION_NUMBER'), 'no-tls');
    assert.equal(troubleOfTls('ECONNRESET'), 'closes');
  });
});

describe('A proxy that opens no way', () => {
  const dns = { phase: 'dns', ok: true, ms: 0, addresses: ['192.0.2.1'], servers: [], proxy: '192.0.2.1' } as const;
  const tried = (trouble: ProxyTrouble, failedAt: 'tcp' | 'proxy'): CheckEvidence => ({
    checkId: 1,
    trigger: 'interval',
    startedAtMs: 0,
    ms: 5,
    ok: false,
    reason: 'proxy',
    dns,
    https: [
      {
        phase: 'https',
        ok: false,
        ms: 5,
        addressesFrom: 'dns',
        address: '192.0.2.1',
        reused: false,
        ...(failedAt === 'proxy' ? { tcpMs: 1 } : {}),
        failedAt,
        error: 'PROXY_407',
        detail: 'the proxy answers 407',
        reason: 'proxy',
        proxy: trouble,
      },
    ],
  });

  it('is the reason, with words for each of its troubles', () => {
    for (const trouble of Object.keys(PROXIES) as ProxyTrouble[]) {
      const evidence = tried(trouble, 'proxy');
      assert.equal(reasonOf(undefined, dns, evidence.https), 'proxy');
      assert.equal(adviceOn({ reason: 'proxy', lastEvidence: evidence }), proxyAdvice(trouble));
      assert.match(proxyAdvice(trouble), /^[A-Z][^`|]+\. [A-Z][^`|]*[^.]$/);
    }
  });

  it('is told step by step', () => {
    assert.deepEqual(evidenceLines(tried('wants-login', 'proxy')), [
      'dns   ok          0 ms  192.0.2.1 (the proxy 192.0.2.1; no query needed)',
      'tcp   ok          1 ms  192.0.2.1',
      'proxy FAILED      5 ms  192.0.2.1 PROXY_407: the proxy answers 407',
      'check FAILED      5 ms  proxy',
    ]);
  });
});
