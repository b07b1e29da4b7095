/** Remembers what was not said, and has it said again should the connection stand all the while; otherwise the next join or resume takes it. */
import type { Clock } from '../base/clock.js';
import type { Missed } from './missed.js';
import { ALL_MISSED, NOTHING_MISSED, missed, sayAgainMs } from './missed.js';

export class SayAgain {
  #missed: Missed = NOTHING_MISSED;
  #cancel: (() => void) | undefined;
  #times = 0;
  #stopped = false;

  constructor(
    /** Everything may leave now. */
    private readonly isOpen: () => boolean,
    private readonly say: (missed: Missed) => void,
    private readonly clock: Clock,
  ) {}

  /** A message of that subject did not reach the group. */
  add(subject: string): void {
    if (this.#stopped) return;
    this.#missed = missed(this.#missed, subject);
    this.#cancel ??= this.clock.setTimer(() => {
      this.#cancel = undefined;
      if (!this.isOpen()) return;
      this.#times += 1;
      this.say(this.take());
    }, sayAgainMs(this.#times));
  }

  addAll(): void {
    this.#missed = ALL_MISSED;
  }

  /** Whoever takes it says it. */
  take(): Missed {
    const taken = this.#missed;
    this.#missed = NOTHING_MISSED;
    this.#cancel?.();
    this.#cancel = undefined;
    return taken;
  }

  /** The group is reached (again): the pauses begin anew. */
  reached(): void {
    this.#times = 0;
  }

  stop(): void {
    this.#stopped = true;
    this.take();
  }
}
