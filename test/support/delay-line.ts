/** Runs what is pushed after a delay, always in the order pushed, also when the delay shrinks in between. */
export class DelayLine {
  readonly #queue: { readonly dueMs: number; readonly work: () => void }[] = [];
  #timer: NodeJS.Timeout | undefined;

  push(delayMs: number, work: () => void): void {
    if (delayMs <= 0 && this.#queue.length === 0) {
      work();
      return;
    }
    const dueMs = Math.max(performance.now() + delayMs, this.#queue.at(-1)?.dueMs ?? 0);
    this.#queue.push({ dueMs, work });
    if (this.#timer === undefined) this.#arm();
  }

  /** Forgets what has not run yet. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#queue.length = 0;
  }

  /** Waits for the head of the queue; what its work pushes queues up behind it. */
  #arm(): void {
    const next = this.#queue[0];
    if (next === undefined) {
      this.#timer = undefined;
      return;
    }
    this.#timer = setTimeout(
      () => {
        next.work();
        this.#queue.shift();
        this.#arm();
      },
      Math.max(0, next.dueMs - performance.now()),
    );
  }
}
