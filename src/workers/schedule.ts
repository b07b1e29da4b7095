/** When the next check is due: at its time, or sooner for whoever wants one. */
import type { CheckTrigger } from './protocol.js';
import { LinkPace } from './link-pace.js';

/** Who can want a check sooner than its time. */
export type Wish = Extract<CheckTrigger, 'asked' | 'link'>;

/** Between the starts of two checks that were asked for, at least. */
const MIN_SPACING_MS = 200;

export class Schedule {
  /** Why the next check is begun sooner than its time. */
  #wanted: Wish | undefined;
  readonly #linkPace = new LinkPace();
  #wake: (() => void) | undefined;
  #stopped = false;

  /** Somebody wants a check. A link's word is not put off by whoever else asks. */
  want(wish: Wish): void {
    if (this.#wanted !== 'link') this.#wanted = wish;
    this.#wake?.();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /**
   * Resolves at `at`, or as soon as somebody wants a check, with who did. Times on the clock of `performance.now()`.
   * @param startedAt of the last check
   * @param confirming a failure is to be confirmed, which is done no sooner for whoever asks: he does not make two moments of one
   */
  async next(at: number, startedAt: number, confirming: boolean): Promise<Wish | undefined> {
    const earliest = (wish: Wish): number => {
      const spacedAt = startedAt + MIN_SPACING_MS;
      if (wish === 'asked') return confirming ? at : spacedAt;
      return Math.min(at, Math.max(spacedAt, this.#linkPace.freeAtMs(performance.now())));
    };
    if (this.#wanted === undefined) await this.#sleep(at - performance.now());
    for (;;) {
      const wanted = this.#wanted;
      const leftMs = wanted === undefined ? 0 : earliest(wanted) - performance.now();
      if (this.#stopped || leftMs <= 0) {
        this.#wanted = undefined;
        if (wanted === 'link') this.#linkPace.took(performance.now());
        return wanted;
      }
      await this.#sleep(leftMs);
    }
  }

  /** Until woken, or no time at all once it is stopped. */
  #sleep(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake?.(), Math.max(0, Math.ceil(ms)));
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
