/** Asks core and scheduler for their present state when browsers may show an old one; `refresh.ts` decides when. */
import type { Logger } from '../log.js';
import type { Component, JsonObject } from './messages.js';
import { outgoing } from './messages.js';
import type { Refresh, RefreshEvent } from './refresh.js';
import { NOTHING_TO_REFRESH, REFRESH_SUBJECTS, onRefresh } from './refresh.js';

export class StateRefresher {
  #state: Refresh = NOTHING_TO_REFRESH;

  constructor(
    /** Undefined: it was not even tried, as nothing may be said to the browsers. */
    private readonly publish: (component: Component, subject: string, payload: JsonObject) => string | undefined,
    private readonly log: Logger,
  ) {}

  on(event: RefreshEvent): void {
    const [next, components] = onRefresh(this.#state, event);
    this.#state = next;
    for (const component of components) {
      for (const subject of REFRESH_SUBJECTS[component]) {
        const { body, source } = outgoing(subject, 'null');
        const outcome = this.publish(component, subject, { body, subject, source });
        this.log.debug({ component, subject, outcome }, 'Asked a component for its present state, for the browsers.');
      }
    }
  }
}
