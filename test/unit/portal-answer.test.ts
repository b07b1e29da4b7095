/** Who answers over plain HTTP, and where he wants us to log in. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgePlainAnswer, type PlainAnswer } from '../../src/workers/probe/portal-answer.js';
import { reasonOf } from '../../src/workers/verdict.js';
import type { DnsEvidence, HttpsEvidence, OfflineReason, PortalEvidence } from '../../src/workers/protocol.js';

const HOST = 'site.test';
const answer = (status: number, more: Partial<PlainAnswer> = {}): PlainAnswer => ({
  status,
  location: undefined,
  refresh: undefined,
  body: '',
  ...more,
});
const to = (location: string, status = 302): PlainAnswer => answer(status, { location });
const page = (body: string): PlainAnswer => answer(200, { body });

/** A login, or the kind of the verdict. */
function judged(plain: PlainAnswer, host = HOST): string {
  const verdict = judgePlainAnswer(plain, host);
  return verdict.kind === 'portal' ? (verdict.login ?? 'portal') : verdict.kind;
}

describe('an answer over plain HTTP', () => {
  const rows: readonly [string, PlainAnswer, string][] = [
    ['a redirect to another host', to('http://login.hotel.test/start'), 'http://login.hotel.test/start'],
    ['every status of a redirect', to('http://login.hotel.test/', 307), 'http://login.hotel.test/'],
    ['to an address', to('http://192.168.88.1:8002/index.php'), 'http://192.168.88.1:8002/index.php'],
    ['to an IPv6 address', to('https://[fd00::1]/x'), 'https://[fd00::1]/x'],
    ['to HTTPS', to(`https://${HOST}/`, 301), 'nothing'],
    ['to itself', to('/login'), 'nothing'],
    ['to its own www', to(`https://www.${HOST}/`, 301), 'nothing'],
    ['to a name that only ends like it', to(`https://evil${HOST}/`), `https://evil${HOST}/`],
    ['a redirect to nowhere', answer(302), 'nothing'],
    ['a redirect to nonsense', to('http://'), 'nothing'],
    ['a redirect to something that is no page', to('javascript:alert(1)'), 'portal'],
    ['511', answer(511), 'portal'],
    [
      '511 with a page that leads on',
      answer(511, { body: '<a><meta http-equiv="refresh" content="0; url=https://login.hotel.test/"></a>' }),
      'https://login.hotel.test/',
    ],
    ['a Refresh header', answer(200, { refresh: '0; URL=http://hotel.test/in' }), 'http://hotel.test/in'],
    [
      'a page that refreshes itself',
      page("<META HTTP-EQUIV='Refresh' CONTENT='3;URL=http://hotel.test/a?b&amp;c'>"),
      'http://hotel.test/a',
    ],
    [
      'a page with a script',
      page('<script>window.location.href = "http://hotel.test/js"</script>'),
      'http://hotel.test/js',
    ],
    [
      'a page with another script',
      page("<script>top.location.replace('http://hotel.test/r')</script>"),
      'http://hotel.test/r',
    ],
    ['a page with a form', page('<form method=post action="https://hotel.test/auth">'), 'https://hotel.test/auth'],
    ['WISPr', page('<!-- <LoginURL>https://wispr.test/login?a=1&amp;b=2</LoginURL> -->'), 'https://wispr.test/login'],
    ['a page that leads to the site', page(`<meta http-equiv=refresh content="0;url=https://${HOST}/">`), 'page'],
    ['any other page', page('<h1>Welcome</h1>'), 'page'],
    ['no content', answer(204), 'page'],
    ['a refusal', answer(403), 'nothing'],
    ['a proxy in trouble', answer(502, { body: '<form action="https://proxy.test/x">' }), 'nothing'],
  ];
  for (const [name, plain, expected] of rows) it(`${name}: ${expected}`, () => assert.equal(judged(plain), expected));

  it('gives no more of an address than a person needs, and nothing that could hurt a terminal', () => {
    const secret = to('https://user:pass@hotel.test/in;x?token=secret&mac=b8:27:eb:00:00:01#frag');
    assert.equal(judged(secret), 'https://hotel.test/in;x');
    assert.equal(judged(to(`http://hotel.test/${'a'.repeat(5_000)}`)), 'http://hotel.test/');
    assert.equal(judged(to(`http://${'a'.repeat(60)}.${'b'.repeat(60)}.test/`)), 'portal');
    assert.equal(judged(to('http://hotel.test/\u001b[31mred\u0007\u202e')), 'http://hotel.test/%1B[31mred%07%E2%80%AE');
    assert.equal(judged(to('http://hötel.test/')), 'http://xn--htel-5qa.test/');
  });

  it('costs no time, whatever page it is', () => {
    const nasty = [
      '<meta '.repeat(3_000),
      '<form '.repeat(3_000),
      'location = '.repeat(1_500),
      '<LoginURL>'.repeat(1_600),
    ];
    const startedAt = process.cpuUsage().user;
    for (const body of nasty) judgePlainAnswer(page(body), HOST);
    // Microseconds of processor; on a Pi it may take twenty times what it takes here.
    assert.ok(process.cpuUsage().user - startedAt < 1_000_000);
  });
});

describe('a portal among the reasons', () => {
  const dns: DnsEvidence = { phase: 'dns', ok: true, ms: 1, addresses: ['192.0.2.1'], servers: [] };
  const sign = (said: PortalEvidence['sign']): PortalEvidence => ({
    phase: 'portal',
    address: '192.0.2.1',
    ms: 1,
    sign: said,
  });
  const tried = (failedAt: 'tcp' | 'tls' | 'http', error: string, reason: OfflineReason): HttpsEvidence => ({
    phase: 'https',
    ok: false,
    ms: 1,
    addressesFrom: 'dns',
    reused: false,
    failedAt,
    error,
    reason,
  });
  const rows: readonly [string, HttpsEvidence, PortalEvidence['sign'], OfflineReason][] = [
    ['dropped', tried('tcp', 'ETIMEDOUT', 'tcp-timeout'), 'portal', 'portal'],
    ['dropped', tried('tcp', 'ETIMEDOUT', 'tcp-timeout'), 'page', 'portal'],
    ['dropped', tried('tcp', 'ETIMEDOUT', 'tcp-timeout'), 'nothing', 'tcp-timeout'],
    ['refused', tried('tcp', 'ECONNREFUSED', 'tcp-refused'), 'page', 'portal'],
    ['reset', tried('tls', 'ECONNRESET', 'tls-failed'), 'page', 'portal'],
    ['garbled', tried('tls', 'ERR_SSL_WRONG_VERSION_NUMBER', 'tls-failed'), 'page', 'portal'],
    ['stalled', tried('tls', 'ETIMEDOUT', 'tls-failed'), 'page', 'tls-failed'],
    ['stalled', tried('tls', 'ETIMEDOUT', 'tls-failed'), 'portal', 'portal'],
    ["the site's own, expired", tried('tls', 'CERT_HAS_EXPIRED', 'tls-failed'), 'page', 'tls-failed'],
    ['at a wrong clock', tried('tls', 'CERT_NOT_YET_VALID', 'clock'), 'page', 'clock'],
    ['at a wrong clock', tried('tls', 'CERT_NOT_YET_VALID', 'clock'), 'portal', 'portal'],
    ['without an answer', tried('http', 'ETIMEDOUT', 'http-timeout'), 'page', 'http-timeout'],
  ];
  for (const [what, https, said, reason] of rows) {
    it(`HTTPS ${what}, plain HTTP ${said}: ${reason}`, () =>
      assert.equal(reasonOf(undefined, dns, [https], sign(said)), reason));
  }

  it('comes after what needs no packet', () => {
    const link = { phase: 'link', ok: false, reason: 'no-route' } as const;
    assert.equal(reasonOf(link, dns, [], sign('portal')), 'no-route');
  });
});
