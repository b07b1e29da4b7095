/**
 * A small world around the connection machine: simulated time, a verdict, sockets, and a checker that knows the seven
 * invariants and derives what must be true from the world alone, never from what the machine remembers.
 */
import type { BackoffPolicy } from '../../src/main/connection/backoff.js';
import type { OpenFailure } from '../../src/main/connection/session.js';
import {
  DEFAULT_POLICY,
  deadlineOf,
  initialState,
  type ConnectionEvent,
  type ConnectionPolicy,
  type ConnectionState,
  type Context,
  type Effect,
  type Step,
} from '../../src/main/connection/state.js';

export type Machine = (state: ConnectionState, event: ConnectionEvent, context: Context) => Step;
export type Invariant = 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** A second set of timings, to be changed to while running. */
export const OTHER_POLICY: ConnectionPolicy = {
  stabilizationMs: 0,
  attemptTimeoutMs: 20_000,
  recoverWithinMs: 80_000,
  recoveryWindowMs: 40_000,
  stableMs: 30_000,
  backoff: { baseMs: 4_000, capMs: 50_000, refusedBaseMs: 10_000, refusedCapMs: 35_000, retryAfterCapMs: 120_000 },
};

interface WorldSession {
  socket: 'up' | 'down' | 'suspended';
  upSinceMs: number;
  connectedMs: number;
  /** When the socket went, and until when the service knows the session then. */
  expiresAtMs: number;
  /** Until when recovery must be left the time to work. */
  recoverUntilMs: number;
  byInternet: boolean;
}

export class World {
  nowMs = 1_000_000;
  state: ConnectionState = initialState(DEFAULT_POLICY);
  timerAtMs: number | undefined;
  readonly attempts = new Set<number>();
  readonly abandoned = new Set<number>();
  readonly sessions = new Map<number, WorldSession>();
  lastId = 0;
  opens = 0;
  /** Which invariants were violated, with the first sentence for each. */
  readonly violations = new Map<Invariant, string>();
  readonly visited: Set<string>;

  #machine: Machine;
  #policy = DEFAULT_POLICY;
  #verdict: 'unknown' | 'online' | 'offline' = 'unknown';
  #wanted = false;
  /** When the internet has settled after a loss; in the past if none was lost since the start. */
  #settledAtMs = -Infinity;
  #failures = 0;
  #refusals = 0;
  #notBefore: { why: OpenFailure['kind']; atMs: number } | undefined;
  #failed: OpenFailure | undefined;

  constructor(machine: Machine, visited: Set<string>) {
    this.#machine = machine;
    this.visited = visited;
  }

  /** The world does `event`, the machine answers, everything is checked. */
  step(event: ConnectionEvent, random: number): void {
    const before = this.state;
    const { nowMs } = this;
    this.#failed = undefined;
    if (event.kind === 'timer' && this.timerAtMs !== undefined && nowMs >= this.timerAtMs) this.timerAtMs = undefined;
    this.#happens(event);
    const [next, effects] = this.#machine(before, event, { nowMs, random });
    this.state = next;
    this.visited.add(`${before.kind} -> ${next.kind}`);
    let armed = 0;
    for (const effect of effects) {
      if (effect.kind === 'arm-timer') armed += 1;
      this.#carryOut(effect, event);
    }
    if (armed > 1) this.#violated(2, 'two timers');
    this.#checkSockets();
    this.#checkFailure(before, random);
    this.#checkWaiting(before, event);
    this.#checkStopped(event, effects);
  }

  /** Invariant 3: online and wanted, with nothing but time passing, an attempt is made. Attempts hang, sessions end. */
  checkLiveness(): void {
    this.step({ kind: 'start', verdict: this.#verdict === 'unknown' ? 'online' : this.#verdict }, 0.5);
    this.step({ kind: 'internet', online: true }, 0.5);
    const opensBefore = this.opens;
    const untilMs = this.nowMs + 2 * this.#policy.backoff.retryAfterCapMs + 2 * DEFAULT_POLICY.backoff.retryAfterCapMs;
    for (let steps = 0; this.opens === opensBefore; steps += 1) {
      if (this.state.kind === 'connected') {
        this.step({ kind: 'session-ended', session: this.state.session.id, message: 'closed' }, 0.5);
        continue;
      }
      if (this.timerAtMs === undefined || this.nowMs > untilMs || steps > 12) {
        this.#violated(3, `${this.state.kind} waits for ever`);
        return;
      }
      this.nowMs = Math.max(this.nowMs, this.timerAtMs);
      this.step({ kind: 'timer' }, 0.5);
    }
  }

  #violated(invariant: Invariant, what: string): void {
    if (!this.violations.has(invariant)) this.violations.set(invariant, what);
  }

  /** What the event means for the world, before the machine hears of it. */
  #happens(event: ConnectionEvent): void {
    switch (event.kind) {
      case 'start':
        if (this.#wanted) return;
        this.#wanted = true;
        this.#verdict = event.verdict;
        this.#settledAtMs = event.verdict === 'offline' ? Infinity : -Infinity;
        return;
      case 'stop':
        this.#wanted = false;
        this.#failures = 0;
        this.#refusals = 0;
        if (this.#notBefore?.why !== 'throttled') this.#notBefore = undefined;
        return;
      case 'internet': {
        const verdict = event.online ? 'online' : 'offline';
        if (verdict === this.#verdict) return;
        // An outage is no failure: the retry that was under way is cancelled, what the service asked for is not.
        if (!event.online && this.#notBefore?.why === 'failed') this.#notBefore = undefined;
        if (!event.online) this.#settledAtMs = Infinity;
        else if (this.#verdict === 'offline') this.#settledAtMs = this.nowMs + this.#policy.stabilizationMs;
        this.#verdict = verdict;
        return;
      }
      case 'timer':
        return;
      case 'opened':
        if (!this.attempts.delete(event.attempt) && !this.abandoned.delete(event.attempt)) return;
        this.sessions.set(event.attempt, {
          socket: 'up',
          upSinceMs: this.nowMs,
          connectedMs: 0,
          expiresAtMs: Infinity,
          recoverUntilMs: Infinity,
          byInternet: false,
        });
        return;
      case 'open-failed':
        this.abandoned.delete(event.attempt);
        if (this.attempts.delete(event.attempt)) this.#failed = event.failure;
        return;
      case 'session-interrupted': {
        const session = this.sessions.get(event.session);
        if (session?.socket !== 'up') return;
        this.#drop(session);
        session.socket = 'down';
        session.recoverUntilMs = this.nowMs + this.#policy.recoverWithinMs;
        return;
      }
      case 'session-recovered': {
        const session = this.sessions.get(event.session);
        if (session?.socket !== 'down') return;
        session.socket = 'up';
        session.upSinceMs = this.nowMs;
        session.byInternet = false;
        return;
      }
      case 'session-ended': {
        if (this.attempts.has(event.session)) this.#failed = FAILED;
        const session = this.sessions.get(event.session);
        if (!session || session.socket === 'suspended') return;
        const wasUp = session.socket === 'up';
        if (wasUp) this.#drop(session);
        // In recovery, neither an internet loss nor the end of a stable session is held against the service.
        const excused = !wasUp && this.nowMs < session.recoverUntilMs && session.connectedMs >= this.#policy.stableMs;
        const lateRecovery = this.nowMs >= session.recoverUntilMs && this.nowMs < session.expiresAtMs;
        if (!excused && (!session.byInternet || lateRecovery)) this.#failed = FAILED;
        return;
      }
      case 'reconfigure':
        this.#policy = event.policy;
        return;
      case 'credentials-changed':
        this.#refusals = 0;
        if (this.#notBefore?.why !== 'throttled') this.#notBefore = undefined;
        return;
    }
  }

  #drop(session: WorldSession): void {
    session.connectedMs += this.nowMs - session.upSinceMs;
    session.expiresAtMs = this.nowMs + this.#policy.recoveryWindowMs;
    if (session.connectedMs < this.#policy.stableMs) return;
    this.#failures = 0;
    this.#refusals = 0;
  }

  #carryOut(effect: Effect, event: ConnectionEvent): void {
    switch (effect.kind) {
      case 'open':
        this.opens += 1;
        if (effect.attempt <= this.lastId) this.#violated(2, 'an id was given twice');
        this.lastId = effect.attempt;
        this.attempts.add(effect.attempt);
        this.#checkMayOpen('open');
        if (this.#notBefore && this.nowMs < this.#notBefore.atMs) {
          this.#violated(5, `attempt ${this.#notBefore.atMs - this.nowMs} ms too soon (${this.#notBefore.why})`);
        }
        return;
      case 'abandon':
        if (!this.attempts.delete(effect.attempt)) return;
        this.abandoned.add(effect.attempt);
        if (event.kind === 'timer') this.#failed = FAILED;
        return;
      case 'suspend': {
        const session = this.sessions.get(effect.session);
        if (!session) {
          this.#violated(2, 'a session that was given up is suspended');
          return;
        }
        if (session.socket === 'up') this.#drop(session);
        session.socket = 'suspended';
        session.byInternet = true;
        return;
      }
      case 'resume': {
        const session = this.sessions.get(effect.session);
        if (!session) {
          this.#violated(2, 'a session that was given up is resumed');
          return;
        }
        this.#checkMayOpen('resume');
        session.socket = 'down';
        session.recoverUntilMs = Math.min(this.nowMs + this.#policy.recoverWithinMs, session.expiresAtMs);
        return;
      }
      case 'dispose': {
        const session = this.sessions.get(effect.session);
        if (!session) return;
        this.sessions.delete(effect.session);
        this.#checkMayDispose(effect.session, session, event);
        return;
      }
      case 'arm-timer':
        this.timerAtMs = effect.atMs;
        return;
      case 'disarm-timer':
        this.timerAtMs = undefined;
        return;
      case 'announce':
        if (this.sessions.get(effect.session)?.socket !== 'up') this.#violated(2, 'announced over no session');
        return;
      case 'request-check':
      case 'note':
        return;
    }
  }

  #checkMayOpen(what: string): void {
    if (!this.#wanted) this.#violated(4, `${what} after stop`);
    if (this.#verdict !== 'online') this.#violated(1, `${what} while ${this.#verdict}`);
    if (this.nowMs < this.#settledAtMs) this.#violated(1, `${what} before the internet settled`);
  }

  #checkMayDispose(id: number, session: WorldSession, event: ConnectionEvent): void {
    const asked =
      event.kind === 'stop' ||
      (event.kind === 'session-ended' && event.session === id) ||
      // It opened after its attempt was given up.
      (event.kind === 'opened' && event.attempt === id);
    if (asked) return;
    const forgotten = this.nowMs >= session.expiresAtMs;
    const outOfTime = session.socket === 'down' && this.nowMs >= session.recoverUntilMs;
    if (!forgotten && !outOfTime) this.#violated(7, `a recoverable session was given up on ${event.kind}`);
    if (outOfTime && (!session.byInternet || !forgotten)) this.#failed = FAILED;
  }

  #checkSockets(): void {
    if (this.attempts.size + this.sessions.size > 1) this.#violated(2, 'two attempts or sessions');
    if (this.#verdict !== 'offline') return;
    if (this.attempts.size > 0) this.#violated(1, 'an attempt goes on while offline');
    for (const { socket } of this.sessions.values()) {
      if (socket !== 'suspended') this.#violated(1, `a session is ${socket} while offline`);
    }
  }

  /** Invariant 5: what failed is followed by exactly the wait that its schedule says. */
  #checkFailure(before: ConnectionState, random: number): void {
    const failed = this.#failed;
    const { state } = this;
    if (!failed) {
      const pause = state.kind === 'backing-off' && before.kind !== 'backing-off' ? state : undefined;
      if (pause && pause.untilMs !== this.#notBefore?.atMs) this.#violated(5, 'backs off though nothing failed');
      return;
    }
    if (state.kind !== 'backing-off') {
      this.#violated(5, `${failed.kind}, but ${state.kind}`);
      return;
    }
    if (failed.kind === 'refused') this.#refusals += 1;
    else this.#failures += 1;
    const [leastMs, mostMs] = this.#delayRange(failed, this.#policy.backoff);
    const delayMs = state.untilMs - this.nowMs;
    if (delayMs < leastMs - 1 || delayMs > mostMs + 1) {
      this.#violated(5, `${failed.kind} waits ${delayMs} ms, not ${leastMs} to ${mostMs} (random ${random})`);
    }
    this.#notBefore = { why: failed.kind, atMs: state.untilMs };
  }

  #delayRange(failed: OpenFailure, backoff: BackoffPolicy): [number, number] {
    if (failed.kind === 'refused') {
      const mostMs = Math.min(backoff.refusedCapMs, backoff.refusedBaseMs * 2 ** (this.#refusals - 1));
      return [mostMs, mostMs];
    }
    const mostMs = Math.min(backoff.capMs, backoff.baseMs * 2 ** (this.#failures - 1));
    const asked = failed.kind === 'throttled' ? Math.min(failed.retryAfterMs ?? 0, backoff.retryAfterCapMs) : 0;
    return [Math.max(asked, 0.8 * mostMs), Math.max(asked, mostMs)];
  }

  /** Invariant 6: whatever is awaited has a deadline, the one timer keeps it, and it ends the waiting. */
  #checkWaiting(before: ConnectionState, event: ConnectionEvent): void {
    const { state, timerAtMs, nowMs } = this;
    if (timerAtMs !== deadlineOf(state)) this.#violated(2, 'the timer does not follow the state');
    if (event.kind === 'timer' && timerAtMs !== undefined && timerAtMs <= nowMs) {
      this.#violated(6, `${state.kind} outlives its deadline`);
    }
    const limitMs = this.#limitMs(state);
    if (limitMs === undefined) return;
    if (timerAtMs === undefined) {
      this.#violated(6, `${state.kind} has no deadline`);
      return;
    }
    if (state.kind !== before.kind && timerAtMs - nowMs > limitMs) this.#violated(6, `${state.kind} waits too long`);
  }

  #limitMs(state: ConnectionState): number | undefined {
    switch (state.kind) {
      case 'stopped':
      case 'connected':
        return undefined;
      case 'waiting-for-internet':
        return this.sessions.size > 0 ? Infinity : undefined;
      case 'stabilising':
        return this.#policy.stabilizationMs;
      case 'connecting':
        return this.#policy.attemptTimeoutMs;
      case 'recovering':
        return this.#policy.recoverWithinMs;
      case 'backing-off':
        // A pause may have been asked for under the other timings.
        return DEFAULT_POLICY.backoff.retryAfterCapMs;
    }
  }

  #checkStopped(event: ConnectionEvent, effects: readonly Effect[]): void {
    if (this.#wanted) {
      if (this.state.kind === 'stopped') this.#violated(3, 'wanted, but stopped');
      return;
    }
    if (this.state.kind !== 'stopped') this.#violated(4, `${this.state.kind} after stop`);
    if (this.attempts.size + this.sessions.size > 0) this.#violated(4, 'an attempt or a session is left after stop');
    if (this.timerAtMs !== undefined) this.#violated(4, 'a timer is left after stop');
    const idle = event.kind === 'stop' || effects.every(({ kind }) => kind === 'dispose' || kind === 'note');
    if (!idle) this.#violated(4, 'something is done after stop');
  }
}

const FAILED: OpenFailure = { kind: 'failed', message: 'lost' };

/** One number is one thing that happens; the operation is its remainder, what is left over its parameter. */
export function happen(world: World, code: number): void {
  const operation = OPERATIONS[code % OPERATIONS.length]!;
  const parameter = Math.floor(code / OPERATIONS.length);
  operation(world, parameter, (parameter % 1009) / 1009);
}

/** Numbers below this one are all different things. */
export const CODES = 2 ** 24;

type Operation = (world: World, parameter: number, random: number) => void;

const fireOnTime: Operation = (world, _, random) => {
  if (world.timerAtMs === undefined) return;
  world.nowMs = Math.max(world.nowMs, world.timerAtMs);
  world.step({ kind: 'timer' }, random);
};
const goOnline: Operation = (world, _, random) => world.step({ kind: 'internet', online: true }, random);
const goOffline: Operation = (world, _, random) =>
  world.step({ kind: 'internet', online: false, reason: 'dns-timeout' }, random);
const openIt: Operation = (world, _, random) => {
  for (const attempt of world.attempts) world.step({ kind: 'opened', attempt }, random);
};
const failIt =
  (failure: (parameter: number) => OpenFailure): Operation =>
  (world, parameter, random) => {
    for (const attempt of world.attempts)
      world.step({ kind: 'open-failed', attempt, failure: failure(parameter) }, random);
  };
const onSession =
  (event: (session: number) => ConnectionEvent): Operation =>
  (world, _, random) => {
    for (const session of world.sessions.keys()) world.step(event(session), random);
  };
/** Late, early, repeated and out of order: about any attempt or session, given up, current or to come. */
const stray: Operation = (world, parameter, random) => {
  const id = parameter % (world.lastId + 2);
  const kinds: readonly ConnectionEvent[] = [
    { kind: 'opened', attempt: id },
    { kind: 'open-failed', attempt: id, failure: FAILED },
    { kind: 'session-interrupted', session: id, message: 'stray' },
    { kind: 'session-recovered', session: id },
    { kind: 'session-ended', session: id, message: 'stray' },
  ];
  world.step(kinds[Math.floor(parameter / 7) % kinds.length]!, random);
};
/** An abandoned attempt resolves after all. */
const openLate: Operation = (world, _, random) => {
  const [attempt] = world.abandoned;
  if (attempt !== undefined) world.step({ kind: 'opened', attempt }, random);
};

const OPERATIONS: readonly Operation[] = [
  fireOnTime,
  fireOnTime,
  fireOnTime,
  fireOnTime,
  (world, parameter, random) => {
    if (world.timerAtMs === undefined) return;
    world.nowMs = Math.max(world.nowMs, world.timerAtMs) + (parameter % 100_000);
    world.step({ kind: 'timer' }, random);
  },
  // Time passes up to the timer, or past it on a machine that is too busy to look.
  (world, parameter) => (world.nowMs = Math.min(world.nowMs + (parameter % 90_000), world.timerAtMs ?? Infinity)),
  (world, parameter) => (world.nowMs += parameter % 90_000),
  (world, _, random) => world.step({ kind: 'timer' }, random),
  goOnline,
  goOnline,
  goOnline,
  goOffline,
  goOffline,
  openIt,
  openIt,
  openIt,
  failIt(() => FAILED),
  failIt(() => ({ kind: 'refused', status: 401, message: 'Unauthorized' })),
  failIt((parameter) => ({ kind: 'throttled', retryAfterMs: parameter % 5_000_000, message: 'Too Many Requests' })),
  onSession((session) => ({ kind: 'session-interrupted', session, message: 'closed' })),
  onSession((session) => ({ kind: 'session-recovered', session })),
  onSession((session) => ({ kind: 'session-ended', session, message: 'closed' })),
  stray,
  openLate,
  (world, _, random) => world.step({ kind: 'stop' }, random),
  (world, parameter, random) =>
    world.step({ kind: 'start', verdict: (['online', 'offline', 'unknown'] as const)[parameter % 3]! }, random),
  (world, parameter, random) => {
    world.step({ kind: 'reconfigure', policy: parameter % 2 ? DEFAULT_POLICY : OTHER_POLICY }, random);
  },
  (world, _, random) => world.step({ kind: 'credentials-changed' }, random),
];

/** A whole life: the codes one after the other, then the question whether it still gets anywhere. */
export function live(machine: Machine, codes: readonly number[], visited = new Set<string>()): World {
  const world = new World(machine, visited);
  const first = codes[0] ?? 0;
  // Most lives begin with a start; the others begin with whatever comes.
  if (first % 8 !== 0)
    world.step({ kind: 'start', verdict: (['unknown', 'online', 'offline'] as const)[first % 3]! }, 0);
  for (const code of codes) happen(world, code);
  world.checkLiveness();
  return world;
}
