/** What happens to a session: it opens, loses its socket, is resumed, or is gone for good. Pure. */
import type { ConnectionState, Context, DroppedSession, LiveSession, Memory, Step } from '../state.js';
import { sessionOf } from '../state.js';
import { attempt, attemptFailed, countFailure, note, numberOfNext, release } from './attempt.js';

export function opened(state: ConnectionState, id: number, context: Context): Step {
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
export function drop(session: LiveSession, memory: Memory, { nowMs }: Context): [DroppedSession, Memory] {
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

export function interrupted(state: ConnectionState, id: number, message: string, context: Context): Step {
  if (state.kind !== 'connected' || state.session.id !== id) return [state, []];
  const [session, memory] = drop(state.session, state.memory, context);
  const withinMs = memory.policy.recoverWithinMs;
  return [
    { kind: 'recovering', session, cause: 'connection', untilMs: context.nowMs + withinMs, memory },
    [{ kind: 'request-check' }, note({ kind: 'interrupted', message, withinMs })],
  ];
}

export function resume(session: DroppedSession, memory: Memory, context: Context): Step {
  // Once the service has forgotten the session, a fresh one is the quicker way.
  const untilMs = Math.min(context.nowMs + memory.policy.recoverWithinMs, session.expiresAtMs);
  return [
    { kind: 'recovering', session, cause: 'internet', untilMs, memory },
    [{ kind: 'resume', session: session.id }, note({ kind: 'resuming', withinMs: untilMs - context.nowMs })],
  ];
}

/** The same session over a new socket: the browsers lost nothing, so nothing is announced. */
export function recovered(state: ConnectionState, id: number, context: Context): Step {
  if (state.kind !== 'recovering' || state.session.id !== id) return [state, []];
  const { session, memory } = state;
  return [
    { kind: 'connected', session: { id, connectedMs: session.connectedMs, upSinceMs: context.nowMs }, memory },
    [note({ kind: 'recovered', downMs: context.nowMs - session.downSinceMs })],
  ];
}

export function ended(state: ConnectionState, id: number, message: string, context: Context): Step {
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
export function sessionLost(
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
