/** The monitor's options, and the words for what it finds. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adviceOn, evidenceFields, evidenceLines, packetAdvice, packetWords } from '../../src/main/evidence-text.js';
import { InternetConnectionMonitor, MonitorError, type MonitorOptions } from '../../src/main/index.js';
import { workerSettingsOf } from '../../src/main/internet-monitor/options.js';
import { Teller } from '../../src/main/internet-monitor/teller.js';
import { provedBy, siteFaultWords } from '../../src/main/internet-monitor/site-fault.js';
import type {
  CheckEvidence,
  HttpsEvidence,
  OfflineReason,
  PacketEvidence,
  WitnessEvidence,
} from '../../src/workers/protocol.js';
import { RecordedLog } from '../support/recorded-log.js';
import { isClockAhead } from '../../src/workers/net/certificate-failure.js';

describe('large packets that are lost', () => {
  const line = { phase: 'packets', address: '192.0.2.7' } as const;
  const lost = { ...line, ok: false, device: 'wlan0', passes: 1_280, lost: 1_400 } as const;

  it('are told with the size that gets through, and the command that makes it the largest', () => {
    assert.equal(packetWords(lost), '1280 bytes get through by wlan0, 1400 do not');
    assert.match(packetAdvice(lost), /sudo ip link set dev wlan0 mtu 1280;/);
  });

  it('below what IPv6 needs the segments are made smaller, not the packets of the interface', () => {
    for (const passes of [576, 0]) {
      const [, mss] = /tcp_mtu_probing=2 net\.ipv4\.tcp_base_mss=(\d+);/.exec(packetAdvice({ ...lost, passes })) ?? [];
      assert.ok(Number(mss) <= 576 - 72, mss);
    }
    assert.equal(packetWords({ ...lost, passes: 0, lost: 576 }), 'small ones get through by wlan0, 576 bytes do not');
  });

  it('without a name for the interface nothing is made up', () => {
    const nameless = { ...line, ok: false, passes: 1_280, lost: 1_400 };
    assert.equal(packetWords(nameless), '1280 bytes get through, 1400 do not');
    assert.match(packetAdvice(nameless), /dev DEVICE mtu/);
  });

  it('are told once, anew with other sizes, and their end once it is known', () => {
    const log = new RecordedLog();
    const teller = new Teller(log);
    const check = (packets?: PacketEvidence): void =>
      teller.checked({
        checkId: 1,
        trigger: 'interval',
        startedAtMs: 0,
        ms: 1,
        ok: true,
        https: [],
        ...(packets === undefined ? {} : { packets }),
      });
    for (const packets of [undefined, lost, lost, undefined, lost, { ...lost, passes: 1_000 }, undefined])
      check(packets);
    assert.equal(log.lines.length, 2);
    for (let i = 0; i < 2; i += 1) check({ ...line, ok: true, passes: 1_500 });
    assert.deepEqual(
      log.lines.map(({ level, message }) => [level, message.slice(0, 31)]),
      [
        ['warn', 'Large packets are lost on the w'],
        ['warn', 'Large packets are lost on the w'],
        ['info', 'Large packets get through again'],
      ],
    );
  });
});

describe('the options of the monitor', () => {
  it("are the document's where none are given", () => {
    const { host, port, intervalMs, timeoutMs, offlineIntervalMs, failuresToOffline, successesToOnline } =
      workerSettingsOf({});
    assert.deepEqual(
      { host, port, intervalMs, timeoutMs, offlineIntervalMs, failuresToOffline, successesToOnline },
      {
        host: 'smart.dunebugger.it',
        port: 443,
        intervalMs: 7_000,
        timeoutMs: 2_000,
        offlineIntervalMs: 2_000,
        failuresToOffline: 2,
        successesToOnline: 1,
      },
    );
  });

  it('look again while offline at the interval where that is shorter than 2 s', () => {
    assert.equal(workerSettingsOf({ checkIntervalSecs: 0.5 }).offlineIntervalMs, 500);
  });

  it('take names, literals and localhost, with and without a port', () => {
    const sites = [
      'bücher.example:8443',
      'example.org',
      '192.0.2.1:8443',
      '[2001:db8::1]:443',
      '2001:db8::1',
      'localhost:8443',
    ];
    assert.deepEqual(
      sites.map((testDomain) => {
        const { host, port } = workerSettingsOf({ testDomain });
        return `${host} ${port}`;
      }),
      [
        'xn--bcher-kva.example 8443',
        'example.org 443',
        '192.0.2.1 8443',
        '2001:db8::1 443',
        '2001:db8::1 443',
        'localhost 8443',
      ],
    );
  });

  it('take several sites: the others are the first of the witnesses', () => {
    const { host, witnesses } = workerSettingsOf({
      testDomain: 'a.example, b.example:8443',
      witnesses: ['[2001:db8::1]:444', 'c.example'],
    });
    assert.deepEqual(
      [host, ...witnesses.map((witness) => `${witness.host} ${witness.port}`)],
      ['a.example', 'b.example 8443', '2001:db8::1 444', 'c.example 443'],
    );
  });

  const wrong: readonly [MonitorOptions, RegExp][] = [
    [{ testDomain: 'a.example,,b.example' }, /testDomain "" is not allowed/],
    [{ witnesses: ['wss://a.example'] }, /witnesses "wss:\/\/a\.example" is not allowed/],
    [{ testDomain: 'https://example.org/' }, /testDomain "https:\/\/example\.org\/" is not allowed: give a host name/],
    [{ checkIntervalSecs: 0 }, /checkIntervalSecs = 0 is not allowed: give a number from 0\.05 to 86400/],
    [{ timeoutSecs: NaN }, /timeoutSecs = NaN is not allowed/],
    [{ failuresToOffline: 1.5 }, /failuresToOffline = 1\.5 is not allowed: give a whole number/],
    [{ successesToOnline: 11 }, /successesToOnline = 11 is not allowed/],
  ];
  for (const [options, message] of wrong) {
    it(`refuse ${JSON.stringify(options)} before anything is started`, () => {
      assert.throws(
        () => new InternetConnectionMonitor(options),
        (error) => {
          assert.ok(error instanceof MonitorError);
          assert.equal(error.code, 'ERR_INVALID_OPTION');
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }
});

describe('evidence in words', () => {
  const evidence: CheckEvidence = {
    checkId: 1,
    trigger: 'interval',
    startedAtMs: 0,
    ms: 2_004,
    ok: false,
    reason: 'portal',
    link: { phase: 'link', ok: true },
    dns: { phase: 'dns', ok: true, ms: 12, addresses: ['203.0.113.7'], servers: ['192.0.2.53'] },
    https: [
      {
        phase: 'https',
        ok: false,
        ms: 5,
        addressesFrom: 'last-good',
        address: '203.0.113.7',
        reused: true,
        failedAt: 'http',
        error: 'ECONNRESET',
        reason: 'http-timeout',
      },
      {
        phase: 'https',
        ok: false,
        ms: 30,
        addressesFrom: 'dns',
        address: '203.0.113.7',
        reused: false,
        tcpMs: 10,
        failedAt: 'tls',
        error: 'DEPTH_ZERO_SELF_SIGNED_CERT',
        detail: 'the certificate is for "hotel", issued by "hotel"',
        reason: 'portal',
      },
    ],
  };

  it('has a line a phase for people', () => {
    assert.deepEqual(evidenceLines(evidence), [
      'link  ok                link, address and route are there',
      'dns   ok         12 ms  203.0.113.7 (asked 192.0.2.53)',
      'http  FAILED      5 ms  ECONNRESET',
      'tcp   ok         10 ms  203.0.113.7',
      'tls   FAILED     30 ms  203.0.113.7 DEPTH_ZERO_SELF_SIGNED_CERT: the certificate is for "hotel", issued by "hotel"',
      'check FAILED   2004 ms  portal',
    ]);
  });

  it('tells what answers over plain HTTP, and where to log in', () => {
    const portal = { phase: 'portal', address: '203.0.113.7', ms: 8, sign: 'portal', status: 302 } as const;
    const withLogin = { ...evidence, portal: { ...portal, login: 'http://hotel.test/in' } };
    const [line] = evidenceLines(withLogin).filter((text) => text.startsWith('plain'));
    assert.equal(
      line,
      'plain FAILED      8 ms  203.0.113.7 over plain HTTP: status 302, a captive portal: log in at http://hotel.test/in',
    );
    assert.equal(
      evidenceFields(withLogin).portal,
      '203.0.113.7 over plain HTTP: status 302, a captive portal: log in at http://hotel.test/in',
    );
    const silent = { phase: 'portal', address: '203.0.113.7', ms: 8, sign: 'nothing', error: 'ETIMEDOUT' } as const;
    assert.equal(
      evidenceFields({ ...evidence, portal: silent }).portal,
      '203.0.113.7 over plain HTTP: no answer (ETIMEDOUT), no sign of a portal',
    );
    assert.match(
      adviceOn({ reason: 'portal', lastEvidence: withLogin }) ?? '',
      /^Log in at http:\/\/hotel\.test\/in with a /,
    );
    assert.match(adviceOn({ reason: 'portal', lastEvidence: { ...evidence, portal } }) ?? '', /^Somebody else answers/);
    assert.match(adviceOn({ reason: 'clock', lastEvidence: withLogin }) ?? '', /^Set it/);
    assert.equal(adviceOn({}), undefined);
  });

  it('has a short field a phase for the log', () => {
    assert.deepEqual(evidenceFields(evidence), {
      trigger: 'interval',
      ms: 2_004,
      dns: 'ok 12 ms 203.0.113.7 (asked 192.0.2.53)',
      https:
        'kept 203.0.113.7, failed at http: ECONNRESET; fresh 203.0.113.7, tcp 10 ms, failed at tls: DEPTH_ZERO_SELF_SIGNED_CERT, the certificate is for "hotel", issued by "hotel"',
    });
  });
});

describe('a site that fails while the internet is there', () => {
  const base: CheckEvidence = { checkId: 1, trigger: 'confirming', startedAtMs: 0, ms: 1, ok: true, https: [] };
  const tried = (reason: OfflineReason, more: Partial<HttpsEvidence>): CheckEvidence => ({
    ...base,
    siteReason: reason,
    https: [{ phase: 'https', ok: false, ms: 1, addressesFrom: 'dns', reused: false, reason, ...more }],
  });
  const dns = { phase: 'dns', ok: false, ms: 1, addresses: [], servers: ['192.0.2.53'], error: 'ENOTFOUND' } as const;
  const rows: readonly [CheckEvidence, string][] = [
    [
      tried('tls-failed', {
        error: 'CERT_HAS_EXPIRED',
        detail: "the site's certificate expired on 2026-11-20 10:00 UTC",
      }),
      'its certificate expired on 2026-11-20 10:00 UTC',
    ],
    [tried('tls-failed', { error: 'ETIMEDOUT' }), 'its TLS handshake fails (ETIMEDOUT)'],
    [tried('tcp-timeout', { error: 'ETIMEDOUT' }), 'its address does not answer (ETIMEDOUT)'],
    [tried('tcp-refused', { error: 'ECONNREFUSED' }), 'it refuses connections (ECONNREFUSED)'],
    [tried('http-timeout', { error: 'ETIMEDOUT' }), 'it sends no answer (ETIMEDOUT)'],
    [
      tried('portal', { detail: 'the certificate is for "hotel", issued by "hotel"' }),
      'it shows somebody else\'s certificate: the certificate is for "hotel", issued by "hotel"',
    ],
    [{ ...base, siteReason: 'dns-failed', dns }, 'its name leads to no address (ENOTFOUND)'],
    [{ ...base, siteReason: 'dns-timeout' }, 'no name server answers for its name'],
  ];
  for (const [evidence, words] of rows)
    it(`${evidence.siteReason ?? ''}: ${words}`, () => assert.equal(siteFaultWords(evidence), words));

  it('names who proved the internet instead', () => {
    const witness = (ok: boolean, host: string): WitnessEvidence => ({ phase: 'witness', host, ok, ms: 1 });
    assert.equal(provedBy({ ...base, live: 'answered' }), 'the live connection answers');
    assert.equal(
      provedBy({ ...base, live: 'answered', witnesses: [witness(false, 'a'), witness(true, 'b')] }),
      'b shows its certificate',
    );
    assert.equal(provedBy(base), 'it was proved a moment ago');
  });

  it('has a line and a field for each of them', () => {
    const evidence: CheckEvidence = {
      ...base,
      live: 'silent',
      witnesses: [
        { phase: 'witness', host: 'a', ok: false, ms: 3, failedAt: 'tcp', error: 'ECONNREFUSED' },
        { phase: 'witness', host: 'b', ok: true, ms: 30 },
      ],
    };
    assert.deepEqual(evidenceLines(evidence).slice(0, 3), [
      'live  FAILED            the live connection is silent',
      'other FAILED      3 ms  a, failed at tcp: ECONNREFUSED',
      'other ok         30 ms  b, certificate verified',
    ]);
    const { live, others } = evidenceFields(evidence);
    assert.deepEqual(
      [live, others],
      ['the live connection is silent', 'a, failed at tcp: ECONNREFUSED; b, certificate verified'],
    );
  });
});

describe('a certificate that has expired', () => {
  const validTo = Date.UTC(2026, 0, 1);
  const day = 86_400_000;
  const rows: readonly [string, number, number, boolean][] = [
    ['by a clock years ahead of the site', validTo - day, validTo + 2_000 * day, true],
    ['by the clock of both', validTo + day, validTo + day, false],
    ['by a clock minutes ahead of the site', validTo - 60_000, validTo + 60_000, false],
    ['with a site that tells no time', NaN, validTo + day, false],
    ['with a site whose own time is beyond it', validTo + day, validTo + 2_000 * day, false],
  ];
  for (const [name, site, clock, ahead] of rows) {
    it(`${ahead ? 'means a wrong clock' : "is the site's own"}: ${name}`, () =>
      assert.equal(isClockAhead(site, clock, validTo), ahead));
  }
});
