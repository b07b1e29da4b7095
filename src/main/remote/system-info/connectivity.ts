/** The `connectivity` of system_info, but for the verdict on the internet, which is the monitor's. */

import { isIP } from 'node:net';
import { within } from './bounded.js';
import type { Host } from './host.js';

export type ConnectivityInfo = {
  /** Address of the default gateway. */
  readonly default_route: string | null;
  readonly dns_servers: readonly string[];
  readonly latency_ms_to_gateway: number | null;
};

/** A ping and the TCP connects after it stay together under the 2 s of a field. */
const PING_MS = 1_000;
const TCP_MS = 800;
/** DNS and a web interface: what a gateway listens on, or refuses without a firewall's silence. */
const GATEWAY_PORTS = [53, 80, 443];

export async function gatherConnectivity(host: Host, fieldMs: number): Promise<ConnectivityInfo> {
  const route = within(fieldMs, () => gatewayOf(host));
  const [gateway, servers, latency] = await Promise.all([
    route,
    within(fieldMs, () => dnsServersOf(host)),
    within(fieldMs, async () => {
      const address = await route;
      return address === null ? undefined : latencyTo(host, address);
    }),
  ]);
  return { default_route: gateway, dns_servers: servers ?? [], latency_ms_to_gateway: latency };
}

async function gatewayOf(host: Host): Promise<string | undefined> {
  return (
    defaultV4((await host.read('/proc/net/route')) ?? '') ?? defaultV6((await host.read('/proc/net/ipv6_route')) ?? '')
  );
}

/** Columns: interface, destination, gateway, flags (bit 1: has a gateway), -, -, metric, mask; addresses are little-endian hex. */
function defaultV4(table: string): string | undefined {
  const routes = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([, to, , flags, , , , mask]) =>
        to === '00000000' && mask === '00000000' && (Number.parseInt(flags ?? '', 16) & 2) !== 0,
    )
    .sort((a, b) => Number(a[6]) - Number(b[6]));
  const hex = routes[0]?.[2];
  if (hex === undefined || !/^[0-9A-F]{8}$/i.test(hex)) return undefined;
  return [...Buffer.from(hex, 'hex').reverse()].join('.');
}

/** Columns: destination, its prefix, source, its prefix, gateway, metric, -, -, flags, interface; all hex. */
function defaultV6(table: string): string | undefined {
  const routes = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(
      ([to, prefix, , , via]) =>
        prefix === '00' && /^0{32}$/.test(to ?? '') && via !== undefined && !/^0{32}$/.test(via),
    )
    .sort((a, b) => Number.parseInt(a[5] ?? '', 16) - Number.parseInt(b[5] ?? '', 16));
  const [route] = routes;
  if (route?.[4] === undefined || !/^[0-9a-f]{32}$/i.test(route[4])) return undefined;
  const address = new URL(`http://[${route[4].replace(/(.{4})(?!$)/g, '$1:')}]`).hostname.slice(1, -1);
  return address.startsWith('fe80:') && route[9] !== undefined ? `${address}%${route[9]}` : address;
}

async function dnsServersOf(host: Host): Promise<readonly string[]> {
  const servers = nameServers((await host.read('/etc/resolv.conf')) ?? '');
  if (servers.join() !== '127.0.0.53') return servers;
  // systemd-resolved's stub: the servers behind it say more.
  const behind = nameServers((await host.read('/run/systemd/resolve/resolv.conf')) ?? '');
  return behind.length > 0 ? behind : servers;
}

function nameServers(resolvConf: string): readonly string[] {
  return resolvConf
    .split('\n')
    .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1])
    .filter((server) => server !== undefined)
    .filter((server) => isIP(server.replace(/%.*$/, '')) !== 0);
}

/** By the `ping` program, which may send ICMP without root; where it cannot, by how soon TCP is accepted or refused. */
async function latencyTo(host: Host, address: string): Promise<number | undefined> {
  const said = await host.run('ping', ['-n', '-c', '1', '-W', '1', address], PING_MS);
  const pinged = /time[=<]([\d.]+) ?ms/.exec(said ?? '')?.[1];
  if (pinged !== undefined) return tenth(Number(pinged));
  const answers = await Promise.all(GATEWAY_PORTS.map((port) => host.tcpAnswerMs(address, port, TCP_MS)));
  const quick = answers.filter((ms) => ms !== undefined).sort((a, b) => a - b);
  return quick[0] === undefined ? undefined : tenth(quick[0]);
}

function tenth(ms: number): number {
  return Math.round(ms * 10) / 10;
}
