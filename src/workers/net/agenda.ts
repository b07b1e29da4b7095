/**
 * Several moments at which something is due, with one timer: most of them never come, since what is waited for comes first, and a timer that is made
 * and cleared costs more than a line in a list.
 */
interface Entry {
  /** On the clock of `performance.now()`. */
  readonly atMs: number;
  readonly act: () => void;
}

export class Agenda {
  readonly #entries = new Set<Entry>();
  #timer: NodeJS.Timeout | undefined;
  #timerAtMs = Infinity;

  /** Returns the remover. */
  after(ms: number, act: () => void): () => void {
    const entry = { atMs: performance.now() + ms, act };
    this.#entries.add(entry);
    if (entry.atMs < this.#timerAtMs) this.#arm(entry.atMs);
    return () => {
      this.#entries.delete(entry);
      if (this.#entries.size === 0) this.#disarm();
    };
  }

  #arm(atMs: number): void {
    clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(() => this.#ring(atMs), Math.max(0, Math.ceil(atMs - performance.now())));
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
  }

  #ring(atMs: number): void {
    this.#disarm();
    // A timer counts whole milliseconds, and may be a fraction early.
    const dueMs = Math.max(atMs, performance.now());
    for (const entry of [...this.#entries].sort((a, b) => a.atMs - b.atMs)) {
      if (entry.atMs > dueMs || !this.#entries.delete(entry)) continue;
      entry.act();
    }
    if (this.#entries.size === 0) return;
    const nextMs = Math.min(...[...this.#entries].map((entry) => entry.atMs));
    if (nextMs < this.#timerAtMs) this.#arm(nextMs);
  }
}
