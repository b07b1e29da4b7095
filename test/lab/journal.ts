/** The log of a process under test: its JSON lines with their times, and waits for what they tell. */
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { Changes, type WaitOptions } from '../support/changes.js';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  /** When it was logged, milliseconds since 1970; see {@link JournalClock}. */
  readonly atMs: number;
  readonly msg: string;
  /** Everything else of the line. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** `own`: the time that the line carries. `arrival`: when it got here, for a process whose clock is wrong on purpose. */
export type JournalClock = 'own' | 'arrival';

/** Lines shown with a wait that ran out. */
const SHOWN = 25;

export class Journal {
  readonly #lines: LogLine[] = [];
  readonly #changes = new Changes();
  readonly #clock: JournalClock;
  /** What was printed and is no line of the log, such as a crash of Node itself. */
  readonly #strays: string[] = [];

  constructor(clock: JournalClock = 'own') {
    this.#clock = clock;
  }

  /** Reads a stream to its end. */
  follow(stream: Readable): void {
    createInterface({ input: stream }).on('line', (text) => {
      const line = parseLine(text, this.#clock);
      if (line === undefined) this.#strays.push(text);
      else this.#lines.push(line);
      this.#changes.notify();
    });
  }

  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  get strays(): readonly string[] {
    return this.#strays;
  }

  /** Where the log ends now; later lines have this index and more. */
  mark(): number {
    return this.#lines.length;
  }

  /** Lines from a mark on that fit. */
  find(fits: (line: LogLine) => boolean, since = 0): readonly LogLine[] {
    return this.#lines.slice(since).filter(fits);
  }

  /** Resolves with what `look` finds, looked for after each line. @param what in words, for the error */
  until<T>(look: () => T | undefined | false, what: string, options?: WaitOptions): Promise<T> {
    return this.#changes.until(look, what, options, () => `in the log:\n${this.tail()}`);
  }

  /** The process is gone: waits end now. */
  close(reason: string): void {
    this.#changes.close(`${reason}; the end of its log:\n${this.tail()}`);
  }

  /** The latest lines, for people. */
  tail(count = SHOWN): string {
    return [...this.#lines.slice(-count).map(textOf), ...this.#strays.slice(-count)].join('\n');
  }
}

/** `12:00:00.123 warn message {"key":"value"}`. */
export function textOf({ level, atMs, msg, fields }: LogLine): string {
  const time = new Date(atMs).toISOString().slice(11, 23);
  return `${time} ${level.padEnd(5)} ${msg} ${JSON.stringify(fields)}`;
}

function parseLine(text: string, clock: JournalClock): LogLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { level, time, msg, ...fields } = value as Record<string, unknown>;
  if (typeof level !== 'string' || typeof time !== 'string' || typeof msg !== 'string') return undefined;
  return {
    level: level as LogLine['level'],
    atMs: clock === 'own' ? Date.parse(time) : Date.now(),
    msg,
    fields,
  };
}
