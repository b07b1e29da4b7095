/** What programs of the operator are told of the internet: when it is news, and its two forms. Pure. */
import type { Json } from '../../base/json.js';
import { outcomeOf, type Snapshot, type StandingParts } from '../snapshot.js';

/** As much of a snapshot as matters here. */
export interface Standing extends Pick<Snapshot, 'outcome'> {
  readonly internet:
    | (Pick<NonNullable<Snapshot['internet']>, 'verdict' | 'reason' | 'sinceMs'> & {
        readonly lastCheck: { readonly atMs: number } | null;
      })
    | null;
}

/** The same without the rest of a snapshot, which is text for people. */
export function standingOf(parts: StandingParts): Standing {
  const { internet } = parts;
  if (internet === undefined) return { outcome: outcomeOf(parts), internet: null };
  const { verdict, reason = null, sinceMs, lastEvidence } = internet;
  const lastCheck = lastEvidence === undefined ? null : { atMs: lastEvidence.startedAtMs };
  return { outcome: outcomeOf(parts), internet: { verdict, reason, sinceMs, lastCheck } };
}

/** What was told last. */
export interface Told {
  readonly verdict: 'unknown' | 'online' | 'offline';
  /** Of an offline verdict. */
  readonly reason: string | null;
  /** Wall clock of the change to this verdict, milliseconds since 1970; null: there is none. */
  readonly sinceMs: number | null;
  readonly cloud: Snapshot['outcome'];
}

export interface VerdictMemory {
  readonly told: Told | undefined;
  /** Another reason of the same outage, and the check that gave it. */
  readonly doubt: { readonly reason: string | null; readonly checkAtMs: number } | undefined;
}

export const NOTHING_TOLD: VerdictMemory = { told: undefined, doubt: undefined };

/**
 * The second value is what is to be told now; undefined: nothing new. A verdict and the state of the cloud connection are told at once, another
 * reason of the same outage once two checks agree on it, as the log has it: whoever acts on it is not to be called with each check.
 */
export function noteVerdict(memory: VerdictMemory, standing: Standing): readonly [VerdictMemory, Told | undefined] {
  const { internet, outcome: cloud } = standing;
  const { verdict = 'unknown', reason = null, sinceMs = null } = internet ?? {};
  const now: Told = { verdict, reason, sinceMs: verdict === 'unknown' ? null : sinceMs, cloud };
  const { told, doubt } = memory;
  const tell = (what: Told): readonly [VerdictMemory, Told] => [{ told: what, doubt: undefined }, what];
  if (told?.verdict !== verdict) return tell(now);
  const checkAtMs = internet?.lastCheck?.atMs ?? 0;
  const isNewReason = reason !== told.reason;
  if (isNewReason && doubt?.reason === reason && doubt.checkAtMs !== checkAtMs) return tell(now);
  const next = { told, doubt: isNewReason ? (doubt?.reason === reason ? doubt : { reason, checkAtMs }) : undefined };
  if (told.cloud === cloud) return [next, undefined];
  const changed = { ...told, cloud };
  return [{ ...next, told: changed }, changed];
}

/** The file's one line: `online`, or `offline REASON SINCE` (ISO 8601, UTC); undefined: there is no verdict. */
export function verdictLine({ verdict, reason, sinceMs }: Told): string | undefined {
  if (verdict === 'unknown') return undefined;
  return verdict === 'online' ? 'online' : `offline ${reason ?? 'no-internet'} ${timeOf(sinceMs) ?? '-'}`;
}

/** The body of the message on the bus. */
export function verdictBody({ verdict, reason, sinceMs, cloud }: Told, sentence: string): Json {
  return { verdict, reason, since: timeOf(sinceMs), cloud, sentence };
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
