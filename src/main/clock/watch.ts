/** Looks at the clock now and then, off the main path, and tells of each change. The decision is in `decision.ts`. */
import { systemClock, type Clock } from '../base/clock.js';
import { Listeners } from '../base/guard.js';
import type { Logger } from '../base/logger.js';
import { judgeClock, NOT_CHECKED, type ClockTrust, type KernelClock } from './decision.js';

export interface ClockWatchOptions {
  /** Neither rejects, and both have a deadline. */
  readonly askKernel: () => Promise<KernelClock>;
  readonly askServers: (signal: AbortSignal) => Promise<number | undefined>;
  /** From the end of one check to the start of the next, milliseconds. */
  readonly everyMs: number;
  readonly log: Logger;
  readonly clock?: Clock;
}

/** The wall clock moved so much more than the other one, milliseconds: it was set, not slewed. */
const STEP_MS = 2_000;

export class ClockWatch {
  readonly #options: ClockWatchOptions;
  readonly #clock: Clock;
  readonly #listeners: Listeners<boolean>;
  readonly #life = new AbortController();
  #trust: ClockTrust = NOT_CHECKED;
  /** Wall minus monotonic time at the last check. */
  #differenceMs: number | undefined;
  #cancel: (() => void) | undefined;
  #started = false;

  constructor(options: ClockWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#listeners = new Listeners(options.log, 'clock');
  }

  /** True: the scheduler may rely on it. Undefined before the first check has ended. */
  get available(): boolean | undefined {
    return this.#trust.trusted;
  }

  onChange(listener: (available: boolean) => void): () => void {
    return this.#listeners.add(listener);
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#check();
  }

  stop(): void {
    this.#life.abort();
    this.#cancel?.();
  }

  async #check(): Promise<void> {
    const { askKernel, askServers, everyMs, log } = this.#options;
    const { signal } = this.#life;
    const kernel = await askKernel().catch((): KernelClock => 'unknown');
    const offsetMs =
      kernel === 'synchronised' || signal.aborted ? undefined : await askServers(signal).catch(() => undefined);
    if (signal.aborted) return;
    const before = this.#trust.trusted;
    this.#trust = judgeClock(this.#trust, { kernel, offsetMs, stepped: this.#stepped() }, this.#clock.nowMs());
    const after = this.#trust.trusted;
    if (after !== undefined && after !== before) {
      const fields = { kernel, ...(offsetMs === undefined ? {} : { offsetMs: Math.round(offsetMs) }) };
      if (after) log.info(fields, 'The clock can be trusted: the scheduler is told so.');
      else log.warn(fields, 'The clock cannot be trusted: the scheduler is told so, and skips its actions.');
      this.#listeners.tell(after);
    }
    this.#cancel = this.#clock.setTimer(() => void this.#check(), everyMs);
  }

  #stepped(): boolean {
    const difference = this.#clock.wallMs() - this.#clock.nowMs();
    const movedMs = this.#differenceMs === undefined ? 0 : difference - this.#differenceMs;
    this.#differenceMs = difference;
    if (Math.abs(movedMs) < STEP_MS) return false;
    this.#options.log.warn(
      { bySecs: Math.round(movedMs / 1_000) },
      'The system clock was set while running; durations here do not depend on it.',
    );
    return true;
  }
}
