import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import os from 'node:os';
import { describe, it } from 'node:test';
import { createSystemInfoCollector } from '../../src/main/remote/system-info.js';
import { realHost } from '../../src/main/remote/system-info/host.js';

const INPUTS = {
  deviceId: 'device-1',
  locationDescription: 'here',
  internetReachable: false,
  ntpAvailable: true,
  components: [],
  version: '0.1.0',
};

describe('system_info of this machine', () => {
  it('agrees with what Node knows', async () => {
    // The gateway is not on loopback, so it is not asked.
    const host = {
      ...realHost(),
      run: () => Promise.resolve(undefined),
      tcpAnswerMs: () => Promise.resolve(undefined),
    };
    const { timestamp, hardware, os: system, network } = await createSystemInfoCollector({ host })(INPUTS);
    assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    assert.ok(Math.abs(Date.parse(`${timestamp}Z`) - Date.now()) < 60_000);
    assert.equal(network.hostname, os.hostname());
    assert.equal(system.kernel, os.release());
    assert.ok(hardware.cpu.model !== null && hardware.cpu.model !== '');
    assert.ok(hardware.cpu.cores !== null && hardware.cpu.cores >= 1 && hardware.cpu.cores <= os.cpus().length);
    assert.equal(hardware.memory.total_mb, Math.round(os.totalmem() / 1_024 ** 2));
    assert.ok(hardware.storage.total_gb !== null && hardware.storage.used_gb !== null);
    assert.ok(hardware.storage.used_gb <= hardware.storage.total_gb);
    const bootedAt = Date.parse(system.boot_time_utc ?? '');
    assert.ok(
      Math.abs(bootedAt - (Date.now() - os.uptime() * 1_000)) < 60_000,
      `booted at ${system.boot_time_utc ?? ''}`,
    );
    assert.ok(network.interfaces.every(({ name }) => name !== 'lo'));
  });

  it('systeminformation names the processor', async () => {
    const { brand, physicalCores } = await realHost().cpuByPackage();
    assert.ok(brand.length > 0 && physicalCores >= 1);
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    assert.deepEqual(
      loaded.filter((file) => file.includes('systeminformation')),
      [],
      'in a process of its own',
    );
  });
});

describe('the edges of system_info', () => {
  it('a program that hangs is killed', async () => {
    const startedAt = performance.now();
    assert.equal(await realHost().run('sleep', ['60'], 200), undefined);
    assert.ok(performance.now() - startedAt < 30_000);
  });

  it('a program that is not there, fails or prints too much prints nothing', async () => {
    assert.equal(await realHost().run('no-such-program', [], 5_000), undefined);
    assert.equal(await realHost().run('false', [], 5_000), undefined);
    assert.equal(await realHost().run('cat', ['/dev/zero'], 5_000), undefined);
    assert.equal(await realHost().run('echo', ['word'], 5_000), 'word\n');
  });

  it('a port that accepts and one that refuses both answer', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    assert.equal(typeof (await realHost().tcpAnswerMs('127.0.0.1', port, 5_000)), 'number');
    server.close();
    await once(server, 'close');
    assert.equal(typeof (await realHost().tcpAnswerMs('127.0.0.1', port, 5_000)), 'number');
  });

  it('a file that never ends is read up to a bound', async () => {
    assert.ok(((await realHost().readHex('/dev/zero')) ?? '').length <= 300_000);
  });
});
