/** The data saver over real sockets: the session of the cloud as the proof, an outage that is noticed all the same, and bytes that are counted. */
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Session } from '../../src/main/connection/session.js';
import { createLookup } from '../../src/main/net/lookup.js';
import { InternetConnectionMonitor, type MonitorOptions } from '../../src/main/index.js';
import { carriedFor } from '../../src/workers/net/meter.js';
import { LocalCloud } from '../support/local-cloud.js';
import { RecordedLog } from '../support/recorded-log.js';
import { until } from '../support/until.js';
import { Fixture } from './web-pubsub-fixture.js';

const LOOK_SECS = 0.2;

describe('the data saver', () => {
  let cloud: LocalCloud;
  let fixture: Fixture;
  let monitor: InternetConnectionMonitor | undefined;
  before(async () => {
    cloud = await LocalCloud.start();
  });
  after(() => cloud.stop());
  beforeEach(() => {
    fixture = new Fixture(cloud.clientAccessUrl());
  });
  afterEach(async () => {
    await monitor?.stop();
    await fixture.close();
    await cloud.repairInternet();
  });

  function connect(): Promise<Session> {
    const lookup = createLookup(() => ({ timeoutMs: 2_000, nameServers: [cloud.names.hostAndPort] }));
    return fixture.open({ group: cloud.group, lookup, ca: cloud.ca.certificatePem, sparing: () => true });
  }

  function look(options: MonitorOptions): { monitor: InternetConnectionMonitor; log: RecordedLog } {
    const log = new RecordedLog();
    monitor = new InternetConnectionMonitor({
      testDomain: cloud.testDomain,
      nameServers: [cloud.names.hostAndPort],
      ca: cloud.ca.certificatePem,
      checkIntervalSecs: 0.1,
      timeoutSecs: 1,
      followLinks: false,
      dataSaver: { lookEverySecs: LOOK_SECS },
      log,
      ...options,
    });
    monitor.start();
    return { monitor, log };
  }

  it('asks the connection and not the site, until it is in doubt; an outage and its end are noticed', async () => {
    const session = await connect();
    let answered = 0;
    const { monitor } = look({
      liveConnection: async (withinMs) => {
        const alive = await session.answers(withinMs);
        if (alive) answered += 1;
        return alive;
      },
    });
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    const { requests } = cloud.site.counts;
    await until(() => answered >= 5, 'answers of the connection');
    assert.equal(cloud.site.counts.requests, requests, 'the site is left in peace');
    await cloud.breakInternet('silent');
    await until(() => monitor.status.verdict === 'offline', 'the outage', 40_000);
    assert.equal(monitor.status.lastEvidence?.live !== 'answered', true);
    await cloud.repairInternet();
    await monitor.waitForConnection({ timeoutMs: 40_000 });
  });

  it('asks the site now and then all the same', async () => {
    const { monitor } = look({
      liveConnection: () => Promise.resolve(true),
      dataSaver: { lookEverySecs: 0.05, checkEverySecs: 0.5 },
    });
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    const { requests } = cloud.site.counts;
    await until(() => cloud.site.counts.requests >= requests + 3, 'further checks');
  });

  it('asks the site rarely where no connection lives', async () => {
    const { monitor } = look({ dataSaver: { lookEverySecs: 0.05, checkAloneEverySecs: 0.5 } });
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    const { requests } = cloud.site.counts;
    await until(() => cloud.site.counts.requests >= requests + 3, 'further checks');
  });

  it('can be switched on and off while it runs, and says what it was asked by doubt', async () => {
    const { monitor, log } = look({ liveConnection: () => Promise.resolve(false), dataSaver: false });
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    const triggers = (): unknown[] => log.lines.map(({ fields }) => fields['trigger']);
    await until(() => triggers().includes('interval'), 'checks at the interval');
    monitor.configure({ dataSaver: { lookEverySecs: 0.05 } });
    await until(() => triggers().includes('doubted'), 'checks out of doubt');
    assert.equal(monitor.isConnected, true, 'a connection that is silent while the site answers is no outage');
  });

  it('counts the bytes of TCP by use, of connections that are open and of those that are over', async () => {
    const before = carriedFor('cloud');
    const session = await connect();
    const opened = carriedFor('cloud');
    // A certificate and a JSON Web Token at the least.
    assert.ok(opened.received - before.received > 1_000, String(opened.received - before.received));
    assert.ok(opened.sent - before.sent > 500, String(opened.sent - before.sent));
    assert.equal(await session.answers(5_000), true);
    const asked = carriedFor('cloud');
    // A frame of TLS 1.3 around a masked frame around {"type":"ping"}.
    assert.ok(asked.sent - opened.sent >= 22 + 6 + 15 && asked.sent - opened.sent < 200, String(asked.sent));
    await fixture.close();
    await until(() => carriedFor('cloud').sent > asked.sent, 'the farewell');
    assert.ok(carriedFor('cloud').received >= asked.received, 'nothing is forgotten at the end');

    const { monitor } = look({ dataSaver: false });
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    const { received, sent } = monitor.carried;
    assert.ok(received > 500 && sent > 300, `${received} received, ${sent} sent`);
    await monitor.checkNow({ fresh: true });
    const more = monitor.carried.sent - sent;
    // A request over the kept connection, or a handshake.
    assert.ok(more >= 40 && more < 2_000, `${more} more sent`);
  });
});
