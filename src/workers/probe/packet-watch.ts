/**
 * Looks whether large packets are lost on the way out, beside the checks: when an attempt to connect has failed, or a connection has gone silent, although
 * a check passes; and again and again while it is known, to notice the end of it.
 */
import type { PacketEvidence } from '../protocol.js';
import { tryPacketSizes, type PacketSizesOptions } from './packet-sizes.js';

/** No more often than that, milliseconds: some 15 kB. */
const EVERY_MS = 600_000;

export class PacketWatch {
  #evidence: PacketEvidence | undefined;
  #looking: AbortController | undefined;
  #lookedAt = -Infinity;
  #doubted = false;

  /** What is known by now. */
  get evidence(): PacketEvidence | undefined {
    return this.#evidence;
  }

  /** An attempt to connect has failed, or a connection has gone silent. */
  doubt(): void {
    this.#doubted = true;
  }

  /** A check has passed. */
  passed(options: Omit<PacketSizesOptions, 'signal'>): void {
    const due = performance.now() - this.#lookedAt >= EVERY_MS;
    if (this.#looking !== undefined || !due || (!this.#doubted && this.#evidence?.ok !== false)) return;
    this.#doubted = false;
    this.#lookedAt = performance.now();
    const abort = new AbortController();
    this.#looking = abort;
    void tryPacketSizes({ ...options, signal: abort.signal }).then((evidence) => {
      if (abort.signal.aborted) return;
      this.#looking = undefined;
      // What says nothing changes nothing.
      this.#evidence = evidence ?? this.#evidence;
    });
  }

  /** The way out is another one: what is known is looked at again at once. */
  again(): void {
    this.#looking?.abort();
    this.#looking = undefined;
    this.#lookedAt = -Infinity;
  }

  close(): void {
    this.again();
    this.#evidence = undefined;
  }
}
