/** A process that writes into a history as fast as it can (history-child.ts), and what it has told as written. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { filesIn } from '../../src/main/observe/history/files.js';
import { readHistory, type ReadHistory } from '../../src/main/observe/history/reader.js';
import { Changes } from './changes.js';

const CHILD = fileURLToPath(new URL('./history-child.js', import.meta.url));

export class HistoryProcess {
  /** Numbers of the events that were told as written. */
  readonly told: number[] = [];
  /** Lines of its log. */
  readonly said: string[] = [];
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #changes = new Changes();
  readonly #closed: Promise<unknown>;

  constructor(directory: string) {
    this.#child = spawn(process.execPath, [CHILD, directory], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#closed = once(this.#child, 'close');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.told.push(...line.split(' ').map(Number));
      this.#changes.notify();
    });
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      this.said.push(line);
      this.#changes.notify();
    });
  }

  /** Resolves when something was told as written, beyond the first `known` events. */
  async hasTold(known = 0): Promise<void> {
    await this.#changes.until(() => this.told.length > known || undefined, 'an event that is told as written');
  }

  /** Resolves when its log says this. */
  async hasSaid(fits: RegExp): Promise<void> {
    await this.#changes.until(() => this.said.some((line) => fits.test(line)) || undefined, String(fits));
  }

  /** At once, by SIGKILL. Resolves when it is gone and all that it told is known. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

/** What is there of the last process, and of all. */
export async function readBack(
  directory: string,
): Promise<ReadHistory & { readonly own: ReadonlySet<number>; readonly after: string | undefined }> {
  const read = await readHistory(filesIn(directory));
  const lastStart = read.records.findLastIndex(({ k }) => k === 'start');
  const start = read.records[lastStart];
  const own = new Set(read.records.slice(lastStart).flatMap((record) => (record.k === 'clock' ? [record.by] : [])));
  return { ...read, own, after: start?.k === 'start' ? start.after : undefined };
}
