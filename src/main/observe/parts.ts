/**
 * What the parts of the daemon contribute to a {@link Snapshot}: each says how it is in its own words, and whoever puts them
 * together (`daemon.ts`) hands them over. Nothing here reaches into a part; the shapes are those that the parts show anyway.
 */
import type { Carried, CheckEvidence, VerdictState } from '../../workers/protocol.js';

export interface DaemonPart {
  readonly version: string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** False: `websocketEnabled` is False, and neither the internet nor the cloud is looked at. */
  readonly wanted: boolean;
  /** What is wrong with the daemon itself, in words. */
  readonly problem: string | undefined;
}

export interface InternetPart extends VerdictState {
  readonly testDomain: string;
  /** Seconds between two looks while offline. */
  readonly offlineIntervalSecs: number;
  readonly lastEvidence?: CheckEvidence;
}

export interface CloudPart {
  readonly kind: string;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  readonly group: string | undefined;
  /** The running or next attempt since the connection was last stable, from 1. */
  readonly attempt: number;
  /** Milliseconds since 1970; set while backing off. */
  readonly nextAttemptAtMs: number | undefined;
  readonly lastFailure: CloudFailure | undefined;
}

/** Why the last attempt failed. */
export interface CloudFailure {
  readonly kind: 'refused' | 'throttled' | 'failed';
  readonly message: string;
  readonly status?: number;
  /** The code of a call that this machine refused. */
  readonly refusal?: string;
  /** The server of the sign-in sent no answer. */
  readonly signInUnanswered?: true;
}

/** `off`: `mQueueEnabled` is False. */
export type BusPart = 'off' | 'down' | 'up';

export interface ComponentPart {
  /** The front end's name of it: core is `dunebugger`. */
  readonly name: 'dunebugger' | 'scheduler';
  readonly state: 'unknown' | 'running' | 'not_responding';
  readonly version: string | null;
}

export interface ClockPart {
  /** Undefined: not known yet. */
  readonly trusted: boolean | undefined;
  /** Our clock minus the test site's where more than a day lies between them, milliseconds. */
  readonly farOffMs: number | undefined;
}

/** Bytes by what they were for. */
export interface DataUses {
  readonly checks: Carried;
  readonly signIn: Carried;
  readonly cloud: Carried;
}

/** Bytes of this service over TCP, the headers of the packets not counted. */
export interface DataPart extends DataUses {
  /** Midnight, or the start of the service if that was later; milliseconds since 1970. */
  readonly sinceMs: number;
  readonly dataSaver: boolean;
  /** Since the service started. */
  readonly whole: DataUses;
}

export interface Parts {
  readonly daemon: DaemonPart;
  /** Undefined where the daemon does not want it. */
  readonly internet: InternetPart | undefined;
  /** Undefined where the daemon does not want it. */
  readonly cloud: CloudPart | undefined;
  readonly bus: BusPart;
  readonly components: readonly ComponentPart[];
  /** Where another remote was seen lately; null: nowhere. */
  readonly secondRemote: 'group' | 'bus' | null;
  readonly clock: ClockPart;
  /** Undefined where the daemon does not want the cloud. */
  readonly data: DataPart | undefined;
}
