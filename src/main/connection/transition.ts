/**
 * The connection machine: decides when a session is opened, kept, resumed and given up. Pure: no clock, no socket.
 *
 * Here is which event concerns whom, and what time and commands do; `transition/` has the rest: attempts, the session,
 * the outage. `supervisor.ts` feeds it events and carries out the effects. Its invariants (ARCHITECTURE.md) are
 * checked over random event sequences by `test/unit/connection-invariants.test.ts`.
 */
import {
  deadlineOf,
  type ConnectionEvent,
  type ConnectionState,
  type Context,
  type DroppedSession,
  type Effect,
  type Memory,
  type Step,
} from './state.js';
import { attempt, attemptFailed, note, release } from './transition/attempt.js';
import { ended, interrupted, opened, recovered, resume, resumeSpread, sessionLost } from './transition/live.js';
import { internetBack, internetLost, keepWaiting, offlineAtStart, onlineAtStart } from './transition/outage.js';

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
      return state.kind === 'stopped' ? started(memory, event, context) : [state, []];
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
      return interrupted(state, event.session, event, context);
    case 'recovery-failed':
      return state.kind === 'recovering' && state.session.id === event.session
        ? [state, [{ kind: 'request-check', fresh: true }]]
        : [state, []];
    case 'session-recovered':
      return recovered(state, event.session, context);
    case 'session-ended':
      return ended(state, event.session, event, context);
  }
}

function started(
  before: Memory,
  { verdict, reason, boot = false }: Extract<ConnectionEvent, { kind: 'start' }>,
  context: Context,
): Step {
  const memory = { ...before, booting: boot };
  switch (verdict) {
    case 'online':
      return onlineAtStart(memory, context);
    case 'unknown':
      return [
        { kind: 'waiting-for-internet', verdict, held: undefined, outage: undefined, memory },
        [note({ kind: 'waiting-for-first-verdict' })],
      ];
    case 'offline':
      return offlineAtStart(memory, reason, context);
  }
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
      if (state.spreadMs <= 0) return goOn(kept.held, memory, effects, context);
      const { held, outage } = kept;
      return [{ kind: 'spreading', untilMs: context.nowMs + state.spreadMs, held, outage, memory }, effects];
    }
    case 'spreading': {
      const [kept, effects] = keepWaiting(state, [], context);
      return context.nowMs < state.untilMs ? [kept, effects] : goOn(kept.held, memory, effects, context);
    }
    case 'connecting': {
      const message = `no result within ${Math.round(memory.policy.attemptTimeoutMs / 1000)} s`;
      return attemptFailed(memory, { kind: 'failed', message }, release(state), context);
    }
    case 'recovering':
      return state.resumesAtMs === undefined || context.nowMs >= state.session.expiresAtMs
        ? sessionLost(state, 'it could not be resumed in time', { kind: 'silent' }, context)
        : resumeSpread(state, context);
    case 'backing-off':
      return attempt(memory, [], context);
  }
}

/** The waits of a return are over. */
function goOn(held: DroppedSession | undefined, memory: Memory, effects: readonly Effect[], context: Context): Step {
  return held ? resume(held, memory, effects, context) : attempt(memory, effects, context);
}

function credentialsChanged(state: ConnectionState, context: Context): Step {
  const heldOff = state.memory.heldOff?.why === 'refused' ? undefined : state.memory.heldOff;
  const memory = { ...state.memory, refusals: 0, heldOff };
  switch (state.kind) {
    case 'stopped':
    case 'waiting-for-internet':
    case 'connected':
    case 'recovering':
      return [{ ...state, memory }, []];
    case 'stabilising':
      return [{ ...state, spreadMs: 0, memory }, []];
    case 'spreading':
      return goOn(state.held, memory, [note({ kind: 'retrying-now' })], context);
    case 'connecting':
      // It may be using what has just been replaced.
      return attempt(memory, [...release(state), note({ kind: 'retrying-now' })], context);
    case 'backing-off':
      return state.why === 'throttled'
        ? [{ ...state, memory }, [note({ kind: 'retry-not-allowed', delayMs: state.untilMs - context.nowMs })]]
        : attempt(memory, [note({ kind: 'retrying-now' })], context);
  }
}
