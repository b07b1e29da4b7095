/** Asks the main thread whether its live connection answers, and waits for that no longer than a moment. */
import type { FromWorker, LiveAnswer } from './protocol.js';

/** An answer is waited for so long at least, milliseconds, or one time-out if that is shorter: a slow satellite takes 0.9 s. */
const AT_LEAST_MS = 1_000;

interface Question {
  readonly id: number;
  readonly atMs: number;
}

export class LiveConnection {
  #lastId = 0;
  /** The question that has no answer yet. */
  #open: Question | undefined;
  #last: { readonly answer: LiveAnswer; readonly atMs: number } = { answer: 'none', atMs: -Infinity };
  readonly #waiting = new Set<() => void>();

  constructor(private readonly post: (message: FromWorker) => void) {}

  /** Asks, unless a question is open that is not older than `withinMs`. */
  ask(withinMs: number): void {
    const now = performance.now();
    if (this.#open !== undefined && now - this.#open.atMs < withinMs) return;
    this.#lastId += 1;
    this.#open = { id: this.#lastId, atMs: now };
    this.post({ kind: 'ask-live', id: this.#lastId, withinMs });
  }

  told(id: number, answer: LiveAnswer): void {
    if (id !== this.#open?.id) return;
    this.#open = undefined;
    this.#last = { answer, atMs: performance.now() };
    for (const wake of [...this.#waiting]) wake();
  }

  /** The answer that came since `sinceMs`; `silent` if there is none a moment after the question. */
  answerSince(sinceMs: number, timeoutMs: number): Promise<LiveAnswer> {
    return this.#answer(sinceMs, Math.min(AT_LEAST_MS, timeoutMs));
  }

  /** Asks anew, and resolves with what came within the time, or when the signal aborts. */
  answersNow(withinMs: number, signal: AbortSignal): Promise<LiveAnswer> {
    const sinceMs = performance.now();
    this.#open = undefined;
    this.ask(withinMs);
    return this.#answer(sinceMs, withinMs, signal);
  }

  async #answer(sinceMs: number, withinMs: number, signal?: AbortSignal): Promise<LiveAnswer> {
    const leftMs = (this.#open?.atMs ?? -Infinity) + withinMs - performance.now();
    if (this.#last.atMs < sinceMs && leftMs > 0 && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', wake);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, leftMs);
        this.#waiting.add(wake);
        signal?.addEventListener('abort', wake);
      });
    }
    return this.#last.atMs >= sinceMs ? this.#last.answer : 'silent';
  }
}
