/**
 * The heartbeat the browsers see. Pure: the time is handed in, milliseconds of a clock that never goes back.
 *
 * A request is answered at once and then every `everyMs` until `durationMs` after the last request. When that runs out
 * "Is anyone there?" is asked once, and then there is silence: a Pi that nobody looks at sends nothing, which matters on
 * metered links. A browser that is there answers with a request, and shows the Pi offline after 65 s without a heartbeat.
 */

export interface HeartbeatSettings {
  /** `heartBeatEverySecs`, milliseconds. Default of the conf file: 60,000. */
  readonly everyMs: number;
  /** `heartBeatLoopDurationSecs`, milliseconds. Default of the conf file: 300,000. */
  readonly durationMs: number;
}

export type Heartbeat =
  { readonly kind: 'silent' } | { readonly kind: 'beating'; readonly nextBeatMs: number; readonly untilMs: number };

export type HeartbeatEvent =
  /** A browser sent `controller.heartbeat`. */
  | { readonly kind: 'requested' }
  /** The group was joined afresh: whoever looked before may have gone, whoever looks now has not asked. */
  | { readonly kind: 'joined' }
  /** The settings changed: nothing is due later than they say from now on. */
  | { readonly kind: 'configured' }
  | { readonly kind: 'tick' };

export const I_AM_ALIVE = 'I am alive';
export const IS_ANYONE_THERE = 'Is anyone there?';

/** The body of a heartbeat to be sent to the group. */
export type HeartbeatBody = typeof I_AM_ALIVE | typeof IS_ANYONE_THERE;

export const SILENT: Heartbeat = { kind: 'silent' };

export function onHeartbeat(
  state: Heartbeat,
  event: HeartbeatEvent,
  settings: HeartbeatSettings,
  nowMs: number,
): readonly [Heartbeat, readonly HeartbeatBody[]] {
  switch (event.kind) {
    case 'requested':
      return [
        { kind: 'beating', nextBeatMs: nowMs + settings.everyMs, untilMs: nowMs + settings.durationMs },
        [I_AM_ALIVE],
      ];
    case 'joined':
      return [state, [IS_ANYONE_THERE]];
    case 'configured':
      if (state.kind === 'silent') return [state, []];
      return [
        {
          kind: 'beating',
          nextBeatMs: Math.min(state.nextBeatMs, nowMs + settings.everyMs),
          untilMs: Math.min(state.untilMs, nowMs + settings.durationMs),
        },
        [],
      ];
    case 'tick':
      if (state.kind === 'silent') return [state, []];
      // The end comes first: at the moment both are due, the question alone is a heartbeat too.
      if (nowMs >= state.untilMs) return [SILENT, [IS_ANYONE_THERE]];
      if (nowMs < state.nextBeatMs) return [state, []];
      // A machine that slept through several beats owes one, not all of them.
      return [{ ...state, nextBeatMs: nowMs + settings.everyMs }, [I_AM_ALIVE]];
  }
}

/** When the next tick is due; undefined: never. */
export function nextTickMs(state: Heartbeat): number | undefined {
  return state.kind === 'silent' ? undefined : Math.min(state.nextBeatMs, state.untilMs);
}
