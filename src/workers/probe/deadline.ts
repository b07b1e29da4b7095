/** A deadline that can be put off, for work that is given up by a signal. */
import { DeadlineError } from '../net/open-address.js';

export class Deadline {
  readonly signal: AbortSignal;
  readonly #own = new AbortController();
  #atMs: number;
  #timer: NodeJS.Timeout | undefined;

  /** `atMs` on the clock of `performance.now()`; `outer` gives up at once. */
  constructor(atMs: number, outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#own.signal]);
    this.#atMs = atMs;
    this.#arm();
  }

  get atMs(): number {
    return this.#atMs;
  }

  putOff(atMs: number): void {
    if (atMs <= this.#atMs || this.#own.signal.aborted) return;
    this.#atMs = atMs;
    this.#arm();
  }

  /** The work is done. */
  clear(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const ms = Math.max(0, this.#atMs - performance.now());
    this.#timer = setTimeout(() => this.#own.abort(new DeadlineError('time is up')), ms);
  }
}
