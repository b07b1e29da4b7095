/** The worker thread dies, spins, runs out of memory: the monitor notices, replaces it, and the verdict goes on. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { BroadcastChannel, type Worker } from 'node:worker_threads';
import { InternetConnectionMonitor } from '../../src/main/index.js';
import { LocalCloud } from '../support/local-cloud.js';
import { RecordedLog } from '../support/recorded-log.js';
import { childrenOf, commandOf, isZombie } from '../support/process.js';
import { SABOTAGE_CHANNEL, type Sabotage } from '../support/sabotaged-worker.js';
import { until } from '../support/until.js';

const MODULE = new URL('../support/sabotaged-worker.js', import.meta.url);
const INTERVAL_SECS = 0.5;

describe('a worker thread in trouble', () => {
  let cloud: LocalCloud;
  const channel = new BroadcastChannel(SABOTAGE_CHANNEL);
  before(async () => {
    cloud = await LocalCloud.start();
  });
  after(async () => {
    channel.close();
    await cloud.stop();
  });

  async function withMonitor(
    work: (monitor: InternetConnectionMonitor, log: RecordedLog) => Promise<void>,
    followLinks = false,
  ): Promise<void> {
    const log = new RecordedLog();
    const monitor = new InternetConnectionMonitor({
      testDomain: cloud.testDomain,
      ca: cloud.ca.certificatePem,
      checkIntervalSecs: INTERVAL_SECS,
      timeoutSecs: 1,
      followLinks,
      workerModule: MODULE,
      workerMemoryMb: 24,
      log,
    });
    monitor.start();
    try {
      await monitor.waitForConnection({ timeoutMs: 20_000 });
      await work(monitor, log);
    } finally {
      await monitor.stop();
      await cloud.repairInternet();
    }
  }

  const failures = (log: RecordedLog): readonly string[] =>
    log.at('warn', 'error').filter((line) => line.includes('worker thread'));

  for (const [sabotage, words] of [
    ['exit', /worker exited with code: 1/],
    ['throw', /sabotage/],
    ['spin', /it has hung for \d/],
    // On a slow machine the thread collects garbage for so long before it runs out that its silence is noticed first.
    ['eat', /memory|it has hung for \d/i],
  ] as const satisfies readonly [Sabotage, RegExp][]) {
    it(`${sabotage}: noticed, replaced, the verdict right, three times in a row`, async (t) => {
      await withMonitor(async (monitor, log) => {
        for (const time of [1, 2, 3]) {
          const startedAt = performance.now();
          channel.postMessage(sabotage);
          await until(() => failures(log).length === time, `failure ${time} is noticed`, 60_000);
          t.diagnostic(
            `noticed after ${((performance.now() - startedAt) / 1_000 / INTERVAL_SECS).toFixed(1)} intervals`,
          );
          assert.match(failures(log)[time - 1] ?? '', words);
          assert.equal(monitor.isConnected, true, 'the last verdict stands');

          // What happens while there is no worker is found by the next one.
          await cloud.breakInternet('refused');
          await until(() => monitor.status.verdict === 'offline', 'the new worker sees the outage', 60_000);
          await cloud.repairInternet();
          await monitor.waitForConnection({ timeoutMs: 60_000 });
        }
      });
    });
  }

  it('a thread that dies is replaced by one, not by two: the second would be terminated while it starts', async () => {
    const made: Worker[] = [];
    const count = (worker: Worker): void => void made.push(worker);
    process.on('worker', count);
    try {
      await withMonitor(async (monitor, log) => {
        for (const time of [1, 2]) {
          channel.postMessage('exit' satisfies Sabotage);
          await until(() => failures(log).length === time, `failure ${time} is noticed`, 60_000);
          await cloud.breakInternet('refused');
          await until(() => monitor.status.verdict === 'offline', 'the new worker sees the outage', 60_000);
          await cloud.repairInternet();
          await monitor.waitForConnection({ timeoutMs: 60_000 });
        }
      });
    } finally {
      process.off('worker', count);
    }
    assert.equal(made.length, 3);
  });

  for (const sabotage of ['spin', 'exit'] as const) {
    it(`${sabotage}: nothing is left of the child of a thread that was terminated, three times in a row`, async () => {
      const monitors = (): readonly number[] =>
        childrenOf(process.pid).filter((pid) => commandOf(pid).includes(' monitor '));
      const zombies = (): readonly number[] => childrenOf(process.pid).filter(isZombie);
      await withMonitor(async (_, log) => {
        for (const time of [1, 2, 3]) {
          await until(() => monitors().length === 1, 'the links are followed', 60_000);
          const [before] = monitors();
          channel.postMessage(sabotage);
          await until(() => failures(log).length === time, `failure ${time} is noticed`, 60_000);
          await until(() => monitors().some((pid) => pid !== before), 'the links are followed again', 60_000);
          await until(
            () => zombies().length === 0 && monitors().length === 1,
            'nothing is left of the one before',
            60_000,
          );
        }
      }, true);
      assert.deepEqual(childrenOf(process.pid), [], 'and nothing once the monitor is stopped');
    });
  }

  it('stopped while its thread starts, it waits for the thread', async () => {
    const monitor = new InternetConnectionMonitor({
      testDomain: cloud.testDomain,
      followLinks: false,
      log: new RecordedLog(),
    });
    let code: number | undefined;
    process.once('worker', (worker) => worker.once('exit', (exitCode) => (code = exitCode)));
    monitor.start();
    await monitor.stop();
    assert.equal(code, 1, 'terminated when its task was over; nobody aborted');
  });

  it('a check that was asked for is made by the new worker', async () => {
    await withMonitor(async (monitor, log) => {
      channel.postMessage('spin' satisfies Sabotage);
      const { verdict } = await monitor.checkNow();
      assert.equal(verdict, 'online');
      assert.equal(failures(log).length, 1);
    });
  });

  it('one that never works is a problem of health, and is tried ever more slowly', async () => {
    const log = new RecordedLog();
    const monitor = new InternetConnectionMonitor({
      workerModule: new URL('./no-such-module.js', import.meta.url),
      log,
    });
    monitor.start();
    try {
      await until(() => monitor.health.problem !== undefined, 'the problem is told', 60_000);
      assert.match(monitor.health.problem ?? '', /failed \d+ times in a row/);
      assert.equal(monitor.status.verdict, 'unknown');
      const pauses = log.lines
        .filter(({ level }) => level === 'warn' || level === 'error')
        .map(({ fields }) => fields['retrySecs']);
      assert.deepEqual(pauses.slice(0, 4), [0.1, 0.2, 0.4, 0.8]);
      assert.equal(log.at('error').length >= 1, true, 'the fourth is an error');
    } finally {
      await monitor.stop();
    }
  });
});

it('an outage during which the clock is set by six years lasted as long as it lasted', async () => {
  const log = new RecordedLog();
  const monitor = new InternetConnectionMonitor({
    testDomain: 'site.test',
    workerModule: new URL('../support/leaping-worker.js', import.meta.url),
    log,
  });
  monitor.start();
  try {
    await monitor.waitForConnection({ timeoutMs: 20_000 });
    const line = log.lines.find(({ message }) => message.startsWith('Online again after '));
    assert.ok(Number(line?.fields['offlineSecs']) < 60, JSON.stringify(line));
    assert.ok(Math.abs(monitor.status.sinceMs - Date.now()) < 60_000, 'reckoned by the clock as it goes now');
  } finally {
    await monitor.stop();
  }
});

for (const [dataSaver, everySecs, words] of [
  [false, 2, /; looking again every 2 s\. /],
  [
    true,
    35,
    /; looking again every 2 s at first, then within a tenth of the outage, every 75 s at least \(data saver\)\. /,
  ],
] as const)
  it(`says how often it looks again while offline, data saver ${dataSaver ? 'on' : 'off'}`, async () => {
    const log = new RecordedLog();
    const monitor = new InternetConnectionMonitor({
      testDomain: 'site.test',
      workerModule: new URL('../support/leaping-worker.js', import.meta.url),
      dataSaver,
      log,
    });
    const told: number[] = [];
    monitor.onDisconnected(() => told.push(monitor.offlineIntervalSecs));
    monitor.start();
    try {
      await monitor.waitForConnection({ timeoutMs: 20_000 });
      assert.deepEqual(told, [everySecs]);
      assert.match(log.at('warn').find((line) => line.startsWith('Offline')) ?? '', words);
      assert.equal(monitor.offlineIntervalSecs, 2, 'of the next outage');
    } finally {
      await monitor.stop();
    }
  });
