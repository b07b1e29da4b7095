/**
 * What the kernel's own tables say of the way out, before a packet is sent. Pure: a snapshot in, evidence out.
 *
 * The question is not "is some interface up" but "would a packet to the internet leave this machine": a Pi whose cable is
 * pulled still has `docker0`, and one without a DHCP answer still has a link-local address.
 */
import { isRefusal } from '../net/refusal.js';
import type { LinkEvidence } from '../protocol.js';

/** A network interface, `lo` left out. */
export interface LinkInterface {
  readonly name: string;
  /** Switched on by the administrator (`ip link set ... up`). */
  readonly up: boolean;
  /** The kernel's operational state: `up`, `down`, `lowerlayerdown`, `dormant`, `unknown`, ... */
  readonly operState: string;
  /** Its largest packet, bytes; undefined if the kernel does not tell. */
  readonly mtu?: number;
  /** A device stands behind it; false for veth, bridges, tunnels. */
  readonly physical: boolean;
  /** Its addresses; empty while it is not running; undefined if the system refuses to tell. */
  readonly addresses: readonly string[] | undefined;
}

/** A default route of the main table. */
export interface DefaultRoute {
  readonly device: string;
  readonly metric: number;
  /** As the kernel writes it; undefined where the whole world is said to be on the link itself, as for a point-to-point line. */
  readonly gateway: string | undefined;
}

/** Where the kernel would send a packet to an address out there: its source address, or why there is no way. */
export interface Egress {
  readonly family: 4 | 6;
  /** The source address the kernel picked. */
  readonly source?: string;
  /** The system's code, such as `ENETUNREACH`. */
  readonly error?: string;
}

/** One look at the kernel's tables. */
export interface LinkSnapshot {
  readonly interfaces: readonly LinkInterface[];
  readonly defaultRoutes: readonly DefaultRoute[];
  /** To each address that was asked for; none: any address of our own is way enough. */
  readonly egress: readonly Egress[];
  /** The code with which the system refused to let a table be read: what is missing of the above says nothing then. */
  readonly refused?: string;
}

/** Most interfaces that are named in a sentence. */
const MAX_NAMED = 4;

/** RTF_UP and RTF_REJECT of linux/route.h. */
const ROUTE_UP = 0x1;
const ROUTE_REJECT = 0x200;

/** Default routes in the text of /proc/net/route (IPv4, main table). A line that is not understood is left out. */
export function parseIpv4DefaultRoutes(text: string): DefaultRoute[] {
  const routes: DefaultRoute[] = [];
  for (const line of text.split('\n').slice(1)) {
    const [device, destination, gateway, flags, , , metric, mask] = line.trim().split(/\s+/);
    if (device === undefined || destination !== '00000000' || mask !== '00000000') continue;
    if (!isUsable(Number.parseInt(flags ?? '', 16))) continue;
    routes.push({ device, metric: Number(metric) || 0, gateway: gateway === '00000000' ? undefined : gateway });
  }
  return routes;
}

/** Default routes in the text of /proc/net/ipv6_route. A line that is not understood is left out. */
export function parseIpv6DefaultRoutes(text: string): DefaultRoute[] {
  const nowhere = '0'.repeat(32);
  const routes: DefaultRoute[] = [];
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const [destination, prefix, , , gateway, metric, , , flags, device] = fields;
    if (device === undefined || device === 'lo' || destination !== nowhere || prefix !== '00') continue;
    if (!isUsable(Number.parseInt(flags ?? '', 16))) continue;
    routes.push({
      device,
      metric: Number.parseInt(metric ?? '0', 16) || 0,
      gateway: gateway === nowhere ? undefined : gateway,
    });
  }
  return routes;
}

function isUsable(flags: number): boolean {
  return (flags & ROUTE_UP) !== 0 && (flags & ROUTE_REJECT) === 0;
}

/** True if the kernel would hand packets to it: switched on, with a carrier and, on Wi-Fi, let in. */
export function isRunning(link: LinkInterface): boolean {
  // Tunnels and modems do not say how they are; the kernel counts `unknown` as running.
  return link.up && (link.operState === 'up' || link.operState === 'unknown');
}

/** The evidence in a snapshot. `no-link` and `no-route` are said only if no packet could leave by either family. */
export function decideLink(snapshot: LinkSnapshot): LinkEvidence {
  const ways = snapshot.egress.filter((egress) => egress.source !== undefined);
  if (ways.some((egress) => leadsOut(egress, snapshot))) return { phase: 'link', ok: true };

  const candidates = candidatesOf(snapshot.interfaces);
  if (candidates.length === 0) {
    return { phase: 'link', ok: false, reason: 'no-link', detail: 'there is no network interface' };
  }
  if (!candidates.some(isRunning)) {
    return { phase: 'link', ok: false, reason: 'no-link', detail: named(candidates.map(whyNotRunning)) };
  }
  if (snapshot.egress.length === 0 && candidates.some((link) => isRunning(link) && hasOwnAddress(link)))
    return { phase: 'link', ok: true };
  const routeDevices = new Set(snapshot.defaultRoutes.map((route) => route.device));
  const dead = snapshot.interfaces.filter((link) => routeDevices.has(link.name) && !isRunning(link));
  if (dead.length > 0) {
    const detail = named(dead.map((link) => `${whyNotRunning(link)}, and the default route leads there`));
    return { phase: 'link', ok: false, reason: 'no-link', detail };
  }
  const detail = named(candidates.filter(isRunning).map((link) => whyNoWay(link, routeDevices.has(link.name))));
  return { phase: 'link', ok: false, reason: 'no-route', detail };
}

/**
 * The code of a refusal (no file handle, a sandbox) that keeps the snapshot from showing that there is no way out; undefined if it may be
 * taken at its word. A family that this machine does not have at all hides nothing of the other one.
 */
export function refusalIn({ refused, egress }: LinkSnapshot): string | undefined {
  if (egress.some(({ source }) => source !== undefined)) return refused;
  const refusals = egress.map(({ error }) => error).filter(isRefusal);
  const telling = refusals.find((error) => error !== 'EAFNOSUPPORT');
  return refused ?? telling ?? (refusals.length === egress.length ? refusals[0] : undefined);
}

/**
 * What of a snapshot matters to a check, as a string: two equal ones need no new check. A container that starts or an
 * announced route that is merely renewed changes nothing here, and so costs no traffic.
 */
export function fingerprint(snapshot: LinkSnapshot): string {
  const evidence = decideLink(snapshot);
  return JSON.stringify([
    evidence.reason ?? 'ok',
    evidence.detail ?? '',
    [...new Set(snapshot.egress.map((egress) => egress.source ?? ''))].sort(),
    snapshot.interfaces.filter(isWayOut(snapshot)).map(({ name, mtu = 0 }) => `${name}/${mtu}`),
    snapshot.defaultRoutes.map(({ device, metric, gateway = '' }) => `${device}/${metric}/${gateway}`).sort(),
  ]);
}

/** Whether a default route leads over an interface. */
function isWayOut({ defaultRoutes }: LinkSnapshot): (link: LinkInterface) => boolean {
  const devices = new Set(defaultRoutes.map(({ device }) => device));
  return ({ name }) => devices.has(name);
}

function leadsOut(egress: Egress, snapshot: LinkSnapshot): boolean {
  const { source } = egress;
  if (source === undefined) return false;
  // A destination on this very machine.
  if (source === '::1' || source.startsWith('127.')) return true;
  // Where nobody knows whose address it is, any interface that runs may be the one.
  const owner = snapshot.interfaces.find((link) => isRunning(link) && (link.addresses?.includes(source) ?? true));
  // The address of an interface that lost its carrier is still chosen, but nothing will leave by it.
  if (owner === undefined) return false;
  if (!isLinkLocal(source)) return true;
  // dhcpcd gives itself 169.254.x.x and a default route onto the bare link when no DHCP server answers.
  return (
    egress.family === 4 &&
    snapshot.defaultRoutes.some((route) => route.device === owner.name && route.gateway !== undefined)
  );
}

/** One that is good for more than the bare link; true where nobody knows. */
function hasOwnAddress({ addresses }: LinkInterface): boolean {
  return addresses?.some((address) => !isLinkLocal(address)) ?? true;
}

/** True for fe80::/10 and 169.254.0.0/16, which no router passes on. */
export function isLinkLocal(address: string): boolean {
  return address.startsWith('169.254.') || /^fe[89ab][0-9a-f]:/i.test(address);
}

/** Where there is hardware, only hardware counts: a bridge of containers is no link to the world. */
export function candidatesOf(interfaces: readonly LinkInterface[]): readonly LinkInterface[] {
  const physical = interfaces.filter((link) => link.physical);
  return physical.length > 0 ? physical : interfaces;
}

export function whyNotRunning(link: LinkInterface): string {
  if (!link.up) return `${link.name} is down`;
  if (link.operState === 'dormant') return `${link.name} is not authenticated yet`;
  return `${link.name} has no carrier`;
}

export function whyNoWay(link: LinkInterface, hasDefaultRoute: boolean): string {
  const addresses = link.addresses ?? [];
  const [address] = addresses.filter((candidate) => !isLinkLocal(candidate));
  if (address !== undefined) {
    return hasDefaultRoute
      ? `${link.name} has the address ${address} and a default route that leads nowhere`
      : `${link.name} has the address ${address}, but no default route`;
  }
  const onlyLocal = addresses.some((candidate) => candidate.startsWith('169.254.'));
  return onlyLocal ? `${link.name} has only a link-local address (no DHCP answer)` : `${link.name} has no address`;
}

function named(parts: readonly string[]): string {
  const shown = parts.slice(0, MAX_NAMED).join('; ');
  return parts.length > MAX_NAMED ? `${shown}; and ${parts.length - MAX_NAMED} more` : shown;
}
