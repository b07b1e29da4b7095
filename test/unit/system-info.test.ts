import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Json } from '../../src/main/base/json.js';
import type { Host } from '../../src/main/remote/system-info/host.js';
import { createSystemInfoCollector, type SystemInfo } from '../../src/main/remote/system-info.js';
import { hostOf, PI_4, PI_ZERO_2_W, type RecordedMachine } from './system-info-machines.js';

const NOW = Date.parse('2025-06-01T12:00:00.789Z');
const INPUTS = {
  deviceId: 'device-1',
  locationDescription: 'Below the stairs',
  ntpAvailable: true,
  internetReachable: true,
  components: [
    { name: 'dunebugger', state: 'running', version: '1.2.3' },
    { name: 'scheduler', state: 'not_responding', version: null },
  ],
  version: '0.1.0',
} as const;

const UNKNOWN: Pick<SystemInfo, 'hardware' | 'os' | 'network'> = {
  hardware: {
    model: null,
    revision: null,
    cpu: { model: null, cores: null, architecture: null, current_temp_c: null, load: null },
    memory: { total_mb: null, used_mb: null },
    storage: { root_device: null, total_gb: null, used_gb: null },
  },
  os: { name: null, version: null, kernel: null, boot_time_utc: null },
  network: {
    hostname: null,
    interfaces: [],
    connectivity: { default_route: null, dns_servers: [], internet_reachable: true, latency_ms_to_gateway: null },
  },
};

/** A component as every version of the front end reads it. */
function shown(name: string, state: string, version: string | null): object {
  const unknown = { latest_version: null, last_available_version: null, last_checked: null };
  const release = { update_available: false, release_notes: null, release_url: null };
  return { name, state, running: state === 'running', version, current_version: version, ...unknown, ...release };
}

/** A machine of which nothing is known; each question is answered by `answer`. */
function hostOfOneAnswer(answer: () => Promise<never>): Host {
  return {
    read: answer,
    readHex: answer,
    list: answer,
    linkName: answer,
    run: answer,
    tcpAnswerMs: answer,
    rootSpace: answer,
    networkInterfaces: () => ({}),
    cpuByPackage: answer,
  };
}

describe('system_info of a Raspberry Pi 4', () => {
  it('is complete', async (t) => {
    const collect = createSystemInfoCollector({
      host: await hostOf(t, PI_4),
      clock: { nowMs: () => 0, wallMs: () => NOW },
    });
    const info = await collect(INPUTS);
    assert.deepEqual(info, {
      device_id: 'device-1',
      timestamp: '2025-06-01T12:00:00',
      dunebugger_components: [
        shown('dunebugger-core', 'running', '1.2.3'),
        shown('dunebugger-scheduler', 'not_responding', null),
        shown('dunebugger-remote', 'running', '0.1.0'),
      ],
      hardware: {
        model: 'Raspberry Pi 4 Model B Rev 1.4',
        revision: 'c03114',
        cpu: { model: 'Cortex-A72', cores: 4, architecture: 'aarch64', current_temp_c: 48.7, load: [0.42, 0.31, 0.25] },
        memory: { total_mb: 3793, used_mb: 706 },
        storage: { root_device: '/dev/mmcblk0p2', total_gb: 29.1, used_gb: 7.4 },
      },
      os: {
        name: 'Debian GNU/Linux 12 (bookworm)',
        version: '12 (bookworm)',
        kernel: '6.6.51+rpt-rpi-v8',
        boot_time_utc: '2025-06-01T00:00:00Z',
      },
      network: {
        hostname: 'dunebugger',
        interfaces: [
          {
            name: 'eth0',
            type: 'ethernet',
            mac: 'dc:a6:32:00:00:01',
            ip_v4: '192.168.1.40',
            ip_v6: '2001:db8::40',
            state: 'up',
            speed_mbps: 1000,
          },
          {
            name: 'wlan0',
            type: 'wifi',
            mac: 'dc:a6:32:00:00:02',
            ip_v4: '192.168.1.41',
            ip_v6: 'fe80::dea6:32ff:fe00:2',
            state: 'up',
            ssid: 'Caffè',
            signal_strength_dbm: -52,
          },
        ],
        connectivity: {
          default_route: '192.168.1.1',
          dns_servers: ['192.168.1.1', 'fe80::1%eth0'],
          internet_reachable: true,
          latency_ms_to_gateway: 0.5,
        },
      },
      ntp_available: true,
      location: { description: 'Below the stairs' },
    });
    const json: Json = info;
    assert.deepEqual(JSON.parse(JSON.stringify(json)), info);
  });
});

describe('system_info of a Raspberry Pi Zero 2 W', () => {
  it('does with less: 32 bit, no iw, no ping, a revision only in the device tree, a stub resolver', async (t) => {
    const collect = createSystemInfoCollector({
      host: await hostOf(t, PI_ZERO_2_W),
      clock: { nowMs: () => 0, wallMs: () => NOW },
    });
    const { hardware, os, network } = await collect({ ...INPUTS, internetReachable: false });
    assert.deepEqual(hardware, {
      model: 'Raspberry Pi Zero 2 W Rev 1.0',
      revision: '902120',
      cpu: {
        model: 'ARMv7 Processor rev 4 (v7l)',
        cores: 4,
        architecture: 'armv7l',
        current_temp_c: 39.7,
        load: [1, 0.5, 0.1],
      },
      memory: { total_mb: 427, used_mb: 171 },
      storage: { root_device: '/dev/root', total_gb: 14.4, used_gb: 3.1 },
    });
    assert.deepEqual([os.name, os.version], ['Raspbian GNU/Linux 11 (bullseye)', '11']);
    assert.deepEqual(network.connectivity, {
      default_route: '192.168.8.1',
      dns_servers: ['10.64.0.1', '10.64.0.2'],
      internet_reachable: false,
      latency_ms_to_gateway: 3.1,
    });
    const nothing = { mac: null, ip_v4: null, ip_v6: null };
    assert.deepEqual(network.interfaces, [
      { ...nothing, name: 'lte0', type: 'usb', mac: '02:1e:10:1f:00:01', state: 'down' },
      { ...nothing, name: 'ppp0', type: 'ppp', ip_v4: '10.64.3.2', state: 'up' },
      { ...nothing, name: 'tun0', type: 'other', state: 'down' },
      { ...nothing, name: 'usb1', type: 'usb', mac: '02:1e:10:1f:00:00', ip_v4: '192.168.8.100', state: 'up' },
      {
        ...nothing,
        name: 'wlan0',
        type: 'wifi',
        mac: 'b8:27:eb:00:00:09',
        state: 'down',
        ssid: null,
        signal_strength_dbm: null,
      },
    ]);
  });
});

describe('system_info of other machines', () => {
  const pc: RecordedMachine = {
    ...PI_4,
    files: {
      '/proc/cpuinfo': [0, 1, 2, 3]
        .map((n) => `processor\t: ${n}\nmodel name\t: Some CPU @ 2.40GHz\nphysical id\t: 0\ncore id\t\t: ${n >> 1}\n`)
        .join('\n'),
      '/proc/sys/kernel/arch': 'x86_64\n',
      '/sys/class/dmi/id/sys_vendor': 'Acme\n',
      '/sys/class/dmi/id/product_name': 'Box 3000\n',
      '/proc/net/route': 'Iface\tDestination\tGateway \tFlags\n',
      '/proc/net/ipv6_route': `${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 ${'0'.repeat(32)} ffffffff 00000001 00000000 00200200       lo
${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
`,
      '/sys/class/thermal/cooling_device0/type': 'Fan\n',
    },
    programs: { 'ping -n -c 1 -W 1 fe80::1%eth0': '64 bytes from fe80::1%eth0: icmp_seq=1 ttl=64 time<1 ms\n' },
    cpu: { brand: 'not to be asked', physicalCores: 99 },
    networkInterfaces: {},
  };

  it('a PC: hyper-threads are not cores, no thermal zone is null, DMI names the model, IPv6 only', async (t) => {
    const { hardware, network } = await createSystemInfoCollector({ host: await hostOf(t, pc) })(INPUTS);
    assert.deepEqual([hardware.model, hardware.revision], ['Acme Box 3000', null]);
    assert.deepEqual([hardware.cpu.model, hardware.cpu.cores], ['Some CPU @ 2.40GHz', 2]);
    assert.equal(hardware.cpu.current_temp_c, null);
    assert.equal(network.connectivity.default_route, 'fe80::1%eth0');
    assert.equal(network.connectivity.latency_ms_to_gateway, 1);
  });

  it('without /sys the interfaces of Node serve', async (t) => {
    const files = { '/proc/loadavg': '0 0 0 1/1 1' };
    const { network } = await createSystemInfoCollector({ host: await hostOf(t, { ...PI_4, files }) })(INPUTS);
    assert.deepEqual(
      network.interfaces.map(({ name, type, state }) => [name, type, state]),
      [
        ['eth0', 'ethernet', 'up'],
        ['wlan0', 'wifi', 'up'],
      ],
    );
  });

  it('nonsense in every file is null and not NaN', async (t) => {
    const files = Object.fromEntries(Object.keys(PI_4.files).map((file) => [file, '\u0007 nonsense\n= : %']));
    const host = await hostOf(t, {
      ...PI_4,
      files,
      programs: { 'iw dev wlan0 link': 'nonsense' },
      networkInterfaces: {},
    });
    const text = JSON.stringify(await createSystemInfoCollector({ host })(INPUTS), (_key, value: unknown) =>
      typeof value === 'number' && !Number.isFinite(value) ? assert.fail('a number that is none') : value,
    );
    assert.match(text, /"current_temp_c":null/);
  });

  it('what fails is null, and a list is empty', async () => {
    const host = hostOfOneAnswer(() => Promise.reject(new Error('no')));
    const { hardware, os, network } = await createSystemInfoCollector({ host })(INPUTS);
    assert.deepEqual({ hardware, os, network }, UNKNOWN);
  });

  it('what never answers is null, in little more than the time of one field', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const collect = createSystemInfoCollector({ host: hostOfOneAnswer(() => new Promise(() => undefined)) });
    let info: SystemInfo | undefined;
    void collect(INPUTS).then((collected) => (info = collected));
    // 2.5 s in steps, as each step may begin what the next one ends.
    for (let ms = 0; ms < 2_500; ms += 100) {
      t.mock.timers.tick(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(info && { hardware: info.hardware, os: info.os, network: info.network }, UNKNOWN);
  });
});

describe('system_info asked for often', () => {
  function counting() {
    const state = { now: 0, gathered: 0 };
    const waiting: (() => void)[] = [];
    const host: Host = {
      ...hostOfOneAnswer(() => Promise.reject(new Error('no'))),
      rootSpace: () => {
        state.gathered += 1;
        return new Promise((resolve) => waiting.push(() => resolve({ total: 0, used: 0 })));
      },
    };
    return {
      state,
      waiting,
      collect: createSystemInfoCollector({ host, clock: { nowMs: () => state.now, wallMs: () => NOW } }),
    };
  }

  it('gathers once for calls that come together, each with its own verdict and components', async () => {
    const { state, waiting, collect } = counting();
    const calls = [collect(INPUTS), collect({ ...INPUTS, internetReachable: false, components: [] })];
    await new Promise((resolve) => setImmediate(resolve));
    for (const go of waiting) go();
    const [a, b] = await Promise.all(calls);
    assert.equal(state.gathered, 1);
    assert.deepEqual(
      [a, b].map((info) => [info?.network.connectivity.internet_reachable, info?.dunebugger_components.length]),
      [
        [true, 3],
        [false, 1],
      ],
    );
  });

  it('gathers again after three seconds', async () => {
    const { state, waiting, collect } = counting();
    const ask = async (): Promise<void> => {
      const call = collect(INPUTS);
      await new Promise((resolve) => setImmediate(resolve));
      for (const go of waiting) go();
      await call;
    };
    await ask();
    state.now += 2_999;
    await ask();
    assert.equal(state.gathered, 1);
    state.now += 1;
    await ask();
    assert.equal(state.gathered, 2);
  });
});
