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

export interface ListenerTiming {
  /** A listener that keeps everything else waiting for longer is said at warning, milliseconds. */
  readonly slowMs: number;
  /** Each run is a debug line. Default false. */
  readonly tellRuns?: boolean;
  /** Milliseconds of a clock that is never set. Default: the system's. */
  readonly nowMs?: () => number;
}

/** Several listeners to one thing; none can hurt another. */
export class Listeners<T> {
  readonly #entries = new Set<{ readonly fn: (value: T) => unknown }>();
  readonly #log: Logger;
  readonly #what: string;
  readonly #timing: ListenerTiming | undefined;

  /** `what` names the thing in the log, such as `state`. `timing`: default is that nobody looks how long a listener takes. */
  constructor(log: Logger, what: string, timing?: ListenerTiming) {
    this.#log = log;
    this.#what = what;
    this.#timing = timing;
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
    const run = this.#timing === undefined ? runUntimed : timed(this.#log, this.#what, this.#timing);
    for (const { fn } of [...this.#entries]) {
      guard(this.#log, `run a ${this.#what} listener`, () => run(fn.name, () => fn(value)));
    }
  }
}

type Run = (name: string, fn: () => unknown) => unknown;

const runUntimed: Run = (_name, fn) => fn();

/** What it blocks is what runs before its first await; what it takes is all. */
function timed(log: Logger, what: string, timing: ListenerTiming): Run {
  const { slowMs, tellRuns = false, nowMs = () => performance.now() } = timing;
  return (name, fn) => {
    const listener = name === '' ? '(anonymous)' : name;
    const startedMs = nowMs();
    const elapsedMs = (): number => Math.round(nowMs() - startedMs);
    const ran = (): void => log.debug({ listener, ms: elapsedMs() }, `A ${what} listener ran`);
    let result: unknown;
    try {
      result = fn();
    } finally {
      const ms = elapsedMs();
      if (ms > slowMs) {
        log.warn({ listener, ms }, `A ${what} listener blocked everything else for ${ms} ms`);
      }
      if (tellRuns && !(result instanceof Promise)) ran();
    }
    return tellRuns && result instanceof Promise ? result.finally(ran) : result;
  };
}
