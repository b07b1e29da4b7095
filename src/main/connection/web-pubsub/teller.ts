/** Tells a session's events to whoever opened it: none before the session is in the caller's hands, in order, none after it is silenced. */
import type { Logger } from '../../base/logger.js';
import type { SessionEvent } from '../session.js';
import { describeError } from './redact.js';

/** Between the join and the first event a flood could come; the session is given up rather than memory. */
const MAX_EARLY_EVENTS = 10_000;

export class Teller {
  readonly #onEvent: (event: SessionEvent) => void;
  readonly #log: Logger;
  /** Events of the time before the caller holds the session. */
  #early: SessionEvent[] | undefined = [];
  #flush: NodeJS.Immediate | undefined;
  #silent = false;

  constructor(onEvent: (event: SessionEvent) => void, log: Logger) {
    this.#onEvent = onEvent;
    this.#log = log;
  }

  /** More came early than may be kept. */
  get flooded(): boolean {
    return this.#early !== undefined && this.#early.length > MAX_EARLY_EVENTS;
  }

  /** The caller gets the session now; from the next turn of the event loop on it is told. */
  begin(): void {
    this.#flush = setImmediate(() => {
      const early = this.#early ?? [];
      this.#early = undefined;
      for (const event of early) this.#tell(event);
    });
  }

  silence(): void {
    this.#silent = true;
    clearImmediate(this.#flush);
  }

  tell(event: SessionEvent): void {
    if (this.#early) this.#early.push(event);
    else this.#tell(event);
  }

  #tell(event: SessionEvent): void {
    if (this.#silent) return;
    try {
      this.#onEvent(event);
    } catch (error) {
      this.#log.error(
        { event: event.kind, reason: describeError(error) },
        'A listener of the connection threw; the connection goes on. This is a bug worth reporting',
      );
    }
  }
}
