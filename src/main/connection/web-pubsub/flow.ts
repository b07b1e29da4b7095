/**
 * When numbered frames are acknowledged, beyond the client's own once a second: by count and by size, since the service closes with 1008
 * once it holds more than 1,000 messages or 16 MB that were not (Azure's limits). Pure but for its two counters.
 */

/** A tenth of the service's 1,000: room for what is under way while the acknowledgement travels. */
const EVERY_FRAMES = 100;
/** A sixteenth of the service's 16 MB; in characters, each at most 3 bytes of UTF-8. */
const EVERY_CHARS = 350_000;

export class Flow {
  #frames = 0;
  #chars = 0;

  /** A numbered frame came; true: it and all before it are to be acknowledged now. */
  took(chars: number): boolean {
    this.#frames += 1;
    this.#chars += chars;
    if (this.#frames < EVERY_FRAMES && this.#chars < EVERY_CHARS) return false;
    this.#frames = 0;
    this.#chars = 0;
    return true;
  }
}
