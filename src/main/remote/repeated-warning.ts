/** A warning that a hostile or broken peer can provoke at will: one line, then a count. */
import type { Logger } from '../log.js';
import type { Clock } from '../base/clock.js';

/** After a warning its repetitions are only counted for so long, milliseconds. */
export const WARN_EVERY_MS = 60_000;
/** So many repetitions between two warnings are told at debug; a log at that level must not be a flood's amplifier either. */
export const MAX_DEBUG_LINES = 100;

export class RepeatedWarning {
  #quietUntilMs = -Infinity;
  #suppressed = 0;

  constructor(
    private readonly log: Logger,
    private readonly clock: Clock,
  ) {}

  /** At most one warning in {@link WARN_EVERY_MS}, with the number of those left out since the last; the first {@link MAX_DEBUG_LINES} of those at debug. */
  warn(fields: object, message: string): void {
    const now = this.clock.nowMs();
    if (now < this.#quietUntilMs) {
      this.#suppressed += 1;
      if (this.#suppressed <= MAX_DEBUG_LINES) this.log.debug(fields, message);
      return;
    }
    this.log.warn(this.#suppressed === 0 ? fields : { ...fields, leftOut: this.#suppressed }, message);
    this.#suppressed = 0;
    this.#quietUntilMs = now + WARN_EVERY_MS;
  }
}
