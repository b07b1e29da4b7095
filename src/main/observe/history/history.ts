/** The history of the running daemon: what happens goes in, what happened comes out. Never throws, never rejects. */
import { readFile } from 'node:fs/promises';
import { systemClock, type Clock } from '../../base/clock.js';
import { settledWithin } from '../../base/deadline.js';
import { describeError } from '../../base/guard.js';
import type { Logger } from '../../base/logger.js';
import { filesIn, type HistoryFiles } from './files.js';
import { linesOf, readHistory, type ReadHistory } from './reader.js';
import {
  NOTHING_OPEN,
  onHistoryEvent,
  type At,
  type HistoryEvent,
  type LastRun,
  type RecorderState,
} from './recorder.js';
import type { HistoryRecord } from './record.js';
import { segmentsAmong } from './segments.js';
import { HistoryWriter } from './writer.js';

export interface HistoryOptions {
  /** Undefined: nothing is kept beyond the life of the process. */
  readonly directory: string | undefined;
  readonly version: string;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly files?: HistoryFiles;
  /** Default: the kernel's. */
  readonly bootId?: string;
  /** Milliseconds since the machine's start. Default: the kernel's monotonic clock. */
  readonly upMs?: () => number;
}

export interface WholeHistory extends ReadHistory {
  /** The files cannot be read, and these are only the records that are in memory. */
  readonly cardError?: string;
}

/** In the service's state directory. */
export const HISTORY_FOLDER = 'history';

const DAY_MS = 86_400_000;
/** The wall clock moved so much more than the other one, milliseconds: it was set, not slewed. */
const STEP_MS = 2_000;
/** A stop waits so long for the end of the history so far to be read, milliseconds. */
const OPENING_MS = 1_000;
/** Without a folder so many lines are kept in memory. */
const MAX_IN_MEMORY = 400;

export class History {
  readonly #options: HistoryOptions;
  readonly #clock: Clock;
  readonly #upMs: () => number;
  #state: RecorderState = NOTHING_OPEN;
  #writer: HistoryWriter | undefined;
  #files: HistoryFiles | undefined;
  /** What happens while the end of the history so far is still being read, or where there is no folder. */
  #held: HistoryRecord[] = [];
  #boot: string | undefined;
  #revision = 0;
  /** Wall minus monotonic clock. */
  #offsetMs: number | undefined;
  #opening: Promise<void> | undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#upMs = options.upMs ?? monotonicMs;
  }

  /** Reads how the run before ended, notes the start. Resolves when it has. */
  start(): Promise<void> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** Another number whenever there is something new to read. */
  get revision(): number {
    return this.#revision;
  }

  /** Resolves when it is on the card, which may be never. */
  note(event: HistoryEvent): Promise<void> {
    const moment = this.#now();
    const steppedBy = this.#steppedBy(moment);
    if (steppedBy !== undefined && event.kind !== 'clock-set') void this.note({ kind: 'clock-set', by: steppedBy });
    const [state, records] = onHistoryEvent(this.#state, event, moment);
    this.#state = state;
    if (records.length === 0) return Promise.resolve();
    this.#revision += 1;
    if (this.#writer !== undefined) return this.#writer.append(...records);
    this.#held = [...this.#held, ...records].slice(-MAX_IN_MEMORY);
    return Promise.resolve();
  }

  /** All there is, oldest first, with what waits to be written; or only what is in the newest files. Never rejects. */
  async read(newest?: number): Promise<WholeHistory> {
    const waiting = [...this.#held, ...(this.#writer?.waiting ?? [])];
    if (this.#files === undefined) return { records: waiting, unreadable: 0 };
    try {
      // Looked at before the file is read: what is written meanwhile would be there twice otherwise.
      const read = await readHistory(this.#files, newest);
      const known = new Set(read.records.slice(-MAX_IN_MEMORY).map((record) => JSON.stringify(record)));
      return { ...read, records: [...read.records, ...waiting.filter((record) => !known.has(JSON.stringify(record)))] };
    } catch (error) {
      return { records: waiting, unreadable: 0, cardError: describeError(error) };
    }
  }

  /** Notes the stop and writes what waits. Resolves within two seconds, however the card hangs. */
  async stop(): Promise<void> {
    if (this.#opening !== undefined) await settledWithin(this.#opening, OPENING_MS);
    void this.note({ kind: 'stopping' });
    await this.#writer?.close();
  }

  /** The wall clock moved so much against the other one since it was looked at last; undefined: it was slewed at most. */
  #steppedBy({ at, up }: At): number | undefined {
    const before = this.#offsetMs;
    this.#offsetMs = at - up;
    const by = before === undefined ? 0 : this.#offsetMs - before;
    return Math.abs(by) >= STEP_MS ? by : undefined;
  }

  #now(): At {
    return { at: Math.round(this.#clock.wallMs()), up: Math.round(this.#upMs()) };
  }

  async #open(): Promise<void> {
    const { directory, version, log } = this.#options;
    const boot = this.#options.bootId ?? (await bootId());
    this.#boot = boot;
    const started = this.#now();
    if (directory === undefined && this.#options.files === undefined) {
      this.#begin({ kind: 'started', boot, version, before: undefined }, started);
      return;
    }
    const files = this.#options.files ?? filesIn(directory ?? '');
    const { before, writtenBlocks, unreadable } = await this.#lastRun(files);
    if (unreadable > 0)
      log.info(
        { lines: unreadable },
        'The history has lines that were torn by the end of a process or of the power; they are left out.',
      );
    this.#files = files;
    this.#begin({ kind: 'started', boot, version, before }, started);
    this.#writer = new HistoryWriter({
      files,
      header: () => ({ k: 'segment', v: 1, ...this.#now(), boot: this.#boot ?? boot }),
      writtenBlocks,
      log,
      clock: this.#clock,
    });
    const held = this.#held;
    this.#held = [];
    this.#revision += 1;
    void this.#writer.append(...held);
  }

  /** What happened while the file was read stands behind the start. */
  #begin(event: HistoryEvent, started: At): void {
    const [, records] = onHistoryEvent(NOTHING_OPEN, event, started);
    this.#held = [...records, ...this.#held];
  }

  /** Of the newest segments only; a card that cannot be read is told when it cannot be written either. */
  async #lastRun(
    files: HistoryFiles,
  ): Promise<{ before: LastRun | undefined; writtenBlocks: number; unreadable: number }> {
    try {
      const newest = segmentsAmong(await files.list()).slice(-2);
      const texts = await Promise.all(newest.map((segment) => files.read(segment)));
      const { records, unreadable } = linesOf(texts.join('\n'));
      const nowMs = this.#clock.wallMs();
      const writtenBlocks = records.filter(({ at }) => at > nowMs - DAY_MS && at <= nowMs).length;
      return { before: lastRunOf(records), writtenBlocks, unreadable };
    } catch (error) {
      this.#options.log.debug({ error: describeError(error) }, 'The history so far could not be read.');
      return { before: undefined, writtenBlocks: 0, unreadable: 0 };
    }
  }
}

function lastRunOf(records: readonly HistoryRecord[]): LastRun | undefined {
  const start = records.findLast(({ k }) => k === 'start');
  if (start?.k !== 'start') return undefined;
  return {
    boot: start.boot,
    version: start.version,
    stopped: records.findLast(({ k }) => k !== 'segment')?.k === 'stop',
  };
}

/** CLOCK_MONOTONIC, which all processes of a boot share. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** random(4). A machine without it has one boot for ever. */
async function bootId(): Promise<string> {
  const text = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => 'unknown');
  return text.trim().slice(0, 36);
}
