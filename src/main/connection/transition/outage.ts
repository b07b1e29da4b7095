/** The internet goes and comes back: what is given up, what is kept for its return, and for how long. Pure. */
import type { OfflineReason } from '../../../workers/protocol.js';
import { drawn, recoveryRoomMs, returnBoundMs, type Outage } from '../spread.js';
import type { ConnectionState, Context, DroppedSession, Effect, Memory, Step } from '../state.js';
import { attemptIn, note, release } from './attempt.js';
import { drop } from './live.js';

export function offlineAtStart(memory: Memory, reason: OfflineReason | undefined, { nowMs }: Context): Step {
  return [
    { kind: 'waiting-for-internet', verdict: 'offline', held: undefined, outage: { sinceMs: nowMs, reason }, memory },
    [note({ kind: 'offline-at-start', reason }), note({ kind: 'will-connect' })],
  ];
}

/** The first verdict is online: nothing was lost before it, so there is nothing to settle. */
export function onlineAtStart(memory: Memory, context: Context): Step {
  const spreadMs = memory.booting ? drawn(memory.policy.spread.bootMs, context.random) : 0;
  return attemptIn(spreadMs, memory, spreadMs > 0 ? [note({ kind: 'booted', spreadMs })] : [], context);
}

export function internetLost(state: ConnectionState, reason: OfflineReason | undefined, context: Context): Step {
  const { memory } = state;
  const outage: Outage = { sinceMs: context.nowMs, reason };
  switch (state.kind) {
    case 'stopped':
      return [state, []];
    case 'waiting-for-internet':
      return state.verdict === 'unknown' ? offlineAtStart(memory, reason, context) : [state, []];
    case 'stabilising':
    case 'spreading': {
      const { held } = state;
      return [
        // Nothing was done with the internet in between: it is one outage.
        { kind: 'waiting-for-internet', verdict: 'offline', held, outage: state.outage ?? outage, memory },
        [note({ kind: 'internet-lost', reason, was: state.kind })],
      ];
    }
    case 'backing-off':
    case 'connecting':
      return [
        { kind: 'waiting-for-internet', verdict: 'offline', held: undefined, outage, memory },
        [
          ...(state.kind === 'connecting' ? release(state) : []),
          note({ kind: 'internet-lost', reason, was: state.kind }),
        ],
      ];
    case 'connected':
    case 'recovering': {
      const [held, remembered] =
        state.kind === 'connected' ? drop(state.session, memory, context) : [state.session, memory];
      return keepWaiting(
        { kind: 'waiting-for-internet', verdict: 'offline', held, outage, memory: remembered },
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
  const { memory, held, outage } = state;
  if (state.verdict === 'unknown') return onlineAtStart(memory, context);
  const { stabilizationMs } = memory.policy;
  const settledAtMs = context.nowMs + stabilizationMs;
  const recoverable = held !== undefined && held.expiresAtMs > settledAtMs;
  const spreadMs = drawn(returnSpreadMs(memory, outage, recoverable ? held : undefined, context), context.random);
  return keepWaiting(
    { kind: 'stabilising', untilMs: settledAtMs, held, outage, spreadMs, memory },
    [note({ kind: 'internet-back', stabilizationMs, spreadMs, recoverable })],
    context,
  );
}

/** Most that the return is put off beyond {@link ConnectionPolicy.stabilizationMs}. */
function returnSpreadMs(
  { policy, booting }: Memory,
  outage: Outage | undefined,
  held: DroppedSession | undefined,
  { nowMs }: Context,
): number {
  const { spread, promisedMs, stabilizationMs } = policy;
  const boundMs = Math.max(
    outage === undefined ? 0 : returnBoundMs(outage, spread, nowMs),
    // Whoever had no power lost it together with the neighbours, whose routers come back as this one's.
    booting ? spread.bootMs : 0,
  );
  if (held === undefined) return boundMs;
  return Math.min(boundMs, spread.recoveryMs, recoveryRoomMs(held, promisedMs, nowMs + stabilizationMs));
}

type Holding = Extract<ConnectionState, { kind: 'waiting-for-internet' | 'stabilising' | 'spreading' }>;

/** Goes on waiting, without a session that the service no longer knows. */
export function keepWaiting<S extends Holding>(
  state: S,
  effects: readonly Effect[],
  context: Context,
): readonly [S, readonly Effect[]] {
  if (state.held === undefined || context.nowMs < state.held.expiresAtMs) return [state, effects];
  const message = 'the service has forgotten it by now';
  return [{ ...state, held: undefined }, [...effects, ...release(state), note({ kind: 'session-lost', message })]];
}
