/** Proves that each fault does what its name says, and is undone completely. Needs root. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  FAULTS,
  blackHole,
  clockOff,
  cloudDropped,
  downlinkDropped,
  largeLost,
  latency,
  linkDown,
  packetLoss,
  resolvConfReplaced,
  uplinkDropped,
  type Fault,
} from './faults.js';
import { bytesOf } from './counters.js';
import { Lab } from './lab.js';
import { etcOf, pidsIn, sweepStale } from './netns.js';
import { CLOUD_NAME, NET, PI, PLACES, PORTAL, PORTS, SITE_NAME } from './topology.js';
import { HEALTHY, look, type View } from './view.js';
import { endOf, happens } from '../support/ends.js';

const both = (https: string): View => ({ ...HEALTHY, https4: https, https6: https });
const names = (answer: string): View => ({ ...HEALTHY, a: answer, aaaa: answer });
const UNREACHABLE: View = {
  a: 'ECONNREFUSED',
  aaaa: 'ECONNREFUSED',
  https4: 'tcp ENETUNREACH',
  https6: 'tcp ENETUNREACH',
};
const SILENT: View = { a: 'TIMEOUT', aaaa: 'TIMEOUT', https4: 'tcp TIMEOUT', https6: 'tcp TIMEOUT' };

/** What the Pi sees under each fault. One with a number or a clock has a test of its own further down. */
const VIEWS: Readonly<Record<string, View>> = {
  'link-down': UNREACHABLE,
  'carrier-lost': SILENT,
  'no-address': UNREACHABLE,
  'no-default-route': UNREACHABLE,
  'black-hole': SILENT,
  'uplink-dropped': SILENT,
  'downlink-dropped': SILENT,
  'dns-dropped': names('TIMEOUT'),
  'dns-nxdomain': names('ENOTFOUND'),
  'dns-servfail': names('ESERVFAIL'),
  'dns-refused': names('EREFUSED'),
  'dns-slow-1000': HEALTHY,
  'dns-hijacked': { ...HEALTHY, a: `to ${PORTAL.v4}`, aaaa: 'ENODATA' },
  'portal-redirect': both('tls UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
  'portal-new-flows': both('tls UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
  'portal-443-dropped': both('tcp TIMEOUT'),
  'portal-443-reset': both('tcp ECONNREFUSED'),
  'portal-443-plain': both('tls EPROTO'),
  'portal-expired': both('tls CERT_HAS_EXPIRED'),
  'portal-not-yet-valid': both('tls CERT_NOT_YET_VALID'),
  'portal-clock-2019': both('tls CERT_HAS_EXPIRED'),
  'portal-511': both('tcp ECONNREFUSED'),
  'https-dropped': both('tcp TIMEOUT'),
  'https-refused': both('tcp ECONNREFUSED'),
  'cloud-dropped': HEALTHY,
  'https-payload-dropped': both('tls TIMEOUT'),
  'site-dropped': both('tcp TIMEOUT'),
  'site-refused': both('tcp ECONNREFUSED'),
  'site-unknown': { a: 'ENOTFOUND', aaaa: 'ENOTFOUND', https4: 'tcp TIMEOUT', https6: 'tcp TIMEOUT' },
  'hang-after-accept': both('tls TIMEOUT'),
  'hang-after-tls': both('http TIMEOUT'),
  'certificate-foreign': both('tls UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
  'certificate-expired': both('tls CERT_HAS_EXPIRED'),
  'certificate-not-yet-valid': both('tls CERT_NOT_YET_VALID'),
  'status-500': both('500'),
  redirect: both('301'),
  'ipv6-only': { ...HEALTHY, https4: 'tcp ENETUNREACH' },
  'ipv4-only': { ...HEALTHY, https6: 'tcp ENETUNREACH' },
  'ipv6-tcp-only': { ...HEALTHY, https6: 'tls TIMEOUT' },
  'ipv6-large-lost': { ...HEALTHY, https6: 'tls TIMEOUT' },
  // A small request and a small handshake pass.
  'ipv6-large-lost-out': HEALTHY,
  'ipv6-broken': { ...HEALTHY, https6: 'tcp TIMEOUT' },
  'resolv-conf-replaced': HEALTHY,
  'resolv-conf-empty': names('ECONNREFUSED'),
  'resolved-away': names('ECONNREFUSED'),
};
const ELSEWHERE = new Set(['packet-loss-20', 'latency-300', 'large-lost-1300', 'clock-6y']);

describe('the faults of the lab', () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.create();
  });
  after(() => lab.destroy());

  it('begins healthy', async () => {
    assert.deepEqual(await look(lab), HEALTHY);
  });

  /** The fault is repaired whatever happens, so that one failure stays one. */
  async function during(fault: Fault, work: () => Promise<void>): Promise<void> {
    await fault.apply(lab);
    try {
      await work();
    } finally {
      await fault.repair(lab);
    }
    assert.deepEqual(await look(lab), HEALTHY, 'after the repair');
  }

  for (const fault of FAULTS.filter(({ name }) => !ELSEWHERE.has(name))) {
    it(`${fault.name}: ${fault.says}`, async () => {
      const expected = VIEWS[fault.name];
      assert.ok(expected, `no view is expected under ${fault.name}`);
      await during(fault, async () => assert.deepEqual(await look(lab, expected), expected));
    });
  }

  it('dns-slow: the answer takes as long as said', async () => {
    const slow = FAULTS.find(({ name }) => name === 'dns-slow-1000')!;
    await during(slow, async () => {
      const outcome = await lab.probe.call('lookUp', { name: SITE_NAME, type: 'A', timeoutMs: 8_000 });
      assert.ok(outcome.ok && outcome.ms >= 990, JSON.stringify(outcome));
    });
  });

  it('one direction dropped: a query arrives or it does not, an answer never comes', async () => {
    const arrived = async (): Promise<number> => {
      const { dnsQueries } = await lab.internet.call('counts', undefined);
      await lab.probe.call('lookUp', { name: SITE_NAME, type: 'A', timeoutMs: 500 });
      return (await lab.internet.call('counts', undefined)).dnsQueries - dnsQueries;
    };
    await during(uplinkDropped, async () => assert.equal(await arrived(), 0));
    await during(downlinkDropped, async () => assert.ok((await arrived()) > 0));
  });

  it('the cloud is there for a device in pi, until its port is dropped', async () => {
    const url = await lab.internet.call('clientAccessUrl', { userId: 'device' });
    assert.match(url, /^wss:\/\/cloud\.lab\.test:8443\/client\/hubs\/dunebugger\?access_token=/);
    const [name, to] = [CLOUD_NAME, { address: NET.v4, port: PORTS.cloud, ca: lab.ca }];
    const negotiated = await lab.probe.call('head', { ...to, name, timeoutMs: 8_000 });
    assert.equal(negotiated.ok, true, JSON.stringify(negotiated));
    await during(cloudDropped, async () => {
      const outcome = await lab.probe.call('head', { ...to, name, timeoutMs: 500 });
      assert.ok(!outcome.ok && outcome.at === 'tcp' && outcome.error === 'TIMEOUT', JSON.stringify(outcome));
    });
    await lab.internet.call('browserJoin', { group: 'g', userId: 'browser' });
    await lab.internet.call('waitForMember', { group: 'g', userId: 'browser', timeoutMs: 8_000 });
    await lab.internet.call('browserSend', { data: { hello: 1 } });
    assert.equal((await lab.internet.call('cloud', undefined)).live.length, 1);
  });

  it('latency: a connect takes two ways, and whole pages come through', async () => {
    await during(latency(100), async () => {
      const to = { address: NET.v4, port: PORTS.site, timeoutMs: 8_000 };
      for (const address of [NET.v4, NET.v6]) {
        const outcome = await lab.probe.call('connect', { ...to, address });
        assert.ok(outcome.ok && outcome.ms >= 195, JSON.stringify(outcome));
      }
      assert.deepEqual(await look(lab), HEALTHY);
    });
  });

  it('packet-loss: some queries are lost and some are not', async () => {
    await during(packetLoss(20), async () => {
      const queries = Array.from({ length: 100 }, () =>
        lab.probe.call('lookUp', { name: SITE_NAME, type: 'A', timeoutMs: 1_500 }),
      );
      const answered = (await Promise.all(queries)).filter((outcome) => outcome.ok).length;
      // 0.8 * 0.8 of them come back: 64, give or take 5 (one standard deviation).
      assert.ok(answered >= 30 && answered <= 95, `${answered} of 100 queries were answered`);
    });
  });

  it('large-lost: a small request is answered, one that fills a packet is not', async () => {
    const ask = (bytes: number): string => `const https = require('node:https');
      const options = { host: '${NET.v4}', servername: '${SITE_NAME}', method: 'HEAD', timeout: 1_500, ca: process.env.LAB_CA,
        headers: { host: '${SITE_NAME}', padding: 'x'.repeat(${bytes}) } };
      https.request(options, (response) => console.log(response.statusCode)).on('timeout', function () { this.destroy(); })
        .on('error', ({ code }) => console.log(code)).end();`;
    const env = { LAB_CA: lab.ca };
    const [small, large] = [10, 3_000];
    assert.equal(await output('pi', ['-e', ask(large)], env), '200\n');
    await during(largeLost(1_300), async () => {
      assert.equal(await output('pi', ['-e', ask(small)], env), '200\n');
      assert.equal(await output('pi', ['-e', ask(large)], env), 'ECONNRESET\n');
    });
    assert.equal(await output('pi', ['-e', ask(large)], env), '200\n');
  });

  it('resolv-conf-replaced: a process that keeps the old name server gets no answer', async () => {
    await during(resolvConfReplaced, async () => {
      assert.match(lab.resolvConf, /10\.77\.66\.53/);
      const fixed = `const { Resolver } = require('node:dns').promises;
        const resolver = new Resolver({ timeout: 500, tries: 1 });
        resolver.setServers(['${NET.v4}']);
        resolver.resolve4('${SITE_NAME}').then(() => console.log('answered'), (error) => console.log(error.code));`;
      assert.equal(await output('pi', ['-e', fixed]), 'ETIMEOUT\n');
    });
  });

  it('clock: the process lives years off until the clock is set, and its timers do not notice', async () => {
    const script = `const startedAt = performance.now(), start = Date.now();
      const timer = setInterval(() => {
        if (Date.now() - start < 3e10 && performance.now() - startedAt < 10e3) return;
        clearInterval(timer);
        console.log(performance.now() - startedAt < 10e3 ? 'set' : 'never set');
      }, 50);
      console.log(new Date().getFullYear());`;
    const fault = clockOff('-6y');
    await fault.apply(lab);
    const child = lab.exec('pi', process.execPath, ['-e', script], { env: lab.clockEnv() });
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
    // Asked for before it can happen: the repair takes as long as the child may need to see it.
    const closed = once(child, 'close');
    await once(child.stdout!, 'data');
    await fault.repair(lab);
    await closed;
    assert.equal(text, `${new Date().getFullYear() - 6}\nset\n`);
  });

  it('the router counts what the Pi sends, also what is then dropped', async () => {
    const to = { address: NET.v4, port: PORTS.site, timeoutMs: 8_000 };
    const start = await lab.traffic();
    await lab.probe.call('connect', to);
    const healthy = await lab.traffic(start);
    assert.deepEqual([healthy.synSite.packets, healthy.syn.packets, healthy.dns.packets], [1, 1, 0]);
    assert.ok(bytesOf(healthy.up, healthy.down).frames > 54 * 3, `${bytesOf(healthy.up, healthy.down).frames} bytes`);
    const quiet = await lab.traffic();
    assert.deepEqual((await lab.traffic(quiet)).syn, { packets: 0, bytes: 0 });
    await during(blackHole, async () => {
      await lab.probe.call('connect', { ...to, timeoutMs: 300 });
      const dropped = await lab.traffic(quiet);
      assert.ok(dropped.synSite.packets >= 1);
      assert.equal(dropped.down.packets, 0);
    });
  });

  it('link-down takes the routes along, and the repair restores them', async () => {
    const routes = (): Promise<unknown> => lab.ipJson('pi', 'route', 'show');
    const earlier = await routes();
    await during(linkDown, async () => assert.deepEqual(await routes(), []));
    assert.deepEqual(await routes(), earlier);
  });

  it('a fault of the links keeps nothing of the kernel for itself', async () => {
    const state = async (): Promise<unknown> =>
      Promise.all(
        PLACES.flatMap((place) => ['route', '-6 route'].map((what) => lab.ipJson(place, ...what.split(' ')))),
      );
    const earlier = await state();
    for (const fault of FAULTS.slice(0, 4)) {
      await fault.apply(lab);
      await fault.repair(lab);
    }
    assert.deepEqual(await state(), earlier);
  });

  async function output(place: 'pi', args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const child = lab.exec(place, process.execPath, args, { env });
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await endOf(child, args.join(' '));
    return text;
  }
});

describe('the lab itself', () => {
  it('several run side by side, and nothing of them is left', async () => {
    const labs = await Promise.all([Lab.create(), Lab.create({ ipv6: false })]);
    const [one, other] = labs;
    try {
      await blackHole.apply(one);
      assert.deepEqual(await look(one, SILENT), SILENT);
      const seen = await look(other, { ...HEALTHY, https6: 'tcp ENETUNREACH' });
      assert.deepEqual(seen, { a: 'ok', aaaa: 'ENODATA', https4: '200', https6: 'tcp ENETUNREACH' });
      one.exec('pi', 'sleep', ['1000']);
      assert.ok(!(await other.probe.call('addresses', undefined)).some((address) => address === PI.v6));
    } finally {
      await Promise.all(labs.map((lab) => lab.destroy()));
    }
    const left = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });
    for (const lab of labs) {
      assert.ok(!left.includes(lab.prefix));
      assert.ok(!existsSync(lab.folder));
      for (const place of PLACES) assert.ok(!existsSync(etcOf(lab.namespace(place))));
    }
  });

  it('what a killed test leaves is removed by the next', async () => {
    const labUrl = new URL('./lab.js', import.meta.url).href;
    const script = `import { Lab } from '${labUrl}';
      const lab = await Lab.create();
      lab.exec('pi', 'sleep', ['1000']);
      process.send(lab.prefix);
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const [prefix] = (await happens(child, 'message', 'a lab')) as [string];
    child.kill('SIGKILL');
    await endOf(child, 'the test that is killed');
    const pids = pidsIn(`${prefix}-pi`);
    assert.ok(pids.length > 0);
    const swept = await sweepStale();
    assert.deepEqual(
      swept.filter((name) => name.startsWith(prefix)).sort(),
      PLACES.map((place) => `${prefix}-${place}`).sort(),
    );
    assert.deepEqual(pidsIn(`${prefix}-pi`), []);
    assert.deepEqual(
      readdirSync(tmpdir()).filter((name) => name.startsWith(prefix)),
      [],
    );
  });

  it('says so when it is not run as root, as an error', () => {
    const lab = fileURLToPath(new URL('./lab.js', import.meta.url));
    const script = `import { Lab } from '${lab}'; await Lab.create().catch((error) => console.log(error.code, error.message));`;
    const text = execFileSync(process.execPath, ['--input-type=module', '-e', `process.setuid(65534); ${script}`], {
      encoding: 'utf8',
    });
    assert.match(text, /^ERR_LAB_UNAVAILABLE .*root/);
  });
});
