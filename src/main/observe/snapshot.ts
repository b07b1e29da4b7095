/**
 * The daemon at one moment, as one immutable value: what every outlet (status, page, metrics, bundle) reads, and the only thing it
 * reads beside the table of troubles. Pure.
 *
 * As JSON it is stable: `conf/status.schema.json` describes it. What can be absent is null there, so that every member is always
 * there. Times end in `Ms`: milliseconds, those that begin with a moment (`...AtMs`, `sinceMs`) since 1970.
 */
import { evidenceLines } from '../evidence-text.js';
import { idleText, statusText } from '../status-text.js';
import { firstCause, plain, TROUBLES, type TroubleCode } from '../troubles.js';
import { chainOf, type ChainLink } from './chain.js';
import type { Outage } from './history/outages.js';
import type { Machine } from './machine.js';
import type {
  BusPart,
  CloudFailure,
  CloudPart,
  ComponentPart,
  DataPart,
  DataUses,
  InternetPart,
  Parts,
} from './parts.js';
import { troublesPresent } from './present.js';
import type { Quality } from './quality.js';
import type { Today } from './traffic.js';

/** Raised when a member changes its meaning or goes; one that is added does not raise it. */
export const SNAPSHOT_VERSION = 1;

/** A row of the table of troubles that is present. */
export interface PresentTrouble {
  readonly code: TroubleCode;
  readonly severity: 'warn' | 'error';
  readonly title: string;
  readonly meaning: string;
  readonly remedy: string;
}

export interface Bytes {
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** Of this service. */
export interface BytesByUse {
  readonly checks: Bytes;
  readonly signIn: Bytes;
  readonly cloud: Bytes;
}

export interface Snapshot {
  readonly snapshotVersion: typeof SNAPSHOT_VERSION;
  readonly takenAtMs: number;
  /** `idle`: `websocketEnabled` is False, so nothing is wanted of the cloud. */
  readonly outcome: 'connected' | 'not-connected' | 'idle';
  /** How it is, as in `systemctl status`. */
  readonly sentence: string;
  readonly troubles: {
    /** The one to begin with. */
    readonly first: PresentTrouble | null;
    /** Those that have nothing to do with it. */
    readonly beside: readonly PresentTrouble[];
    /** Those that follow from one of the above. */
    readonly behind: readonly { readonly code: TroubleCode; readonly title: string; readonly because: TroubleCode }[];
  };
  /** What happens next by itself. */
  readonly next: string | null;
  readonly chain: readonly ChainLink[];
  readonly daemon: {
    readonly version: string;
    readonly pid: number;
    readonly startedAtMs: number;
    readonly problem: string | null;
  };
  readonly internet: {
    readonly verdict: 'unknown' | 'online' | 'offline';
    readonly reason: string | null;
    readonly sinceMs: number;
    readonly testDomain: string;
    /** Interfaces that could lead out; empty where there are not two. */
    readonly uplinks: readonly {
      readonly name: string;
      readonly role: 'carries' | 'stands-by' | 'dead';
      readonly detail: string | null;
      /** Null: not tried. */
      readonly hasInternet: boolean | null;
    }[];
    readonly lastCheck: {
      readonly atMs: number;
      readonly ms: number;
      readonly ok: boolean;
      readonly reason: string | null;
      /** A line a phase, for people. */
      readonly lines: readonly string[];
    } | null;
  } | null;
  readonly cloud: {
    readonly state: string;
    readonly sinceMs: number;
    readonly group: string | null;
    readonly attempt: number;
    readonly nextAttemptAtMs: number | null;
    readonly lastFailure: { readonly kind: string; readonly status: number | null; readonly message: string } | null;
  } | null;
  readonly bus: BusPart;
  readonly components: readonly ComponentPart[];
  /** Where another remote was seen within the last ten minutes. */
  readonly secondRemote: 'group' | 'bus' | null;
  readonly clock: {
    readonly trusted: boolean | null;
    /** Our clock minus the test site's where more than a day lies between them. */
    readonly farOffMs: number | null;
  };
  /** Bytes of this service over TCP, without the headers of the packets; null where the cloud is not wanted. */
  readonly data:
    | ({
        /** Midnight, or the start of the service if that was later; milliseconds since 1970. */
        readonly sinceMs: number;
        readonly dataSaver: boolean;
        /** Since the service started. */
        readonly whole: BytesByUse;
      } & BytesByUse)
    | null;
  /** Null where nobody looked. */
  readonly machine: Machine | null;
  /** Of the checks of the last hour; null where nobody looked. */
  readonly lastHour: Quality | null;
  /** Bytes of this machine since midnight, or since the service started if that is later; null where nobody looked. */
  readonly today: Today | null;
  /** The last three, the latest first; null where nobody looked, or the card cannot be read. */
  readonly outages: readonly Outage[] | null;
}

/** What is only looked at when somebody asks. */
export interface Looked {
  readonly machine: Machine;
  readonly lastHour: Quality;
  readonly today: Today | null;
  readonly outages: readonly Outage[] | null;
}

export function takeSnapshot(parts: Parts, nowMs: number, looked?: Looked): Snapshot {
  const { daemon, internet, cloud, bus, components, clock } = parts;
  const causes = firstCause(troublesPresent(parts));
  const { version, pid, startedAtMs } = daemon;
  return {
    snapshotVersion: SNAPSHOT_VERSION,
    takenAtMs: nowMs,
    outcome: outcomeOf({ wanted: daemon.wanted, internet, cloud }),
    sentence: sentenceOf(parts, nowMs),
    troubles: {
      first: causes.first === undefined ? null : present(causes.first),
      beside: causes.beside.map(present),
      behind: causes.irrelevant.map(({ code, because }) => ({ code, title: TROUBLES[code].title, because })),
    },
    next: nextOf(parts, nowMs),
    chain: chainOf(parts, looked?.machine),
    daemon: { version, pid, startedAtMs, problem: daemon.problem ?? null },
    internet: internet === undefined ? null : internetOf(internet),
    cloud: cloud === undefined ? null : cloudOf(cloud),
    bus,
    components,
    secondRemote: parts.secondRemote,
    clock: { trusted: clock.trusted ?? null, farOffMs: clock.farOffMs ?? null },
    data: parts.data === undefined ? null : dataOf(parts.data),
    machine: looked?.machine ?? null,
    lastHour: looked?.lastHour ?? null,
    today: looked?.today ?? null,
    outages: looked?.outages ?? null,
  };
}

/** As much of the parts as a program is told of. */
export interface StandingParts {
  readonly wanted: boolean;
  readonly internet: Pick<InternetPart, 'verdict' | 'reason' | 'sinceMs' | 'lastEvidence'> | undefined;
  readonly cloud: Pick<CloudPart, 'kind'> | undefined;
}

export function outcomeOf({ wanted, internet, cloud }: StandingParts): Snapshot['outcome'] {
  if (!wanted) return 'idle';
  return internet?.verdict === 'online' && cloud?.kind === 'connected' ? 'connected' : 'not-connected';
}

function sentenceOf({ internet, cloud, clock }: Parts, nowMs: number): string {
  if (internet === undefined || cloud === undefined) return idleText(clock);
  return statusText(internet, cloud, { clock, offlineIntervalSecs: internet.offlineIntervalSecs, nowMs });
}

function present(code: TroubleCode): PresentTrouble {
  const { severity, title, meaning, remedy } = TROUBLES[code];
  return { code, severity, title, meaning: plain(meaning), remedy: plain(remedy) };
}

function nextOf({ internet, cloud }: Parts, nowMs: number): string | null {
  if (internet === undefined || cloud === undefined) return null;
  if (internet.verdict === 'offline') {
    return `The internet is looked at again every ${internet.offlineIntervalSecs} s; the cloud connection is opened when it is back`;
  }
  const inSecs = Math.max(0, Math.ceil(((cloud.nextAttemptAtMs ?? nowMs) - nowMs) / 1_000));
  switch (cloud.kind) {
    case 'backing-off':
      return `The cloud connection is tried again in ${inSecs} s`;
    case 'spreading':
      return `The cloud connection is opened in ${inSecs} s, so that not all devices come at once`;
    case 'recovering':
      return 'The cloud connection is being resumed';
    case 'stabilising':
      return 'The cloud connection is opened as soon as the internet has settled';
    case 'connecting':
      return 'The cloud connection is being opened';
    default:
      return null;
  }
}

function internetOf({ verdict, reason, sinceMs, testDomain, lastEvidence }: InternetPart): Snapshot['internet'] {
  const lastCheck =
    lastEvidence === undefined
      ? null
      : {
          atMs: lastEvidence.startedAtMs,
          ms: lastEvidence.ms,
          ok: lastEvidence.ok,
          reason: lastEvidence.reason ?? null,
          lines: evidenceLines(lastEvidence),
        };
  const uplinks = (lastEvidence?.link?.uplinks ?? []).map(({ name, role, detail = null, hasInternet = null }) => ({
    name,
    role,
    detail,
    hasInternet,
  }));
  return { verdict, reason: reason ?? null, sinceMs, testDomain, uplinks, lastCheck };
}

function cloudOf({ kind, sinceMs, group, attempt, nextAttemptAtMs, lastFailure }: CloudPart): Snapshot['cloud'] {
  return {
    state: kind,
    sinceMs,
    group: group ?? null,
    attempt,
    nextAttemptAtMs: nextAttemptAtMs ?? null,
    lastFailure: lastFailure === undefined ? null : failureOf(lastFailure),
  };
}

function dataOf({ sinceMs, dataSaver, whole, ...today }: DataPart): Snapshot['data'] {
  return { sinceMs, dataSaver, ...byUse(today), whole: byUse(whole) };
}

function byUse({ checks, signIn, cloud }: DataUses): BytesByUse {
  const bytes = ({ received, sent }: DataUses['checks']): Bytes => ({ receivedBytes: received, sentBytes: sent });
  return { checks: bytes(checks), signIn: bytes(signIn), cloud: bytes(cloud) };
}

function failureOf({ kind, status, message }: CloudFailure): {
  readonly kind: string;
  readonly status: number | null;
  readonly message: string;
} {
  return { kind, status: status ?? null, message };
}
