/** A controller that is aborted with another signal as well. Cheaper than `AbortSignal.any`, and the tie ends with the work. */

/** Nobody looks at where it was made, so one serves all. */
const NO_LONGER_WANTED = new Error('no longer wanted');

export class LinkedAbort {
  readonly #own = new AbortController();
  readonly #outer: AbortSignal;
  readonly #onOuter = (): void => this.#own.abort(this.#outer.reason);

  constructor(outer: AbortSignal) {
    this.#outer = outer;
    if (outer.aborted) this.#own.abort(outer.reason);
    else outer.addEventListener('abort', this.#onOuter);
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  abort(reason: Error = NO_LONGER_WANTED): void {
    this.release();
    this.#own.abort(reason);
  }

  /** The work has ended: the outer signal means nothing to it any more. */
  release(): void {
    this.#outer.removeEventListener('abort', this.#onOuter);
  }
}
