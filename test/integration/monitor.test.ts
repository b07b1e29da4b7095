/** The internet monitor as its users meet it: two threads, real sockets, an internet that breaks. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { after, afterEach, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  InternetConnectionMonitor,
  MonitorError,
  type CheckEvidence,
  type InternetMonitorStatus,
  type MonitorOptions,
} from '../../src/main/index.js';
import { LocalCloud } from '../support/local-cloud.js';
import { RecordedLog } from '../support/recorded-log.js';
import { until } from '../support/until.js';

const CHILD = fileURLToPath(new URL('./monitor-child.js', import.meta.url));

describe('the internet monitor', () => {
  let cloud: LocalCloud;
  const running: InternetConnectionMonitor[] = [];
  before(async () => {
    cloud = await LocalCloud.start();
  });
  after(() => cloud.stop());
  afterEach(async () => {
    await Promise.all(running.splice(0).map((monitor) => monitor.stop()));
    await cloud.repairInternet();
  });

  function make(options: MonitorOptions = {}): { monitor: InternetConnectionMonitor; log: RecordedLog } {
    const log = new RecordedLog();
    const monitor = new InternetConnectionMonitor({
      testDomain: `${cloud.siteName}:${cloud.site.port}`,
      nameServers: [cloud.names.hostAndPort],
      ca: cloud.ca.certificatePem,
      checkIntervalSecs: 0.3,
      timeoutSecs: 0.3,
      followLinks: false,
      log,
      ...options,
    });
    running.push(monitor);
    return { monitor, log };
  }

  it('tells its listeners of each change, the first verdict included', async () => {
    const { monitor } = make();
    const told: string[] = [];
    monitor.onConnected(({ verdict }) => told.push(verdict));
    const remove = monitor.onDisconnected(({ verdict, reason }) => told.push(`${verdict} ${reason ?? ''}`));
    assert.deepEqual([monitor.status.verdict, monitor.isConnected], ['unknown', false]);
    monitor.start();
    await until(() => told.length === 1, 'the first verdict');
    assert.equal(monitor.isConnected, true);
    await cloud.breakInternet('portal');
    await until(() => told.length === 2, 'the loss');
    await cloud.repairInternet();
    await until(() => told.length === 3, 'the return');
    remove();
    await cloud.breakInternet('refused');
    await until(() => monitor.status.verdict === 'offline', 'the second loss');
    assert.deepEqual(told, ['online', 'offline portal', 'online']);
  });

  it('tells each check once and in its order, with its own numbers, where nobody reads a line on each', async () => {
    const silent = () => undefined;
    const log = { debug: silent, info: silent, warn: silent, error: silent, showsDebug: () => false };
    const { monitor } = make({ checkIntervalSecs: 0.1, followLinks: true, log });
    const heard: CheckEvidence[] = [];
    monitor.onChecked((evidence) => heard.push(evidence));
    monitor.start();
    const before = cloud.site.counts.requests;
    await until(() => heard.length >= 20, 'twenty checks');
    await cloud.breakInternet('refused');
    await until(() => monitor.status.verdict === 'offline', 'the loss');
    await monitor.stop();
    assert.deepEqual(
      heard.map(({ checkId }) => checkId),
      heard.map((_, i) => i + 1),
    );
    const passed = heard.filter(({ ok }) => ok);
    // The last of them may have been on its way as the site went.
    const asked = cloud.site.counts.requests - before;
    assert.ok(passed.length === asked || passed.length === asked - 1, `${passed.length} of ${asked}`);
    const times = heard.map(({ startedAtMs }) => startedAtMs);
    assert.deepEqual(
      times,
      [...new Set(times)].sort((a, b) => a - b),
      'each at its own time',
    );
    assert.ok(monitor.carried.sent > 20 * 40, 'the bytes of all');
  });

  it('starts offline where there is no internet, with the reason and the evidence', async () => {
    await cloud.breakInternet('silent');
    const { monitor, log } = make();
    monitor.start();
    await until(() => monitor.status.verdict === 'offline', 'the verdict');
    const { reason, sinceMs, lastEvidence } = monitor.status;
    assert.equal(reason, 'dns-timeout');
    assert.ok(Math.abs(Date.now() - sinceMs) < 60_000);
    assert.equal(lastEvidence?.dns?.error, 'ETIMEOUT');
    assert.match(
      log.at('warn')[0] ?? '',
      /^Offline: name server silent; looking again every 0\.3 s\. No name server answers\. The line or the name server is dead/,
    );
  });

  it('a listener that throws or rejects is told in the log and hurts nobody', async () => {
    const { monitor, log } = make();
    const told: string[] = [];
    monitor.onConnected(() => {
      throw new Error('thrown by a listener');
    });
    monitor.onConnected(() => Promise.reject(new Error('rejected by a listener')));
    monitor.onConnected(() => told.push('last'));
    monitor.start();
    await until(() => told.length === 1 && log.at('error').length === 2, 'all three');
    assert.deepEqual(
      log.at('error').map((line) => /(thrown|rejected) by a listener/.exec(line)?.[1]),
      ['thrown', 'rejected'],
    );
    await cloud.breakInternet('refused');
    await until(() => monitor.status.verdict === 'offline', 'checks go on');
  });

  it('checks when asked, and each asker gets a check begun after the question', async () => {
    const { monitor } = make({ checkIntervalSecs: 600 });
    await assert.rejects(monitor.checkNow(), { code: 'ERR_MONITOR_STOPPED', message: /start it first/ });
    monitor.start();
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    const before = cloud.site.counts.requests;
    const answers = await Promise.all([monitor.checkNow(), monitor.checkNow(), monitor.checkNow()]);
    assert.deepEqual(
      answers.map(({ verdict }) => verdict),
      ['online', 'online', 'online'],
    );
    assert.ok(cloud.site.counts.requests - before <= 2, 'one check serves those who ask together');
    const last = answers.at(-1) as InternetMonitorStatus;
    const next = await monitor.checkNow();
    assert.ok((next.lastEvidence?.checkId ?? 0) > (last.lastEvidence?.checkId ?? 0));
    assert.equal(next.lastEvidence?.trigger, 'asked');
  });

  it('waits for the connection, with a deadline and a signal', async () => {
    await cloud.breakInternet('refused');
    const { monitor } = make();
    monitor.start();
    await assert.rejects(
      monitor.waitForConnection({ timeoutMs: 20 }),
      (error) => error instanceof MonitorError && error.code === 'ERR_WAIT_TIMEOUT',
    );
    const reason = new Error('no longer wanted');
    await assert.rejects(monitor.waitForConnection({ signal: AbortSignal.abort(reason) }), reason);
    const abort = new AbortController();
    const aborted = monitor.waitForConnection({ signal: abort.signal });
    const waiting = monitor.waitForConnection({ timeoutMs: 20_000 });
    abort.abort(reason);
    await assert.rejects(aborted, reason);
    await cloud.repairInternet();
    await waiting;
    await monitor.waitForConnection();
    const stopped = make().monitor;
    stopped.start();
    const pending = stopped.waitForConnection();
    const ended = assert.rejects(pending, { code: 'ERR_MONITOR_STOPPED' });
    await stopped.stop();
    await ended;
  });

  it('takes new settings over, from a check that begins at once', async () => {
    const { monitor } = make({ checkIntervalSecs: 600 });
    monitor.start();
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    assert.throws(() => monitor.configure({ testDomain: 'not a name' }), { code: 'ERR_INVALID_OPTION' });
    // A port where nobody listens.
    monitor.configure({ testDomain: `127.0.0.1:${cloud.names.port}`, failuresToOffline: 1 });
    await until(() => monitor.status.verdict === 'offline', 'the new site is asked');
    monitor.configure({ testDomain: cloud.testDomain });
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    const { requests } = cloud.site.counts;
    monitor.configure({ testDomain: cloud.testDomain });
    await monitor.checkNow();
    assert.equal(cloud.site.counts.requests, requests + 1, 'what changes nothing asks for nothing');
  });

  it('can be stopped and started again', async () => {
    const { monitor } = make();
    for (let i = 0; i < 3; i += 1) {
      monitor.start();
      monitor.start();
      await monitor.waitForConnection({ timeoutMs: 20_000 });
      await Promise.all([monitor.stop(), monitor.stop()]);
      assert.equal(monitor.status.verdict, 'unknown');
    }
  });

  it('a silent name server makes no check longer than twice the time-out, and the main thread feels nothing', async (t) => {
    const { monitor } = make({ testDomain: 'other.test', timeoutSecs: 0.5, checkIntervalSecs: 0.1 });
    cloud.names.behave({ kind: 'silent' });
    const delay = monitorEventLoopDelay({ resolution: 5 });
    monitor.start();
    await until(() => monitor.status.lastEvidence !== undefined, 'the first check');
    delay.enable();
    const longest = { ms: 0 };
    for (let i = 0; i < 6; i += 1) {
      const { lastEvidence } = await monitor.checkNow();
      longest.ms = Math.max(longest.ms, lastEvidence?.ms ?? Infinity);
    }
    delay.disable();
    const p99Ms = delay.percentile(99) / 1e6;
    t.diagnostic(
      `longest check ${longest.ms} ms; event loop delay of the main thread, 99th percentile: ${p99Ms.toFixed(1)} ms`,
    );
    assert.ok(longest.ms <= 2 * 500, `a check took ${longest.ms} ms`);
  });

  it('two checks never overlap', async () => {
    await cloud.site.behave({ kind: 'answer', delayMs: 60 });
    const { monitor, log } = make({ checkIntervalSecs: 0.05, timeoutSecs: 1 });
    monitor.start();
    for (let i = 0; i < 10; i += 1) await monitor.checkNow();
    const checks = log.lines.filter(({ message }) => message.startsWith('Internet check'));
    assert.ok(checks.length >= 10);
    assert.ok(cloud.site.openConnections <= 1);
  });

  it('begins no check while it stops', async () => {
    await cloud.site.behave({ kind: 'hang', at: 'accept' });
    const { monitor } = make({ checkIntervalSecs: 10, failuresToOffline: 1 });
    monitor.start();
    await until(() => monitor.status.verdict === 'offline', 'the verdict');
    const { connections } = cloud.site.counts;
    await monitor.stop();
    assert.equal(cloud.site.counts.connections, connections);
  });

  it('leaves nothing behind: a process that stops it ends by itself', async () => {
    const output = await new Promise<string>((resolve, reject) => {
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: cloud.caFile };
      execFile(process.execPath, [CHILD, cloud.testDomain], { env, timeout: 60_000 }, (error, stdout) =>
        error === null ? resolve(stdout) : reject(new Error('the child failed', { cause: error })),
      );
    });
    assert.match(output, /online.*stopped/s);
  });
});
