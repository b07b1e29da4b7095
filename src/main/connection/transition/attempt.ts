/** The machine's attempts: when one may begin, what a failure costs, and what giving up means. Pure. */
import { ordinaryDelayMs, refusedDelayMs, throttledDelayMs } from '../backoff.js';
import type { HeldOff, Note } from '../narration.js';
import type { OpenFailure } from '../session.js';
import type { ConnectionState, Context, Effect, Memory, Step } from '../state.js';

/** An attempt after a wait that spreads it among those of others; 0: at once. The caller has made sure of the internet. */
export function attemptIn(spreadMs: number, memory: Memory, effects: readonly Effect[], context: Context): Step {
  if (spreadMs <= 0) return attempt(memory, effects, context);
  const untilMs = context.nowMs + spreadMs;
  return [{ kind: 'spreading', untilMs, held: undefined, outage: undefined, memory }, effects];
}

/** The only way to an `open`: the caller has made sure that the internet is there and settled. */
export function attempt(memory: Memory, effects: readonly Effect[], context: Context): Step {
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
      memory: { ...memory, lastId: id, heldOff: undefined, booting: false },
    },
    [...effects, { kind: 'open', attempt: id }, note({ kind: 'attempt', attempt: id, number: numberOfNext(memory) })],
  ];
}

/** The how-manieth attempt the next one is since the connection was last stable, from 1. */
export function numberOfNext(memory: Memory): number {
  return memory.failures + memory.refusals + 1;
}

export function attemptFailed(
  before: Memory,
  failure: OpenFailure,
  effects: readonly Effect[],
  context: Context,
): Step {
  const [memory, untilMs, why] = countFailure(before, failure, context);
  return [
    { kind: 'backing-off', why, untilMs, memory },
    [
      ...effects,
      // No answer may mean no internet; a refusal is an answer, and one of this machine's own means nothing.
      ...(failure.kind === 'failed' && failure.refusal === undefined
        ? [{ kind: 'request-check', fresh: true } as const]
        : []),
      note({
        kind: 'attempt-failed',
        number: numberOfNext(before),
        failure,
        delayMs: untilMs - context.nowMs,
        asBefore: isRefusedAsBefore(before.lastFailure, failure),
      }),
    ],
  ];
}

function isRefusedAsBefore(before: OpenFailure | undefined, failure: OpenFailure): boolean {
  return failure.kind === 'failed' && failure.refusal !== undefined && before?.kind === 'failed'
    ? before.refusal === failure.refusal
    : false;
}

/** One failure more: what is remembered of it, and until when to wait. */
export function countFailure(
  before: Memory,
  failure: OpenFailure,
  { nowMs, random }: Context,
): [Memory, number, HeldOff] {
  const { backoff } = before.policy;
  if (failure.kind === 'refused') {
    const refusals = before.refusals + 1;
    const untilMs = nowMs + refusedDelayMs(refusals, backoff, random, failure.signInAllowedInMs);
    return [{ ...before, refusals, heldOff: { why: 'refused', untilMs }, lastFailure: failure }, untilMs, 'refused'];
  }
  if (failure.kind === 'failed' && failure.refusal !== undefined) {
    // Nobody has heard of it, so nobody needs our patience.
    const untilMs = nowMs + ordinaryDelayMs(1, backoff, random);
    return [{ ...before, heldOff: undefined, lastFailure: failure }, untilMs, 'failed'];
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

/** Gives up whatever attempt or session the state holds. */
export function release(state: ConnectionState): Effect[] {
  switch (state.kind) {
    case 'stopped':
    case 'backing-off':
      return [];
    case 'waiting-for-internet':
    case 'stabilising':
    case 'spreading':
      return state.held ? [{ kind: 'dispose', session: state.held.id }] : [];
    case 'connecting':
      return [{ kind: 'abandon', attempt: state.attempt }];
    case 'connected':
    case 'recovering':
      return [{ kind: 'dispose', session: state.session.id }];
  }
}

export function note(of: Note): Effect {
  return { kind: 'note', note: of };
}
