/**
 * The connection machine: decides when a session is opened, kept, resumed and given up. Pure: no clock, no socket.
 *
 * `supervisor.ts` feeds it events and carries out the effects. Its seven invariants (ARCHITECTURE.md) are checked over
 * random event sequences by `test/unit/connection-invariants.test.ts`.
 */
import type { OfflineReason, Verdict } from '../../workers/protocol.js';
import { ordinaryDelayMs, refusedDelayMs, throttledDelayMs } from './backoff.js';
import type { HeldOff, Note } from './narration.js';
import type { OpenFailure } from './session.js';
import {
  deadlineOf,
  sessionOf,
  type ConnectionEvent,
  type ConnectionState,
  type Context,
  type DroppedSession,
  type Effect,
  type LiveSession,
  type Memory,
  type Step,
} from './state.js';

/** The machine. An event that concerns nothing current changes nothing. */
export function transition(state: ConnectionState, event: ConnectionEvent, context: Context): Step {
  const [next, effects] = decide(state, event, context);
  const before = deadlineOf(state);
  const after = deadlineOf(next);
  // A timer that fired is gone, even if it fired early: it is armed again.
  if (event.kind !== 'timer' && before === after) return [next, effects];
  if (after !== undefined) return [next, [...effects, { kind: 'arm-timer', atMs: after }]];
  return before === undefined ? [next, effects] : [next, [...effects, { kind: 'disarm-timer' }]];
}

function decide(state: ConnectionState, event: ConnectionEvent, context: Context): Step {
  const { memory } = state;
  switch (event.kind) {
    case 'start':
      return state.kind === 'stopped' ? started(memory, event.verdict, event.reason, context) : [state, []];
    case 'stop':
      return stopped(state);
    case 'reconfigure':
      return [{ ...state, memory: { ...memory, policy: event.policy } }, [note({ kind: 'reconfigured' })]];
    case 'credentials-changed':
      return credentialsChanged(state, context);
    case 'internet':
      return event.online ? internetBack(state, context) : internetLost(state, event.reason, context);
    case 'timer':
      return elapsed(state, context);
    case 'opened':
      return opened(state, event.attempt, context);
    case 'open-failed':
      return state.kind === 'connecting' && state.attempt === event.attempt
        ? attemptFailed(memory, event.failure, [], context)
        : [state, []];
    case 'session-interrupted':
      return interrupted(state, event.session, event.message, context);
    case 'session-recovered':
      return recovered(state, event.session, context);
    case 'session-ended':
      return ended(state, event.session, event.message, context);
  }
}

function started(memory: Memory, verdict: Verdict, reason: OfflineReason | undefined, context: Context): Step {
  switch (verdict) {
    case 'online':
      return attempt(memory, [], context);
    case 'unknown':
      return [
        { kind: 'waiting-for-internet', verdict, held: undefined, memory },
        [note({ kind: 'waiting-for-first-verdict' })],
      ];
    case 'offline':
      return offlineAtStart(memory, reason);
  }
}

function offlineAtStart(memory: Memory, reason: OfflineReason | undefined): Step {
  return [
    { kind: 'waiting-for-internet', verdict: 'offline', held: undefined, memory },
    [note({ kind: 'offline-at-start', reason }), note({ kind: 'will-connect' })],
  ];
}

/** Everything is given up. Only a pause that the service asked for is remembered, so that a restart does not evade it. */
function stopped(state: ConnectionState): Step {
  if (state.kind === 'stopped') return [state, []];
  const { memory } = state;
  const heldOff = memory.heldOff?.why === 'throttled' ? memory.heldOff : undefined;
  return [
    { kind: 'stopped', memory: { ...memory, failures: 0, refusals: 0, heldOff, lastFailure: undefined } },
    [...release(state), note({ kind: 'stopped' })],
  ];
}

/** Gives up whatever attempt or session the state holds. */
function release(state: ConnectionState): Effect[] {
  switch (state.kind) {
    case 'stopped':
    case 'backing-off':
      return [];
    case 'waiting-for-internet':
    case 'stabilising':
      return state.held ? [{ kind: 'dispose', session: state.held.id }] : [];
    case 'connecting':
      return [{ kind: 'abandon', attempt: state.attempt }];
    case 'connected':
    case 'recovering':
      return [{ kind: 'dispose', session: state.session.id }];
  }
}

function internetLost(state: ConnectionState, reason: OfflineReason | undefined, context: Context): Step {
  const { memory } = state;
  switch (state.kind) {
    case 'stopped':
      return [state, []];
    case 'waiting-for-internet':
      return state.verdict === 'unknown' ? offlineAtStart(memory, reason) : [state, []];
    case 'stabilising':
    case 'backing-off':
    case 'connecting': {
      const held = state.kind === 'stabilising' ? state.held : undefined;
      return [
        { kind: 'waiting-for-internet', verdict: 'offline', held, memory },
        [
          ...(state.kind === 'connecting' ? release(state) : []),
          note({ kind: 'internet-lost', reason, was: state.kind }),
        ],
      ];
    }
    case 'connected':
    case 'recovering': {
      const [held, remembered] =
        state.kind === 'connected' ? drop(state.session, memory, context) : [state.session, memory];
      return keepWaiting(
        { kind: 'waiting-for-internet', verdict: 'offline', held, memory: remembered },
        [
          { kind: 'suspend', session: held.id },
          note({
            kind: 'internet-lost',
            reason,
            was: state.kind,
            recoverableForMs: Math.max(0, held.expiresAtMs - context.nowMs),
          }),
        ],
        context,
      );
    }
  }
}

function internetBack(state: ConnectionState, context: Context): Step {
  if (state.kind !== 'waiting-for-internet') return [state, []];
  const { memory, held } = state;
  // Nothing was lost before the first verdict, so there is nothing to settle.
  if (state.verdict === 'unknown') return attempt(memory, [], context);
  const { stabilizationMs } = memory.policy;
  const recoverable = held !== undefined && held.expiresAtMs > context.nowMs + stabilizationMs;
  return keepWaiting(
    { kind: 'stabilising', untilMs: context.nowMs + stabilizationMs, held, memory },
    [note({ kind: 'internet-back', stabilizationMs, recoverable })],
    context,
  );
}

type Holding = Extract<ConnectionState, { kind: 'waiting-for-internet' | 'stabilising' }>;

/** Goes on waiting, without a session that the service no longer knows. */
function keepWaiting(state: Holding, effects: readonly Effect[], context: Context): Step {
  if (state.held === undefined || context.nowMs < state.held.expiresAtMs) return [state, effects];
  const message = 'the service has forgotten it by now';
  return [{ ...state, held: undefined }, [...effects, ...release(state), note({ kind: 'session-lost', message })]];
}

/** The one timer fired, perhaps too early or too late. */
function elapsed(state: ConnectionState, context: Context): Step {
  const deadlineMs = deadlineOf(state);
  if (deadlineMs === undefined || context.nowMs < deadlineMs) return [state, []];
  const { memory } = state;
  switch (state.kind) {
    case 'stopped':
    case 'connected':
      return [state, []];
    case 'waiting-for-internet':
      return keepWaiting(state, [], context);
    case 'stabilising': {
      const [kept, effects] = keepWaiting(state, [], context);
      if (context.nowMs < state.untilMs) return [kept, effects];
      return kept.kind === 'stabilising' && kept.held
        ? resume(kept.held, memory, context)
        : attempt(memory, effects, context);
    }
    case 'connecting': {
      const message = `no result within ${Math.round(memory.policy.attemptTimeoutMs / 1000)} s`;
      return attemptFailed(memory, { kind: 'failed', message }, release(state), context);
    }
    case 'recovering':
      return sessionLost(state, 'it could not be resumed in time', context);
    case 'backing-off':
      return attempt(memory, [], context);
  }
}

function resume(session: DroppedSession, memory: Memory, context: Context): Step {
  // Once the service has forgotten the session, a fresh one is the quicker way.
  const untilMs = Math.min(context.nowMs + memory.policy.recoverWithinMs, session.expiresAtMs);
  return [
    { kind: 'recovering', session, cause: 'internet', untilMs, memory },
    [{ kind: 'resume', session: session.id }, note({ kind: 'resuming', withinMs: untilMs - context.nowMs })],
  ];
}

/** The only way to an `open`: the caller has made sure that the internet is there and settled. */
function attempt(memory: Memory, effects: readonly Effect[], context: Context): Step {
  const { heldOff, policy } = memory;
  if (heldOff && heldOff.untilMs > context.nowMs) {
    const delayMs = heldOff.untilMs - context.nowMs;
    return [
      { kind: 'backing-off', why: heldOff.why, untilMs: heldOff.untilMs, memory },
      [...effects, note({ kind: 'still-held-off', why: heldOff.why, delayMs })],
    ];
  }
  const id = memory.lastId + 1;
  return [
    {
      kind: 'connecting',
      attempt: id,
      untilMs: context.nowMs + policy.attemptTimeoutMs,
      memory: { ...memory, lastId: id, heldOff: undefined },
    },
    [...effects, { kind: 'open', attempt: id }, note({ kind: 'attempt', attempt: id, number: numberOfNext(memory) })],
  ];
}

/** The how-manieth attempt the next one is since the connection was last stable, from 1. */
function numberOfNext(memory: Memory): number {
  return memory.failures + memory.refusals + 1;
}

function opened(state: ConnectionState, id: number, context: Context): Step {
  if (state.kind === 'connecting' && state.attempt === id) {
    const { memory } = state;
    return [
      { kind: 'connected', session: { id, connectedMs: 0, upSinceMs: context.nowMs }, memory },
      [note({ kind: 'connected', attempt: id, number: numberOfNext(memory) }), { kind: 'announce', session: id }],
    ];
  }
  // It was given up before it opened: it must not live on beside another.
  return sessionOf(state)?.id === id ? [state, []] : [state, [{ kind: 'dispose', session: id }]];
}

/** The session's socket is gone: its connected time is counted, and if that makes it stable, failures are forgotten. */
function drop(session: LiveSession, memory: Memory, { nowMs }: Context): [DroppedSession, Memory] {
  const connectedMs = session.connectedMs + nowMs - session.upSinceMs;
  const dropped = {
    id: session.id,
    connectedMs,
    downSinceMs: nowMs,
    expiresAtMs: nowMs + memory.policy.recoveryWindowMs,
  };
  return [
    dropped,
    connectedMs >= memory.policy.stableMs ? { ...memory, failures: 0, refusals: 0, lastFailure: undefined } : memory,
  ];
}

function interrupted(state: ConnectionState, id: number, message: string, context: Context): Step {
  if (state.kind !== 'connected' || state.session.id !== id) return [state, []];
  const [session, memory] = drop(state.session, state.memory, context);
  const withinMs = memory.policy.recoverWithinMs;
  return [
    { kind: 'recovering', session, cause: 'connection', untilMs: context.nowMs + withinMs, memory },
    [{ kind: 'request-check' }, note({ kind: 'interrupted', message, withinMs })],
  ];
}

/** The same session over a new socket: the browsers lost nothing, so nothing is announced. */
function recovered(state: ConnectionState, id: number, context: Context): Step {
  if (state.kind !== 'recovering' || state.session.id !== id) return [state, []];
  const { session, memory } = state;
  return [
    { kind: 'connected', session: { id, connectedMs: session.connectedMs, upSinceMs: context.nowMs }, memory },
    [note({ kind: 'recovered', downMs: context.nowMs - session.downSinceMs })],
  ];
}

function ended(state: ConnectionState, id: number, message: string, context: Context): Step {
  switch (state.kind) {
    case 'stopped':
    case 'backing-off':
      return [state, []];
    case 'connecting':
      return state.attempt === id
        ? attemptFailed(state.memory, { kind: 'failed', message }, release(state), context)
        : [state, []];
    case 'waiting-for-internet':
    case 'stabilising':
      return state.held?.id === id
        ? [{ ...state, held: undefined }, [...release(state), note({ kind: 'session-lost', message })]]
        : [state, []];
    case 'connected':
    case 'recovering':
      return state.session.id === id ? sessionLost(state, message, context) : [state, []];
  }
}

/**
 * The session is gone for good while the internet is there. That is a failure, with two exceptions in which a fresh
 * attempt is made at once: an internet loss took the socket; or the session had been stable and died in recovery (a
 * restart of the service), which can happen once a stable minute at most.
 */
function sessionLost(
  state: Extract<ConnectionState, { kind: 'connected' | 'recovering' }>,
  message: string,
  context: Context,
): Step {
  const { memory: before } = state;
  if (state.kind === 'recovering') {
    const { session, cause, untilMs } = state;
    const outOfTime = context.nowMs >= untilMs;
    const excused =
      cause === 'internet'
        ? !outOfTime || context.nowMs >= session.expiresAtMs
        : !outOfTime && session.connectedMs >= before.policy.stableMs;
    if (excused) return attempt(before, [...release(state), note({ kind: 'session-lost', message })], context);
  }
  const counted = state.kind === 'connected' ? drop(state.session, before, context)[1] : before;
  const [memory, untilMs, why] = countFailure(counted, { kind: 'failed', message }, context);
  return [
    { kind: 'backing-off', why, untilMs, memory },
    [
      ...release(state),
      { kind: 'request-check' },
      note({ kind: 'session-lost', message, delayMs: untilMs - context.nowMs }),
    ],
  ];
}

function attemptFailed(before: Memory, failure: OpenFailure, effects: readonly Effect[], context: Context): Step {
  const [memory, untilMs, why] = countFailure(before, failure, context);
  return [
    { kind: 'backing-off', why, untilMs, memory },
    [
      ...effects,
      // No answer may mean no internet; a refusal is an answer.
      ...(failure.kind === 'failed' ? [{ kind: 'request-check' } as const] : []),
      note({ kind: 'attempt-failed', number: numberOfNext(before), failure, delayMs: untilMs - context.nowMs }),
    ],
  ];
}

/** One failure more: what is remembered of it, and until when to wait. */
function countFailure(before: Memory, failure: OpenFailure, { nowMs, random }: Context): [Memory, number, HeldOff] {
  const { backoff } = before.policy;
  if (failure.kind === 'refused') {
    const refusals = before.refusals + 1;
    const untilMs = nowMs + refusedDelayMs(refusals, backoff, failure.signInAllowedInMs);
    return [{ ...before, refusals, heldOff: { why: 'refused', untilMs }, lastFailure: failure }, untilMs, 'refused'];
  }
  const failures = before.failures + 1;
  if (failure.kind === 'throttled') {
    const untilMs = nowMs + throttledDelayMs(failures, failure.retryAfterMs, backoff, random);
    return [
      { ...before, failures, heldOff: { why: 'throttled', untilMs }, lastFailure: failure },
      untilMs,
      'throttled',
    ];
  }
  const untilMs = nowMs + ordinaryDelayMs(failures, backoff, random);
  return [{ ...before, failures, heldOff: undefined, lastFailure: failure }, untilMs, 'failed'];
}

function credentialsChanged(state: ConnectionState, context: Context): Step {
  const heldOff = state.memory.heldOff?.why === 'refused' ? undefined : state.memory.heldOff;
  const memory = { ...state.memory, refusals: 0, heldOff };
  switch (state.kind) {
    case 'stopped':
    case 'waiting-for-internet':
    case 'stabilising':
    case 'connected':
    case 'recovering':
      return [{ ...state, memory }, []];
    case 'connecting':
      // It may be using what has just been replaced.
      return attempt(memory, [...release(state), note({ kind: 'retrying-now' })], context);
    case 'backing-off':
      return state.why === 'throttled'
        ? [{ ...state, memory }, [note({ kind: 'retry-not-allowed', delayMs: state.untilMs - context.nowMs })]]
        : attempt(memory, [note({ kind: 'retrying-now' })], context);
  }
}

function note(of: Note): Effect {
  return { kind: 'note', note: of };
}
