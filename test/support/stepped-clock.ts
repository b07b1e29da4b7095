/** A clock that goes when it is told to. */
import type { Clock } from '../../src/main/base/clock.js';

export class SteppedClock implements Clock {
  #nowMs = 1_000;
  #timers: { readonly atMs: number; readonly fn: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  setTimer(fn: () => void, ms: number): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, ms), fn };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  get pending(): number {
    return this.#timers.length;
  }

  /** Lets `ms` pass: every timer due fires at its time, in order, and what it sets off is carried out before the next. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settled();
    for (;;) {
      const [next] = this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fn();
      await settled();
    }
    this.#nowMs = untilMs;
  }
}

/** Every promise that can go on has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
