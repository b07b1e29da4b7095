/** One timer for whatever of several things is due first. */
import type { Clock } from '../base/clock.js';

export class DueTimer {
  #armed: { readonly atMs: number; readonly cancel: () => void } | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly onDue: () => void,
  ) {}

  /** Milliseconds of the clock, each the next of one thing; undefined: it has none. */
  arm(due: readonly (number | undefined)[]): void {
    const atMs = Math.min(...due.filter((at) => at !== undefined));
    if (this.#armed?.atMs === atMs) return;
    this.stop();
    if (atMs === Infinity) return;
    const cancel = this.clock.setTimer(
      () => {
        this.#armed = undefined;
        this.onDue();
      },
      Math.max(0, Math.ceil(atMs - this.clock.nowMs())),
    );
    this.#armed = { atMs, cancel };
  }

  stop(): void {
    this.#armed?.cancel();
    this.#armed = undefined;
  }
}
