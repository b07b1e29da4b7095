/**
 * Whether the internet is there although the test site fails: who else is asked, when, and what the answers are worth. Pure.
 *
 * A live connection is asked with every failing check but the first; witnesses, by new connections, with the confirming check and then
 * rarely. A link that is gone stays the last word, and a portal cannot forge a witness: its certificate is verified.
 */
import { isRefusal } from './net/refusal.js';
import type { CheckTrigger, LiveAnswer, OfflineReason, Verdict, WitnessEvidence } from './protocol.js';

/** Witnesses are asked that rarely while the site goes on failing in the same way, milliseconds. */
export const WITNESS_EVERY_MS = 30_000;
/** And never more often than this but with a confirming check: whoever asks for checks in a hurry pays for no handshakes. */
export const WITNESS_SPACING_MS = 5_000;

/**
 * Behind which failures of the site a firewall or a portal may be that lets old flows live and no new ones: there only a new connection
 * proves anything. With the others a new connection has come at least as far as TCP, or it is only names that fail.
 */
const NEEDS_A_NEW_CONNECTION: Readonly<Record<OfflineReason, boolean>> = {
  'no-link': true,
  'no-route': true,
  'dns-timeout': false,
  'dns-failed': false,
  proxy: true,
  'tcp-timeout': true,
  'tcp-refused': true,
  portal: true,
  // Behind such a certificate may be anybody.
  'no-ca-store': true,
  // If the clock were wrong, nobody's certificate would be valid to a new connection.
  clock: true,
  'tls-failed': false,
  'http-timeout': false,
};

/** An old connection that answers proves nothing but itself then. */
export function needsNewConnection(reason: OfflineReason): boolean {
  return NEEDS_A_NEW_CONNECTION[reason];
}

/** Needs no packet to be known, so no packet contradicts it. */
export function isFinal(reason: OfflineReason): boolean {
  return reason === 'no-link' || reason === 'no-route';
}

/** Times on a clock that never jumps, milliseconds. */
export interface ProofMemory {
  /** In which ways the site has failed since it last answered, while the internet was proved otherwise. Empty: it does not. */
  readonly faults: readonly OfflineReason[];
  /** When anything but the site last proved the internet. */
  readonly provenAtMs: number;
  /** When witnesses were last asked, and what the site's failure before was. */
  readonly askedAtMs: number;
  readonly askedAfter: OfflineReason | undefined;
  readonly live: LiveAnswer;
}

export const NOTHING_PROVED: ProofMemory = {
  faults: [],
  provenAtMs: -Infinity,
  askedAtMs: -Infinity,
  askedAfter: undefined,
  live: 'none',
};

/** A check that is about to begin. */
export interface Situation {
  readonly trigger: CheckTrigger;
  readonly verdict: Verdict;
  /** Checks in a row that have failed, and how the last of them did. */
  readonly failures: number;
  readonly lastReason: OfflineReason | undefined;
}

/** Who is to be asked beside a check. */
export interface Plan {
  readonly live: boolean;
  readonly witnesses: boolean;
}

export const ASK_NOBODY: Plan = { live: false, witnesses: false };
export const ASK_EVERYBODY: Plan = { live: true, witnesses: true };

export function planOf(memory: ProofMemory, situation: Situation, nowMs: number): Plan {
  const { trigger, verdict, failures, lastReason } = situation;
  const agoMs = nowMs - memory.askedAtMs;
  const doubted = (trigger === 'asked' || trigger === 'link') && agoMs >= WITNESS_SPACING_MS;
  if (verdict === 'offline') {
    // The connection is closed.
    const pointless = lastReason === undefined || isFinal(lastReason);
    return { live: false, witnesses: !pointless && (agoMs >= WITNESS_EVERY_MS || doubted) };
  }
  if (failures > 0) return ASK_EVERYBODY;
  if (memory.faults.length === 0) return ASK_NOBODY;
  const liveIsEnough = memory.live === 'answered' && !memory.faults.some(needsNewConnection);
  return { live: true, witnesses: doubted || (agoMs >= WITNESS_EVERY_MS && !liveIsEnough) };
}

/** Who is to be asked once such a check has failed, if nobody was asked beside it. */
export function planAfter(
  memory: ProofMemory,
  situation: Situation,
  reason: OfflineReason,
  isLastWord: boolean,
  nowMs: number,
): Plan {
  if (isFinal(reason)) return ASK_NOBODY;
  if (situation.verdict !== 'offline') return isLastWord ? ASK_EVERYBODY : ASK_NOBODY;
  // Another failure than before may be the first sign of the internet's return.
  const otherwise = reason !== memory.askedAfter && nowMs - memory.askedAtMs >= WITNESS_SPACING_MS;
  return { live: false, witnesses: otherwise };
}

export function onWitnessesAsked(
  memory: ProofMemory,
  lastReason: OfflineReason | undefined,
  nowMs: number,
): ProofMemory {
  return { ...memory, askedAtMs: nowMs, askedAfter: lastReason };
}

/** What came of a check whose site failed. */
export interface Testimony {
  readonly reason: OfflineReason;
  /** Younger than the check's beginning. */
  readonly live: LiveAnswer;
  /** `unasked`: it was not their turn; `refused`: this machine let us ask none of them, so they have said nothing. */
  readonly witnesses: 'answered' | 'silent' | 'refused' | 'unasked';
}

/** What the witnesses' answers come to. One that was reached and failed is enough for silence. */
export function testimonyOf(
  witnesses: readonly Pick<WitnessEvidence, 'ok' | 'error'>[] | undefined,
): Testimony['witnesses'] {
  if (witnesses === undefined) return 'unasked';
  if (witnesses.some(({ ok }) => ok)) return 'answered';
  return witnesses.length > 0 && witnesses.every(({ error }) => isRefusal(error)) ? 'refused' : 'silent';
}

/** What becomes of a failing check. `void`: neither proved nor a failure, since this machine refused what would have shown it. */
export type Weight = 'proved' | 'failed' | 'void';

/** Whether the internet is proved all the same. */
export function weigh(
  memory: ProofMemory,
  { reason, live, witnesses }: Testimony,
  nowMs: number,
): { readonly weight: Weight; readonly memory: ProofMemory } {
  // Whoever could not be asked is still to be asked.
  const heard = { ...memory, live, ...(witnesses === 'refused' ? { askedAtMs: -Infinity } : {}) };
  if (isFinal(reason)) return { weight: 'failed', memory: heard };
  const byWitness = witnesses === 'answered';
  const byConnection = live === 'answered' && !needsNewConnection(reason);
  if (byWitness || byConnection) {
    const faults = memory.faults.includes(reason) ? memory.faults : [...memory.faults, reason];
    return { weight: 'proved', memory: { ...heard, faults, provenAtMs: nowMs } };
  }
  // Only a new connection would count, and none could be tried, while the old one answers.
  if (witnesses === 'refused' && live === 'answered') return { weight: 'void', memory: heard };
  // Until it is the witnesses' turn again, a failure that is known by now is no news, unless the connection has gone silent over it.
  const known = memory.faults.includes(reason) && nowMs - memory.provenAtMs < WITNESS_EVERY_MS;
  const unheard = witnesses === 'unasked' || witnesses === 'refused';
  return { weight: unheard && live !== 'silent' && known ? 'proved' : 'failed', memory: heard };
}

/** The site answers: what was proved beside it is over. */
export function onSiteAnswered(memory: ProofMemory): ProofMemory {
  return memory.faults.length === 0 ? memory : { ...memory, faults: [], provenAtMs: -Infinity };
}

/** The verdict is offline, for this reason: whatever else the site's failure turns into is worth a question. */
export function onOutage(memory: ProofMemory, reason: OfflineReason): ProofMemory {
  return { ...memory, faults: [], provenAtMs: -Infinity, askedAfter: reason };
}
