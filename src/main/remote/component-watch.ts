/**
 * Which components on the Pi are running. Pure: the time is handed in, milliseconds of a clock that never goes back.
 *
 * Each is asked "are you there?" every 30 s, and any message of it marks it running for 45 s: one lost answer flaps nothing if the next one
 * comes in time. When the bus comes back, the components come back to it a little later than we do: they are asked at once, again after 2, 5
 * and 12 s, and nobody is called dead before the last of these questions could be answered.
 */
import { COMPONENTS } from './messages.js';
import type { Component } from './messages.js';

export const ASK_EVERY_MS = 30_000;
export const ALIVE_FOR_MS = 45_000;
/** After the bus came back each is asked again so much later, milliseconds; from the last on every {@link ASK_EVERY_MS}. */
export const ASK_AGAIN_MS = [2_000, 5_000, 12_000] as const;
/** Nobody is called dead for so long after the bus came back, milliseconds: the last question and time to answer it. */
export const GRACE_MS = 15_000;

export type ComponentState =
  /** Not heard of yet, and not asked for long enough to say that it is not there. */
  'unknown' | 'running' | 'not_responding';

export interface WatchedComponent {
  readonly state: ComponentState;
  /** From then on it counts as not responding. */
  readonly untilMs: number;
  /** Set as soon as a heartbeat carried one; kept while it does not respond. */
  readonly version?: string;
}

export interface ComponentWatch {
  readonly components: Readonly<Record<Component, WatchedComponent>>;
  readonly nextAskMs: number;
  /** Further questions after the bus came back, soonest first. */
  readonly askAgainAtMs: readonly number[];
}

export type ComponentWatchEvent =
  | { readonly kind: 'tick' }
  /** The bus is there (again): ask now rather than at the next turn. */
  | { readonly kind: 'bus-up' }
  | { readonly kind: 'alive'; readonly component: Component; readonly version?: string };

export type ComponentWatchEffect =
  | { readonly kind: 'ask'; readonly component: Component }
  /** `from` and `to` are equal if only the version changed. */
  | {
      readonly kind: 'changed';
      readonly component: Component;
      readonly from: ComponentState;
      readonly to: ComponentState;
      readonly version?: string;
    };

export function startComponentWatch(nowMs: number): ComponentWatch {
  const unknown: WatchedComponent = { state: 'unknown', untilMs: nowMs + ALIVE_FOR_MS };
  return { components: { core: unknown, scheduler: unknown }, nextAskMs: nowMs, askAgainAtMs: [] };
}

export function onComponentWatch(
  watch: ComponentWatch,
  event: ComponentWatchEvent,
  nowMs: number,
): readonly [ComponentWatch, readonly ComponentWatchEffect[]] {
  switch (event.kind) {
    case 'bus-up':
      return [
        {
          components: {
            core: spared(watch.components.core, nowMs),
            scheduler: spared(watch.components.scheduler, nowMs),
          },
          nextAskMs: nowMs + ASK_EVERY_MS,
          askAgainAtMs: ASK_AGAIN_MS.map((ms) => nowMs + ms),
        },
        askAll(),
      ];
    case 'alive': {
      const before = watch.components[event.component];
      const version = event.version ?? before.version;
      const after: WatchedComponent = {
        state: 'running',
        untilMs: nowMs + ALIVE_FOR_MS,
        ...(version === undefined ? {} : { version }),
      };
      const next = { ...watch, components: { ...watch.components, [event.component]: after } };
      const same = before.state === 'running' && before.version === version;
      return [next, same ? [] : [changed(event.component, before, after)]];
    }
    case 'tick': {
      const effects: ComponentWatchEffect[] = [];
      let { components, nextAskMs } = watch;
      for (const component of COMPONENTS) {
        const before = components[component];
        if (before.state === 'not_responding' || nowMs < before.untilMs) continue;
        const after: WatchedComponent = { ...before, state: 'not_responding' };
        components = { ...components, [component]: after };
        effects.push(changed(component, before, after));
      }
      const askAgainAtMs = watch.askAgainAtMs.filter((atMs) => atMs > nowMs);
      if (nowMs >= nextAskMs || askAgainAtMs.length < watch.askAgainAtMs.length) {
        nextAskMs = nowMs + ASK_EVERY_MS;
        effects.push(...askAll());
      }
      return [{ components, nextAskMs, askAgainAtMs }, effects];
    }
  }
}

/** When the next tick is due. */
export function nextWatchTickMs(watch: ComponentWatch): number {
  const ends = COMPONENTS.map((component) => watch.components[component])
    .filter(({ state }) => state !== 'not_responding')
    .map(({ untilMs }) => untilMs);
  return Math.min(watch.nextAskMs, ...watch.askAgainAtMs, ...ends);
}

/** While the bus was away nobody could answer. */
function spared(component: WatchedComponent, nowMs: number): WatchedComponent {
  if (component.state === 'not_responding') return component;
  return { ...component, untilMs: Math.max(component.untilMs, nowMs + GRACE_MS) };
}

function askAll(): readonly ComponentWatchEffect[] {
  return COMPONENTS.map((component) => ({ kind: 'ask', component }));
}

function changed(component: Component, before: WatchedComponent, after: WatchedComponent): ComponentWatchEffect {
  const { version } = after;
  return {
    kind: 'changed',
    component,
    from: before.state,
    to: after.state,
    ...(version === undefined ? {} : { version }),
  };
}
