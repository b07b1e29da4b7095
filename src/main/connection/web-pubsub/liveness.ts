/**
 * Whether the service itself is alive, and not only the socket: a proxy in front of a dead service goes on answering WebSocket pings.
 * Pure: `(state, event) -> [state, effect]`. Time comes as what has passed, so that a process that slept does not blame the service.
 */

export interface LivenessPolicy {
  /** Without a frame for so long the service is asked for one, milliseconds; sooner in place of a ping of the WebSocket. Default 30,000. */
  readonly askAfterMs: number;
  /** And given up without an answer for so long. Default 20,000: together with the above less than 60 s. */
  readonly answerWithinMs: number;
  /** Sends in a row that were given up unacknowledged… Default 3. */
  readonly unacknowledged: number;
  /** …the first of which was sent at least so long ago, milliseconds. Default 15,000: short deadlines prove nothing. */
  readonly unacknowledgedForMs: number;
}

export const DEFAULT_LIVENESS: LivenessPolicy = {
  askAfterMs: 30_000,
  answerWithinMs: 20_000,
  unacknowledged: 3,
  unacknowledgedForMs: 15_000,
};

/** The same on a line that is paid by the byte, where others ask every 75 s: nothing of its own unless nobody has. */
export const SPARING_LIVENESS: Pick<LivenessPolicy, 'askAfterMs'> = { askAfterMs: 90_000 };

export interface Liveness {
  readonly silentMs: number;
  /** Since the question that has no answer yet. */
  readonly askedMs: number | undefined;
  /** Sends in a row without an acknowledgement, and how long ago the first of them was sent. */
  readonly unanswered: { readonly count: number; readonly sinceMs: number } | undefined;
}

export type LivenessEvent =
  /** A valid frame, or a piece of a long one. */
  | { readonly kind: 'heard' }
  | { readonly kind: 'acknowledged' }
  /** A send was given up after `waitedMs` on this socket. */
  | { readonly kind: 'unacknowledged'; readonly waitedMs: number }
  | { readonly kind: 'passed'; readonly ms: number }
  /** The socket is about to be asked because it is silent, and next in so long: a question to the service that is due by then may take its place. */
  | { readonly kind: 'idle'; readonly nextMs: number };

export type LivenessEffect = { readonly kind: 'ask' } | { readonly kind: 'dead'; readonly message: string };

export const FRESH_LIVENESS: Liveness = { silentMs: 0, askedMs: undefined, unanswered: undefined };

export function liveness(
  state: Liveness,
  event: LivenessEvent,
  policy: LivenessPolicy,
): readonly [Liveness, LivenessEffect?] {
  switch (event.kind) {
    case 'heard':
      return [{ ...state, silentMs: 0, askedMs: undefined }];
    case 'acknowledged':
      return [{ silentMs: 0, askedMs: undefined, unanswered: undefined }];
    case 'unacknowledged': {
      const unanswered = state.unanswered
        ? { ...state.unanswered, count: state.unanswered.count + 1 }
        : { count: 1, sinceMs: event.waitedMs };
      return judge({ ...state, unanswered }, policy);
    }
    case 'idle':
      return state.askedMs === undefined && state.silentMs + event.nextMs > policy.askAfterMs
        ? [{ ...state, askedMs: 0 }, { kind: 'ask' }]
        : [state];
    case 'passed':
      return judge(
        {
          silentMs: state.silentMs + event.ms,
          askedMs: state.askedMs === undefined ? undefined : state.askedMs + event.ms,
          unanswered: state.unanswered && { ...state.unanswered, sinceMs: state.unanswered.sinceMs + event.ms },
        },
        policy,
      );
  }
}

function judge(state: Liveness, policy: LivenessPolicy): readonly [Liveness, LivenessEffect?] {
  const { silentMs, askedMs, unanswered } = state;
  if (unanswered && unanswered.count >= policy.unacknowledged && unanswered.sinceMs >= policy.unacknowledgedForMs) {
    return [state, { kind: 'dead', message: `the service acknowledged none of the last ${unanswered.count} messages` }];
  }
  if (askedMs !== undefined && askedMs >= policy.answerWithinMs) {
    const secs = Math.round(askedMs / 100) / 10;
    return [
      state,
      { kind: 'dead', message: `the service did not answer for ${secs} s, although something answers its WebSocket` },
    ];
  }
  if (askedMs === undefined && silentMs >= policy.askAfterMs) return [{ ...state, askedMs: 0 }, { kind: 'ask' }];
  return [state];
}
