/** What stands by is tried over its own interface, whatever the routes prefer; here that of loopback. Needs perl, as every Debian has it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { openAddress } from '../../src/workers/net/open-address.js';
import { over, UnknownWayError, type Dial } from '../../src/workers/net/over-interface.js';
import { StandbyTrial } from '../../src/workers/probe/standby-trial.js';
import type { LinkEvidence } from '../../src/workers/protocol.js';
import { CertificateAuthority } from '../support/certificates.js';
import { HttpsSite } from '../support/https-site.js';
import { ProxyServer } from '../support/proxy-server.js';
import { until } from '../support/until.js';

const SITE = 'site.test';
const PATIENCE_MS = 20_000;
const SHORT_MS = 400;
const LINK: LinkEvidence = {
  phase: 'link',
  ok: true,
  uplinks: [
    { name: 'eth9', role: 'carries' },
    { name: 'lo', role: 'stands-by' },
    { name: 'wlan9', role: 'dead', detail: 'wlan9 has no carrier' },
  ],
};

let ca: CertificateAuthority;
let site: HttpsSite;
before(async () => {
  ca = await CertificateAuthority.create();
  site = await HttpsSite.start({ ca, names: [SITE] });
});
after(() => site.stop());
afterEach(() => site.repair());

/** Processes that this one has started and that run perl. */
function children(): number {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && existsSync(`/proc/${pid}/stat`))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/stat`, 'utf8');
      } catch {
        return '';
      }
    })
    .filter((stat) => /^\d+ \(perl\) [^Z] /.test(stat) && stat.includes(` ${process.pid} `)).length;
}

const noneLeft = (): Promise<void> => until(() => children() === 0, 'no child is left', PATIENCE_MS);

describe('a connection over one interface', () => {
  const open = (dial: Dial, timeoutMs = PATIENCE_MS, port = site.port): ReturnType<typeof openAddress> =>
    openAddress({
      address: '127.0.0.1',
      host: SITE,
      port,
      tls: { ca: ca.certificatePem },
      dial,
      signal: AbortSignal.timeout(timeoutMs),
    });

  it('carries TLS both ways, and its end', async () => {
    const opened = await open(over('lo'));
    assert.ok(opened.ok, JSON.stringify(opened));
    opened.socket.write(`GET / HTTP/1.1\r\nHost: ${SITE}\r\n\r\n`);
    const [said] = (await once(opened.socket, 'data')) as [Buffer];
    assert.match(said.toString(), /^HTTP\/1\.1 200 /);
    await site.behave({ kind: 'refuse' });
    await once(opened.socket.resume(), 'close');
    await noneLeft();
  });

  it('that nobody answers is no way; one that hangs is given up with its child', async () => {
    const refused = await open(over('lo'), PATIENCE_MS, 1);
    assert.ok(!refused.ok && refused.error.code === 'EHOSTUNREACH', JSON.stringify(refused));
    await site.behave({ kind: 'hang', at: 'accept' });
    const hung = await open(over('lo'), SHORT_MS);
    assert.ok(!hung.ok && hung.at === 'tls');
    await noneLeft();
  });

  it('says nothing of an interface that is not there, nor without perl', async () => {
    for (const dial of [over('nope9'), over('lo', '/no/perl'), over('lo', '/etc/hostname')]) {
      const opened = await open(dial);
      assert.ok(!opened.ok && opened.error instanceof UnknownWayError, JSON.stringify(opened));
    }
    await noneLeft();
  });
});

describe('an interface that stands by', () => {
  const trialOf = (more: Partial<ConstructorParameters<typeof StandbyTrial>[0]> = {}): StandbyTrial =>
    new StandbyTrial({
      site: { host: SITE, port: site.port, ca: ca.certificatePem },
      timeoutMs: PATIENCE_MS,
      ...more,
    });
  const found = async (trial: StandbyTrial, waitMs = PATIENCE_MS): Promise<unknown> => {
    const { uplinks } = await trial.beside(LINK, ['127.0.0.1'], waitMs);
    return uplinks?.map(({ hasInternet }) => hasInternet ?? null);
  };

  it('is tried once, by a handshake without a request, and what carries is not', async () => {
    const { handshakes, requests } = site.counts;
    const trial = trialOf();
    assert.deepEqual(await found(trial, 0), [null, null, null]);
    await until(() => site.counts.handshakes === handshakes + 1, 'it is tried', PATIENCE_MS);
    assert.deepEqual(await found(trial), [null, true, null]);
    assert.deepEqual(await found(trial), [null, true, null]);
    assert.deepEqual([site.counts.handshakes, site.counts.requests], [handshakes + 1, requests]);
    await noneLeft();
    // The internet came back and went again within a minute: not tried again so soon, and what was known is gone.
    trial.online();
    assert.deepEqual(await found(trial, 100), [null, null, null]);
    assert.equal(site.counts.handshakes, handshakes + 1);
  });

  it('is tried less and less often in a long outage, and a tenth as often where bytes are saved', async () => {
    const triedInADay = async (sparing: boolean): Promise<number> => {
      let tried = 0;
      let nowMs = 0;
      const dial: Dial = () => {
        tried += 1;
        return new Socket().destroy(new Error('no way'));
      };
      const trial = trialOf({ sparing, over: () => dial, now: () => nowMs });
      for (; nowMs < 86_400_000; nowMs += 30_000) await found(trial);
      return tried;
    };
    // After 1, 2, 4, 8 min and every 15 then; after 15 and 30 min, 1 and 2 h, and every 4 h then.
    assert.deepEqual([await triedInADay(false), await triedInADay(true)], [4 + 95, 4 + 6]);
  });

  it('has none behind a portal', async () => {
    site.showCertificate('foreign');
    assert.deepEqual(await found(trialOf()), [null, false, null]);
  });

  it('is tried by the proxy, if there is one', async () => {
    const proxy = await ProxyServer.start({ hosts: { [SITE]: '127.0.0.1' } });
    try {
      const by = { host: '127.0.0.1', port: proxy.port, secure: false };
      const trial = trialOf({ site: { host: SITE, port: site.port, ca: ca.certificatePem, proxy: by } });
      assert.deepEqual(await found(trial), [null, true, null]);
      assert.deepEqual(proxy.asked, [`${SITE}:${site.port}`]);
    } finally {
      await proxy.stop();
    }
  });

  it('is not judged where nothing can be said, and is not asked without an address or without need', async () => {
    assert.deepEqual(await found(trialOf({ over: () => over('nope9') })), [null, null, null]);
    const { connections } = site.counts;
    const trial = trialOf();
    assert.equal(await trial.beside(LINK, [], PATIENCE_MS).then(({ uplinks }) => uplinks?.[1]?.hasInternet), undefined);
    const one: LinkEvidence = { phase: 'link', ok: true };
    assert.equal(await trial.beside(one, ['127.0.0.1'], PATIENCE_MS), one);
    assert.equal(site.counts.connections, connections);
  });
});
