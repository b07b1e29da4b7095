/**
 * From the components to the group: what a component says is relayed, or shows that it is there. `router.ts` and
 * `component-watch.ts` decide; time is told by the exchange's one timer.
 */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../log.js';
import type { ComponentState, ComponentWatch, ComponentWatchEffect, ComponentWatchEvent } from './component-watch.js';
import { nextWatchTickMs, onComponentWatch, startComponentWatch } from './component-watch.js';
import type { Component, JsonObject, OutgoingMessage } from './messages.js';
import { outgoing } from './messages.js';
import type { RemoteBus } from './ports.js';
import { NOTHING_SEEN, see, type SeenSubjects } from './relay.js';
import type { RepeatedWarning } from './repeated-warning.js';
import { routeFromBus } from './router.js';

/** What is known of a component, in the words of system_info. */
export interface ComponentStatus {
  /** The front end's name of it: core is `dunebugger`. */
  readonly name: 'dunebugger' | 'scheduler';
  readonly state: 'running' | 'not_responding';
  /** Null until one of its heartbeats carried one. */
  readonly version: string | null;
}

/** The same, with `unknown` for one that has not been asked for long enough to say that it is not there. */
export interface WatchedStatus extends Omit<ComponentStatus, 'state'> {
  readonly state: ComponentState;
}

export interface FromBusDependencies {
  /** Undefined: no bus is wanted; the components are not watched. */
  readonly bus: RemoteBus | undefined;
  /** Sends it to the group, unless nothing goes there; `bytes` is its size. False: it is muted. */
  readonly relay: (message: OutgoingMessage, bytes: number) => boolean;
  /** For malformed and unknown messages. */
  readonly refused: RepeatedWarning;
  /** The scheduler asks whether the clock can be trusted. */
  readonly onClockRequest: () => void;
  /** Somebody asks how the internet and the cloud connection are. */
  readonly onStatusRequest: (answer?: (payload: JsonObject) => void) => void;
  /** A component said something, whatever it was. */
  readonly onHeard: (component: Component) => void;
  /** A component has not been heard for too long, or is another process than before; if it is heard now, {@link onHeard} follows. */
  readonly onLost: (component: Component) => void;
  /** What is known of a component is something else now. */
  readonly onComponentChanged: () => void;
  /** {@link FromBus.nextMs} may be another one. */
  readonly onTimeChanged: () => void;
  readonly log: Logger;
  readonly clock: Clock;
}

export class FromBus {
  readonly #log: Logger;
  readonly #clock: Clock;
  #watch: ComponentWatch;
  #seen: SeenSubjects = NOTHING_SEEN;

  constructor(private readonly deps: FromBusDependencies) {
    this.#log = deps.log;
    this.#clock = deps.clock;
    this.#watch = startComponentWatch(deps.clock.nowMs());
  }

  get components(): readonly ComponentStatus[] {
    return this.watched.map(({ name, state, version }) => ({
      name,
      state: state === 'running' ? 'running' : 'not_responding',
      version,
    }));
  }

  get watched(): readonly WatchedStatus[] {
    const status = (component: Component, name: ComponentStatus['name']): WatchedStatus => {
      const { state, version } = this.#watch.components[component];
      return { name, state, version: version ?? null };
    };
    return [status('core', 'dunebugger'), status('scheduler', 'scheduler')];
  }

  /** When {@link tick} is due, milliseconds of the clock; undefined without a bus. */
  get nextMs(): number | undefined {
    return this.deps.bus === undefined ? undefined : nextWatchTickMs(this.#watch);
  }

  /** The watch begins now. */
  start(): void {
    this.#watch = startComponentWatch(this.#clock.nowMs());
  }

  tick(): void {
    if (this.deps.bus !== undefined) this.#watched({ kind: 'tick' });
  }

  /** The bus is there, perhaps again. */
  busUp(): void {
    this.#watched({ kind: 'bus-up' });
  }

  take(token: string, data: Uint8Array, answer?: (payload: JsonObject) => void): void {
    const decision = routeFromBus(token, data);
    switch (decision.kind) {
      case 'relay':
        if (decision.from !== undefined) this.#heard(decision.from);
        if (this.deps.relay(decision.message, decision.bytes)) this.#firstSeen(decision.message.subject);
        break;
      case 'clock':
        // The scheduler asks this at its start, and at no other time.
        if (decision.from !== undefined) this.#heard(decision.from, { started: decision.from === 'scheduler' });
        this.deps.onClockRequest();
        break;
      case 'status':
        this.deps.onStatusRequest(answer);
        break;
      case 'alive': {
        this.#log.debug({ component: decision.component }, 'A component says that it is there.');
        this.#heard(decision.component, decision.version === undefined ? {} : { version: decision.version });
        break;
      }
      case 'unknown':
        if (decision.from !== undefined) this.#heard(decision.from);
        this.deps.refused.warn(
          { from: 'bus', subject: decision.subject },
          'A component said something to this daemon that it does not know; ignored.',
        );
        break;
      case 'refuse':
        this.deps.refused.warn(
          { from: 'bus', subject: token.slice(0, 64), reason: decision.reason },
          'A malformed message of the bus was dropped.',
        );
        break;
    }
  }

  /** A subject is news once: a release of core has something new to say, or somebody else speaks on the bus. */
  #firstSeen(subject: string): void {
    const [seen, isNew] = see(this.#seen, subject);
    this.#seen = seen;
    if (isNew) this.#log.info({ subject }, 'A subject of the components is relayed for the first time.');
  }

  /** Any message of a component is a sign of life. */
  #heard(component: Component, how: { readonly version?: string; readonly started?: boolean } = {}): void {
    this.#watched({ kind: 'alive', component, ...how });
    this.deps.onHeard(component);
  }

  #watched(event: ComponentWatchEvent): void {
    const [next, effects] = onComponentWatch(this.#watch, event, this.#clock.nowMs());
    this.#watch = next;
    for (const effect of effects) this.#watchEffect(effect);
    this.deps.onTimeChanged();
  }

  #watchEffect(effect: ComponentWatchEffect): void {
    const { component } = effect;
    if (effect.kind === 'ask') {
      const question = outgoing('heartbeat', 'are you there?');
      const { body, subject, source } = question;
      const outcome = this.deps.bus?.publish(component, subject, { body, subject, source });
      this.#log.debug({ component, outcome }, 'Asked a component whether it is there.');
      return;
    }
    if (effect.kind === 'restarted') {
      this.#log.debug({ component }, 'A component has perhaps been started anew.');
      this.deps.onLost(component);
      return;
    }
    const { from, to, version } = effect;
    if (to === 'not_responding') this.deps.onLost(component);
    const fields = { component, ...(version === undefined ? {} : { version }) };
    if (from === to) this.#log.info(fields, 'A component tells another version.');
    else if (to === 'running') this.#log.info(fields, 'A component is running.');
    else this.#log.warn(fields, 'A component does not respond; it is asked again and again.');
    this.deps.onComponentChanged();
  }
}
