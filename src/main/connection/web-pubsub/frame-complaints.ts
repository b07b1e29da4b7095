/** Says in the log that frames were dropped: the first at once, then once a minute how many more. */
import { performance } from 'node:perf_hooks';
import type { Logger } from '../../log.js';

const QUIET_MS = 60_000;

export class FrameComplaints {
  readonly #log: Logger;
  #quietUntil = 0;
  #dropped = 0;
  #unsaid = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Frames dropped so far. */
  get dropped(): number {
    return this.#dropped;
  }

  add(reason: string): void {
    this.#dropped += 1;
    this.#unsaid += 1;
    const now = performance.now();
    if (now < this.#quietUntil) return;
    this.#quietUntil = now + QUIET_MS;
    this.#log.warn(
      { reason, frames: this.#unsaid },
      'The service sent a frame that makes no sense; it was dropped and the connection goes on',
    );
    this.#unsaid = 0;
  }
}
