/**
 * Which messages are a replay: those of a recovered socket from before the answer to our first ping there. The service answers in order, so
 * what comes behind the answer is of now. It holds one recovery at a time.
 */
import { performance } from 'node:perf_hooks';
import type { Delivery } from '../session.js';

/** A service that never answers pings must not make every later message an old one. */
const LONGEST_REPLAY_MS = 30_000;

export class Replay {
  #droppedAtMs = 0;
  #droppedForMs = 0;
  #untilMs = 0;

  dropped(): void {
    this.#droppedAtMs = performance.now();
    this.#untilMs = 0;
  }

  /** A recovered socket lives; returns how long the drop was, in milliseconds. */
  begin(): number {
    const now = performance.now();
    this.#droppedForMs = Math.round(now - this.#droppedAtMs);
    this.#untilMs = now + LONGEST_REPLAY_MS;
    return this.#droppedForMs;
  }

  /** The first ping is answered. */
  end(): void {
    this.#untilMs = 0;
  }

  /** What a message that comes now is marked with. */
  get mark(): Pick<Delivery, 'replayed' | 'droppedForMs'> {
    if (performance.now() >= this.#untilMs) return {};
    return { replayed: true, droppedForMs: this.#droppedForMs };
  }
}
