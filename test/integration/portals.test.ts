/** Portals, whatever they do to HTTPS: told by what answers over plain HTTP, and by whose certificate it is. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Prober } from '../../src/workers/probe/check.js';
import { PortalWatch } from '../../src/workers/probe/portal-watch.js';
import { reasonOf } from '../../src/workers/verdict.js';
import type { HttpsEvidence, OfflineReason, PortalEvidence } from '../../src/workers/protocol.js';
import { CertificateAuthority } from '../support/certificates.js';
import { HttpsSite } from '../support/https-site.js';
import { NameServer } from '../support/name-server.js';
import { PlainSite, type PlainBehaviour } from '../support/plain-site.js';
import { SilentPort } from '../support/silent-port.js';

const HOST = 'site.test';
const TIMEOUT_MS = 400;
const never = new AbortController().signal;
const LOGIN = 'http://login.hotel.test/start';
const REDIRECT: PlainBehaviour = { kind: 'redirect', location: `${LOGIN}?mac=b8:27:eb:00:00:01` };
const PAGE: PlainBehaviour = { kind: 'page', body: '<h1>Welcome to the hotel</h1>' };
const LINK = { phase: 'link', ok: true } as const;
/** Far more than an answer on loopback needs. */
const PATIENCE_MS = 5_000;
const FAILED = {
  ok: false,
  dns: { phase: 'dns', ok: true, ms: 1, addresses: ['127.0.0.1'], servers: [] },
} as const;

describe('a portal', () => {
  let ca: CertificateAuthority;
  /** The site itself; the portal, with certificates of its own for the site's name. */
  let site: HttpsSite;
  let portal: HttpsSite;
  /** Port 443 and port 80 of the portal, without TLS. */
  let secure: PlainSite;
  let plain: PlainSite;
  let silent: SilentPort;
  let names: NameServer;
  let watch: PortalWatch;

  before(async () => {
    ca = await CertificateAuthority.create();
    site = await HttpsSite.start({ ca, names: [HOST] });
    portal = await HttpsSite.start({ names: [HOST] });
    secure = await PlainSite.start();
    plain = await PlainSite.start();
    silent = await SilentPort.open();
    names = await NameServer.start({ records: { [HOST]: ['127.0.0.1'] } });
  });
  after(() => Promise.all([site, portal, secure, plain, names].map((one) => one.stop())).then(() => silent.close()));
  beforeEach(() => {
    watch = new PortalWatch({ host: HOST, timeoutMs: TIMEOUT_MS, port: plain.port });
  });
  afterEach(async () => {
    watch.forget();
    plain.behave({ kind: 'upgrade' });
    await portal.repair();
    await site.repair();
  });

  interface Seen {
    readonly reason: OfflineReason;
    readonly portal: PortalEvidence;
    readonly https: readonly HttpsEvidence[];
  }

  /** One failing check whose HTTPS ends at that port, and what plain HTTP says beside it. */
  async function look(port: number): Promise<Seen> {
    const prober = new Prober({
      site: { host: HOST, port, ca: ca.certificatePem },
      timeoutMs: TIMEOUT_MS,
      nameServers: [names.hostAndPort],
    });
    const seen = await prober.check(never);
    prober.close();
    assert.ok(seen?.ok === false, JSON.stringify(seen));
    const evidence = await watch.after(seen, LINK, undefined, PATIENCE_MS);
    assert.ok(evidence);
    return {
      reason: reasonOf(undefined, seen.dns, seen.https, evidence),
      portal: evidence,
      https: seen.https,
    };
  }

  /** What it does to HTTPS: the port, once it behaves so. */
  const WAYS: Readonly<Record<string, () => number | Promise<number>>> = {
    'drops 443': () => silent.port,
    'refuses 443': async () => {
      await portal.behave({ kind: 'refuse' });
      return portal.port;
    },
    'resets 443': () => {
      secure.behave({ kind: 'reset' });
      return secure.port;
    },
    'speaks plain HTTP at 443': () => {
      secure.behave(REDIRECT);
      return secure.port;
    },
    'says nothing at 443': async () => {
      await portal.behave({ kind: 'hang', at: 'accept' });
      return portal.port;
    },
    'has an expired certificate of its own': () => {
      portal.showCertificate('expired');
      return portal.port;
    },
    'has one that is not valid yet': () => {
      portal.showCertificate('not-yet-valid');
      return portal.port;
    },
    'has an expired one and a clock of 2019': () => {
      portal.showCertificate('expired');
      portal.dateHeader = new Date('2019-01-01T00:00:00Z');
      return portal.port;
    },
    'has a good one, of its own authority': () => portal.port,
  };

  for (const [name, way] of Object.entries(WAYS)) {
    it(`that ${name} and redirects port 80 is one, with its login`, async () => {
      plain.behave(REDIRECT);
      const { reason, portal: evidence } = await look(await way());
      assert.deepEqual([reason, evidence.login], ['portal', LOGIN]);
    });
  }

  for (const name of [
    'has an expired certificate of its own',
    'has one that is not valid yet',
    'has an expired one and a clock of 2019',
  ]) {
    it(`that ${name} is one by that alone: whose it is comes before whether it is valid`, async () => {
      const { reason, https } = await look(await WAYS[name]!());
      assert.equal(reason, 'portal');
      assert.match(https[0]?.detail ?? '', /issued by "Somebody else|issued by "Local cloud test CA"/);
    });
  }

  for (const name of ['drops 443', 'refuses 443', 'resets 443', 'speaks plain HTTP at 443']) {
    it(`that ${name} and shows a page at port 80 is one`, async () => {
      plain.behave(PAGE);
      const { reason, portal: evidence } = await look(await WAYS[name]!());
      assert.deepEqual([reason, evidence.login, evidence.status], ['portal', undefined, 200]);
    });
  }

  it('by 511 is one, whatever HTTPS does', async () => {
    plain.behave({ kind: 'page', status: 511, body: '<a href="http://login.hotel.test/">log in</a>' });
    assert.equal((await look(await WAYS['says nothing at 443']!())).reason, 'portal');
  });

  const honest: readonly [string, PlainBehaviour, string, OfflineReason][] = [
    ['sends to HTTPS', { kind: 'upgrade' }, 'drops 443', 'tcp-timeout'],
    ['sends to HTTPS', { kind: 'upgrade' }, 'refuses 443', 'tcp-refused'],
    ['says nothing', { kind: 'silent' }, 'refuses 443', 'tcp-refused'],
    ['is reset', { kind: 'reset' }, 'drops 443', 'tcp-timeout'],
    ['is no HTTP', { kind: 'garbage' }, 'resets 443', 'tls-failed'],
    ['has a page', PAGE, 'says nothing at 443', 'tls-failed'],
  ];
  for (const [what, behaviour, way, reason] of honest) {
    it(`is none where port 80 ${what} and a site ${way}: ${reason}`, async () => {
      plain.behave(behaviour);
      assert.equal((await look(await WAYS[way]!())).reason, reason);
    });
  }

  it("is none where the site's own certificate has expired, or the clock is wrong", async () => {
    site.showCertificate('expired');
    assert.equal((await look(site.port)).reason, 'tls-failed');
    watch.forget();
    site.dateHeader = new Date(Date.now() - 30 * 86_400_000);
    assert.equal((await look(site.port)).reason, 'clock');
    watch.forget();
    site.showCertificate('not-yet-valid');
    assert.equal((await look(site.port)).reason, 'clock');
  });

  it('is asked for once with one request, and costs no more than the beginning of its page', async () => {
    plain.behave({
      kind: 'endless',
      body: `<meta http-equiv="refresh" content="0;url=${LOGIN}">${'x'.repeat(1 << 20)}`,
    });
    const before = plain.connections;
    const { portal: evidence } = await look(await WAYS['refuses 443']!());
    assert.deepEqual([evidence.sign, evidence.login], ['portal', LOGIN]);
    for (let i = 0; i < 2; i += 1) await watch.after(FAILED, LINK, undefined, PATIENCE_MS);
    assert.equal(plain.connections - before, 1);
    assert.match(
      plain.requests.at(-1) ?? '',
      /^GET \/ HTTP\/1\.1\r\nhost: site\.test:\d+\r\naccept: text\/html\r\nconnection: close\r\n\r\n$/i,
    );
  });

  it('is waited for as long as a phase may last, and a page whose end does not come counts', async () => {
    plain.behave({ kind: 'endless', body: '<script>location="http://login.hotel.test/start"</script>' });
    const { portal: evidence } = await look(await WAYS['refuses 443']!());
    assert.equal(evidence.login, LOGIN);
    assert.ok(evidence.ms < TIMEOUT_MS + 1_000);
  });

  it('is asked for at the last address that worked where the name is not to be had, and at none if there is no link', async () => {
    plain.behave(REDIRECT);
    const nameless = { ok: false, dns: { ...FAILED.dns, ok: false, addresses: [] } };
    assert.equal(await watch.after(nameless, LINK, undefined, PATIENCE_MS), undefined);
    const before = plain.connections;
    const noLink = { phase: 'link', ok: false, reason: 'no-link' } as const;
    assert.equal(await watch.after(nameless, noLink, '127.0.0.1', PATIENCE_MS), undefined);
    assert.equal(plain.connections - before, 0);
    assert.equal((await watch.after(nameless, LINK, '127.0.0.1', PATIENCE_MS))?.login, LOGIN);
  });

  it('never holds a check up that does not wait for it, and is forgotten when one passes', async () => {
    plain.behave({ kind: 'silent' });
    const startedAt = performance.now();
    assert.equal(await watch.after(FAILED, LINK, undefined, 0), undefined);
    assert.ok(performance.now() - startedAt < 100);
    plain.behave(REDIRECT);
    assert.equal(await watch.after({ ...FAILED, ok: true }, LINK, undefined, 0), undefined);
    assert.equal((await watch.after(FAILED, LINK, undefined, PATIENCE_MS))?.sign, 'portal');
  });
});
