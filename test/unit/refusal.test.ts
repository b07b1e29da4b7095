/** Whose trouble an error is, and what a refused call makes of a check. */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { NONE_REFUSED, outlive } from '../../src/main/cli/refused-calls.js';
import { isRefusal, refusalOf, refusalWords } from '../../src/workers/net/refusal.js';
import { refusedCall } from '../../src/workers/verdict.js';
import type { DnsEvidence, HttpsEvidence, LinkEvidence } from '../../src/workers/protocol.js';

/** What connect(2), tcp(7), ip(7) and the kernel's reading of ICMP (icmp(7), RFC 1122) can say of the network. */
const NETWORK = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'EADDRNOTAVAIL',
  'EMSGSIZE',
  'EPROTO',
  'ENOPROTOOPT',
  'EOPNOTSUPP',
  'EINVAL',
] as const;
/** What has ended meanwhile. */
/** `ENODATA` is c-ares' word for a name without an address; as an errno it has nothing to do with sockets and files. */
const GONE = ['ENODATA', 'ENOENT', 'ENODEV', 'ENXIO', 'ENOTDIR', 'ENOTCONN', 'ECANCELED'] as const;

describe('whose trouble it is', () => {
  it('of all errnos of the system, ours is what the network cannot cause', () => {
    const theirs = new Set<string>([...NETWORK, ...GONE]);
    for (const code of Object.keys(constants.errno)) assert.equal(isRefusal(code), !theirs.has(code), code);
  });

  it('of codes without an errno, only those are ours that name memory', () => {
    // ares_strerror(3), and what Node makes of it.
    const cares =
      'ENODATA EFORMERR ESERVFAIL ENOTFOUND ENOTIMP EREFUSED EBADQUERY EBADNAME EBADFAMILY EBADRESP ECONNREFUSED ETIMEOUT EFILE EOF EDESTRUCTION EBADSTR EBADFLAGS ENONAME EBADHINTS ECANCELLED';
    for (const code of cares.split(' ')) assert.equal(isRefusal(code), false, code);
    assert.equal(isRefusal('ENOMEM'), true);
    for (const code of [
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'HPE_INVALID_CONSTANT',
      'CERT_HAS_EXPIRED',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      undefined,
    ])
      assert.equal(isRefusal(code), false, code);
  });

  it('has words for what happens, and the code for the rest', () => {
    assert.equal(refusalWords('EMFILE'), 'EMFILE, this process has no file handle left');
    assert.equal(refusalWords('ELIBBAD'), 'ELIBBAD');
    assert.equal(refusalOf(Object.assign(new Error('x'), { code: 'EAGAIN' })), 'EAGAIN');
    for (const error of [undefined, null, 'EMFILE', new Error('EMFILE'), { code: 7 }, { code: 'ECONNRESET' }])
      assert.equal(refusalOf(error), undefined);
  });
});

describe('a check of which a call was refused', () => {
  const link = (reason?: 'no-link' | 'no-route'): LinkEvidence => ({
    phase: 'link',
    ok: reason === undefined,
    ...(reason && { reason }),
  });
  const dns = (error?: string): DnsEvidence => ({
    phase: 'dns',
    ok: error === undefined,
    ms: 1,
    addresses: [],
    servers: [],
    ...(error !== undefined && { error }),
  });
  const tried = (error: string, reused = false): HttpsEvidence => ({
    phase: 'https',
    ok: false,
    ms: 1,
    addressesFrom: reused ? 'last-good' : 'dns',
    reused,
    failedAt: reused ? 'http' : 'tcp',
    error,
  });
  const rows: readonly [
    string,
    LinkEvidence | undefined,
    DnsEvidence | undefined,
    readonly HttpsEvidence[],
    string | undefined,
  ][] = [
    ['no handle for the site', link(), dns(), [tried('EMFILE')], 'EMFILE'],
    ['no handle for the names, and no address to try', link(), dns('EMFILE'), [], 'EMFILE'],
    ['no handle for the names, but the last address is silent', link(), dns('EMFILE'), [tried('ETIMEDOUT')], undefined],
    ['names fail, and the last address cannot be tried', link(), dns('ETIMEOUT'), [tried('EMFILE')], 'EMFILE'],
    ['names fail, and there is nothing to try', link(), dns('ETIMEOUT'), [], undefined],
    [
      'a kept connection died, and a fresh one cannot be made',
      link(),
      dns(),
      [tried('ECONNRESET', true), tried('ENOBUFS')],
      'ENOBUFS',
    ],
    ['a kept connection alone, whose write was refused', link(), dns(), [tried('ENOMEM', true)], 'ENOMEM'],
    ['a kept connection alone that died', link(), dns(), [tried('ECONNRESET', true)], undefined],
    ['one family is forbidden, the other is silent', link(), dns(), [tried('EACCES'), tried('ETIMEDOUT')], undefined],
    ['the kernel shows no way out', link('no-route'), dns('EMFILE'), [tried('EMFILE')], undefined],
    ['the links could not be looked at either', undefined, dns(), [tried('EMFILE')], 'EMFILE'],
  ];
  for (const [name, l, d, h, expected] of rows) it(name, () => assert.equal(refusedCall(l, d, h), expected));
});

describe('an error that nobody caught', () => {
  const refused = Object.assign(new Error('spawn EAGAIN'), { code: 'EAGAIN', syscall: 'spawn' });

  it('is outlived if the system refused a call', () => {
    assert.deepEqual(outlive(NONE_REFUSED, refused, 5), [5]);
  });

  it('is not if it is anything else', () => {
    for (const error of [
      new Error('a bug'),
      undefined,
      Object.assign(new Error('a bug with a code'), { code: 'EAGAIN' }),
      Object.assign(new Error('the network'), { code: 'ECONNRESET', syscall: 'read' }),
    ])
      assert.equal(outlive(NONE_REFUSED, error, 5), undefined);
  });

  it('is not if it comes in a circle; a refusal now and then is, for ever', () => {
    let memory: readonly number[] | undefined = NONE_REFUSED;
    for (let n = 0; n < 20; n += 1) memory = memory && outlive(memory, refused, n);
    assert.equal(memory?.length, 20);
    assert.equal(outlive(memory, refused, 21), undefined);
    memory = NONE_REFUSED;
    for (let n = 0; n < 1_000; n += 1) memory = memory && outlive(memory, refused, n * 4_000);
    assert.ok(memory !== undefined && memory.length <= 20);
  });
});
