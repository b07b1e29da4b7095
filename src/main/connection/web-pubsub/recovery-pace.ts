/**
 * When the next socket of a recovery may be opened. Pure: times are milliseconds of one monotonic clock, `random` is in [0, 1).
 *
 * The first is opened at once: that it is not the same moment for everybody is the supervisor's care. From then on each waits longer, up to
 * eight times the spacing and with half of it jittered, since a service that restarts is asked by all its clients at once.
 */

const MOST_DOUBLINGS = 3;

export class RecoveryPace {
  readonly #spacingMs: number;
  #notBeforeMs = 0;
  #opened = 0;

  /** @param spacingMs Most time between the first two sockets. */
  constructor(spacingMs: number) {
    this.#spacingMs = spacingMs;
  }

  /** A drop after a time that was well: the spacing begins anew, but is kept from the socket before. */
  begin(): void {
    this.#opened = 0;
  }

  opened(nowMs: number, random: number): void {
    const mostMs = this.#spacingMs * 2 ** Math.min(this.#opened, MOST_DOUBLINGS);
    this.#opened += 1;
    this.#notBeforeMs = nowMs + mostMs * (1 - random / 2);
  }

  /** The end of the last one asks for that much patience. */
  pause(nowMs: number, forMs: number): void {
    this.#notBeforeMs = Math.max(this.#notBeforeMs, nowMs + forMs);
  }

  /** 0: now. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#notBeforeMs - nowMs);
  }
}
