/**
 * When system_info goes out: on joining, on request, and when a component changed. Collecting it takes seconds on a Pi
 * and starts processes, so one collection at a time, not more often than every two seconds, and requests share one.
 */
import type { Json } from '../base/json.js';
import type { Logger } from '../log.js';
import type { Clock } from '../base/clock.js';

/** From the start of one collection to the start of the next, milliseconds, at least. */
export const COLLECT_EVERY_MS = 2_000;
/** Deadline of a collection, milliseconds: every field of it has 2 s of its own, and they run side by side. */
export const COLLECT_TIMEOUT_MS = 10_000;

export class SystemInfoAnnouncer {
  #running = false;
  #wanted = false;
  #notBeforeMs = -Infinity;
  #cancelTimers = new Set<() => void>();
  #stopped = false;
  #waiters: (() => void)[] = [];

  constructor(
    private readonly collect: () => Promise<Json>,
    /** Says it to the group. */
    private readonly say: (systemInfo: Json) => void,
    private readonly log: Logger,
    private readonly clock: Clock,
  ) {}

  /** Resolves once an info collected after this call was said, or could not be collected, or after `patienceMs`. */
  announce(patienceMs = COLLECT_EVERY_MS + COLLECT_TIMEOUT_MS): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#after(patienceMs, resolve);
      this.#waiters.push(() => {
        cancel();
        resolve();
      });
      this.#wanted = true;
      this.#next();
    });
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancelTimers) cancel();
    this.#cancelTimers.clear();
    for (const wake of this.#waiters.splice(0)) wake();
  }

  #next(): void {
    if (this.#running || !this.#wanted || this.#stopped) return;
    const waitMs = this.#notBeforeMs - this.clock.nowMs();
    this.#running = true;
    if (waitMs > 0) this.#after(waitMs, () => void this.#collectNow());
    else void this.#collectNow();
  }

  async #collectNow(): Promise<void> {
    this.#wanted = false;
    const waiters = this.#waiters.splice(0);
    this.#notBeforeMs = this.clock.nowMs() + COLLECT_EVERY_MS;
    try {
      const body = await this.#withinDeadline();
      if (!this.#isStopped()) this.say(body);
    } catch (error) {
      this.log.warn(
        { err: error },
        'The system information could not be collected; browsers keep what they have until the next request.',
      );
    } finally {
      this.#running = false;
      for (const wake of waiters) wake();
      this.#next();
    }
  }

  #withinDeadline(): Promise<Json> {
    return new Promise((resolve, reject) => {
      const cancel = this.#after(COLLECT_TIMEOUT_MS, () => reject(new CollectTimeoutError()));
      // Inside `then`, so that a collector that throws at once rejects too.
      Promise.resolve().then(this.collect).then(resolve, reject).finally(cancel);
    });
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  #after(ms: number, fn: () => void): () => void {
    const cancel = this.clock.setTimer(() => {
      this.#cancelTimers.delete(cancel);
      fn();
    }, ms);
    this.#cancelTimers.add(cancel);
    return () => {
      this.#cancelTimers.delete(cancel);
      cancel();
    };
  }
}

/** The collector did not answer; whatever it waits for is left behind. */
export class CollectTimeoutError extends Error {
  readonly code = 'ERR_SYSTEM_INFO_TIMEOUT';
  constructor() {
    super(`The system information was not there after ${COLLECT_TIMEOUT_MS / 1000} s`);
    this.name = 'CollectTimeoutError';
  }
}
