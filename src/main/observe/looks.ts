/** Looks at the internet that somebody asks for: however often, it is looked no more often than is good for a metered line. */
import { settledWithin } from '../base/deadline.js';

/** Between two looks for whoever may use the control socket, milliseconds. */
const CONTROL_EVERY_MS = 3_000;
/** The same for whoever can open the page, milliseconds: no more than the checks cost anyway. */
const PAGE_EVERY_MS = 10_000;
/** Whoever waits for a look gets what is known by then, milliseconds. */
const DEADLINE_MS = 10_000;

export class Looks {
  readonly #lookNow: () => Promise<unknown>;
  readonly #nowMs: () => number;
  #lookedAtMs = -Infinity;
  #looking: Promise<unknown> | undefined;

  /** `nowMs`: a clock that never goes back, milliseconds. Default: `performance.now`. */
  constructor(lookNow: () => Promise<unknown>, nowMs: () => number = () => performance.now()) {
    this.#lookNow = lookNow;
    this.#nowMs = nowMs;
  }

  /** Resolves when it was looked, or the last look is recent enough, within 10 s. */
  async look(by: 'control' | 'page'): Promise<void> {
    const nowMs = this.#nowMs();
    if (nowMs - this.#lookedAtMs >= (by === 'page' ? PAGE_EVERY_MS : CONTROL_EVERY_MS)) {
      this.#lookedAtMs = nowMs;
      this.#looking = this.#lookNow();
    }
    if (this.#looking !== undefined) await settledWithin(this.#looking, DEADLINE_MS);
  }
}
