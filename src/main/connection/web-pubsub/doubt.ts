/**
 * Whether a link has been left behind by a change of the way out: a ping of its own must be answered. What else arrives does not count, since it may
 * have been under way before. One question at a time; whoever asks meanwhile gets one more after it.
 */

export interface DoubtHooks {
  ping(mark: string): void;
  unanswered(afterMs: number): void;
}

export class Doubt {
  #marks = 0;
  #open: { readonly mark: string; readonly timer: NodeJS.Timeout } | undefined;
  #again: number | undefined;
  #over = false;

  constructor(private readonly hooks: DoubtHooks) {}

  ask(withinMs: number): void {
    if (this.#over) return;
    if (this.#open !== undefined) {
      this.#again = withinMs;
      return;
    }
    this.#marks += 1;
    const mark = `still-there-${this.#marks}`;
    // After what has been read by then: a process that was stopped for a while has the answer, and its timer comes first.
    const timer = setTimeout(() => setImmediate(() => this.#late(mark, withinMs)), withinMs);
    this.#open = { mark, timer };
    this.hooks.ping(mark);
  }

  answered(mark: string): void {
    if (this.#open?.mark !== mark) return;
    clearTimeout(this.#open.timer);
    this.#open = undefined;
    const again = this.#again;
    this.#again = undefined;
    if (again !== undefined) this.ask(again);
  }

  end(): void {
    this.#over = true;
    clearTimeout(this.#open?.timer);
    this.#open = undefined;
  }

  #late(mark: string, afterMs: number): void {
    if (this.#over || this.#open?.mark !== mark) return;
    this.end();
    this.hooks.unanswered(afterMs);
  }
}
