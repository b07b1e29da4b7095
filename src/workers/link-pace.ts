/**
 * How often changes of the link may cause a check: a few at once, as when a cable goes in and addresses and routes follow one another, and then
 * one every other second, so that a route that flaps for hours costs little. Pure but for its count; times are milliseconds of a clock that
 * never jumps.
 */

const AT_ONCE = 4;
const EVERY_MS = 2_000;

export class LinkPace {
  /** When the last of the checks so far would have its turn, were they all spaced. */
  #paidUntilMs = -Infinity;

  /** When the next may begin. */
  freeAtMs(nowMs: number): number {
    return Math.max(nowMs, this.#paidUntilMs - (AT_ONCE - 1) * EVERY_MS);
  }

  /** One has begun. */
  took(nowMs: number): void {
    this.#paidUntilMs = Math.max(nowMs, this.#paidUntilMs) + EVERY_MS;
  }
}
