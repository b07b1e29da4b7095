/** A deadline that can be put off, for work that is given up by a signal. */
import { LinkedAbort } from '../net/linked-abort.js';
import { DeadlineError } from '../net/open-address.js';

export class Deadline {
  readonly #own: LinkedAbort;
  #atMs: number;
  #timer: NodeJS.Timeout | undefined;

  /** `atMs` on the clock of `performance.now()`; `outer` gives up at once. */
  constructor(atMs: number, outer: AbortSignal) {
    this.#own = new LinkedAbort(outer);
    this.#atMs = atMs;
    this.#arm();
  }

  get signal(): AbortSignal {
    return this.#own.signal;
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
    this.#own.release();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const ms = Math.max(0, this.#atMs - performance.now());
    this.#timer = setTimeout(() => this.#own.abort(new DeadlineError('time is up')), ms);
  }
}
