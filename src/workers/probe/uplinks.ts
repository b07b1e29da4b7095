/** Which interface carries, which stands by, which is dead: what the kernel's tables say of each that could lead out. Pure. */
import type { LinkEvidence, Uplink } from '../protocol.js';
import {
  candidatesOf,
  decideLink,
  isLinkLocal,
  isRunning,
  whyNoWay,
  whyNotRunning,
  type LinkSnapshot,
} from './link-state.js';

/** Bounds a list that goes into evidence. */
const MAX_UPLINKS = 8;

/** What the kernel says, with the interfaces that it says it of. */
export function linkEvidenceOf(snapshot: LinkSnapshot): LinkEvidence {
  const uplinks = uplinksOf(snapshot);
  return { ...decideLink(snapshot), ...(uplinks.length === 0 ? {} : { uplinks }) };
}

/** The hardware (or, without any, all there is) and whatever else has a default route, such as a tunnel; empty where there are not two to tell apart. */
export function uplinksOf({ interfaces, defaultRoutes, egress }: LinkSnapshot): readonly Uplink[] {
  const routed = new Set(defaultRoutes.map(({ device }) => device));
  const hardware = candidatesOf(interfaces);
  const could = interfaces.filter((link) => hardware.includes(link) || routed.has(link.name));
  if (could.length < 2) return [];
  const sources = new Set(egress.map(({ source }) => source));
  return could.slice(0, MAX_UPLINKS).map((link): Uplink => {
    const { name, addresses = [] } = link;
    if (!isRunning(link)) return { name, role: 'dead', detail: whyNotRunning(link) };
    if (addresses.some((address) => sources.has(address))) return { name, role: 'carries' };
    const ready = routed.has(name) && addresses.some((address) => !isLinkLocal(address));
    return ready ? { name, role: 'stands-by' } : { name, role: 'dead', detail: whyNoWay(link, routed.has(name)) };
  });
}
