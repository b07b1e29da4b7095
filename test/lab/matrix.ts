/**
 * The fault matrix: what the daemon must make of each fault, at its defaults (a check every 7 s, a time-out of 2 s). One row
 * a fault. The bounds are those of a whole daemon in this lab, from the end of `apply` or `repair` to the line in its log.
 */
import type { OfflineReason } from '../../src/workers/protocol.js';
import * as faults from './faults.js';
import { LOGIN } from './topology.js';

/** What must happen while a fault lasts. */
export type Expectation =
  /** The verdict becomes offline, for this reason, within that time. */
  | { readonly kind: 'offline'; readonly reason: OfflineReason; readonly withinMs: number }
  /** The verdict stays online: no transition. No check takes longer than `checksWithinMs`, if set. */
  | {
      readonly kind: 'online';
      readonly checksWithinMs?: number;
      /** From the start: sign-in and WebSocket together. */
      readonly connectsWithinMs?: number;
      /** The log tells once that it is the site that fails, and how. From the start the group is joined within {@link JOINED_MS}. */
      readonly siteFails?: RegExp;
    };

export interface Row {
  readonly fault: faults.Fault;
  readonly expect: Expectation;
  /** From the repair to the verdict online, at most; only where the fault takes it away. */
  readonly onlineWithinMs?: number;
  /** This was there before, and the log has told that it is the site alone; it stays until all is over. */
  readonly before?: faults.Fault;
  /** The fault is there before the daemon starts; bounds count from the start of its process. */
  readonly fromStart?: true;
  /** The daemon was started just before: it prefers IPv6, and nothing of an earlier fault is left in it. */
  readonly fresh?: true;
  /** It takes the way of the connection with it, which is moved to another and loses nothing. Default: the connection is left alone. */
  readonly moves?: true;
  /** What the journal must name beside the reason. */
  readonly says?: string;
  /** How often it is tried. Default: once. */
  readonly times?: number;
}

/** Interface, address or default route gone: the kernel tells at once, its word is held for 0.3 s. */
export const TOLD_BY_KERNEL_MS = 700;
/** The kernel itself holds the loss of a carrier back for up to a second. */
export const CARRIER_MS = 1_500;
/**
 * One interval (7 s), one check that runs into its time-outs and one that confirms it; how long each takes depends on the
 * step that fails.
 */
export const SILENT_MS = 11_500;
/** One interval, a check that fails at once, and the confirming one, a second after. */
const ANSWERED_MS = 8_500;

/** From the start of the process: two checks that run into their time-outs. */
const FIRST_VERDICT_MS = 9_500;

export const LINK_UP_MS = 700;
/**
 * Where the address stayed while the carrier was gone, the kernel asks for the router once a second, as long as anything waits for it
 * (such as the FIN of the closed connections), and the first packet after the carrier's return waits for its next question.
 */
const CARRIER_BACK_MS = LINK_UP_MS + 1_000;
export const REPAIRED_MS = 2_500;
/** While the site stays down the return is found by the check after the next at the latest, which may run into its time-outs beside the witnesses. */
const SITE_DOWN_ONLINE_MS = REPAIRED_MS + 4_000;

/** No route needs that long to turn out as the wrong one. */
const NO_DELAY_MS = 500;

/** Twice the time-out, and a moment. */
const CHECK_BOUND_MS = 4_200;

/** An address that leads nowhere costs a quarter of a second, one that swallows a request some 0.6 s, once. */
export const CONNECTS_MS = 1_500;

/** What must hold every time is tried a few times. */
const EVERY_TIME = 3;

function told(fault: faults.Fault, reason: OfflineReason, withinMs = TOLD_BY_KERNEL_MS, onlineMs = LINK_UP_MS): Row {
  return { ...offline(fault, reason, withinMs, onlineMs), times: EVERY_TIME };
}

function offline(fault: faults.Fault, reason: OfflineReason, withinMs: number, onlineWithinMs = REPAIRED_MS): Row {
  return { fault, expect: { kind: 'offline', reason, withinMs }, onlineWithinMs };
}

function fromStart(fault: faults.Fault, reason: OfflineReason, onlineWithinMs = REPAIRED_MS): Row {
  return { ...offline(fault, reason, FIRST_VERDICT_MS, onlineWithinMs), fromStart: true };
}

function online(fault: faults.Fault): Row {
  return { fault, expect: { kind: 'online' } };
}

/** No check takes longer than its bound, and what its process does about it. */
function slow(fault: faults.Fault): Row {
  return { fault, expect: { kind: 'online', checksWithinMs: CHECK_BOUND_MS } };
}

/** From the start of the process to the group while only the site fails. */
export const JOINED_MS = 10_000;

/** How the site alone can fail, and what the log says of it. */
const SITE_ALONE: readonly (readonly [faults.Fault, RegExp])[] = [
  [faults.siteDropped, /its address does not answer/],
  [faults.siteRefused, /it refuses connections/],
  [faults.siteUnknown, /its name leads to no address/],
  [faults.hangAfterAccept, /its TLS handshake fails/],
  [faults.hangAfterTls, /it sends no answer/],
  [faults.certificateForeign, /somebody else's certificate/],
  // The clock of this machine is right, so the certificate is at fault.
  [faults.certificateExpired, /its certificate expired on/],
  [faults.certificateNotYetValid, /its certificate is not valid yet/],
];

function siteAlone(): Row[] {
  return SITE_ALONE.flatMap(([fault, siteFails]): Row[] => [
    { fault, expect: { kind: 'online', siteFails } },
    { fault, expect: { kind: 'online', siteFails }, fromStart: true },
  ]);
}

/** A real outage while the site was down: as fast as without. */
function besides(before: faults.Fault, row: Row): Row {
  return { ...row, before };
}

function onlineWithoutDelay(fault: faults.Fault): Row {
  return { fault, expect: { kind: 'online', checksWithinMs: NO_DELAY_MS }, fresh: true };
}

function onlineFromStart(fault: faults.Fault): Row {
  return {
    fault,
    expect: { kind: 'online', checksWithinMs: NO_DELAY_MS, connectsWithinMs: CONNECTS_MS },
    fromStart: true,
  };
}

/** Satellite, EDGE, and a bad one of those. */
export const SLOW_LINES: readonly faults.Fault[] = [
  faults.slowLine(700),
  faults.slowLine(900),
  faults.slowLine(400, 10),
];

export const MATRIX: readonly Row[] = [
  told(faults.linkDown, 'no-link'),
  told(faults.carrierLost, 'no-link', CARRIER_MS, CARRIER_BACK_MS),
  told(faults.noAddress, 'no-route'),
  told(faults.noDefaultRoute, 'no-route'),

  offline(faults.blackHole, 'dns-timeout', SILENT_MS),
  offline(faults.uplinkDropped, 'dns-timeout', SILENT_MS),
  offline(faults.downlinkDropped, 'dns-timeout', SILENT_MS),

  // The last address that worked still answers, over the connection that is open: the internet is there.
  online(faults.dnsDropped),
  online(faults.dnsNxdomain),
  online(faults.dnsServfail),
  online(faults.dnsRefused),
  online(faults.slowDns(1_000)),
  online(faults.resolvConfReplaced),
  online(faults.resolvConfEmpty),
  offline(faults.dnsHijacked, 'portal', ANSWERED_MS),
  offline(faults.portalRedirect, 'portal', ANSWERED_MS),
  ...faults.PORTALS.map((portal) => ({
    ...offline(portal, 'portal', portal.name === 'portal-443-dropped' ? SILENT_MS : ANSWERED_MS),
    says: `Log in at ${LOGIN} `,
  })),

  offline(faults.httpsDropped, 'tcp-timeout', SILENT_MS),
  offline(faults.httpsRefused, 'tcp-refused', ANSWERED_MS),
  offline(faults.httpsPayloadDropped, 'tls-failed', SILENT_MS),
  ...siteAlone(),
  besides(faults.certificateExpired, offline(faults.blackHole, 'dns-timeout', SILENT_MS, SITE_DOWN_ONLINE_MS)),
  besides(faults.siteDropped, offline(faults.blackHole, 'dns-timeout', SILENT_MS, SITE_DOWN_ONLINE_MS)),
  besides(faults.siteUnknown, offline(faults.blackHole, 'dns-timeout', SILENT_MS, SITE_DOWN_ONLINE_MS)),
  besides(faults.hangAfterTls, offline(faults.httpsRefused, 'tcp-refused', ANSWERED_MS, SITE_DOWN_ONLINE_MS)),
  besides(faults.siteRefused, offline(faults.linkDown, 'no-link', TOLD_BY_KERNEL_MS, SITE_DOWN_ONLINE_MS)),
  online(faults.status500),
  online(faults.redirect),
  online(faults.cloudDropped),

  online(faults.packetLoss(5)),
  online(faults.latency(300)),
  ...SLOW_LINES.map(slow),
  onlineWithoutDelay(faults.ipv6Only),
  // The connection went over IPv6.
  { ...onlineWithoutDelay(faults.ipv4Only), moves: true },
  onlineWithoutDelay(faults.ipv6Broken),

  // Before the first success there is no last address that worked.
  { ...fromStart(faults.dnsDropped, 'dns-timeout'), says: 'No name server answers' },
  { ...fromStart(faults.dnsNxdomain, 'dns-failed'), says: 'no such name' },
  { ...fromStart(faults.dnsServfail, 'dns-failed'), says: 'SERVFAIL' },
  { ...fromStart(faults.dnsRefused, 'dns-failed'), says: 'REFUSED' },
  { ...fromStart(faults.resolvConfEmpty, 'dns-failed'), says: '/etc/resolv.conf names no name server' },
  { ...fromStart(faults.resolvedAway, 'dns-failed'), says: 'systemctl restart systemd-resolved' },
  fromStart(faults.dnsHijacked, 'portal'),
  fromStart(faults.linkDown, 'no-link', LINK_UP_MS),
  fromStart(faults.clockOff('-6y'), 'clock'),
  // By satellite: the first check has no connection of an earlier one.
  ...SLOW_LINES.slice(0, 2).map((line): Row => ({ ...slow(line), fromStart: true })),
  onlineFromStart(faults.ipv6Only),
  onlineFromStart(faults.ipv4Only),
  onlineFromStart(faults.ipv6Broken),
  onlineFromStart(faults.ipv6TcpOnly),
  onlineFromStart(faults.ipv6LargeLost),
  onlineFromStart(faults.ipv6LargeLostOut),
];

/** What lasts no longer than that is noticed by one check at most, and by no verdict. The kernel's word is another matter. */
export const BLIP_MS = 900;

export const BLIPS: readonly faults.Fault[] = [
  faults.blackHole,
  faults.uplinkDropped,
  faults.downlinkDropped,
  faults.dnsDropped,
  faults.dnsNxdomain,
  faults.dnsServfail,
  faults.dnsRefused,
  faults.slowDns(1_000),
  faults.dnsHijacked,
  faults.portalRedirect,
  faults.httpsDropped,
  faults.httpsRefused,
  faults.httpsPayloadDropped,
  faults.hangAfterAccept,
  faults.hangAfterTls,
  faults.certificateForeign,
  faults.certificateExpired,
  faults.certificateNotYetValid,
  faults.status500,
  faults.redirect,
  faults.packetLoss(20),
  faults.ipv6Broken,
  faults.resolvConfEmpty,
  faults.cloudDropped,
];

/** A silent black hole is noticed within that, as the median of its beginnings at any time between two checks. */
export const SILENT_MEDIAN_MS = 8_000;
