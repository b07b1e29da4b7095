/**
 * The words of the connection machine: its states, what happens to it, and what it asks for. `transition.ts` decides.
 *
 * Every state that waits for something other than the internet carries the time at which it stops waiting; the one
 * timer always follows it. Times are milliseconds of a monotonic clock.
 */
import type { OfflineReason, Verdict } from '../../workers/protocol.js';
import { DEFAULT_BACKOFF, type BackoffPolicy } from './backoff.js';
import type { HeldOff, Note } from './narration.js';
import type { LossCause, OpenFailure } from './session.js';
import { DEFAULT_SPREAD, type Outage, type SpreadPolicy } from './spread.js';

/** How long to wait for what. A change applies from the next wait on. */
export interface ConnectionPolicy {
  /** From the internet's return to the first use of it. Default 3,000 (the document). */
  readonly stabilizationMs: number;
  /** An attempt that has not ended by then is abandoned: a net under the attempt's own deadlines. Default 45,000. */
  readonly attemptTimeoutMs: number;
  /** Recovery is given up for a fresh session after this time with internet. Default 30,000, as long as the Azure client tries. */
  readonly recoverWithinMs: number;
  /** How long after a drop recovering is worth a try. Default 55,000: the service promises 30 s and often keeps one for a minute. */
  readonly recoveryWindowMs: number;
  /** How long the service promises to keep a session whose socket is gone. Default 30,000. */
  readonly promisedMs: number;
  /** Connected time after which a session counts as stable and failures are forgotten. Default 60,000. */
  readonly stableMs: number;
  readonly backoff: BackoffPolicy;
  readonly spread: SpreadPolicy;
}

export const DEFAULT_POLICY: ConnectionPolicy = {
  stabilizationMs: 3_000,
  attemptTimeoutMs: 45_000,
  recoverWithinMs: 30_000,
  recoveryWindowMs: 55_000,
  promisedMs: 30_000,
  stableMs: 60_000,
  backoff: DEFAULT_BACKOFF,
  spread: DEFAULT_SPREAD,
};

/** What outlives a state. */
export interface Memory {
  readonly policy: ConnectionPolicy;
  /** The id given last. An attempt's id becomes the id of its session; none is given twice. */
  readonly lastId: number;
  /** Failures in a row, each kind with its own schedule. Both are forgotten after {@link ConnectionPolicy.stableMs}. */
  readonly failures: number;
  readonly refusals: number;
  /** The service does not want us sooner; unlike an ordinary delay this outlives an outage, so that flapping hammers nobody. */
  readonly heldOff: { readonly why: 'refused' | 'throttled'; readonly untilMs: number } | undefined;
  /** Started by a boot of the machine, and nothing tried yet: others may have booted at the same time. */
  readonly booting: boolean;
  /** For the status line. */
  readonly lastFailure: OpenFailure | undefined;
}

/** A session whose socket stands. */
export interface LiveSession {
  readonly id: number;
  /**
   * Connected time before the present stretch. Stability is the sum of the stretches: a lossless recovery does not
   * set it back, and the time it took does not count.
   */
  readonly connectedMs: number;
  readonly upSinceMs: number;
}

/** A session whose socket is gone while the service still knows it. */
export interface DroppedSession {
  readonly id: number;
  readonly connectedMs: number;
  readonly downSinceMs: number;
  readonly expiresAtMs: number;
}

type Phase =
  | { readonly kind: 'stopped' }
  | {
      readonly kind: 'waiting-for-internet';
      readonly verdict: 'unknown' | 'offline';
      readonly held: DroppedSession | undefined;
      /** What is waited out; undefined before the first verdict. */
      readonly outage: Outage | undefined;
    }
  | {
      readonly kind: 'stabilising';
      readonly untilMs: number;
      readonly held: DroppedSession | undefined;
      /** Should the internet go again before it has settled, the outage was not over. */
      readonly outage: Outage | undefined;
      /** What follows, in {@link spreading}; 0: nothing. */
      readonly spreadMs: number;
    }
  /** A random wait, so that what many wait for does not come at the same time. */
  | {
      readonly kind: 'spreading';
      readonly untilMs: number;
      readonly held: DroppedSession | undefined;
      readonly outage: Outage | undefined;
    }
  | { readonly kind: 'connecting'; readonly attempt: number; readonly untilMs: number }
  | { readonly kind: 'connected'; readonly session: LiveSession }
  | {
      readonly kind: 'recovering';
      readonly session: DroppedSession;
      /**
       * What took the socket. An internet loss is nobody's failure; `everybody`: the connections of many others may have gone at the
       * same time.
       */
      readonly cause: 'internet' | 'connection' | 'everybody';
      /** The session is suspended until then; undefined: it is being resumed. */
      readonly resumesAtMs: number | undefined;
      readonly untilMs: number;
    }
  | { readonly kind: 'backing-off'; readonly why: HeldOff; readonly untilMs: number };

export type ConnectionState = Phase & { readonly memory: Memory };
export type ConnectionKind = ConnectionState['kind'];

export type ConnectionEvent =
  | {
      readonly kind: 'start';
      readonly verdict: Verdict;
      readonly reason?: OfflineReason | undefined;
      /** The machine has just booted, and this with it. Default false. */
      readonly boot?: boolean;
    }
  | { readonly kind: 'stop' }
  | { readonly kind: 'internet'; readonly online: boolean; readonly reason?: OfflineReason | undefined }
  | { readonly kind: 'timer' }
  | { readonly kind: 'opened'; readonly attempt: number }
  | { readonly kind: 'open-failed'; readonly attempt: number; readonly failure: OpenFailure }
  | {
      readonly kind: 'session-interrupted';
      readonly session: number;
      readonly message: string;
      readonly cause: LossCause;
    }
  /** A socket for its recovery could not be opened; another will be tried. */
  | { readonly kind: 'recovery-failed'; readonly session: number }
  | { readonly kind: 'session-recovered'; readonly session: number }
  | {
      readonly kind: 'session-ended';
      readonly session: number;
      readonly message: string;
      readonly cause: LossCause;
    }
  | { readonly kind: 'reconfigure'; readonly policy: ConnectionPolicy }
  /** What a refusal was about may have changed (SIGHUP): wait no longer because of it. */
  | { readonly kind: 'credentials-changed' };

export type Effect =
  | { readonly kind: 'open'; readonly attempt: number }
  | { readonly kind: 'abandon'; readonly attempt: number }
  | { readonly kind: 'suspend'; readonly session: number }
  | { readonly kind: 'resume'; readonly session: number }
  | { readonly kind: 'dispose'; readonly session: number }
  | { readonly kind: 'arm-timer'; readonly atMs: number }
  | { readonly kind: 'disarm-timer' }
  /** `fresh`: an attempt to connect failed, so what is open proves nothing of what can be opened. */
  | { readonly kind: 'request-check'; readonly fresh: boolean }
  | { readonly kind: 'announce'; readonly session: number }
  | { readonly kind: 'note'; readonly note: Note };

export interface Context {
  readonly nowMs: number;
  /** In [0, 1). */
  readonly random: number;
}

export type Step = readonly [ConnectionState, readonly Effect[]];

export function initialState(policy: ConnectionPolicy = DEFAULT_POLICY): ConnectionState {
  return {
    kind: 'stopped',
    memory: {
      policy,
      lastId: 0,
      failures: 0,
      refusals: 0,
      heldOff: undefined,
      booting: false,
      lastFailure: undefined,
    },
  };
}

/** When the state stops waiting; undefined if only an event from outside can end it. */
export function deadlineOf(state: ConnectionState): number | undefined {
  switch (state.kind) {
    case 'stopped':
    case 'connected':
      return undefined;
    case 'waiting-for-internet':
      return state.held?.expiresAtMs;
    case 'stabilising':
    case 'spreading':
      return Math.min(state.untilMs, state.held?.expiresAtMs ?? Infinity);
    case 'recovering':
      return state.resumesAtMs ?? state.untilMs;
    case 'connecting':
    case 'backing-off':
      return state.untilMs;
  }
}

/** The session that the state keeps, if any. */
export function sessionOf(state: ConnectionState): LiveSession | DroppedSession | undefined {
  switch (state.kind) {
    case 'connected':
    case 'recovering':
      return state.session;
    case 'waiting-for-internet':
    case 'stabilising':
    case 'spreading':
      return state.held;
    case 'stopped':
    case 'connecting':
    case 'backing-off':
      return undefined;
  }
}
