/** Which check tells of which reason, and which ones are behind it. Pure. */
import { TROUBLES } from '../../troubles.js';
import type { CheckEvidence, OfflineReason } from '../../../workers/protocol.js';
import { skip, type Finding } from './check.js';

/** In the order of the way out; what is behind a bad one is not looked at because of it. */
const STATIONS = ['links', 'routes', 'router', 'name-servers', 'portal', 'proxy', 'site', 'hosts', 'sign-in'] as const;
export type Station = (typeof STATIONS)[number];

/** A wrong clock and a missing store of certificates are seen at the site's certificate. */
const BLAMED: Readonly<Record<OfflineReason, Station>> = {
  'no-link': 'links',
  'no-route': 'routes',
  'dns-timeout': 'name-servers',
  'dns-failed': 'name-servers',
  portal: 'portal',
  'no-ca-store': 'site',
  clock: 'site',
  proxy: 'proxy',
  'tcp-timeout': 'site',
  'tcp-refused': 'site',
  'tls-failed': 'site',
  'http-timeout': 'site',
};

/** True: this check has to tell what the evidence blames. */
export function isBlamed(station: Station, evidence: CheckEvidence | undefined): boolean {
  return evidence?.reason !== undefined && BLAMED[evidence.reason] === station;
}

/** Why this station is not looked at; undefined: nothing before it is bad. */
export function skipBehind(station: Station, evidence: CheckEvidence | undefined): Finding | undefined {
  const reason = evidence?.reason;
  if (reason === undefined) return undefined;
  const isBehind = STATIONS.indexOf(BLAMED[reason]) < STATIONS.indexOf(station);
  return isBehind ? skip(`not looked at: ${TROUBLES[reason].title}`) : undefined;
}
