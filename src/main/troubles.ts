/**
 * The one table of troubles: all that the product can complain of, what it means and what to do. Journal, status line, `check`
 * and README.md are made from it or checked against it by the tests. Pure; imports nothing but the worker's reasons.
 */
import type { NameTrouble, OfflineReason, ProxyTrouble } from '../workers/protocol.js';
import { ASKED } from './troubles/asked.js';
import { CLOUD } from './troubles/cloud.js';
import { causesAmong, type Causes } from './troubles/first-cause.js';
import { HOUSE } from './troubles/house.js';
import { LINE, OFFLINE, OUTAGE, UPLINK } from './troubles/internet.js';
import { NEAR, REMARKED } from './troubles/looked.js';
import { NAMES, type NameWords } from './troubles/names.js';
import { PROXIES } from './troubles/proxies.js';
import { REMARKS, STOPPING } from './troubles/own.js';
import {
  plain,
  type AskedTrouble,
  type LookedTrouble,
  type NearTrouble,
  type Trouble,
  type TroubleCode,
} from './troubles/types.js';

export { consequencesOf, type Causes } from './troubles/first-cause.js';
export type { Trouble, TroubleCode } from './troubles/types.js';
export { PROXIES as PROXY_WORDS } from './troubles/proxies.js';
export { plain } from './troubles/types.js';

/** In the order in which they are to be mended: what keeps this program from being asked, this program, the line from its near end, the cloud, the house, remarks. */
export const TROUBLES: Readonly<Record<TroubleCode, Trouble>> = {
  ...ASKED,
  ...STOPPING,
  ...NEAR,
  ...UPLINK,
  ...LINE,
  ...OFFLINE,
  ...OUTAGE,
  ...CLOUD,
  ...HOUSE,
  ...REMARKS,
  ...REMARKED,
};

/** The reasons of an offline verdict, in the order of blame. */
export const OFFLINE_REASONS = Object.keys(OFFLINE) as readonly OfflineReason[];

/** What only a command finds. */
export const ASKED_CODES = Object.keys({ ...ASKED, ...NEAR, ...REMARKED }) as readonly (AskedTrouble | LookedTrouble)[];

/** What can explain an outage and is only looked at by a command. */
export const NEAR_CODES: readonly TroubleCode[] = Object.keys(NEAR) as NearTrouble[];

/** Of the troubles that are there: the one to begin with, those beside it, and those that it or they make irrelevant. */
export function firstCause(present: Iterable<TroubleCode>): Causes {
  return causesAmong(TROUBLES, present);
}

/** Such as `name server silent`; fits into a sentence. */
export function reasonWords(reason: OfflineReason): string {
  return TROUBLES[reason].title;
}

/** What an operator can do about it, one sentence without a full stop. */
export function reasonAdvice(reason: OfflineReason): string {
  return plain(TROUBLES[reason].remedy);
}

/** The same for a look-up that failed; what it means comes first, since the reason alone does not say it. */
export function nameAdvice(trouble: NameTrouble): string {
  return sentences(NAMES[trouble]);
}

/** The same for a proxy that opens no way. */
export function proxyAdvice(trouble: ProxyTrouble): string {
  return sentences(PROXIES[trouble]);
}

function sentences({ meaning, remedy }: NameWords): string {
  return plain(`${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}. ${remedy}`);
}

/** The same for an interface that carries and has no internet, where another has. */
export function uplinkAdvice(carrying: string): string {
  return plain(TROUBLES['wrong-uplink'].remedy).replaceAll('NAME', carrying);
}

/** The same for a portal that says where to log in. */
export function loginAdvice(login: string): string {
  return `Log in at ${login} with a browser in the same network, or ask whoever runs it to let this device through`;
}
