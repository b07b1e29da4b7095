/**
 * One session with the cloud, as the supervisor sees it: types only.
 * `web-pubsub.ts` makes sessions; `supervisor.ts` decides when.
 */

import type { Sendable } from '../base/json.js';

/** A message of the group; its content is untrusted. */
export type GroupMessage = Delivery &
  (
    | {
        readonly dataType: 'json';
        /** Parsed, for whoever looks at it. */
        readonly data: unknown;
        /** As it was sent, for whoever carries it on: `data` printed again may be another text. */
        readonly text: string;
      }
    | {
        readonly dataType: 'text' | 'binary';
        /** `ArrayBuffer` when binary. */
        readonly data: unknown;
      }
  );

/** What is known of a message of the group, whatever it says. */
export interface Delivery {
  readonly group: string;
  readonly fromUserId?: string;
  /**
   * It arrived on a recovered socket before the answer to our first ping there: the service had it while we were away, so it may
   * be as old as the drop. Absent on everything else.
   */
  readonly replayed?: true;
  /** With {@link replayed}: milliseconds from the drop to the recovered socket, the most that its age can be. */
  readonly droppedForMs?: number;
}

/** Why an attempt to open a session failed. */
export type OpenFailure =
  /** The service or the sign-in refused us (401, 403): trying again soon will not help. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly message: string;
      /** When a fresh sign-in is allowed, if one is needed: to wait for longer is of no use. */
      readonly signInAllowedInMs?: number;
      /** The service has let us in, but not into the group. */
      readonly step?: 'join';
    }
  /** Asked for a pause: 429 (too many connections, messages or sign-ins), or any other status with Retry-After. Without `status`: 429. */
  | {
      readonly kind: 'throttled';
      readonly status?: number;
      readonly retryAfterMs?: number;
      readonly message: string;
    }
  /** Everything else: no answer, a closed socket, a join that was not acknowledged. */
  | {
      readonly kind: 'failed';
      readonly message: string;
      /** The server of the sign-in sent no answer. */
      readonly signInUnanswered?: true;
      /** The service has let us in, but not into the group. */
      readonly step?: 'join';
      /** The code (such as `EMFILE`) of a call that this machine refused: nobody else has heard of the attempt. */
      readonly refusal?: string;
    };

/** Rejection of an attempt to open a session. */
export class OpenError extends Error {
  readonly code = 'ERR_SESSION_OPEN';
  constructor(
    readonly failure: OpenFailure,
    options?: { cause?: unknown },
  ) {
    super(failure.message, options);
    this.name = 'OpenError';
  }
}

/** What took a session's socket, or the session itself. */
export type LossCause =
  /** The service said so: by a close frame with `code`, or by an HTTP status in answer to a recovery. Perhaps to everybody. */
  | { readonly kind: 'service'; readonly code: number }
  /** It broke off without a farewell: the service fell over, or something in between. */
  | { readonly kind: 'broken' }
  /** Nothing was heard any more. */
  | { readonly kind: 'silent' }
  /** Something of this one session, such as a message of ours that the service does not take. */
  | { readonly kind: 'own' };

/** What a session reports once it is open. Never throws into the session. */
export type SessionEvent =
  /** The socket is gone; the service keeps the session for a while and the client is trying to recover it. */
  | { readonly kind: 'interrupted'; readonly message: string; readonly cause: LossCause }
  /** An attempt to recover it found nobody; the next follows. */
  | { readonly kind: 'recovery-failed' }
  /** The same session goes on over a new socket, `droppedForMs` after the drop; its replayed messages follow. */
  | { readonly kind: 'recovered'; readonly droppedForMs?: number }
  /** The session is gone for good; no further event follows. What was sent to us meanwhile is lost, and nobody can count it. */
  | { readonly kind: 'ended'; readonly message: string; readonly cause: LossCause }
  | { readonly kind: 'message'; readonly message: GroupMessage };

/** What became of a message. */
export type SendOutcome =
  /** The service acknowledged it. */
  | 'sent'
  /** There is no internet; nothing was sent. */
  | 'offline'
  /** There is internet, but no connection at the moment; nothing was sent. */
  | 'not-connected'
  /** It was handed to the connection, but not acknowledged in time or refused; it may have arrived. */
  | 'failed';

/** An open session that has joined its group. */
export interface Session {
  /** The service's id of this connection; stays the same through a recovery. */
  readonly connectionId: string;
  /**
   * Sends JSON to the group, without echo. Resolves within `timeoutMs`, never rejects. A message in flight when the
   * socket drops is sent again, with the same ackId, after a recovery within its deadline.
   */
  send(data: Sendable, timeoutMs: number): Promise<{ readonly outcome: 'sent' | 'failed'; readonly message?: string }>;
  /** Asks the service for a sign of life, and resolves with whether one came within the time; never rejects. */
  answers(withinMs: number): Promise<boolean>;
  /**
   * The way out of this machine is another one: the socket counts as left behind unless it answers within the time, and the session is then
   * recovered over another. One that is being opened is begun afresh.
   */
  wayOutChanged(withinMs: number): void;
  /** Terminates the socket at once and opens none until {@link resume}; the session may survive. */
  suspend(): void;
  /** Sockets may be opened again: recovery is tried at once. */
  resume(): void;
  /** Gives the session up for ever: its sockets are terminated, none is ever opened again, no event follows. */
  dispose(): Promise<void>;
}

/** What an attempt needs. */
export interface OpenSessionOptions {
  /** Receives every event after the session is open. */
  readonly onEvent: (event: SessionEvent) => void;
  /** Aborting gives the attempt up at once, like `dispose`. */
  readonly signal: AbortSignal;
}

/** Resolves when connected and joined; rejects with {@link OpenError}, always within its own deadlines. */
export type OpenSession = (options: OpenSessionOptions) => Promise<Session>;
