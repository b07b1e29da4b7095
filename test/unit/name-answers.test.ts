/** What an answer of a name server means, and the words for it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adviceOn } from '../../src/main/evidence-text.js';
import { nameAdvice } from '../../src/main/troubles.js';
import { NAMES } from '../../src/main/troubles/names.js';
import { scopeOf, suspicionOf, troubleOf, type ResolvConfTrouble } from '../../src/workers/net/name-answers.js';
import { reasonOf } from '../../src/workers/verdict.js';
import type { DnsEvidence, HttpsEvidence, NameTrouble, OfflineReason } from '../../src/workers/protocol.js';

describe('a look-up that fails', () => {
  const rows: readonly [error: string, servers: string[], conf: ResolvConfTrouble | undefined, NameTrouble][] = [
    ['ETIMEOUT', ['192.0.2.53'], undefined, 'silent'],
    ['ETIMEOUT', ['127.0.0.1'], 'resolv-conf-empty', 'silent'],
    ['ECONNREFUSED', ['192.0.2.53'], undefined, 'server-away'],
    ['ECONNREFUSED', ['127.0.0.53'], undefined, 'resolved-away'],
    ['ECONNREFUSED', ['127.0.0.54:53'], undefined, 'resolved-away'],
    ['ECONNREFUSED', ['127.0.0.1'], undefined, 'own-server-away'],
    ['ECONNREFUSED', ['[::1]:5353'], undefined, 'own-server-away'],
    ['ECONNREFUSED', ['::1', '192.0.2.53'], undefined, 'server-away'],
    ['ECONNREFUSED', ['127.0.0.1'], 'resolv-conf-empty', 'resolv-conf-empty'],
    ['ECONNREFUSED', ['127.0.0.1'], 'resolv-conf-missing', 'resolv-conf-missing'],
    ['EFILE', [], 'resolv-conf-endless', 'resolv-conf-endless'],
    ['EFILE', [], 'resolv-conf-unreadable', 'resolv-conf-unreadable'],
    ['ESERVFAIL', ['192.0.2.53'], undefined, 'cannot-find-out'],
    ['EREFUSED', ['192.0.2.53'], undefined, 'refuses-us'],
    ['ENOTFOUND', ['192.0.2.53'], undefined, 'no-such-name'],
    ['ENOTFOUND', ['127.0.0.1'], 'resolv-conf-empty', 'no-such-name'],
    ['ENODATA', ['192.0.2.53'], undefined, 'no-address'],
    ['EFORMERR', ['192.0.2.53'], undefined, 'does-not-understand'],
    ['ENOTIMP', ['192.0.2.53'], undefined, 'does-not-understand'],
    ['EBADRESP', ['192.0.2.53'], undefined, 'makes-no-sense'],
    ['EBADNAME', ['192.0.2.53'], undefined, 'bad-name'],
    ['EWHATEVER', ['192.0.2.53'], undefined, 'fails-otherwise'],
  ];
  for (const [error, servers, conf, trouble] of rows) {
    it(`${error} from ${servers.join(', ') || 'nobody'}${conf === undefined ? '' : `, ${conf}`}: ${trouble}`, () => {
      assert.equal(troubleOf({ ok: false, error, servers }, conf), trouble);
      const dns: DnsEvidence = { phase: 'dns', ok: false, ms: 1, addresses: [], servers, error, trouble };
      const reason = reasonOf(undefined, dns, []);
      assert.equal(reason, trouble === 'silent' ? 'dns-timeout' : 'dns-failed');
      const lastEvidence = { checkId: 1, trigger: 'start', startedAtMs: 0, ms: 1, ok: false, dns, https: [] } as const;
      assert.equal(adviceOn({ reason, lastEvidence }), nameAdvice(trouble));
    });
  }

  it('is none where there are addresses, or nobody waited', () => {
    assert.equal(troubleOf({ ok: true, servers: [] }, 'resolv-conf-empty'), undefined);
    assert.equal(troubleOf({ ok: false, error: 'ECANCELLED', servers: [] }, undefined), undefined);
  });

  it('names the file, the service or the command, in words that fit into a sentence', () => {
    for (const [trouble, { meaning, remedy }] of Object.entries(NAMES)) {
      for (const text of [meaning, remedy]) {
        assert.match(text, /^[^|\n]*[^.|\s]$/, trouble);
        assert.equal((text.match(/`/g) ?? []).length % 2, 0, trouble);
      }
    }
    assert.match(nameAdvice('resolved-away'), /^Nothing runs at 127\.0\.0\.53.*systemctl restart systemd-resolved/);
    assert.match(nameAdvice('resolv-conf-empty'), /resolv\.conf names no name server.*NetworkManager/);
  });
});

describe('an answer with addresses', () => {
  const site = { host: 'site.test', port: 443 };
  const rows: readonly [string[], string | undefined, NameTrouble | undefined][] = [
    [['0.0.0.0'], undefined, 'impossible-address'],
    [['::'], undefined, 'impossible-address'],
    [['127.0.0.1', '::1'], undefined, 'impossible-address'],
    [['::ffff:0.0.0.0'], undefined, 'impossible-address'],
    [['169.254.1.1'], undefined, 'impossible-address'],
    [['fe80::1'], undefined, 'impossible-address'],
    [['224.0.0.251'], undefined, 'impossible-address'],
    [['ff02::fb'], undefined, 'impossible-address'],
    [['255.255.255.255'], undefined, 'impossible-address'],
    [['0.0.0.0', '93.184.216.34'], undefined, undefined],
    [['192.168.1.1'], undefined, undefined],
    [['192.168.1.1'], '93.184.216.34', 'private-address'],
    [['10.0.0.1', 'fd00::1'], '2600::1', 'private-address'],
    [['100.64.0.1'], '93.184.216.34', 'private-address'],
    [['172.31.255.255'], '93.184.216.34', 'private-address'],
    [['172.32.0.0'], '93.184.216.34', undefined],
    [['192.168.1.1'], '192.168.1.2', undefined],
    [['93.184.216.35'], '93.184.216.34', undefined],
    [[], '93.184.216.34', undefined],
  ];
  for (const [addresses, lastGood, trouble] of rows) {
    it(`${addresses.join(', ') || 'none'}${lastGood === undefined ? '' : ` where it was ${lastGood}`}: ${trouble ?? 'not suspect'}`, () =>
      assert.equal(suspicionOf(addresses, site, lastGood), trouble));
  }

  it('is never suspect where somebody asked for it', () => {
    assert.equal(suspicionOf(['127.0.0.1'], { host: '127.0.0.1', port: 443 }, undefined), undefined);
    assert.equal(suspicionOf(['127.0.0.1', '::1'], { host: 'localhost', port: 443 }, undefined), undefined);
    assert.equal(suspicionOf(['127.0.0.1'], { host: 'site.test', port: 8443 }, undefined), undefined);
  });

  it('is the reason where none of them proved to be the site, unless a portal showed itself', () => {
    const dns: DnsEvidence = {
      phase: 'dns',
      ok: true,
      ms: 1,
      addresses: ['0.0.0.0'],
      servers: [],
      trouble: 'impossible-address',
    };
    const tried = (reason: OfflineReason): HttpsEvidence => ({
      phase: 'https',
      ok: false,
      ms: 1,
      addressesFrom: 'dns',
      reused: false,
      reason,
    });
    assert.equal(reasonOf(undefined, dns, [tried('tcp-refused')]), 'dns-failed');
    assert.equal(reasonOf(undefined, dns, [tried('portal')]), 'portal');
  });

  it('knows every private range, and takes the rest for public', () => {
    const scopes = ['10.255.255.255', '172.16.0.0', '192.168.255.255', '100.127.255.255', 'fc00::1', 'FD12::1'];
    for (const address of scopes) assert.equal(scopeOf(address), 'private', address);
    for (const address of ['9.9.9.9', '100.128.0.0', '192.167.0.1', '2001:db8::1', '64:ff9b::1', '::ffff:9.9.9.9'])
      assert.equal(scopeOf(address), 'public', address);
  });
});
