/** One check against a real name server and a real HTTPS site, whatever they do. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Prober, type Seen } from '../../src/workers/probe/check.js';
import type { KeptPolicy } from '../../src/workers/probe/kept-connection.js';
import { reasonOf } from '../../src/workers/verdict.js';
import type { OfflineReason } from '../../src/workers/protocol.js';
import { CertificateAuthority } from '../support/certificates.js';
import { HttpsSite, type SiteBehaviour, type SiteProtocol } from '../support/https-site.js';
import { RawSite } from '../support/odd-sites.js';
import { NameServer } from '../support/name-server.js';
import { until } from '../support/until.js';

const TIMEOUT_MS = 400;
/** A timer may be late on a machine that is busy; a check that waits for the wrong thing is later by a whole time-out. */
const SLACK_MS = 350;
/**
 * Where connections are counted: a kept one is late after a fifth of the time-out, when another is opened beside it, and that must
 * mean the site, not a busy machine.
 */
const PATIENT_MS = 20_000;
/** The same where the site is silent until the time-out. */
const SILENCE_MS = 4_000;
const HOST = 'site.test';
/** What a site may speak, and what it is asked by. */
const SPOKEN: readonly (readonly [speaks: readonly SiteProtocol[], version: string])[] = [
  [['http/1.1'], '1.1'],
  [['h2', 'http/1.1'], '2.0'],
  [['h2'], '2.0'],
];
const never = new AbortController().signal;

describe('a check', () => {
  let ca: CertificateAuthority;
  let site: HttpsSite;
  /** Elsewhere, on the same port: another address of the site, a portal. */
  let other: HttpsSite;
  let names: NameServer;
  let prober: Prober;
  let timeoutMs = TIMEOUT_MS;

  before(async () => {
    ca = await CertificateAuthority.create();
    site = await HttpsSite.start({ ca, names: [HOST] });
    other = await HttpsSite.start({ ca, address: '127.0.0.2', port: site.port, names: [HOST] });
    names = await NameServer.start();
  });
  after(() => Promise.all([site.stop(), other.stop(), names.stop()]));
  beforeEach(() => {
    names.setRecord(HOST, ['127.0.0.1']);
    timeoutMs = TIMEOUT_MS;
    prober = proberOf();
  });
  afterEach(async () => {
    prober.close();
    names.behave({ kind: 'answer' });
    site.speak('http/1.1');
    await site.repair();
    await other.repair();
  });

  function proberOf(more: { host?: string; port?: number; kept?: KeptPolicy } = {}): Prober {
    return new Prober({
      site: { host: more.host ?? HOST, port: more.port ?? site.port, ca: ca.certificatePem },
      timeoutMs,
      nameServers: [names.hostAndPort],
      ...(more.kept === undefined ? {} : { kept: more.kept }),
    });
  }

  /** The prober of the test, with another time-out. */
  function takeTime(ms: number): void {
    prober.close();
    timeoutMs = ms;
    prober = proberOf();
  }

  async function check(by = prober): Promise<Seen & { reason: OfflineReason | undefined; ms: number }> {
    const startedAt = performance.now();
    const seen = await by.check(never);
    const ms = performance.now() - startedAt;
    assert.ok(seen);
    assert.ok(ms < 2 * timeoutMs + SLACK_MS, `it took ${ms} ms`);
    return { ...seen, reason: seen.ok ? undefined : reasonOf(undefined, seen.dns, seen.https), ms };
  }

  async function passes(by = prober): Promise<Seen> {
    const seen = await check(by);
    assert.equal(seen.ok, true, JSON.stringify(seen));
    return seen;
  }

  async function fails(reason: OfflineReason, by = prober): Promise<Seen> {
    const seen = await check(by);
    assert.equal(seen.reason, reason, JSON.stringify(seen));
    return seen;
  }

  describe('where old connections live on and new ones end at a portal', () => {
    beforeEach(() => takeTime(PATIENT_MS));

    const policy: KeptPolicy = { renewedAfterMs: 60_000, newForMs: 0 };

    it('the kept connection proves only itself: whoever failed to open one gets the answer of a new one', async () => {
      const by = proberOf({ kept: policy });
      await passes(by);
      site.showCertificate('foreign', 'live on');
      const { https } = await passes(by);
      assert.equal(https.at(-1)?.reused, true);
      const seen = await by.check(never, true);
      assert.equal(reasonOf(undefined, seen!.dns, seen!.https), 'portal', JSON.stringify(seen));
      await until(() => site.openConnections === 0, 'the old one is closed, so it deceives no further check');
      await site.repair();
      await passes(by);
      by.close();
    });

    it('a connection is renewed now and then, and resumes its TLS session', async () => {
      const by = proberOf({ kept: { ...policy, renewedAfterMs: 0 } });
      await passes(by);
      const { handshakes, resumptions } = site.counts;
      for (let i = 0; i < 3; i += 1) await passes(by);
      assert.equal(site.counts.handshakes, handshakes + 3);
      assert.equal(site.counts.resumptions, resumptions + 3);
      site.showCertificate('foreign', 'live on');
      await fails('portal', by);
      by.close();
    });

    it('one that is new enough is not renewed for whoever asks', async () => {
      const by = proberOf({ kept: { ...policy, newForMs: 60_000 } });
      await passes(by);
      const { handshakes } = site.counts;
      for (let i = 0; i < 3; i += 1) assert.equal((await by.check(never, true))?.ok, true);
      assert.equal(site.counts.handshakes, handshakes);
      by.close();
    });
  });

  describe('of a healthy line', () => {
    beforeEach(() => takeTime(PATIENT_MS));

    it('tells each phase, and keeps its one connection for the next', async () => {
      const before = site.counts;
      const first = await passes();
      assert.deepEqual(first.dns.addresses, ['127.0.0.1']);
      const [fresh] = first.https;
      assert.deepEqual([fresh?.reused, fresh?.status, fresh?.addressesFrom], [false, 200, 'dns']);
      for (const ms of [fresh?.tcpMs, fresh?.tlsMs, fresh?.httpMs]) assert.equal(typeof ms, 'number');

      for (let i = 0; i < 3; i += 1) {
        const { https } = await passes();
        assert.deepEqual(
          https.map(({ reused }) => reused),
          [true],
        );
      }
      assert.equal(site.counts.connections - before.connections, 1);
      assert.equal(site.counts.requests - before.requests, 4);
    });

    it('asks for no more than it needs, since every byte is paid for', async () => {
      await passes();
      await passes();
      const expected = ['HEAD / HTTP/1.1', `Host: ${HOST}:${site.port}`];
      assert.deepEqual(
        site.lastRequest?.map((line) => line.replace(/^host/i, 'Host')),
        expected,
      );
    });

    it('resumes the TLS session when the site has closed the connection', async () => {
      await passes();
      const { resumptions } = site.counts;
      await passes();
      site.dropConnections();
      const { https } = await passes();
      assert.equal(https.at(-1)?.resumed, true);
      assert.equal(site.counts.resumptions - resumptions, 1);
    });

    for (const status of [204, 301, 404, 500]) {
      it(`takes an answer ${status} as proof`, async () => {
        await site.behave({ kind: 'answer', status, location: 'https://elsewhere.test/' });
        const { https } = await passes();
        assert.equal(https[0]?.status, status);
      });
    }

    it('needs no name server for an IP literal or localhost', async () => {
      const queries = names.countQueries();
      for (const host of ['127.0.0.1', 'localhost']) {
        const own = await HttpsSite.start({ ca });
        const by = proberOf({ host, port: own.port });
        await passes(by);
        by.close();
        await own.stop();
      }
      assert.equal(names.countQueries(), queries);
    });
  });

  describe("of every server's HEAD", () => {
    beforeEach(() => takeTime(PATIENT_MS));

    const rows: readonly [string, SiteBehaviour, method: string][] = [
      ['without Content-Length', { kind: 'answer', framing: 'none' }, 'HEAD'],
      ['chunked', { kind: 'answer', framing: 'chunked' }, 'HEAD'],
      ['301 without Content-Length', { kind: 'answer', status: 301, framing: 'none', location: '/' }, 'HEAD'],
      ['405', { kind: 'answer', head: 405 }, 'GET'],
      ['501 without Content-Length', { kind: 'answer', head: 501, framing: 'none' }, 'GET'],
      ['405 where GET is chunked', { kind: 'answer', head: 405, framing: 'chunked' }, 'GET'],
    ];
    for (const [speaks, version] of SPOKEN) {
      const who = `of a site that speaks ${speaks.join(' and ')}`;
      for (const [name, behaviour, method] of rows)
        it(`${name}, ${who}: one connection over 20 checks`, async () => {
          site.speak(...speaks);
          await site.behave(behaviour);
          const { connections } = site.counts;
          for (let i = 0; i < 20; i += 1) await passes();
          assert.equal(site.counts.connections - connections, 1);
          // Over HTTP/2 a refusal costs no connection, so there is no need for GET.
          const asked = version === '2.0' ? 'HEAD' : method;
          assert.equal(site.lastRequest?.[0], `${asked} / HTTP/${version}`);
          if (asked === 'GET') assert.ok(site.lastRequest.some((line) => line.toLowerCase() === 'range: bytes=0-0'));
        });

      it(`silence, ${who}: soon asked by GET, and from then on over one connection`, async () => {
        takeTime(SILENCE_MS);
        site.speak(...speaks);
        await site.behave({ kind: 'answer', head: 'hang' });
        await fails('http-timeout');
        if (!speaks.includes('http/1.1')) await fails('tls-failed');
        await passes();
        const { connections } = site.counts;
        for (let i = 0; i < 20; i += 1) await passes();
        assert.equal(site.counts.connections, connections);
        assert.match(site.lastRequest?.[0] ?? '', /^GET /);
      });
    }

    it('a site whose HTTP/2 hangs is asked by HTTP/1.1 from then on', async () => {
      takeTime(SILENCE_MS);
      site.speak('h2', 'http/1.1');
      await site.behave({ kind: 'hang', at: 'h2' });
      await fails('http-timeout');
      await passes();
      const { connections } = site.counts;
      for (let i = 0; i < 20; i += 1) await passes();
      assert.equal(site.counts.connections, connections);
    });

    it('one that speaks another protocol after a while is asked by that', async () => {
      for (const [speaks, version] of [...SPOKEN, ...SPOKEN]) {
        site.speak(...speaks);
        site.dropConnections();
        await passes();
        assert.match(site.lastRequest?.[0] ?? '', new RegExp(`HTTP/${version}$`));
      }
    });

    it('a body against all rules costs a connection a check, and nothing else', async () => {
      await site.behave({ kind: 'answer', head: 'body' });
      for (let i = 0; i < 5; i += 1) await passes();
    });

    it('a large page is not read to its end: the answer counts, the connection is given up', async () => {
      await site.behave({ kind: 'answer', head: 405, bodyBytes: 200_000 });
      for (let i = 0; i < 3; i += 1) await passes();
      const { connections } = site.counts;
      await passes();
      assert.equal(site.counts.connections, connections + 1);
    });

    it('a connection that the site closes is not taken for a kept one', async () => {
      const raw = await RawSite.start(ca, HOST, 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n');
      const by = proberOf({ port: raw.port });
      for (let i = 0; i < 3; i += 1) await passes(by);
      assert.equal(raw.connections, 3);
      by.close();
      await raw.stop();
    });

    it('HTTP/1.0 that says it keeps the connection does', async () => {
      const raw = await RawSite.start(ca, HOST, 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n');
      const by = proberOf({ port: raw.port });
      for (let i = 0; i < 3; i += 1) await passes(by);
      assert.equal(raw.connections, 1);
      by.close();
      await raw.stop();
    });

    for (const [what, answer, connections] of [
      [
        'interim answers are followed by the answer',
        'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n',
        1,
      ],
      [
        'a connection is kept for as long as the site says, such as not at all',
        'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\n',
        3,
      ],
      [
        'what follows an answer is not taken for the next one',
        'HTTP/1.1 204 No\r\n\r\n<html>HTTP/1.1 500 No\r\n\r\n',
        3,
      ],
    ] as const) {
      it(what, async () => {
        const raw = await RawSite.start(ca, HOST, `${answer}${connections === 1 ? 'HTTP/1.1 204 No\r\n' : ''}\r\n`);
        const by = proberOf({ port: raw.port });
        for (let i = 0; i < 3; i += 1) await passes(by);
        assert.equal(raw.connections, connections);
        by.close();
        await raw.stop();
      });
    }

    for (const answer of [
      '220 smtp.test ESMTP\r\n',
      'HTTP/1.1 OK\r\n\r\n',
      `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(20_000)}`,
    ]) {
      it(`no answer at all: ${answer.slice(0, 19).trim()}`, async () => {
        const raw = await RawSite.start(ca, HOST, answer);
        const by = proberOf({ port: raw.port });
        const { https } = await fails('http-timeout', by);
        assert.equal(https.at(-1)?.detail, 'the answer is not HTTP');
        by.close();
        await raw.stop();
      });
    }
  });

  describe('of a name server in trouble', () => {
    for (const [kind, reason] of [
      ['silent', 'dns-timeout'],
      ['nxdomain', 'dns-failed'],
      ['servfail', 'dns-failed'],
      ['refused', 'dns-failed'],
    ] as const) {
      it(`${kind}: fails with ${reason} where no address is known`, async () => {
        names.behave({ kind });
        const { https } = await fails(reason);
        assert.deepEqual(https, []);
      });

      it(`${kind}: passes by the kept connection`, async () => {
        await passes();
        names.behave({ kind });
        const { https } = await passes();
        assert.deepEqual(
          https.map(({ reused }) => reused),
          [true],
        );
      });

      it(`${kind}: passes by the last address that worked where no connection was kept`, async () => {
        await passes();
        site.dropConnections();
        names.behave({ kind });
        const { https } = await passes();
        assert.deepEqual([https.at(-1)?.addressesFrom, https.at(-1)?.reused], ['last-good', false]);
      });
    }

    it('slow: the last address is tried meanwhile, so that nothing is lost by waiting', async () => {
      await passes();
      site.dropConnections();
      names.behave({ kind: 'slow', delayMs: TIMEOUT_MS / 2 });
      const { https, ms } = await check();
      assert.equal(https.at(-1)?.addressesFrom, 'last-good');
      assert.ok(ms < TIMEOUT_MS + SLACK_MS);
    });
  });

  describe('of a captive portal', () => {
    it('is told by its certificate, and by whose it is', async () => {
      site.showCertificate('foreign');
      const { https } = await fails('portal');
      assert.match(https[0]?.detail ?? '', /the certificate is for "site\.test", issued by "Somebody else"/);
    });

    it('is told although the old connection lives on, where the name leads elsewhere', async () => {
      await passes();
      names.behave({ kind: 'hijack', address: '127.0.0.2' });
      other.showCertificate('foreign');
      const { https } = await fails('portal');
      assert.match(https.find(({ reused }) => reused)?.detail ?? '', /not counted: the name now leads to 127\.0\.0\.2/);
    });

    it('is told where only new connections are led astray', async () => {
      await passes();
      // The open connection is cut, as a portal's rule does it, and whoever connects now meets the portal.
      site.showCertificate('foreign');
      await fails('portal');
    });

    it('is not seen in a site that moves between addresses of its own', async () => {
      takeTime(PATIENT_MS);
      await passes();
      names.setRecord(HOST, ['127.0.0.2']);
      await passes();
      names.setRecord(HOST, ['127.0.0.1']);
      const { connections } = site.counts;
      const { https } = await passes();
      // Both have proved to be the site within the hour, so the kept connection counts and no new one is needed.
      assert.deepEqual(
        https.map(({ reused }) => reused),
        [true],
      );
      assert.equal(site.counts.connections, connections);
    });
  });

  describe('of a certificate out of its time', () => {
    it('not yet valid: the clock is wrong', async () => {
      site.showCertificate('not-yet-valid');
      const { https } = await fails('clock');
      assert.match(https[0]?.detail ?? '', /valid from .* UTC, and this machine's clock says .* UTC/);
    });

    it("expired: the site's own fault", async () => {
      site.showCertificate('expired');
      await fails('tls-failed');
    });

    it('expired by a clock that runs ahead of the site: the clock is wrong', async () => {
      site.showCertificate('expired');
      site.dateHeader = new Date(Date.now() - 30 * 86_400_000);
      await fails('clock');
    });
  });

  it("tells how far the clock is from the site's, over a fresh connection and a kept one", async () => {
    for (const days of [0, -30, 400]) {
      site.dateHeader = new Date(Date.now() + days * 86_400_000);
      const { https } = await passes();
      const ahead = https.find(({ ok }) => ok)?.clockAheadMs ?? NaN;
      assert.ok(Math.abs(ahead + days * 86_400_000) < 60_000, `${days} days: ${ahead} ms`);
    }
  });

  describe('of a site in trouble', () => {
    const rows = [
      [{ kind: 'refuse' }, 'tcp-refused'],
      [{ kind: 'hang', at: 'accept' }, 'tls-failed'],
      [{ kind: 'hang', at: 'tls' }, 'http-timeout'],
      [{ kind: 'hang', at: 'request' }, 'http-timeout'],
      [{ kind: 'cut' }, 'http-timeout'],
      [{ kind: 'garbage' }, 'http-timeout'],
    ] as const;
    // One that speaks HTTP/2 alone is asked for HTTP/1.1 as well before it is given up, and back by the check after.
    for (const [speaks] of SPOKEN.filter(([protocols]) => protocols.includes('http/1.1')))
      for (const [behaviour, reason] of rows) {
        const what = `${Object.values(behaviour).join(' ')}, of one that speaks ${speaks.join(' and ')}`;
        for (const when of ['before', 'after'] as const) {
          it(`${what}, ${when} the first check: ${reason}, and well again at once`, async () => {
            site.speak(...speaks);
            if (when === 'after') await passes();
            await site.behave(behaviour);
            await fails(reason);
            await fails(reason);
            await site.repair();
            await passes();
          });
        }
      }

    it('silence over the kept connection and a fresh one beside it is one time-out, not one and a half', async () => {
      await passes();
      await site.behave({ kind: 'hang', at: 'request' });
      const { https } = await fails('http-timeout');
      const [kept, fresh] = [https.find(({ reused }) => reused), https.find(({ reused }) => !reused)];
      assert.ok(kept !== undefined && fresh !== undefined && fresh.ms < kept.ms, JSON.stringify(https));
    });

    it('a kept connection that went dead does not cost the check', async () => {
      await passes();
      // Only what is open hangs: what a router does that forgot the connection.
      const dead = site.openConnections;
      assert.equal(dead, 1);
      await site.behave({ kind: 'hang', at: 'request' });
      const running = check();
      await site.waitForRequests(site.counts.requests + 1);
      await site.behave({ kind: 'answer' });
      const { ok, https } = await running;
      assert.equal(ok, true);
      assert.equal(https.at(-1)?.reused, false);
    });

    it('an address whose kept connection is silent is tried last', async () => {
      names.setRecord(HOST, ['127.0.0.1', '127.0.0.2']);
      const first = await passes();
      assert.equal(first.https.at(-1)?.address, '127.0.0.1');
      await site.behave({ kind: 'hang', at: 'request' });
      const { https } = await passes();
      assert.equal(https.at(-1)?.address, '127.0.0.2');
    });

    it('the second address serves where the first is dead', async () => {
      names.setRecord(HOST, ['127.0.0.1', '127.0.0.2']);
      await site.behave({ kind: 'refuse' });
      const { https } = await passes();
      assert.equal(https.at(-1)?.address, '127.0.0.2');
    });

    it('the second address serves where the first is silent', async () => {
      names.setRecord(HOST, ['127.0.0.1', '127.0.0.2']);
      await site.behave({ kind: 'hang', at: 'accept' });
      const patient = new Prober({
        site: { host: HOST, port: site.port, ca: ca.certificatePem },
        timeoutMs: 2_000,
        nameServers: [names.hostAndPort],
      });
      const { https } = await patient.check(never).then((seen) => seen ?? assert.fail('given up'));
      patient.close();
      assert.equal(https.at(-1)?.address, '127.0.0.2');
      assert.ok((https.at(-1)?.ms ?? Infinity) < 1_000 + SLACK_MS, 'happy eyeballs: a quarter of a second later');
    });
  });

  it('is given up at once when told to, and leaves nothing open', async () => {
    await site.behave({ kind: 'hang', at: 'accept' });
    const abort = new AbortController();
    const running = prober.check(abort.signal);
    abort.abort();
    assert.equal(await running, undefined);
    await site.repair();
    await passes();
  });
});
