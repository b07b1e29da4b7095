import { writeSync } from 'node:fs';

/** Writes lines; never throws and never waits. */
export interface LineWriter {
  write(line: string): void;
  /** Writes what is still pending, for at most `maxMs` (default 200): for the end of the process. */
  flush(maxMs?: number): void;
}

/** Writes some of the bytes from an offset on and says how many; throws as `fs.writeSync` does. */
export type Sink = (bytes: Uint8Array, offset: number) => number;

export interface WriterOptions {
  /** Default: 1, standard output. */
  readonly fd?: number;
  /** As `fs.writeSync`, which is the default. */
  readonly writeBytes?: (fd: number, bytes: Uint8Array, offset: number) => number;
  /** Calls back once after a time; the answer cancels. Default: a timer that keeps no process alive. */
  readonly schedule?: (callback: () => void, ms: number) => () => void;
  /**
   * Opens another way to the reader when this one has ended (EPIPE), and calls back once; undefined: not now. It is asked again and again, and
   * lines wait meanwhile, bounded. `onLost` is to be called for a line that was taken and did not arrive.
   */
  readonly reopen?: (onLost: () => void, opened: (sink: Sink | undefined) => void) => void;
  /** Made when lines had to be dropped, written before the next one. */
  readonly lostLine?: (count: number) => string;
}

/** How much may wait for a reader that is too slow; beyond that lines are dropped and counted. */
const MOST_PENDING_BYTES = 256 * 1024;
const RETRY_MS = 50;
const REOPEN_MS = 1_000;

/**
 * A writer to a file descriptor that writes at once, so that the last line before a crash is there.
 *
 * Where the reader is slow and the descriptor does not block (EAGAIN), lines wait, bounded; where nobody reads any more (EPIPE), they wait for
 * another way to the reader, and without one they are dropped: a daemon must not die of its log. pino's own destination either blocks the process until the reader is back or keeps lines
 * without a bound, and emits an error on EPIPE.
 */
export function createLineWriter(options: WriterOptions = {}): LineWriter {
  const { fd = 1, writeBytes = writeAt, schedule = afterUnref, lostLine, reopen } = options;
  let sink: Sink = (bytes, offset) => writeBytes(fd, bytes, offset);
  let pending: { bytes: Uint8Array; offset: number }[] = [];
  let pendingBytes = 0;
  let lost = 0;
  /** `away`: the reader has ended, and is waited for. `gone`: for good. */
  let state: 'open' | 'away' | 'gone' = 'open';
  let cancelRetry: (() => void) | undefined;

  /** True if nothing is left to write. */
  const drain = (): boolean => {
    if (state === 'away') return true;
    for (let head = pending[0]; head !== undefined; head = pending[0]) {
      try {
        head.offset += sink(head.bytes, head.offset);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === 'EAGAIN' || code === 'EBUSY' || code === 'EINTR') return false;
        if (code === 'EPIPE' || code === 'EBADF') {
          ended(head);
          return true;
        }
        // A full disk, say: this line is lost, the next one is tried.
        lost += 1;
        head.offset = head.bytes.length;
      }
      if (head.offset >= head.bytes.length) {
        pending.shift();
        pendingBytes -= head.bytes.length;
      }
    }
    return true;
  };

  const ended = (head: { offset: number }): void => {
    if (reopen === undefined) {
      state = 'gone';
      pending = [];
      pendingBytes = 0;
      return;
    }
    state = 'away';
    // Whoever reads next has not seen its beginning.
    head.offset = 0;
    askAgain();
  };

  const askAgain = (): void => {
    reopen?.(
      () => (lost += 1),
      (opened) => {
        if (opened === undefined) {
          schedule(askAgain, REOPEN_MS);
          return;
        }
        sink = opened;
        state = 'open';
        if (!drain()) retryLater();
        tellLost();
      },
    );
  };

  const tellLost = (): void => {
    if (lost > 0 && lostLine !== undefined && pendingBytes <= MOST_PENDING_BYTES) {
      enqueue(lostLine(lost));
      lost = 0;
      if (!drain()) retryLater();
    }
  };

  const retryLater = (): void => {
    cancelRetry ??= schedule(() => {
      cancelRetry = undefined;
      if (!drain()) retryLater();
    }, RETRY_MS);
  };

  const enqueue = (line: string): void => {
    const bytes = Buffer.from(`${line}\n`);
    pending.push({ bytes, offset: 0 });
    pendingBytes += bytes.length;
  };

  return {
    write: (line) => {
      if (state === 'gone') return;
      if (pendingBytes > MOST_PENDING_BYTES) {
        lost += 1;
        return;
      }
      if (lost > 0 && lostLine !== undefined) enqueue(lostLine(lost));
      lost = 0;
      enqueue(line);
      if (!drain()) retryLater();
    },
    flush: (maxMs = 200) => {
      const sleeper = new Int32Array(new SharedArrayBuffer(4));
      const stepMs = 5;
      for (let waited = 0; !drain() && waited < maxMs; waited += stepMs) Atomics.wait(sleeper, 0, 0, stepMs);
      cancelRetry?.();
      cancelRetry = undefined;
      if (pending.length > 0) retryLater();
    },
  };
}

function writeAt(fd: number, bytes: Uint8Array, offset: number): number {
  return writeSync(fd, bytes, offset);
}

function afterUnref(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms).unref();
  return () => clearTimeout(timer);
}
