/**
 * Appends to the history. What has been told as written is on the card; what cannot be written (card full, read-only, broken) or
 * may not yet (`budget.ts`) waits in memory, bounded, and is written in one go as soon as it can be.
 */
import type { Clock } from '../../base/clock.js';
import { settledWithin } from '../../base/deadline.js';
import { describeError } from '../../base/guard.js';
import type { Logger } from '../../base/logger.js';
import { costOf, refill, spend, startBudget, waitFor, type WriteBudget } from './budget.js';
import type { HistoryFiles, SegmentFile } from './files.js';
import { bounded, MAX_PENDING } from './pending.js';
import { toLine, type HistoryRecord } from './record.js';
import { SEGMENT_BYTES, segmentsAmong, toRemove } from './segments.js';

export interface HistoryWriterOptions {
  readonly files: HistoryFiles;
  /** The first line of a new segment. */
  readonly header: () => HistoryRecord;
  /** Blocks that were written within the last 24 h, as far as is known. */
  readonly writtenBlocks: number;
  readonly log: Logger;
  readonly clock: Clock;
}

/** A card that refused is tried again after so long, milliseconds. */
const RETRY_MS = 600_000;
/** What still waits when the service stops is written within this time, or is lost, milliseconds. */
const CLOSE_MS = 1_000;
/** Blocks that a batch waits for at most; less than may be written at once. */
const MAX_BATCH_BLOCKS = 32;

export class HistoryWriter {
  readonly #options: HistoryWriterOptions;
  #budget: WriteBudget;
  #pending: readonly HistoryRecord[] = [];
  /** What is being written. */
  #batch: readonly HistoryRecord[] = [];
  /** Records that were appended so far. */
  #appended = 0;
  #waiters: { readonly upTo: number; readonly resolve: () => void }[] = [];
  #file: { readonly segment: number; readonly file: SegmentFile } | undefined;
  /** The file may end in a torn line: what follows has to begin a new one. */
  #torn = false;
  #writing: Promise<void> | undefined;
  #timer: (() => void) | undefined;
  #failed = false;
  #closing = false;

  constructor(options: HistoryWriterOptions) {
    this.#options = options;
    this.#budget = startBudget(options.writtenBlocks, options.clock.nowMs());
  }

  /** What is not on the card yet. */
  get waiting(): readonly HistoryRecord[] {
    return [...this.#batch, ...this.#pending];
  }

  /** Resolves when they are on the card, which may be never. Never rejects. */
  append(...records: readonly HistoryRecord[]): Promise<void> {
    this.#appended += records.length;
    this.#pending = bounded([...this.#pending, ...records]);
    const upTo = this.#appended;
    const written = new Promise<void>((resolve) => this.#waiters.push({ upTo, resolve }));
    // A card that refuses for months must not gather those that wait for it.
    this.#waiters = this.#waiters.slice(-MAX_PENDING);
    // While a card refuses, its own timer tries again: not every event is to cost a failed write.
    if (!this.#failed) this.#write();
    return written;
  }

  /** Writes what waits, whatever the budget says; resolves within a second. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#timer?.();
    this.#timer = undefined;
    this.#write();
    if (this.#writing !== undefined) await settledWithin(this.#writing, CLOSE_MS);
    await this.#file?.file.close().catch(() => undefined);
    this.#file = undefined;
    this.#waiters = [];
  }

  #write(): void {
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
  }

  async #drain(): Promise<void> {
    const { clock, log } = this.#options;
    // Lets everything that is said in one turn go out as one write.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      try {
        const file = await this.#segment();
        this.#budget = refill(this.#budget, clock.nowMs());
        const upTo = this.#appended;
        const text = `${this.#torn ? '\n' : ''}${this.#pending.map(toLine).join('')}`;
        const cost = costOf(Buffer.byteLength(text), file.size);
        // A larger batch than that is as large as it can become.
        const wanted = Math.min(cost, MAX_BATCH_BLOCKS);
        if (wanted > this.#budget.blocks && !this.#closing) {
          this.#later(waitFor(this.#budget, wanted));
          return;
        }
        this.#batch = this.#pending;
        this.#pending = [];
        this.#budget = spend(this.#budget, cost);
        this.#torn = true;
        await file.append(text);
        this.#torn = false;
        this.#batch = [];
        this.#written(upTo);
        if (this.#failed) log.info({}, 'The history is written again; nothing of it was lost meanwhile.');
        this.#failed = false;
      } catch (error) {
        this.#pending = bounded([...this.#batch, ...this.#pending]);
        this.#batch = [];
        await this.#giveUpFile();
        if (!this.#failed)
          log.warn(
            { error: describeError(error) },
            'The history cannot be written; it is kept in memory, and tried again every 10 min.',
          );
        this.#failed = true;
        this.#later(RETRY_MS);
        return;
      }
    }
  }

  #written(upTo: number): void {
    const ready = this.#waiters.filter((waiter) => waiter.upTo <= upTo);
    this.#waiters = this.#waiters.filter((waiter) => waiter.upTo > upTo);
    for (const { resolve } of ready) resolve();
  }

  /** The file to append to; a full one is followed by the next, and the oldest goes. */
  async #segment(): Promise<SegmentFile> {
    const { files, header } = this.#options;
    if (this.#file !== undefined && this.#file.file.size < SEGMENT_BYTES) return this.#file.file;
    await this.#file?.file.close().catch(() => undefined);
    const numbers = segmentsAmong(await files.list());
    const newest = this.#file === undefined ? (numbers.at(-1) ?? 1) : this.#file.segment + 1;
    this.#file = undefined;
    let segment = newest;
    let file = await files.open(segment);
    if (file.size >= SEGMENT_BYTES) {
      await file.close();
      segment += 1;
      file = await files.open(segment);
    }
    this.#file = { segment, file };
    this.#torn = !file.whole;
    if (file.size === 0) {
      await file.append(toLine(header()));
      for (const old of toRemove(numbers, segment)) await files.remove(old);
    }
    return file;
  }

  async #giveUpFile(): Promise<void> {
    await this.#file?.file.close().catch(() => undefined);
    this.#file = undefined;
  }

  #later(ms: number): void {
    this.#timer?.();
    this.#timer = undefined;
    if (this.#closing) return;
    this.#timer = this.#options.clock.setTimer(() => {
      this.#timer = undefined;
      this.#write();
    }, ms);
  }
}
