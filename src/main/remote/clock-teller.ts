/** Tells the scheduler and the browsers whether the clock can be trusted: at start, when asked, at each change. */
import type { Component, JsonObject, OutgoingMessage } from './messages.js';
import { outgoing } from './messages.js';

/** The clock, as much of it as is needed here. */
export interface ClockStatus {
  /** Undefined: not known yet, and then nothing is said; the first answer is a change. */
  readonly available: boolean | undefined;
  onChange(listener: (available: boolean) => void): () => void;
}

export interface ClockTellerOptions {
  readonly status: ClockStatus;
  /** `mQueueClientID`: the scheduler knows us by it. */
  readonly clientId: string;
  readonly publish: (recipient: Component, subject: string, payload: JsonObject) => void;
  readonly say: (message: OutgoingMessage) => void;
}

export class ClockTeller {
  readonly #forget: () => void;

  constructor(private readonly options: ClockTellerOptions) {
    this.#forget = options.status.onChange(() => {
      this.tellScheduler();
      this.tellBrowsers();
    });
  }

  tellScheduler(): void {
    const body = this.#body();
    const { clientId, publish } = this.options;
    if (body !== undefined) publish('scheduler', 'ntp_status', { body, subject: 'ntp_status', source: clientId });
  }

  tellBrowsers(): void {
    const body = this.#body();
    if (body !== undefined) this.options.say(outgoing('ntp_status', body));
  }

  stop(): void {
    this.#forget();
  }

  #body(): JsonObject | undefined {
    const { available } = this.options.status;
    return available === undefined ? undefined : { ntp_available: available };
  }
}
