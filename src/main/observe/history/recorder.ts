/**
 * What of all that happens goes into the history: `(state, event, moment) -> [state, records]`. Pure.
 *
 * An outage of the internet is one, whatever it does to the cloud connection. An outage of the cloud is one only where the internet is
 * there and the connection was given up; one that is resumed within seconds is no outage, and only its return is noted.
 */
import type { HistoryRecord, Scope } from './record.js';

/** Wall clock and monotonic clock, milliseconds. */
export interface At {
  readonly at: number;
  readonly up: number;
}

export type HistoryEvent =
  | { readonly kind: 'started'; readonly boot: string; readonly version: string; readonly before: LastRun | undefined }
  | { readonly kind: 'stopping' }
  | { readonly kind: 'offline'; readonly why: string; readonly evidence?: string }
  /** The reason of an outage is another one now. */
  | { readonly kind: 'reason'; readonly why: string }
  | { readonly kind: 'online' }
  | { readonly kind: 'cloud-joined'; readonly recovered: boolean }
  /** The connection does not stand any more. `givenUp`: and is not being resumed. */
  | { readonly kind: 'cloud-away'; readonly givenUp: boolean; readonly why: string; readonly evidence?: string }
  | { readonly kind: 'clock-set'; readonly by: number }
  | {
      readonly kind: 'hour';
      readonly n: number;
      readonly f: number;
      readonly ms: readonly [number, number, number] | null;
      readonly kb: readonly [number, number] | null;
    }
  /** Time goes by. */
  | { readonly kind: 'tick' };

/** The end of the history so far. */
export interface LastRun {
  readonly boot: string;
  readonly version: string;
  readonly stopped: boolean;
}

interface Open {
  readonly sinceUp: number;
  readonly why: string;
}

export interface RecorderState {
  readonly internet: Open | undefined;
  readonly cloud: Open | undefined;
  /** Since when the cloud connection does not stand; undefined while it does, or never did in this run. */
  readonly cloudAwaySinceUp: number | undefined;
  /** It stood once in this run. */
  readonly joined: boolean;
}

export const NOTHING_OPEN: RecorderState = {
  internet: undefined,
  cloud: undefined,
  cloudAwaySinceUp: undefined,
  joined: false,
};

export type Recorded = readonly [RecorderState, readonly HistoryRecord[]];

export function onHistoryEvent(state: RecorderState, event: HistoryEvent, { at, up }: At): Recorded {
  const moment = { at, up };
  switch (event.kind) {
    case 'started':
      return [NOTHING_OPEN, [{ k: 'start', ...moment, ...startOf(event) }]];
    case 'stopping':
      return [NOTHING_OPEN, [...closing(state, moment), { k: 'stop', ...moment }]];
    case 'offline': {
      // Whatever was wrong with the cloud is behind this one now.
      const ended = endOf(state, 'cloud', moment);
      const { why, evidence } = event;
      const away = state.cloudAwaySinceUp;
      return [
        { ...state, internet: { sinceUp: up, why }, cloud: undefined, cloudAwaySinceUp: away },
        [...ended, { k: 'down', ...moment, scope: 'internet', why, ...(evidence === undefined ? {} : { evidence }) }],
      ];
    }
    case 'reason':
      return [state.internet === undefined ? state : { ...state, internet: { ...state.internet, why: event.why } }, []];
    case 'online':
      return [{ ...state, internet: undefined }, endOf(state, 'internet', moment)];
    case 'cloud-away': {
      // A start takes its time; that is no loss.
      if (!event.givenUp && !state.joined) return [state, []];
      const since = state.cloudAwaySinceUp ?? up;
      const { why, evidence } = event;
      if (!event.givenUp || state.internet !== undefined || state.cloud !== undefined)
        return [{ ...state, cloudAwaySinceUp: since }, []];
      return [
        { ...state, cloudAwaySinceUp: since, cloud: { sinceUp: up, why } },
        [{ k: 'down', ...moment, scope: 'cloud', why, ...(evidence === undefined ? {} : { evidence }) }],
      ];
    }
    case 'cloud-joined': {
      const since = state.cloudAwaySinceUp;
      const back: HistoryRecord[] =
        since === undefined
          ? []
          : [{ k: 'cloud', ...moment, how: event.recovered ? 'resumed' : 'reconnected', ms: Math.round(up - since) }];
      return [
        { ...state, cloud: undefined, cloudAwaySinceUp: undefined, joined: true },
        [...endOf(state, 'cloud', moment), ...back],
      ];
    }
    case 'clock-set':
      return [state, [{ k: 'clock', ...moment, by: event.by }]];
    case 'hour':
      return [
        state,
        [
          {
            k: 'hour',
            ...moment,
            v: [event.n, event.f, ...(event.ms ?? [null, null, null]), ...(event.kb ?? [null, null])],
          },
        ],
      ];
    case 'tick':
      return [state, state.internet === undefined && state.cloud === undefined ? [] : [{ k: 'still', ...moment }]];
  }
}

function startOf({ boot, version, before }: Extract<HistoryEvent, { kind: 'started' }>) {
  const after =
    before === undefined
      ? ('nothing' as const)
      : before.stopped
        ? ('stop' as const)
        : before.boot === boot
          ? ('crash' as const)
          : ('power-cut' as const);
  const updated = before !== undefined && before.version !== version;
  return { boot, version, after, ...(updated ? { was: before.version } : {}) };
}

/** An outage that lasts when the service stops ends in the history with it: what comes after, nobody has seen. */
function closing(state: RecorderState, moment: At): readonly HistoryRecord[] {
  return state.internet === undefined && state.cloud === undefined ? [] : [{ k: 'still', ...moment }];
}

function endOf(state: RecorderState, scope: Scope, { at, up }: At): readonly HistoryRecord[] {
  const open = state[scope];
  if (open === undefined) return [];
  return [{ k: 'up', at, up, scope, ms: Math.round(up - open.sinceUp), why: open.why }];
}
