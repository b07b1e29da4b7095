/** What happens to a session: it opens, loses its socket, is resumed, or is gone for good. Pure. */
import type { LossCause } from '../session.js';
import { drawn, mayBeEverybodys, recoveryRoomMs } from '../spread.js';
import type { ConnectionState, Context, DroppedSession, Effect, LiveSession, Memory, Step } from '../state.js';
import { sessionOf } from '../state.js';
import { attempt, attemptFailed, attemptIn, countFailure, note, numberOfNext, release } from './attempt.js';

type Recovering = Extract<ConnectionState, { kind: 'recovering' }>;

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

/** The socket is gone, the internet is there. What may have taken the sockets of many is not resumed by all at once. */
export function interrupted(
  state: ConnectionState,
  id: number,
  { message, cause }: { readonly message: string; readonly cause: LossCause },
  context: Context,
): Step {
  if (state.kind !== 'connected' || state.session.id !== id) return [state, []];
  const [session, memory] = drop(state.session, state.memory, context);
  const { recoverWithinMs, spread, promisedMs } = memory.policy;
  const everybody = mayBeEverybodys(cause);
  const roomMs = recoveryRoomMs(session, promisedMs, context.nowMs);
  const spreadMs = everybody ? drawn(Math.min(spread.recoveryMs, roomMs), context.random) : 0;
  const resumesAtMs = spreadMs > 0 ? context.nowMs + spreadMs : undefined;
  const untilMs =
    resumesAtMs === undefined
      ? context.nowMs + recoverWithinMs
      : Math.min(resumesAtMs + recoverWithinMs, session.expiresAtMs);
  return [
    { kind: 'recovering', session, cause: everybody ? 'everybody' : 'connection', resumesAtMs, untilMs, memory },
    [
      ...(resumesAtMs === undefined ? [] : [{ kind: 'suspend', session: id } as const]),
      // Of a service that closes everybody is told at the same moment; what has gone silent is this one's own trouble.
      { kind: 'request-check', fresh: cause.kind === 'silent' },
      note({ kind: 'interrupted', message, withinMs: recoverWithinMs, spreadMs }),
    ],
  ];
}

/** The wait before the recovery is over. */
export function resumeSpread(state: Recovering, { nowMs }: Context): Step {
  const untilMs = Math.min(nowMs + state.memory.policy.recoverWithinMs, state.session.expiresAtMs);
  return [
    { ...state, resumesAtMs: undefined, untilMs },
    [{ kind: 'resume', session: state.session.id }, note({ kind: 'resuming', withinMs: untilMs - nowMs })],
  ];
}

export function resume(session: DroppedSession, memory: Memory, effects: readonly Effect[], context: Context): Step {
  // Once the service has forgotten the session, a fresh one is the quicker way.
  const untilMs = Math.min(context.nowMs + memory.policy.recoverWithinMs, session.expiresAtMs);
  return [
    { kind: 'recovering', session, cause: 'internet', resumesAtMs: undefined, untilMs, memory },
    [
      ...effects,
      { kind: 'resume', session: session.id },
      note({ kind: 'resuming', withinMs: untilMs - context.nowMs }),
    ],
  ];
}

/** The same session over a new socket: the browsers lost nothing, so nothing is announced. */
export function recovered(state: ConnectionState, id: number, context: Context): Step {
  if (state.kind !== 'recovering' || state.session.id !== id) return [state, []];
  const { session, memory } = state;
  return [
    { kind: 'connected', session: { id, connectedMs: session.connectedMs, upSinceMs: context.nowMs }, memory },
    [
      // It was quicker than we asked it to wait.
      ...(state.resumesAtMs === undefined ? [] : [{ kind: 'resume', session: id } as const]),
      note({ kind: 'recovered', downMs: context.nowMs - session.downSinceMs }),
    ],
  ];
}

export function ended(
  state: ConnectionState,
  id: number,
  { message, cause }: { readonly message: string; readonly cause: LossCause },
  context: Context,
): Step {
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
    case 'spreading':
      return state.held?.id === id
        ? [{ ...state, held: undefined }, [...release(state), note({ kind: 'session-lost', message })]]
        : [state, []];
    case 'connected':
    case 'recovering':
      return state.session.id === id ? sessionLost(state, message, cause, context) : [state, []];
  }
}

/**
 * The session is gone for good while the internet is there. That is a failure, with two exceptions: an internet loss took the socket, and
 * then a fresh attempt is made at once, for the return has been spread already; or the session had been stable and the service ended it
 * (a restart), or it died in recovery, which can happen once a stable minute at most. What may have happened to everybody is spread.
 */
export function sessionLost(
  state: Extract<ConnectionState, { kind: 'connected' | 'recovering' }>,
  message: string,
  cause: LossCause,
  context: Context,
): Step {
  const [session, memory] =
    state.kind === 'connected' ? drop(state.session, state.memory, context) : [state.session, state.memory];
  const stable = session.connectedMs >= memory.policy.stableMs;
  const everybody = mayBeEverybodys(cause);
  if (state.kind === 'connected') {
    if (everybody && stable) return replace(state, memory, message, [{ kind: 'request-check', fresh: false }], context);
    return failed(state, memory, message, context);
  }
  const outOfTime = context.nowMs >= state.untilMs;
  switch (state.cause) {
    case 'internet':
      if (outOfTime && context.nowMs < session.expiresAtMs) return failed(state, memory, message, context);
      return attempt(memory, [...release(state), note({ kind: 'session-lost', message })], context);
    case 'connection':
      if (outOfTime || !stable) return failed(state, memory, message, context);
      return attempt(memory, [...release(state), note({ kind: 'session-lost', message })], context);
    case 'everybody':
      return outOfTime || !stable
        ? failed(state, memory, message, context)
        : replace(state, memory, message, [], context);
  }
}

/** A fresh session in place of one that the service ended, spread. */
function replace(
  state: ConnectionState,
  memory: Memory,
  message: string,
  effects: readonly Effect[],
  context: Context,
): Step {
  const spreadMs = drawn(memory.policy.spread.closeMs, context.random);
  return attemptIn(
    spreadMs,
    memory,
    [...release(state), ...effects, note({ kind: 'session-lost', message, spreadMs })],
    context,
  );
}

function failed(state: ConnectionState, before: Memory, message: string, context: Context): Step {
  const [memory, untilMs, why] = countFailure(before, { kind: 'failed', message }, context);
  return [
    { kind: 'backing-off', why, untilMs, memory },
    [
      ...release(state),
      { kind: 'request-check', fresh: state.kind === 'recovering' },
      note({ kind: 'session-lost', message, delayMs: untilMs - context.nowMs }),
    ],
  ];
}
