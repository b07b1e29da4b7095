/**
 * Runs the connection machine: turns what the monitor, the sessions and the clock report into events, and carries out
 * the effects. It decides nothing; `transition.ts` does. `links.ts` keeps the attempts and sessions.
 */
import type { OfflineReason, Verdict } from '../../workers/protocol.js';
import type { Logger } from '../log.js';
import { systemClock, type Clock } from '../base/clock.js';
import { guard, Listeners } from '../base/guard.js';
import { InFlight, type SendResult } from './in-flight.js';
import { narrate, type Note } from './narration.js';
import type { Sendable } from '../base/json.js';
import { Links } from './links.js';
import type { GroupMessage, OpenFailure, OpenSession } from './session.js';
import {
  DEFAULT_POLICY,
  initialState,
  type ConnectionEvent,
  type ConnectionKind,
  type ConnectionPolicy,
  type ConnectionState,
  type Effect,
} from './state.js';
import { transition } from './transition.js';

/** What the supervisor needs of the internet monitor. */
export interface ConnectivityMonitor {
  readonly status: { readonly verdict: Verdict; readonly reason?: OfflineReason | undefined };
  /** The verdict became online, the first verdict included. Returns the remover. */
  onConnected(listener: () => void): () => void;
  /** The verdict became offline, the first verdict included. Returns the remover. */
  onDisconnected(listener: () => void): () => void;
  /** `fresh`: evidence has to come from a new connection. */
  checkNow(how: { readonly fresh: boolean }): Promise<unknown>;
}

/** Sends JSON to the group. Never rejects; resolves within `timeoutMs` (default 10,000, at most 600,000). */
export type Send = (data: Sendable, options?: { readonly timeoutMs?: number }) => Promise<SendResult>;

export interface ConnectionSupervisorOptions {
  readonly monitor: ConnectivityMonitor;
  readonly openSession: OpenSession;
  readonly log: Logger;
  /** Name of the group, for the log and {@link ConnectionSnapshot}. */
  readonly group?: string;
  readonly policy?: ConnectionPolicy;
  /** The machine has just booted, and this with it; see {@link ConnectionEvent}. Default false. */
  readonly boot?: boolean;
  /** Called after each fresh connection, not after a lossless recovery: the browsers lost nothing then. */
  readonly announce?: (send: Send) => unknown;
  /** The first of the {@link ConnectionSupervisor.onMessage} listeners. */
  readonly onMessage?: (message: GroupMessage) => unknown;
  readonly clock?: Clock;
  /** In [0, 1), for the jitter. Default `Math.random`. */
  readonly random?: () => number;
  /** Messages waiting for their acknowledgement at the same time. Default 1,000. */
  readonly maxInFlight?: number;
  /** How long `stop` waits for sessions to close, milliseconds. Default 3,000: the process has 5 s to end. */
  readonly stopTimeoutMs?: number;
}

/** The connection as it is now, for a status line. */
export interface ConnectionSnapshot {
  readonly kind: ConnectionKind;
  /** Wall clock, milliseconds since 1970. */
  readonly sinceMs: number;
  readonly group: string | undefined;
  /** The running or next attempt since the connection was last stable, from 1. */
  readonly attempt: number;
  /** Wall clock; set while backing off, and while a return is spread. */
  readonly nextAttemptAtMs: number | undefined;
  /** Of the last failure since the connection was last stable. */
  readonly lastFailure: OpenFailure | undefined;
}

/** A slow satellite's round trip, twice; moved within 3 s with what a new socket takes. */
const ANSWERS_AFTER_A_CHANGE_MS = 2_000;

/** Keeps one connection alive exactly while the internet is there. */
export class ConnectionSupervisor {
  readonly #options: ConnectionSupervisorOptions;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #inFlight: InFlight;

  #state: ConnectionState;
  #sinceMs: number;
  readonly #queue: ConnectionEvent[] = [];
  #dispatching = false;
  #startedBefore = false;
  /** Messages given up unacknowledged since the connection went; told when it is back. */
  #givenUp = 0;
  #clearTimer: (() => void) | undefined;
  readonly #links: Links;
  #monitorRemovers: (() => void)[] = [];

  readonly #stateListeners: Listeners<ConnectionSnapshot>;
  readonly #messageListeners: Listeners<GroupMessage>;
  readonly #joinListeners: Listeners<{ readonly recovered: boolean }>;

  constructor(options: ConnectionSupervisorOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#inFlight = new InFlight(this.#clock, options.maxInFlight ?? 1_000);
    this.#links = new Links({
      openSession: (how) => options.openSession(how),
      onEvent: (event) => {
        this.#dispatch(event);
      },
      onMessage: (message) => {
        this.#messageListeners.tell(message);
      },
      onGivenUp: (session) => {
        this.#inFlight.giveUp(session);
      },
      log: options.log,
    });
    this.#state = initialState(options.policy ?? DEFAULT_POLICY);
    this.#sinceMs = this.#clock.nowMs();
    this.#stateListeners = new Listeners(options.log, 'state');
    this.#messageListeners = new Listeners(options.log, 'message');
    this.#joinListeners = new Listeners(options.log, 'join');
    if (options.onMessage) this.onMessage(options.onMessage);
  }

  /** Follows the monitor's verdict from now on; the first attempt is made once it is online. Again: nothing. */
  start(): void {
    if (this.#monitorRemovers.length > 0) return;
    const { monitor } = this.#options;
    this.#monitorRemovers = [
      monitor.onConnected(() => {
        this.#internet(true);
      }),
      monitor.onDisconnected(() => {
        this.#internet(false);
      }),
    ];
    const { verdict, reason } = monitor.status;
    this.#dispatch({ kind: 'start', verdict, reason, boot: this.#options.boot === true && !this.#startedBefore });
    this.#startedBefore = true;
  }

  /**
   * Gives everything up. Resolves when no session, attempt or timer is left, after `stopTimeoutMs` at the latest
   * (the log then says that something did not close). Never rejects; {@link start} works again afterwards.
   */
  async stop(): Promise<void> {
    for (const remove of this.#monitorRemovers) remove();
    this.#monitorRemovers = [];
    this.#dispatch({ kind: 'stop' });
    // Called by a listener, the event above waits for its turn.
    await Promise.resolve();
    const { unfinished } = this.#links;
    if (unfinished.length === 0) return;
    let clearTimer = (): void => undefined;
    const late = new Promise<'late'>((resolve) => {
      clearTimer = this.#clock.setTimer(() => {
        resolve('late');
      }, this.#options.stopTimeoutMs ?? 3_000);
    });
    if ((await Promise.race([Promise.all(unfinished), late])) === 'late') {
      this.#log.warn({}, 'The cloud connection did not close in time; stopping without waiting for it');
    }
    clearTimer();
  }

  /**
   * Sends JSON to the group, after looking at the internet and the connection. Never rejects, resolves within
   * `timeoutMs`. Nothing is queued here: `offline` and `not-connected` mean that nothing was sent.
   */
  readonly send: Send = async (data, { timeoutMs = 10_000 } = {}) => {
    if (this.#options.monitor.status.verdict !== 'online') {
      return { outcome: 'offline', message: 'there is no internet' };
    }
    const session = this.#state.kind === 'connected' ? this.#links.session(this.#state.session.id) : undefined;
    if (!session) return { outcome: 'not-connected', message: `the cloud connection is ${this.#state.kind}` };
    const result = await this.#inFlight.send(session, data, timeoutMs);
    if (result.outcome === 'failed' && this.#state.kind !== 'connected') this.#givenUp += 1;
    return result;
  };

  /** Asks the live connection for a sign of life; resolves within the time. Undefined: none lives. */
  answers(withinMs: number): Promise<boolean> | undefined {
    return this.#state.kind === 'connected'
      ? this.#links.session(this.#state.session.id)?.answers(withinMs)
      : undefined;
  }

  /** The way out of this machine is another one than before: the connection is asked at once, and moved if it does not answer. */
  wayOutChanged(): void {
    const { kind } = this.#state;
    if (kind !== 'connected' && kind !== 'recovering') return;
    const session = this.#links.session(this.#state.session.id);
    guard(this.#log, 'ask the cloud connection', () => session?.wayOutChanged(ANSWERS_AFTER_A_CHANGE_MS));
  }

  get state(): ConnectionSnapshot {
    const state = this.#state;
    const { failures, refusals, lastFailure } = state.memory;
    const toWallMs = (atMs: number): number => Math.round(this.#clock.wallMs() + atMs - this.#clock.nowMs());
    return {
      kind: state.kind,
      sinceMs: toWallMs(this.#sinceMs),
      group: this.#options.group,
      attempt: failures + refusals + 1,
      nextAttemptAtMs: state.kind === 'backing-off' || state.kind === 'spreading' ? toWallMs(state.untilMs) : undefined,
      lastFailure,
    };
  }

  /** Called after each change of state. Returns the remover. */
  onStateChange(listener: (snapshot: ConnectionSnapshot) => unknown): () => void {
    return this.#stateListeners.add(listener);
  }

  /** Called with each message of the group. Returns the remover. */
  onMessage(listener: (message: GroupMessage) => unknown): () => void {
    return this.#messageListeners.add(listener);
  }

  /** Called when the group is joined, or the connection goes on without loss (`recovered`). Returns the remover. */
  onJoined(listener: (how: { readonly recovered: boolean }) => unknown): () => void {
    return this.#joinListeners.add(listener);
  }

  /** New timings, from the next wait on. */
  updatePolicy(policy: ConnectionPolicy): void {
    this.#dispatch({ kind: 'reconfigure', policy });
  }

  /** Ends a wait for the next attempt, as after new credentials; a pause that the service asked for (429) is kept. */
  retryNow(): void {
    this.#dispatch({ kind: 'credentials-changed' });
  }

  #internet(online: boolean): void {
    this.#dispatch({ kind: 'internet', online, reason: online ? undefined : this.#options.monitor.status.reason });
  }

  /** One event at a time: what effects and listeners cause waits for its turn. */
  #dispatch(event: ConnectionEvent): void {
    this.#queue.push(event);
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#step(next);
    } finally {
      this.#dispatching = false;
    }
  }

  #step(event: ConnectionEvent): void {
    const before = this.#state;
    const nowMs = this.#clock.nowMs();
    const [after, effects] = transition(before, event, { nowMs, random: this.#random() });
    this.#state = after;
    if (after.kind !== before.kind) this.#sinceMs = nowMs;
    for (const effect of effects) this.#carryOut(effect);
    if (after.kind !== before.kind) this.#stateListeners.tell(this.state);
    if (after.kind === 'connected' && before.kind !== 'connected') {
      this.#joinListeners.tell({ recovered: before.kind === 'recovering' });
    }
    if (event.kind === 'opened') this.#links.releaseEarly(event.attempt);
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'open':
        this.#links.open(effect.attempt);
        break;
      case 'abandon':
        this.#links.giveUp(effect.attempt);
        break;
      case 'dispose':
        this.#links.giveUp(effect.session);
        break;
      case 'suspend':
        guard(this.#log, 'suspend the cloud connection', () => this.#links.session(effect.session)?.suspend());
        break;
      case 'resume':
        guard(this.#log, 'resume the cloud connection', () => this.#links.session(effect.session)?.resume());
        break;
      case 'arm-timer':
        this.#armTimer(effect.atMs);
        break;
      case 'disarm-timer':
        this.#clearTimer?.();
        this.#clearTimer = undefined;
        break;
      case 'request-check':
        guard(
          this.#log,
          'ask for an internet check',
          () => this.#options.monitor.checkNow({ fresh: effect.fresh }),
          'debug',
        );
        break;
      case 'announce':
        guard(this.#log, 'announce the connection', () => this.#options.announce?.(this.send));
        break;
      case 'note':
        this.#say(effect.note);
        break;
    }
  }

  #armTimer(atMs: number): void {
    this.#clearTimer?.();
    const fired = (): void => {
      this.#clearTimer = undefined;
      // Before time opens a socket the verdict is looked at again, should its event have been missed.
      const { verdict } = this.#options.monitor.status;
      if (verdict !== 'unknown') this.#internet(verdict === 'online');
      this.#dispatch({ kind: 'timer' });
    };
    this.#clearTimer = this.#clock.setTimer(fired, Math.max(0, atMs - this.#clock.nowMs()));
  }

  #withGivenUp(note: Note): Note {
    if (note.kind !== 'connected' && note.kind !== 'recovered') return note;
    const givenUp = this.#givenUp;
    this.#givenUp = 0;
    return givenUp > 0 ? { ...note, givenUp } : note;
  }

  #say(note: Note): void {
    const { level, message, fields } = narrate(this.#withGivenUp(note));
    const { group } = this.#options;
    this.#log[level](note.kind === 'connected' && group !== undefined ? { ...fields, group } : fields, message);
  }
}
