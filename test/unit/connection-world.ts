/**
 * A small world around the connection machine: simulated time, a verdict, sockets, and a checker that knows its
 * invariants and derives what must be true from the world alone, never from what the machine remembers.
 */
import type { BackoffPolicy } from '../../src/main/connection/backoff.js';
import type { OfflineReason } from '../../src/workers/protocol.js';
import type { LossCause, OpenFailure } from '../../src/main/connection/session.js';
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
/** As ARCHITECTURE.md numbers them; 8 is the monitor's. */
export type Invariant = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 9;

/** A second set of timings, to be changed to while running. */
export const OTHER_POLICY: ConnectionPolicy = {
  stabilizationMs: 0,
  attemptTimeoutMs: 20_000,
  recoverWithinMs: 80_000,
  recoveryWindowMs: 40_000,
  stableMs: 30_000,
  promisedMs: 25_000,
  spread: { returnMs: 20_000, closeMs: 7_000, recoveryMs: 2_000, bootMs: 4_000 },
  backoff: {
    baseMs: 4_000,
    capMs: 50_000,
    refusedBaseMs: 10_000,
    refusedCapMs: 35_000,
    throttledBaseMs: 20_000,
    throttledCapMs: 120_000,
  },
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
  /** What took the socket may have taken those of many. */
  byEverybody: boolean;
  downSinceMs: number;
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
  #booting = false;
  /** What is being waited out: until something is done with the internet that is back. */
  #outage: { sinceMs: number; reason: OfflineReason | undefined } | undefined;
  /** Until when others are to be let go first, and how long that is. */
  #spread = { untilMs: -Infinity, ms: 0 };

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
    this.#happens(event, random);
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
    this.#checkSpread(before);
    this.#checkStopped(event, effects);
  }

  /** Invariant 3: online and wanted, with nothing but time passing, an attempt is made. Attempts hang, sessions end. */
  checkLiveness(): void {
    this.step({ kind: 'start', verdict: this.#verdict === 'unknown' ? 'online' : this.#verdict }, 0.5);
    this.step({ kind: 'internet', online: true }, 0.5);
    const opensBefore = this.opens;
    const untilMs = this.nowMs + 3 * this.#policy.backoff.throttledCapMs + 3 * DEFAULT_POLICY.backoff.throttledCapMs;
    for (let steps = 0; this.opens === opensBefore; steps += 1) {
      if (this.state.kind === 'connected') {
        this.step(
          { kind: 'session-ended', session: this.state.session.id, message: 'closed', cause: { kind: 'silent' } },
          0.5,
        );
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
  #happens(event: ConnectionEvent, random: number): void {
    switch (event.kind) {
      case 'start':
        if (this.#wanted) return;
        this.#wanted = true;
        this.#verdict = event.verdict;
        this.#settledAtMs = event.verdict === 'offline' ? Infinity : -Infinity;
        this.#booting = event.boot === true;
        this.#outage = event.verdict === 'offline' ? { sinceMs: this.nowMs, reason: event.reason } : undefined;
        if (event.verdict === 'online')
          this.#spreads(this.nowMs, this.#booting ? this.#policy.spread.bootMs : 0, random);
        return;
      case 'stop':
        this.#wanted = false;
        this.#outage = undefined;
        this.#spread = { untilMs: -Infinity, ms: 0 };
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
        if (this.#wanted) {
          if (!event.online) this.#outage ??= { sinceMs: this.nowMs, reason: event.reason };
          const fromMs = Math.max(this.nowMs, this.#settledAtMs);
          if (event.online) this.#spreads(fromMs, this.#returnBoundMs(fromMs), random);
        }
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
          byEverybody: false,
          downSinceMs: Infinity,
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
        session.byEverybody = isEverybodys(event.cause);
        const boundMs = Math.min(this.#policy.spread.recoveryMs, this.#roomMs(session, this.nowMs));
        this.#spreads(this.nowMs, session.byEverybody ? boundMs : 0, random);
        if (this.#spread.ms > 0) {
          const untilMs = this.#spread.untilMs + this.#policy.recoverWithinMs;
          session.recoverUntilMs = Math.min(untilMs, session.expiresAtMs);
        }
        return;
      }
      case 'recovery-failed':
        return;
      case 'session-recovered': {
        const session = this.sessions.get(event.session);
        if (session?.socket !== 'down') return;
        session.socket = 'up';
        session.upSinceMs = this.nowMs;
        session.byInternet = false;
        this.#spread = { untilMs: -Infinity, ms: 0 };
        return;
      }
      case 'session-ended': {
        if (this.attempts.has(event.session)) this.#failed = FAILED;
        const session = this.sessions.get(event.session);
        if (!session || session.socket === 'suspended') return;
        const wasUp = session.socket === 'up';
        if (wasUp) this.#drop(session);
        // In recovery, neither an internet loss nor the end of a stable session is held against the service; nor is its restart.
        const stable = session.connectedMs >= this.#policy.stableMs;
        const everybody = wasUp ? isEverybodys(event.cause) : session.byEverybody && !session.byInternet;
        const excused = stable && (wasUp ? everybody : this.nowMs < session.recoverUntilMs);
        this.#spreads(this.nowMs, excused && everybody ? this.#policy.spread.closeMs : 0, random);
        const lateRecovery = this.nowMs >= session.recoverUntilMs && this.nowMs < session.expiresAtMs;
        if (!excused && (!session.byInternet || lateRecovery)) this.#failed = FAILED;
        return;
      }
      case 'reconfigure':
        this.#policy = event.policy;
        return;
      case 'credentials-changed':
        // Whoever asks for it now gets it now, except for a recovery, which needs no credentials.
        if (![...this.sessions.values()].some(({ socket }) => socket === 'down'))
          this.#spread = { untilMs: -Infinity, ms: 0 };
        this.#refusals = 0;
        if (this.#notBefore?.why !== 'throttled') this.#notBefore = undefined;
        return;
    }
  }

  #drop(session: WorldSession): void {
    session.connectedMs += this.nowMs - session.upSinceMs;
    session.downSinceMs = this.nowMs;
    session.expiresAtMs = this.nowMs + this.#policy.recoveryWindowMs;
    if (session.connectedMs < this.#policy.stableMs) return;
    this.#failures = 0;
    this.#refusals = 0;
  }

  #spreads(fromMs: number, boundMs: number, random: number): void {
    const ms = Math.floor(Math.max(0, boundMs) * random);
    this.#spread = { untilMs: fromMs + ms, ms };
  }

  #returnBoundMs(fromMs: number): number {
    const { spread } = this.#policy;
    const outage = this.#outage;
    const local = outage?.reason === 'no-link' || outage?.reason === 'no-route';
    const lastedMs = outage ? this.nowMs - outage.sinceMs : 0;
    const ownMs = local || lastedMs < 20_000 ? 0 : Math.min(spread.returnMs, lastedMs / 10);
    const boundMs = Math.max(ownMs, this.#booting ? spread.bootMs : 0);
    const [held] = this.sessions.values();
    if (!held || held.expiresAtMs <= fromMs) return boundMs;
    return Math.min(boundMs, spread.recoveryMs, this.#roomMs(held, fromMs));
  }

  /** Half of what the service promises from then on, or of what it is worth trying for after that. */
  #roomMs({ downSinceMs, expiresAtMs }: WorldSession, fromMs: number): number {
    const promisedUntilMs = Math.min(expiresAtMs, downSinceMs + this.#policy.promisedMs);
    return ((fromMs < promisedUntilMs ? promisedUntilMs : expiresAtMs) - fromMs) / 2;
  }

  /** Invariant 9: what others do at the same time is put off by what was drawn, and by no more. */
  #checkSpread(before: ConnectionState): void {
    const { state, nowMs } = this;
    if (state.kind === 'spreading' && before.kind !== 'spreading' && state.untilMs - nowMs > this.#spread.ms) {
      this.#violated(9, `put off by ${state.untilMs - nowMs} ms, not ${this.#spread.ms}`);
    }
    const resumesAtMs = state.kind === 'recovering' ? state.resumesAtMs : undefined;
    if (resumesAtMs !== undefined && resumesAtMs > this.#spread.untilMs) this.#violated(9, 'resumed too late');
    if (state.kind === 'waiting-for-internet' || state.kind === 'stabilising' || state.kind === 'spreading') return;
    this.#outage = undefined;
  }

  #carryOut(effect: Effect, event: ConnectionEvent): void {
    switch (effect.kind) {
      case 'open':
        this.opens += 1;
        if (effect.attempt <= this.lastId) this.#violated(2, 'an id was given twice');
        this.lastId = effect.attempt;
        this.attempts.add(effect.attempt);
        this.#booting = false;
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
        // Only put off: the service, or something in between, took its socket.
        if (this.#verdict !== 'offline') return;
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
        if (session.socket === 'up') return;
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
    if (this.nowMs < this.#spread.untilMs)
      this.#violated(9, `${what} ${this.#spread.untilMs - this.nowMs} ms before its turn`);
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
    else if (!isOurs(failed)) this.#failures += 1;
    const [zeroMs, oneMs] = this.#delayRange(failed, this.#policy.backoff);
    const wantedMs = zeroMs + (oneMs - zeroMs) * random;
    const delayMs = state.untilMs - this.nowMs;
    if (Math.abs(delayMs - wantedMs) > 1) {
      this.#violated(5, `${failed.kind} waits ${delayMs} ms, not ${wantedMs} (random ${random})`);
    }
    this.#notBefore = { why: failed.kind, atMs: state.untilMs };
  }

  /** The delay where `random` is 0, and where it is 1: the ordinary one is drawn downwards from its bound. */
  #delayRange(failed: OpenFailure, backoff: BackoffPolicy): [number, number] {
    if (failed.kind === 'refused') {
      const mostMs = Math.min(backoff.refusedCapMs, backoff.refusedBaseMs * 2 ** (this.#refusals - 1));
      return [mostMs, 1.2 * mostMs];
    }
    if (failed.kind === 'throttled') {
      const asked = Math.min(failed.retryAfterMs ?? 0, backoff.throttledCapMs);
      const leastMs = Math.max(asked, backoff.throttledBaseMs);
      const mostMs = Math.min(0.8 * backoff.throttledCapMs, backoff.throttledBaseMs * 2 ** this.#failures);
      return [leastMs, Math.max(mostMs, leastMs + Math.min(leastMs, backoff.throttledCapMs / 2))];
    }
    const times = isOurs(failed) ? 0 : this.#failures - 1;
    const mostMs = Math.min(backoff.capMs, backoff.baseMs * 2 ** times);
    return [mostMs, Math.min(1_000, mostMs)];
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
      case 'spreading':
        // As long as the other timings had it, at most.
        return Math.max(this.#policy.spread.returnMs, DEFAULT_POLICY.spread.returnMs);
      case 'connecting':
        return this.#policy.attemptTimeoutMs;
      case 'recovering':
        return this.#policy.recoverWithinMs;
      case 'backing-off':
        // A pause may have been asked for under the other timings.
        return 1.5 * DEFAULT_POLICY.backoff.throttledCapMs;
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

/** A farewell by the service, or none at all. */
function isEverybodys({ kind }: LossCause): boolean {
  return kind === 'service' || kind === 'broken';
}

const CAUSES: readonly LossCause[] = [
  { kind: 'service', code: 1008 },
  { kind: 'broken' },
  { kind: 'silent' },
  { kind: 'own' },
];

const FAILED: OpenFailure = { kind: 'failed', message: 'lost' };
const REFUSED_HERE: OpenFailure = { kind: 'failed', message: 'no handle', refusal: 'EMFILE' };
/** Of this machine's own making, so that it counts for nothing. */
const isOurs = (failure: OpenFailure): boolean => failure.kind === 'failed' && failure.refusal !== undefined;

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
const goOffline: Operation = (world, parameter, random) =>
  world.step({ kind: 'internet', online: false, reason: parameter % 4 === 0 ? 'no-link' : 'dns-timeout' }, random);
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
  (event: (session: number, cause: LossCause) => ConnectionEvent): Operation =>
  (world, parameter, random) => {
    const cause = CAUSES[parameter % CAUSES.length]!;
    for (const session of world.sessions.keys()) world.step(event(session, cause), random);
  };
/** Late, early, repeated and out of order: about any attempt or session, given up, current or to come. */
const stray: Operation = (world, parameter, random) => {
  const id = parameter % (world.lastId + 2);
  const kinds: readonly ConnectionEvent[] = [
    { kind: 'opened', attempt: id },
    { kind: 'open-failed', attempt: id, failure: FAILED },
    { kind: 'session-interrupted', session: id, message: 'stray', cause: { kind: 'broken' } },
    { kind: 'session-recovered', session: id },
    { kind: 'recovery-failed', session: id },
    { kind: 'session-ended', session: id, message: 'stray', cause: { kind: 'service', code: 1008 } },
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
  failIt((parameter) => (parameter % 3 === 0 ? REFUSED_HERE : FAILED)),
  failIt(() => ({ kind: 'refused', status: 401, message: 'Unauthorized' })),
  failIt((parameter) => ({ kind: 'throttled', retryAfterMs: parameter % 5_000_000, message: 'Too Many Requests' })),
  onSession((session, cause) => ({ kind: 'session-interrupted', session, message: 'closed', cause })),
  onSession((session) => ({ kind: 'session-recovered', session })),
  onSession((session) => ({ kind: 'recovery-failed', session })),
  onSession((session, cause) => ({ kind: 'session-ended', session, message: 'closed', cause })),
  stray,
  openLate,
  (world, _, random) => world.step({ kind: 'stop' }, random),
  (world, parameter, random) =>
    world.step(
      {
        kind: 'start',
        verdict: (['online', 'offline', 'unknown'] as const)[parameter % 3]!,
        boot: parameter % 2 === 0,
      },
      random,
    ),
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
