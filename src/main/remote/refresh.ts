/**
 * When core and scheduler are asked for their present state. Pure.
 *
 * A page fetches states only when it sees the device come online. After a fresh start of ours, of the bus or of a component it may have stayed
 * green, and shows what was true before. So once a browser is known to listen and a component can answer, that one is asked, once.
 */
import type { Component } from './messages.js';
import { COMPONENTS } from './messages.js';

/** What makes a component tell its states; the front end's own words for it. */
export const REFRESH_SUBJECTS: Readonly<Record<Component, readonly string[]>> = {
  core: ['refresh_gpios', 'refresh_sequence'],
  scheduler: ['refresh'],
};

export interface Refresh {
  /** Whose states the browsers may have missed. */
  readonly wanted: readonly Component[];
  /** Who has been heard of since the bus is there. */
  readonly reachable: readonly Component[];
  /** A browser has spoken since we joined. */
  readonly listening: boolean;
}

export type RefreshEvent =
  /** The group was joined afresh: what was sent before is lost, and who listens has to say so. */
  | { readonly kind: 'joined' }
  /** Messages of browsers, and so perhaps ours to them, were left out. */
  | { readonly kind: 'missed' }
  /** A browser asked for a heartbeat. */
  | { readonly kind: 'heard-browser' }
  /** The heartbeats have run out unanswered: nobody looks. */
  | { readonly kind: 'nobody-looks' }
  /** The bus is there (again); components come back to it by themselves. */
  | { readonly kind: 'bus-up' }
  | { readonly kind: 'heard-component'; readonly component: Component }
  /** It does not answer any more; when it comes back it may have another state. */
  | { readonly kind: 'lost-component'; readonly component: Component };

export const NOTHING_TO_REFRESH: Refresh = { wanted: [], reachable: [], listening: false };

/** @returns the components to be asked now */
export function onRefresh(state: Refresh, event: RefreshEvent): readonly [Refresh, readonly Component[]] {
  switch (event.kind) {
    case 'joined':
      return due({ ...state, wanted: COMPONENTS, listening: false });
    case 'missed':
      return due({ ...state, wanted: COMPONENTS });
    case 'heard-browser':
      return due({ ...state, listening: true });
    case 'nobody-looks':
      return [{ ...state, listening: false }, []];
    case 'bus-up':
      return [{ ...state, wanted: COMPONENTS, reachable: [] }, []];
    case 'heard-component': {
      if (state.reachable.includes(event.component)) return [state, []];
      return due({ ...state, reachable: [...state.reachable, event.component] });
    }
    case 'lost-component': {
      const others = state.reachable.filter((component) => component !== event.component);
      const wanted = COMPONENTS.filter((c) => c === event.component || state.wanted.includes(c));
      return [{ ...state, reachable: others, wanted }, []];
    }
  }
}

function due(state: Refresh): readonly [Refresh, readonly Component[]] {
  if (!state.listening) return [state, []];
  const now = state.wanted.filter((component) => state.reachable.includes(component));
  if (now.length === 0) return [state, []];
  return [{ ...state, wanted: state.wanted.filter((component) => !now.includes(component)) }, now];
}
