/** Waiting for something to become true, with a deadline and a message that says what was waited for. */

export interface WaitOptions {
  /** Deadline, milliseconds. Default 10,000: far more than loopback needs, so that a slow machine fails nothing. */
  readonly timeoutMs?: number;
}

/** A wait that ran out. Its message says what was awaited and what was there instead. */
export class WaitTimeoutError extends Error {
  readonly code = 'ERR_WAIT_TIMEOUT';
  override readonly name = 'WaitTimeoutError';
}

interface Waiter {
  check(): void;
  fail(error: Error): void;
}

/** The owner calls {@link notify} after each change; {@link until} looks again then. Nothing polls. */
export class Changes {
  readonly #waiters = new Set<Waiter>();

  /** Something changed: every waiter looks again. */
  notify(): void {
    for (const waiter of [...this.#waiters]) waiter.check();
  }

  /** The owner stops: every waiter is rejected now rather than at its deadline. */
  close(reason: string): void {
    for (const waiter of [...this.#waiters]) waiter.fail(new Error(reason));
  }

  /**
   * Resolves with what `look` returns as soon as that is neither `undefined` nor `false`.
   * @param what what is awaited, in words, for the error
   * @param now what there is instead, for the error
   */
  until<T>(look: () => T | undefined | false, what: string, options: WaitOptions = {}, now?: () => string): Promise<T> {
    const timeoutMs = options.timeoutMs ?? 10_000;
    return new Promise<T>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        check: () => {
          const found = look();
          if (found === undefined || found === false) return;
          end();
          resolve(found);
        },
        fail: (error) => {
          end();
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        waiter.fail(new WaitTimeoutError(`waited ${timeoutMs} ms for ${what}${now ? `; there is ${now()}` : ''}`));
      }, timeoutMs);
      this.#waiters.add(waiter);
      waiter.check();
    });
  }
}
