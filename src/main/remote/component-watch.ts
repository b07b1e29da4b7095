/**
 * Which components on the Pi are running. Pure: the time is handed in, milliseconds of a clock that never goes back.
 *
 * Each is asked "are you there?" every 30 s, and any message of it marks it running for 45 s: one lost answer flaps nothing if the next one
 * comes in time. When the bus comes back, the components come back to it a little later than we do: they are asked at once, again after 2, 5
 * and 12 s, and nobody is called dead before the last of these questions could be answered.
 *
 * A component that has been heard and leaves a question unanswered may be starting anew, with another state: it is asked every 4 s until it is
 * heard, so that its return is known within 5 s. A restart between two questions, of one that says nothing at its start, cannot be known.
 */
import { COMPONENTS } from './messages.js';
import type { Component } from './messages.js';

export const ASK_EVERY_MS = 30_000;
export const ALIVE_FOR_MS = 45_000;
/** After the bus came back each is asked again so much later, milliseconds; from the last on every {@link ASK_EVERY_MS}. */
export const ASK_AGAIN_MS = [2_000, 5_000, 12_000] as const;
/** Nobody is called dead for so long after the bus came back, milliseconds: the last question and time to answer it. */
export const GRACE_MS = 15_000;

/** An answer that takes longer was given by a component that was away, milliseconds; on the Pi's own bus one takes some 5 ms. */
export const ANSWER_WITHIN_MS = 2_000;
/** A component that was heard before and does not answer is asked so often, milliseconds: less than 5 s, as its states are to be shown by then. */
export const ASK_MISSING_EVERY_MS = 4_000;

export type ComponentState =
  /** Not heard of yet, and not asked for long enough to say that it is not there. */
  'unknown' | 'running' | 'not_responding';

export interface WatchedComponent {
  readonly state: ComponentState;
  /** From then on it counts as not responding. */
  readonly untilMs: number;
  /** Set as soon as a heartbeat carried one; kept while it does not respond. */
  readonly version?: string;
  /** It has been heard once, so it exists. */
  readonly heard: boolean;
  /** The first question since it was last heard, and when it is asked again by itself. Only for one that exists. */
  readonly unanswered?: { readonly sinceMs: number; readonly askMs: number };
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
  /** `started`: it says what it says only at its start. */
  | {
      readonly kind: 'alive';
      readonly component: Component;
      readonly version?: string;
      readonly started?: boolean;
    };

export type ComponentWatchEffect =
  | { readonly kind: 'ask'; readonly component: Component }
  /** It is another process than before, or was away for a while: its states may be others. */
  | { readonly kind: 'restarted'; readonly component: Component }
  /** `from` and `to` are equal if only the version changed. */
  | {
      readonly kind: 'changed';
      readonly component: Component;
      readonly from: ComponentState;
      readonly to: ComponentState;
      readonly version?: string;
    };

export function startComponentWatch(nowMs: number): ComponentWatch {
  const unknown: WatchedComponent = { state: 'unknown', untilMs: nowMs + ALIVE_FOR_MS, heard: false };
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
            core: asked(spared(watch.components.core, nowMs), nowMs),
            scheduler: asked(spared(watch.components.scheduler, nowMs), nowMs),
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
        heard: true,
        ...(version === undefined ? {} : { version }),
      };
      const next = { ...watch, components: { ...watch.components, [event.component]: after } };
      const same = before.state === 'running' && before.version === version;
      const effects: ComponentWatchEffect[] = same ? [] : [changed(event.component, before, after)];
      if (restarted(before, event, nowMs)) effects.unshift({ kind: 'restarted', component: event.component });
      return [next, effects];
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
        components = { core: asked(components.core, nowMs), scheduler: asked(components.scheduler, nowMs) };
      } else {
        for (const component of COMPONENTS) {
          if (nowMs < askMissingMs(watch, component)) continue;
          effects.push({ kind: 'ask', component });
          components = { ...components, [component]: asked(components[component], nowMs) };
        }
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
  const missing = COMPONENTS.map((component) => askMissingMs(watch, component));
  return Math.min(watch.nextAskMs, ...watch.askAgainAtMs, ...ends, ...missing);
}

/** When a missing one is asked by itself; not while both are asked again anyway. */
function askMissingMs({ components, askAgainAtMs }: ComponentWatch, component: Component): number {
  return askAgainAtMs.length > 0 ? Infinity : (components[component].unanswered?.askMs ?? Infinity);
}

/** It has just been asked. */
function asked(component: WatchedComponent, nowMs: number): WatchedComponent {
  if (!component.heard) return component;
  const sinceMs = component.unanswered?.sinceMs ?? nowMs;
  return { ...component, unanswered: { sinceMs, askMs: nowMs + ASK_MISSING_EVERY_MS } };
}

/**
 * | what is heard | a restart? |
 * | --- | --- |
 * | what it says only at its start | yes |
 * | another version than before | yes |
 * | anything, {@link ANSWER_WITHIN_MS} or more after a question that it left unanswered | yes, or it was away as long |
 * | anything else | not that we know |
 */
function restarted(
  before: WatchedComponent,
  { version, started }: Extract<ComponentWatchEvent, { kind: 'alive' }>,
  nowMs: number,
): boolean {
  if (started === true) return true;
  if (version !== undefined && before.version !== undefined && version !== before.version) return true;
  return before.unanswered !== undefined && nowMs - before.unanswered.sinceMs >= ANSWER_WITHIN_MS;
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
