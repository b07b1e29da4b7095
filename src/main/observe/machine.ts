/** How this machine is, from files of the kernel, read when somebody asks. Nothing is sent, no process started. */
import { readdir, readFile, statfs } from 'node:fs/promises';
import path from 'node:path';

/** What is not known is null. */
export interface Machine {
  readonly temperatureC: number | null;
  /** True: the power supply is too weak right now (`rpi_volt`); null where this is no Pi. */
  readonly underVoltage: boolean | null;
  readonly memoryFreeMb: number | null;
  /** Of the root file system. */
  readonly diskFreeMb: number | null;
  /** Where the default route leads. */
  readonly interface: {
    readonly name: string;
    /** Null where it is no Wi-Fi. */ readonly signalDbm: number | null;
  } | null;
  readonly router: string | null;
  /** Bytes of all programs over that interface since the machine's start. */
  readonly traffic: { readonly receivedBytes: number; readonly sentBytes: number } | null;
}

const MEGABYTE = 1 << 20;

/** Never rejects. `root` is put before the name of each file, for a tree of files recorded on another machine. */
export async function lookAtMachine(root = '/'): Promise<Machine> {
  const read = (file: string): Promise<string> => readFile(path.join(root, file), 'utf8').catch(() => '');
  const list = (folder: string): Promise<string[]> => readdir(path.join(root, folder)).catch(() => []);
  const [routes, routes6, wireless, devices, memory, temperatureC, underVoltage, disk] = await Promise.all([
    read('proc/net/route'),
    read('proc/net/ipv6_route'),
    read('proc/net/wireless'),
    read('proc/net/dev'),
    read('proc/meminfo'),
    temperature(read, list),
    voltageAlarm(read, list),
    statfs(root).catch(() => undefined),
  ]);
  const route = defaultRoute(routes) ?? defaultRoute6(routes6);
  const available = Number(/^MemAvailable:\s+(\d+) kB/m.exec(memory)?.[1]);
  return {
    temperatureC,
    underVoltage,
    memoryFreeMb: Number.isNaN(available) ? null : Math.round(available / 1_024),
    diskFreeMb: disk === undefined ? null : Math.round((disk.bavail * disk.bsize) / MEGABYTE),
    interface: route === undefined ? null : { name: route.device, signalDbm: signalOf(wireless, route.device) },
    router: route?.gateway ?? null,
    traffic: route === undefined ? null : trafficOf(devices, route.device),
  };
}

interface Route {
  readonly device: string;
  readonly gateway: string | null;
}

/** Columns: interface, destination, gateway, flags, -, -, metric, mask; addresses are little-endian hex. */
function defaultRoute(table: string): Route | undefined {
  const [best] = table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, to, , , , , , mask]) => to === '00000000' && mask === '00000000')
    .sort((a, b) => Number(a[6]) - Number(b[6]));
  const [device, , gateway = ''] = best ?? [];
  if (device === undefined) return undefined;
  const known = /^[0-9A-F]{8}$/i.test(gateway) && gateway !== '00000000';
  return { device, gateway: known ? [...Buffer.from(gateway, 'hex').reverse()].join('.') : null };
}

/** Columns: destination, its prefix, source, its prefix, gateway, metric, -, -, flags, interface; all hex. */
function defaultRoute6(table: string): Route | undefined {
  const [best] = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([to = '', prefix, , , , , , , , device]) =>
        /^0{32}$/.test(to) && prefix === '00' && device !== undefined && device !== 'lo',
    )
    .sort((a, b) => Number.parseInt(a[5] ?? '', 16) - Number.parseInt(b[5] ?? '', 16));
  const device = best?.[9];
  const gateway = best?.[4] ?? '';
  if (device === undefined) return undefined;
  if (!/^[0-9a-f]{32}$/i.test(gateway) || /^0+$/.test(gateway)) return { device, gateway: null };
  return { device, gateway: new URL(`http://[${gateway.replace(/(.{4})(?!$)/g, '$1:')}]`).hostname.slice(1, -1) };
}

/** `wlan0: 0000   54.  -56.  -256        0 …`: the third number is the level, dBm. */
function signalOf(wireless: string, device: string): number | null {
  const line = wireless.split('\n').find((text) => text.trim().startsWith(`${device}:`));
  const level = Number.parseFloat(line?.trim().split(/\s+/)[3] ?? '');
  return Number.isNaN(level) || level >= 0 ? null : level;
}

/** `eth0: bytes packets errs drop fifo frame compressed multicast bytes …` */
function trafficOf(devices: string, device: string): Machine['traffic'] {
  const line = devices.split('\n').find((text) => text.trim().startsWith(`${device}:`));
  const numbers = (line ?? '')
    .slice((line ?? '').indexOf(':') + 1)
    .trim()
    .split(/\s+/)
    .map(Number);
  const [receivedBytes, sentBytes] = [numbers[0], numbers[8]];
  if (line === undefined || receivedBytes === undefined || sentBytes === undefined) return null;
  return Number.isFinite(receivedBytes) && Number.isFinite(sentBytes) ? { receivedBytes, sentBytes } : null;
}

type Read = (file: string) => Promise<string>;
type List = (folder: string) => Promise<string[]>;

async function temperature(read: Read, list: List): Promise<number | null> {
  const zones = (await list('sys/class/thermal')).filter((name) => /^thermal_zone\d+$/.test(name)).sort();
  const milli = Number.parseInt(await read(`sys/class/thermal/${zones[0] ?? 'none'}/temp`), 10);
  return Number.isNaN(milli) ? null : Math.round(milli / 100) / 10;
}

/** `rpi_volt` of the Pi's firmware: 1 while the supply is below 4.63 V (drivers/hwmon/raspberrypi-hwmon.c). */
async function voltageAlarm(read: Read, list: List): Promise<boolean | null> {
  for (const device of await list('sys/class/hwmon')) {
    if ((await read(`sys/class/hwmon/${device}/name`)).trim() !== 'rpi_volt') continue;
    const alarm = (await read(`sys/class/hwmon/${device}/in0_lcrit_alarm`)).trim();
    return alarm === '' ? null : alarm === '1';
  }
  return null;
}
