/**
 * What can be wrong with an internet connection, as named values that are applied to a lab and repaired again.
 * A repair restores all that the fault took, also what the kernel took along (the routes of a link that went down).
 */
import { clockOff } from './faults/clock.js';
import * as https from './faults/https.js';
import * as line from './faults/line.js';
import * as links from './faults/links.js';
import type { Fault } from './faults/make.js';
import * as names from './faults/names.js';
import { PORTALS, portalNewFlows, portalRedirect } from './faults/portals.js';

export type { Fault } from './faults/make.js';
export * from './faults/clock.js';
export * from './faults/https.js';
export * from './faults/line.js';
export * from './faults/links.js';
export * from './faults/names.js';
export * from './faults/portals.js';

/** All of them, with ordinary parameters. */
export const FAULTS: readonly Fault[] = [
  links.linkDown,
  links.carrierLost,
  links.noAddress,
  links.noDefaultRoute,
  line.blackHole,
  line.uplinkDropped,
  line.downlinkDropped,
  names.dnsDropped,
  names.dnsNxdomain,
  names.dnsServfail,
  names.dnsRefused,
  names.slowDns(1_000),
  names.dnsHijacked,
  portalRedirect,
  portalNewFlows,
  ...PORTALS,
  https.httpsDropped,
  https.httpsRefused,
  https.httpsPayloadDropped,
  https.siteDropped,
  https.siteRefused,
  https.siteUnknown,
  https.cloudDropped,
  https.hangAfterAccept,
  https.hangAfterTls,
  https.certificateForeign,
  https.certificateExpired,
  https.certificateNotYetValid,
  https.status500,
  https.redirect,
  line.packetLoss(20),
  line.latency(300),
  line.largeLost(1_300),
  links.ipv6Only,
  links.ipv4Only,
  line.ipv6Broken,
  line.ipv6TcpOnly,
  line.ipv6LargeLost,
  line.ipv6LargeLostOut,
  names.resolvConfReplaced,
  names.resolvConfEmpty,
  names.resolvedAway,
  clockOff('-6y'),
];
