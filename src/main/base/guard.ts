/** Code of others, run so that what it throws or rejects with is logged and hurts nobody. */
import type { Logger } from './logger.js';

export function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Runs `fn`; a failure is logged at `level` (default error) as "Could not `what`". */
export function guard(log: Logger, what: string, fn: () => unknown, level: 'debug' | 'error' = 'error'): void {
  const failed = (error: unknown): void => {
    log[level]({ error: describeError(error) }, `Could not ${what}: ${describeError(error)}`);
  };
  try {
    const result = fn();
    if (result !== undefined) Promise.resolve(result).catch(failed);
  } catch (error) {
    failed(error);
  }
}

/** Several listeners to one thing; none can hurt another. */
export class Listeners<T> {
  readonly #entries = new Set<{ readonly fn: (value: T) => unknown }>();
  readonly #log: Logger;
  readonly #what: string;

  /** `what` names the thing in the log, such as `state`. */
  constructor(log: Logger, what: string) {
    this.#log = log;
    this.#what = what;
  }

  /** Returns the remover. The same function added twice is two listeners. */
  add(fn: (value: T) => unknown): () => void {
    const entry = { fn };
    this.#entries.add(entry);
    return () => {
      this.#entries.delete(entry);
    };
  }

  tell(value: T): void {
    for (const { fn } of [...this.#entries]) guard(this.#log, `run a ${this.#what} listener`, () => fn(value));
  }
}
