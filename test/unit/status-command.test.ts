/** What `status` prints, and what it says when nobody answers. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { whyNoAnswer } from '../../src/main/cli/service-state.js';
import { lookAtMachine } from '../../src/main/observe/machine.js';
import { CheckQuality } from '../../src/main/observe/quality.js';
import { takeSnapshot } from '../../src/main/observe/snapshot.js';
import { statusLines } from '../../src/main/observe/status-page.js';
import { cloudIs, EVIDENCE, HEALTHY, LOOKED, NOW_MS, offline } from '../support/parts.js';

describe('the status for a terminal', () => {
  it('all is well: the sentence first, then the chain, the clock, the last hour', () => {
    assert.deepEqual(statusLines(takeSnapshot(HEALTHY, NOW_MS, LOOKED), { colour: false }), [
      'Online, connected since 09:30, group velasquez',
      '',
      '  ok   Pi           48.3 °C, 512 MB of memory free',
      '  ok   interface    wlan0, Wi-Fi -56 dBm',
      '  ok   router       192.168.1.1',
      '  ok   name server  192.0.2.53',
      '  ok   internet     smart.dunebugger.it',
      '  ok   cloud        group velasquez',
      '  ok   bus',
      '  ok   core         2.1.0',
      '  ok   scheduler',
      '',
      'Clock: can be trusted.',
      'Last hour: 514 checks, 0.2 % failed; latency 21.4 ms, at most 88 ms; jitter 3.2 ms.',
      'Data of this service since 2026-11-25 08:00:00: checks 0.61 MB, sign-in 0.01 MB, cloud 0.13 MB; data saver off.',
      'Traffic of this machine over wlan0 since 2026-11-25 00:00:00: 12 MB received, 2.3 MB sent.',
      'Last outages:',
      '  2026-11-25 03:20:00  14 min 3 s  internet: name server silent; cloud resumed after 14 min 6 s',
      'Version 1.2.3, running for 2 h.',
    ]);
  });

  it('in trouble: what is wrong, what it means, what to do, what is next; the chain greyed behind it', () => {
    const lines = statusLines(takeSnapshot({ ...HEALTHY, ...offline('dns-timeout'), bus: 'down' }, NOW_MS), {
      colour: false,
    });
    assert.deepEqual(lines.slice(0, 8), [
      'Offline since 09:58: name server silent; next look in 2 s',
      '  What is wrong: name server silent',
      '  It means: no name server answered, and the last address that worked does not either.',
      '  What to do: The line or the name server is dead; look at the router and at /etc/resolv.conf.',
      '  Next: The internet is looked at again every 2 s; the cloud connection is opened when it is back.',
      'Besides: the bus is not there',
      '  It means: no NATS server answers; core and scheduler cannot be reached.',
      '  What to do: Look at nats-server and at [MessageQueue] mQueueServers; it is tried again by itself.',
    ]);
    assert.deepEqual(lines.slice(9, 18), [
      '  ok   Pi',
      '  ok   interface',
      '  ok   router',
      '  BAD  name server  name server silent',
      '  -    internet     not looked at because of the above',
      '  -    cloud        not looked at because of the above',
      '  BAD  bus          the bus is not there',
      '  -    core         not looked at because of the above',
      '  -    scheduler    not looked at because of the above',
    ]);
  });

  it('what the network said moves no cursor', () => {
    const hostile = cloudIs('backing-off', {
      group: 'a\u001b]0;title\u0007',
      lastFailure: { kind: 'failed', message: 'x\u001b[2J\r\ny\u202e' },
    });
    const text = statusLines(takeSnapshot({ ...HEALTHY, ...hostile }, NOW_MS, LOOKED), { colour: false }).join('\n');
    assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
  });

  it('colours only where they are wanted', () => {
    const snapshot = takeSnapshot(HEALTHY, NOW_MS);
    assert.ok(statusLines(snapshot, { colour: true }).join('').includes('\u001b[32m'));
    assert.ok(!statusLines(snapshot, { colour: false }).join('').includes('\u001b'));
  });
});

describe('nobody answers', () => {
  const loaded = (ActiveState: string, ExecMainStatus = '0') => ({ LoadState: 'loaded', ActiveState, ExecMainStatus });
  const cases = [
    ['refused', {}, undefined, 'service-not-allowed'],
    ['silent', loaded('active'), 'T', 'service-suspended'],
    ['silent', loaded('active'), 't', 'service-suspended'],
    ['silent', loaded('active'), 'S', 'service-silent'],
    ['silent', {}, undefined, 'service-silent'],
    ['absent', {}, undefined, 'service-absent'],
    ['absent', { LoadState: 'not-found', ActiveState: 'inactive' }, undefined, 'service-absent'],
    ['absent', loaded('inactive'), undefined, 'service-stopped'],
    ['absent', loaded('failed', '78'), undefined, 'service-misconfigured'],
    ['absent', loaded('failed', '1'), undefined, 'service-failed'],
    ['absent', loaded('activating'), undefined, 'service-starting'],
    ['absent', loaded('deactivating'), undefined, 'service-starting'],
    ['absent', loaded('active'), 'S', 'service-unasked'],
    ['absent', loaded('a state of the future'), undefined, 'service-stopped'],
  ] as const;
  for (const [asked, unit, state, code] of cases)
    it(`${asked}, ${JSON.stringify(unit)}, ${state ?? '-'}: ${code}`, () =>
      assert.equal(whyNoAnswer(asked, unit, state), code));
});

describe('the quality of the last hour', () => {
  const passed = (httpMs: number) => ({ ...EVIDENCE, https: [{ ...EVIDENCE.https[0]!, httpMs }] });
  const failed = { ...EVIDENCE, ok: false, reason: 'tcp-timeout' as const, https: [] };

  it('nothing seen, nothing said', () => {
    assert.deepEqual(new CheckQuality().lastHour(0), { checks: 0, failed: 0, latencyMs: null, jitterMs: null });
  });

  it('counts, and measures those that passed', () => {
    const quality = new CheckQuality();
    [passed(20), passed(30), failed, passed(24)].forEach((evidence, index) => quality.note(evidence, index * 7_000));
    assert.deepEqual(quality.lastHour(28_000), {
      checks: 4,
      failed: 1,
      latencyMs: { mean: 24.7, max: 30 },
      jitterMs: 8,
    });
  });

  it('forgets what is older than an hour, and grows no further, however often it is checked', () => {
    const quality = new CheckQuality();
    for (let atMs = 0; atMs < 3 * 3_600_000; atMs += 1_000) quality.note(passed(atMs < 3_600_000 ? 900 : 10), atMs);
    assert.deepEqual(quality.lastHour(3 * 3_600_000 - 1), {
      checks: 3_600,
      failed: 0,
      latencyMs: { mean: 10, max: 10 },
      jitterMs: 0,
    });
    assert.equal(quality.lastHour(9 * 3_600_000).checks, 0);
  });
});

describe('the machine', () => {
  let root = '';
  before(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'machine-'));
  });
  after(() => rm(root, { recursive: true, force: true }));
  const put = async (file: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), text);
  };

  it('nothing is there: nothing is known', async () => {
    const { diskFreeMb, ...rest } = await lookAtMachine(root);
    assert.ok((diskFreeMb ?? 0) > 0);
    assert.deepEqual(rest, {
      temperatureC: null,
      underVoltage: null,
      memoryFreeMb: null,
      interface: null,
      router: null,
      traffic: null,
    });
  });

  it('a Pi on Wi-Fi, beside a cable with a worse route', async () => {
    await put(
      'proc/net/route',
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n' +
        'eth0\t00000000\t0100A8C0\t0003\t0\t0\t700\t00000000\n' +
        'wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\n' +
        'wlan0\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\n',
    );
    await put(
      'proc/net/wireless',
      'Inter-| sta-|   Quality        |   Discarded packets\n face | tus | link level noise |\n wlan0: 0000   54.  -56.  -256        0      0\n',
    );
    await put(
      'proc/net/dev',
      'Inter-|   Receive  |  Transmit\n  eth0: 1 1 0 0 0 0 0 0 2 1\n wlan0:1234567 9 0 0 0 0 0 0 7654 8 0 0 0 0 0 0\n',
    );
    await put('proc/meminfo', 'MemTotal: 948304 kB\nMemAvailable:  524288 kB\n');
    await put('sys/class/thermal/thermal_zone0/temp', '48312\n');
    await put('sys/class/hwmon/hwmon0/name', 'cpu_thermal\n');
    await put('sys/class/hwmon/hwmon1/name', 'rpi_volt\n');
    await put('sys/class/hwmon/hwmon1/in0_lcrit_alarm', '1\n');
    const { diskFreeMb, ...rest } = await lookAtMachine(root);
    assert.notEqual(diskFreeMb, null);
    assert.deepEqual(rest, {
      temperatureC: 48.3,
      underVoltage: true,
      memoryFreeMb: 512,
      interface: { name: 'wlan0', signalDbm: -56 },
      router: '192.168.1.1',
      traffic: { receivedBytes: 1_234_567, sentBytes: 7_654 },
    });
  });

  it('IPv6 only; and text that makes no sense', async () => {
    await put('proc/net/route', 'rubbish\n\n\x00\n');
    await put(
      'proc/net/ipv6_route',
      `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n`,
    );
    await put('proc/meminfo', 'MemAvailable: lots');
    const machine = await lookAtMachine(root);
    assert.deepEqual([machine.interface, machine.router], [{ name: 'eth0', signalDbm: null }, 'fe80::1']);
    assert.equal(machine.memoryFreeMb, null);
  });
});
