/** What can happen in a soak, and what the daemon's log may say because of it. */
import type { OfflineReason } from '../../src/workers/protocol.js';
import type { CloudFault } from './internet.js';
import * as faults from './faults.js';
import type { Random } from './random.js';

/** A fault that lasts, or one of the cloud that happens. */
export interface Trouble {
  readonly fault: faults.Fault;
  /** Reasons of an offline verdict that it explains; none: it explains no such verdict. */
  readonly reasons: readonly OfflineReason[];
  /** It can take the connection to the cloud although there is internet. */
  readonly disturbsCloud: boolean;
  /** How long it is left, milliseconds; most: no message of a bounded store may be lost because of it. */
  readonly lastsMs: readonly [number, number];
}

const SHORT: readonly [number, number] = [300, 1_500];
const MEDIUM: readonly [number, number] = [2_000, 9_000];
const LONG: readonly [number, number] = [9_000, 20_000];

const SILENT: readonly OfflineReason[] = ['dns-timeout', 'tcp-timeout', 'tls-failed', 'http-timeout'];

function cloud(kind: CloudFault): faults.Fault {
  return {
    name: `cloud-${kind}`,
    says: `the cloud: ${kind}`,
    apply: (lab) => lab.internet.call('cloudFault', kind),
    repair: (lab) => lab.internet.call('repair', undefined),
  };
}

function trouble(
  fault: faults.Fault,
  reasons: readonly OfflineReason[],
  lastsMs: Trouble['lastsMs'],
  disturbsCloud = false,
): Trouble {
  return { fault, reasons, lastsMs, disturbsCloud };
}

/** Of which one after another is drawn. */
export const TROUBLES: readonly Trouble[] = [
  // A route that comes back in two steps says one thing and then the other.
  trouble(faults.linkDown, ['no-link', 'no-route'], SHORT, true),
  trouble(faults.linkDown, ['no-link', 'no-route'], MEDIUM, true),
  trouble(faults.carrierLost, ['no-link', 'no-route', ...SILENT], MEDIUM, true),
  trouble(faults.noAddress, ['no-route'], MEDIUM, true),
  trouble(faults.noDefaultRoute, ['no-route'], MEDIUM, true),
  trouble(faults.blackHole, SILENT, SHORT, true),
  trouble(faults.blackHole, SILENT, LONG, true),
  trouble(faults.uplinkDropped, SILENT, LONG, true),
  trouble(faults.downlinkDropped, SILENT, LONG, true),
  trouble(faults.dnsDropped, ['dns-timeout'], MEDIUM),
  trouble(faults.dnsNxdomain, ['dns-failed'], MEDIUM),
  trouble(faults.dnsHijacked, ['portal'], MEDIUM),
  trouble(faults.portalRedirect, ['portal'], LONG, true),
  trouble(faults.httpsDropped, ['tcp-timeout', 'http-timeout'], LONG, true),
  trouble(faults.httpsRefused, ['tcp-refused'], MEDIUM, true),
  trouble(faults.hangAfterTls, [], LONG),
  trouble(faults.siteDropped, [], LONG),
  trouble(faults.certificateForeign, [], MEDIUM),
  trouble(faults.status500, [], MEDIUM),
  trouble(faults.packetLoss(10), SILENT, LONG, true),
  trouble(faults.latency(200), [], LONG, true),
  trouble(faults.ipv6Broken, [], LONG, true),
  trouble(faults.ipv4Only, ['no-route'], MEDIUM, true),
  trouble(faults.resolvConfReplaced, [], MEDIUM),
  trouble(faults.cloudDropped, [], LONG, true),
  trouble(cloud('drop'), [], SHORT, true),
  trouble(cloud('going-away'), [], SHORT, true),
  trouble(cloud('forget'), [], SHORT, true),
  trouble(cloud('half-open'), [], LONG, true),
];

/** One step of a soak: quiet, then a trouble. */
export interface Step {
  readonly quietMs: number;
  readonly trouble: Trouble;
  readonly lastsMs: number;
}

export function nextStep(random: Random): Step {
  const drawn = random.of(TROUBLES);
  return { quietMs: random.between(500, 9_000), trouble: drawn, lastsMs: random.between(...drawn.lastsMs) };
}
