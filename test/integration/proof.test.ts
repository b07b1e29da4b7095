/** The test site fails and the internet does not: the monitor with witnesses and a live connection, over real sockets. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { InternetConnectionMonitor, type MonitorOptions } from '../../src/main/index.js';
import { HttpsSite } from '../support/https-site.js';
import { LocalCloud } from '../support/local-cloud.js';
import { RecordedLog } from '../support/recorded-log.js';
import { until } from '../support/until.js';

/** Long enough for a handshake on a busy machine. */
const TIMEOUT_SECS = 2;
/** How the site alone fails, and what is said of it. */
const FAULTS: readonly [string, (cloud: LocalCloud) => Promise<void> | void, RegExp][] = [
  [
    'an expired certificate',
    (cloud) => cloud.site.showCertificate('expired'),
    /not: its certificate expired on \d{4}-/,
  ],
  [
    'a certificate of tomorrow',
    (cloud) => cloud.site.showCertificate('not-yet-valid'),
    /not: its certificate is not valid yet/,
  ],
  [
    "somebody else's certificate",
    (cloud) => cloud.site.showCertificate('foreign'),
    /not: it shows somebody else's certif/,
  ],
  [
    'a name that does not exist',
    (cloud) => cloud.names.setRecord(cloud.siteName, []),
    /not: its name leads to no address/,
  ],
  ['a port that is refused', (cloud) => cloud.site.behave({ kind: 'refuse' }), /not: it refuses connections/],
  ['silence in TLS', (cloud) => cloud.site.behave({ kind: 'hang', at: 'accept' }), /not: its TLS handshake fails/],
  ['silence in HTTP', (cloud) => cloud.site.behave({ kind: 'hang', at: 'request' }), /not: it sends no answer/],
];

describe('where only the test site fails', () => {
  let cloud: LocalCloud;
  const running: InternetConnectionMonitor[] = [];
  before(async () => {
    cloud = await LocalCloud.start();
  });
  after(() => cloud.stop());
  afterEach(async () => {
    await Promise.all(running.splice(0).map((monitor) => monitor.stop()));
    cloud.names.setRecord(cloud.siteName, ['127.0.0.1']);
    await cloud.repairInternet();
  });

  function make(options: MonitorOptions): { monitor: InternetConnectionMonitor; log: RecordedLog } {
    const log = new RecordedLog();
    const monitor = new InternetConnectionMonitor({
      testDomain: `${cloud.siteName}:${cloud.site.port}`,
      nameServers: [cloud.names.hostAndPort],
      ca: cloud.ca.certificatePem,
      checkIntervalSecs: 0.2,
      timeoutSecs: TIMEOUT_SECS,
      followLinks: false,
      log,
      ...options,
    });
    running.push(monitor);
    monitor.start();
    return { monitor, log };
  }

  const told = (log: RecordedLog): readonly string[] =>
    log.at('warn').filter((line) => line.startsWith('The internet'));
  const checks = (log: RecordedLog): number =>
    log.lines.filter(({ message }) => message.startsWith('Internet check')).length;

  for (const [name, fail, words] of FAULTS) {
    it(`${name}: a witness makes it online from the start, the log names the site once, and then its return`, async () => {
      await fail(cloud);
      const { negotiations, upgrades } = cloud.pubsub.counts;
      const { monitor, log } = make({ witnesses: [cloud.gate.hostAndPort] });
      await monitor.waitForConnection({ timeoutMs: 20_000 });
      const seen = checks(log);
      await until(() => checks(log) >= seen + 3, 'more checks');
      assert.equal(monitor.isConnected, true);
      assert.equal(told(log).length, 1);
      assert.match(told(log)[0] ?? '', words);
      assert.match(told(log)[0] ?? '', /shows its certificate; the site is asked with every check\. Tell whoever/);
      assert.deepEqual([cloud.pubsub.counts.negotiations, cloud.pubsub.counts.upgrades], [negotiations, upgrades]);
      cloud.names.setRecord(cloud.siteName, ['127.0.0.1']);
      await cloud.site.repair();
      await until(() => log.at('info').includes('The test site answers again'), 'its return');
    });
  }

  it('a live connection that answers keeps online what is online, and one that goes silent does not', async () => {
    let alive = true;
    let asked = 0;
    const { monitor, log } = make({
      liveConnection: () => {
        asked += 1;
        return Promise.resolve(alive);
      },
    });
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    assert.equal(asked, 0, 'it is left in peace while the site answers');
    cloud.site.showCertificate('expired');
    await until(() => told(log).length === 1, 'the site is named');
    assert.match(told(log)[0] ?? '', /The verdict stays, as the live connection answers/);
    const seen = checks(log);
    await until(() => checks(log) >= seen + 3, 'more checks');
    assert.equal(monitor.isConnected, true);
    alive = false;
    await until(() => !monitor.isConnected, 'the loss');
    assert.equal(monitor.status.reason, 'tls-failed');
  });

  it('a live connection that cannot be asked proves nothing', async () => {
    const { monitor } = make({ liveConnection: () => Promise.reject(new Error('broken')), failuresToOffline: 1 });
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    await cloud.site.behave({ kind: 'refuse' });
    await until(() => !monitor.isConnected, 'the loss');
  });

  it('a real outage at the same time is one: neither witness nor connection answers', async () => {
    cloud.site.showCertificate('expired');
    let alive = true;
    const { monitor, log } = make({
      witnesses: [cloud.gate.hostAndPort],
      liveConnection: () => Promise.resolve(alive),
      timeoutSecs: 0.5,
    });
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    alive = false;
    await cloud.breakInternet('silent');
    await until(() => !monitor.isConnected, 'the loss');
    await cloud.repairInternet();
    cloud.site.showCertificate('expired');
    await monitor.waitForConnection({ timeoutMs: 60_000 });
    assert.equal(told(log).length, 2, 'told anew after the outage');
  });

  it('a portal cannot forge a witness, and the old connection behind it is not enough', async () => {
    // Of an authority of its own, as a portal's is.
    const portal = await HttpsSite.start({ names: ['127.0.0.1'] });
    cloud.site.showCertificate('foreign');
    const { monitor } = make({ witnesses: [portal.hostAndPort], liveConnection: () => Promise.resolve(true) });
    await until(() => monitor.status.verdict === 'offline', 'the verdict');
    assert.equal(monitor.status.reason, 'portal');
    await portal.stop();
  });

  it('the second of two sites is asked where the first fails', async () => {
    const second = await HttpsSite.start({ ca: cloud.ca });
    await cloud.site.behave({ kind: 'refuse' });
    const { monitor } = make({ testDomain: `${cloud.siteName}:${cloud.site.port}, ${second.hostAndPort}` });
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    assert.equal(second.counts.requests, 0, 'a handshake is enough');
    await second.stop();
  });

  it('where one failure makes offline, the witnesses are asked before it does', async () => {
    await cloud.site.behave({ kind: 'refuse' });
    const { monitor } = make({ witnesses: [cloud.gate.hostAndPort], failuresToOffline: 1, checkIntervalSecs: 600 });
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    assert.equal(monitor.status.lastEvidence?.siteReason, 'tcp-refused');
    assert.equal(monitor.status.lastEvidence.witnesses?.at(-1)?.ok, true);
  });

  it('of several witnesses one is enough, and one that hangs holds nobody up', async () => {
    const silent = await HttpsSite.start({ ca: cloud.ca });
    await silent.behave({ kind: 'hang', at: 'accept' });
    await cloud.site.behave({ kind: 'refuse' });
    const { monitor } = make({
      witnesses: [silent.hostAndPort, `127.0.0.1:${cloud.names.port}`, cloud.gate.hostAndPort],
    });
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    await silent.stop();
  });

  it('other witnesses while it runs are no reason to check afresh', async () => {
    const { monitor } = make({ checkIntervalSecs: 600 });
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    const { requests } = cloud.site.counts;
    monitor.configure({ witnesses: [cloud.gate.hostAndPort] });
    await monitor.checkNow();
    assert.equal(cloud.site.counts.requests, requests + 1);
    await cloud.site.behave({ kind: 'refuse' });
    await monitor.checkNow();
    await until(() => monitor.status.lastEvidence?.siteReason !== undefined, 'they are asked');
    assert.equal(monitor.isConnected, true);
  });
});
