/** The network interfaces of system_info. */

import { within } from './bounded.js';
import type { Host } from './host.js';

export type InterfaceInfo = {
  readonly name: string;
  readonly type: 'wifi' | 'ethernet' | 'usb' | 'ppp' | 'other';
  readonly mac: string | null;
  readonly ip_v4: string | null;
  /** A global or unique local address if there is one, else the link-local one. */
  readonly ip_v6: string | null;
  readonly state: 'up' | 'down';
  readonly speed_mbps?: number;
  /** Only for wifi; null if it is not known. */
  readonly ssid?: string | null;
  readonly signal_strength_dbm?: number | null;
};

/** Loopback, and what Docker makes. */
const LEFT_OUT = /^(lo$|docker|br-|veth)/;
/** More than any installation has. */
const MAX_INTERFACES = 32;

export async function gatherInterfaces(host: Host, fieldMs: number): Promise<readonly InterfaceInfo[]> {
  const addresses = host.networkInterfaces();
  // The list comes before the fields, whose deadline it must not double.
  const kernel = (await within(fieldMs / 5, () => host.list('/sys/class/net'))) ?? [];
  // Loopback is left out of the kernel's list only here, so that a machine without interfaces is not taken for one without /sys.
  const names = (kernel.length > 0 ? [...kernel] : Object.keys(addresses))
    .filter((name) => !LEFT_OUT.test(name))
    .sort();
  return Promise.all(
    names.slice(0, MAX_INTERFACES).map((name) => gatherOne(host, name, addresses[name] ?? [], fieldMs)),
  );
}

async function gatherOne(
  host: Host,
  name: string,
  addresses: NonNullable<ReturnType<Host['networkInterfaces']>[string]>,
  fieldMs: number,
): Promise<InterfaceInfo> {
  const folder = `/sys/class/net/${name}`;
  const field = <T>(work: () => Promise<T | undefined>): Promise<T | null> => within(fieldMs, work);
  const [type, mac, up, speed, wifi] = await Promise.all([
    field(() => typeOf(host, name)),
    field(() => host.read(`${folder}/address`)),
    field(() => isUp(host, folder)),
    field(() => host.read(`${folder}/speed`)),
    field(() => wifiOf(host, name)),
  ]);
  const speedMbps = Number(speed);
  const v6 = addresses.filter(({ family }) => family === 'IPv6').map(({ address }) => address);
  const isWifi = type === 'wifi';
  return {
    name,
    type: type ?? 'other',
    mac: mac === null || /^(00:)*00$|^$/.test(mac) ? null : mac,
    ip_v4: addresses.find(({ family }) => family === 'IPv4')?.address ?? null,
    ip_v6: v6.find((address) => !address.startsWith('fe80:')) ?? v6[0] ?? null,
    state: (up ?? addresses.length > 0) ? 'up' : 'down',
    ...(speedMbps > 0 ? { speed_mbps: speedMbps } : {}),
    ...(isWifi ? { ssid: wifi?.ssid ?? null, signal_strength_dbm: wifi?.signal ?? null } : {}),
  };
}

async function isWireless(host: Host, name: string): Promise<boolean> {
  return (await host.list(`/sys/class/net/${name}`)).some((entry) => entry === 'wireless' || entry === 'phy80211');
}

async function typeOf(host: Host, name: string): Promise<InterfaceInfo['type']> {
  if (/^(wl|wifi)/.test(name) || (await isWireless(host, name))) return 'wifi';
  // By name before by bus: the Ethernet of a Pi 3 and of a Zero's adapter hangs on USB.
  if (/^(eth|en)/.test(name)) return 'ethernet';
  if (name.startsWith('usb')) return 'usb';
  if (name.startsWith('ppp')) return 'ppp';
  const [hardwareType, bus] = await Promise.all([
    host.read(`/sys/class/net/${name}/type`),
    host.linkName(`/sys/class/net/${name}/device/subsystem`),
  ]);
  if (hardwareType === '512') return 'ppp';
  if (bus === 'usb') return 'usb';
  return bus !== undefined && hardwareType === '1' ? 'ethernet' : 'other';
}

async function isUp(host: Host, folder: string): Promise<boolean | undefined> {
  const [state, flags] = await Promise.all([host.read(`${folder}/operstate`), host.read(`${folder}/flags`)]);
  if (state === undefined) return undefined;
  // Drivers of ppp and tun do not say; then IFF_UP (bit 0) counts.
  return state === 'up' || (state === 'unknown' && (Number(flags) & 1) === 1);
}

async function wifiOf(
  host: Host,
  name: string,
): Promise<{ ssid: string | undefined; signal: number | undefined } | undefined> {
  if (!/^(wl|wifi)/.test(name) && !(await isWireless(host, name))) return undefined;
  const [link, wireless] = await Promise.all([
    host.run('iw', ['dev', name, 'link'], 1_000),
    host.read('/proc/net/wireless'),
  ]);
  const ssid = /^\s*SSID: (.*)$/m.exec(link ?? '')?.[1];
  const row = wireless?.split('\n').find((line) => line.trim().startsWith(`${name}:`));
  const level = row?.trim().split(/\s+/)[3];
  const signal = Number.parseFloat(/^\s*signal: (-?\d+)/m.exec(link ?? '')?.[1] ?? level ?? '');
  return {
    ssid: ssid === undefined || ssid === '' ? undefined : unescaped(ssid),
    // Old drivers count 0 to 100 or 256 upwards, which is no dBm.
    signal: signal < 0 ? Math.round(signal) : undefined,
  };
}

/** `iw` writes what is not printable ASCII as `\xNN`, byte by byte. */
function unescaped(text: string): string {
  const bytes = text.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
