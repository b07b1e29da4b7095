/** The internet goes and comes back: what is given up, what is kept for its return, and for how long. Pure. */
import type { OfflineReason } from '../../../workers/protocol.js';
import type { ConnectionState, Context, Effect, Memory, Step } from '../state.js';
import { attempt, note, release } from './attempt.js';
import { drop } from './live.js';

export function offlineAtStart(memory: Memory, reason: OfflineReason | undefined): Step {
  return [
    { kind: 'waiting-for-internet', verdict: 'offline', held: undefined, memory },
    [note({ kind: 'offline-at-start', reason }), note({ kind: 'will-connect' })],
  ];
}

export function internetLost(state: ConnectionState, reason: OfflineReason | undefined, context: Context): Step {
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

export function internetBack(state: ConnectionState, context: Context): Step {
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
export function keepWaiting(state: Holding, effects: readonly Effect[], context: Context): Step {
  if (state.held === undefined || context.nowMs < state.held.expiresAtMs) return [state, effects];
  const message = 'the service has forgotten it by now';
  return [{ ...state, held: undefined }, [...effects, ...release(state), note({ kind: 'session-lost', message })]];
}
