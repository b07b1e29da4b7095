/**
 * The fault matrix: what the daemon must make of each fault, at its defaults (a check every 7 s, a time-out of 2 s). One row
 * a fault. The bounds are those of a whole daemon in this lab, from the end of `apply` or `repair` to the line in its log.
 */
import type { OfflineReason } from '../../src/workers/protocol.js';
import * as faults from './faults.js';

/** What must happen while a fault lasts. */
export type Expectation =
  /** The verdict becomes offline, for this reason, within that time. */
  | { readonly kind: 'offline'; readonly reason: OfflineReason; readonly withinMs: number }
  /** The verdict stays online: no transition. */
  | { readonly kind: 'online' };

export interface Row {
  readonly fault: faults.Fault;
  readonly expect: Expectation;
  /** From the repair to the verdict online, at most; only where the fault takes it away. */
  readonly onlineWithinMs?: number;
  /** The fault is there before the daemon starts; bounds count from the start of its process. */
  readonly fromStart?: true;
}

/** Interface, address or default route gone: the kernel tells at once, its word is held for 0.3 s. */
const TOLD_BY_KERNEL_MS = 700;
/** The kernel itself holds the loss of a carrier back for up to a second. */
const CARRIER_MS = 1_500;
/**
 * One interval (7 s), one check that runs into its time-outs and one that confirms it; how long each takes depends on the
 * step that fails.
 */
const SILENT_MS = 11_500;
/** One interval, a check that fails at once, and the confirming one, a second after. */
const ANSWERED_MS = 8_500;

/** From the start of the process: two checks that run into their time-outs. */
const FIRST_VERDICT_MS = 9_500;

const LINK_UP_MS = 700;
const REPAIRED_MS = 2_500;

function offline(fault: faults.Fault, reason: OfflineReason, withinMs: number, onlineWithinMs = REPAIRED_MS): Row {
  return { fault, expect: { kind: 'offline', reason, withinMs }, onlineWithinMs };
}

function fromStart(fault: faults.Fault, reason: OfflineReason, onlineWithinMs = REPAIRED_MS): Row {
  return { ...offline(fault, reason, FIRST_VERDICT_MS, onlineWithinMs), fromStart: true };
}

function online(fault: faults.Fault): Row {
  return { fault, expect: { kind: 'online' } };
}

export const MATRIX: readonly Row[] = [
  offline(faults.linkDown, 'no-link', TOLD_BY_KERNEL_MS, LINK_UP_MS),
  offline(faults.carrierLost, 'no-link', CARRIER_MS, LINK_UP_MS),
  offline(faults.noAddress, 'no-route', TOLD_BY_KERNEL_MS, LINK_UP_MS),
  offline(faults.noDefaultRoute, 'no-route', TOLD_BY_KERNEL_MS, LINK_UP_MS),

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

  offline(faults.httpsDropped, 'tcp-timeout', SILENT_MS),
  offline(faults.httpsRefused, 'tcp-refused', ANSWERED_MS),
  offline(faults.hangAfterAccept, 'tls-failed', SILENT_MS),
  offline(faults.hangAfterTls, 'http-timeout', SILENT_MS),
  offline(faults.certificateForeign, 'portal', ANSWERED_MS),
  // The clock of this machine is right, so the certificate is at fault, unless the daemon finds no way to know.
  offline(faults.certificateExpired, 'tls-failed', ANSWERED_MS),
  offline(faults.certificateNotYetValid, 'clock', ANSWERED_MS),
  online(faults.status500),
  online(faults.redirect),
  online(faults.cloudDropped),

  online(faults.packetLoss(5)),
  online(faults.latency(300)),
  online(faults.ipv6Only),
  online(faults.ipv4Only),
  online(faults.ipv6Broken),

  // Before the first success there is no last address that worked.
  fromStart(faults.dnsDropped, 'dns-timeout'),
  fromStart(faults.dnsNxdomain, 'dns-failed'),
  fromStart(faults.dnsServfail, 'dns-failed'),
  fromStart(faults.dnsRefused, 'dns-failed'),
  fromStart(faults.resolvConfEmpty, 'dns-failed'),
  fromStart(faults.dnsHijacked, 'portal'),
  fromStart(faults.linkDown, 'no-link', LINK_UP_MS),
  fromStart(faults.clockOff('-6y'), 'clock'),
];
