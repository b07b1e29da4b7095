/**
 * The file `verdict` in the service's runtime directory, for whatever an operator lets happen on a change (systemd.path(5)). Replaced as a whole,
 * readable to all, gone when the service stops. A disk that refuses is said once and hurts nothing else.
 */
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { settledWithin } from '../../base/deadline.js';
import type { Logger } from '../../base/logger.js';

const NAME = 'verdict';
/** What could not be written is tried again so much later, milliseconds. */
const RETRY_MS = 60_000;
/** The daemon's end waits no longer for the file, milliseconds. */
const STOP_MS = 1_000;

export interface VerdictFileOptions {
  /** Of the service alone, so that nobody else can put something there. */
  readonly directory: string;
  readonly log: Logger;
  /** Milliseconds. Default 60,000. */
  readonly retryMs?: number;
}

export class VerdictFile {
  readonly #file: string;
  readonly #log: Logger;
  readonly #retryMs: number;
  /** Undefined: there is to be no file. */
  #wanted: string | undefined;
  #written: string | undefined;
  #busy = false;
  /** Of the last time. */
  #work: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #failed = false;

  constructor({ directory, log, retryMs = RETRY_MS }: VerdictFileOptions) {
    this.#file = path.join(directory, NAME);
    this.#log = log;
    this.#retryMs = retryMs;
  }

  /** Sooner or later the file says this; of several the last. Undefined: it is removed. */
  say(line: string | undefined): void {
    this.#wanted = line;
    this.#begin();
  }

  /** Removes it. Resolves within its own deadline. */
  async stop(): Promise<void> {
    this.say(undefined);
    await settledWithin(this.#work, STOP_MS);
    clearTimeout(this.#retry);
  }

  #begin(): void {
    if (this.#busy) return;
    this.#busy = true;
    clearTimeout(this.#retry);
    this.#work = this.#bringAbout();
  }

  /** Never rejects. */
  async #bringAbout(): Promise<void> {
    try {
      while (this.#written !== this.#wanted) {
        const line = this.#wanted;
        if (line === undefined) await rm(this.#file, { force: true });
        else await replace(this.#file, `${line}\n`);
        this.#written = line;
      }
      if (this.#failed) this.#log.info({}, 'The file of the verdict is written again.');
      this.#failed = false;
    } catch (error) {
      this.#retry = setTimeout(() => this.#begin(), this.#retryMs);
      this.#retry.unref();
      this.#log[this.#failed ? 'debug' : 'warn'](
        { file: this.#file, error: describe(error) },
        `The verdict could not be written to its file, so nothing that waits for its changes is started (${codeOf(error)})`,
      );
      this.#failed = true;
    }
    this.#busy = false;
  }
}

async function replace(file: string, text: string): Promise<void> {
  const aside = path.join(path.dirname(file), `.${path.basename(file)}`);
  try {
    const handle = await open(aside, 'w', 0o644);
    try {
      // The unit's umask would keep it from anybody else.
      await handle.chmod(0o644);
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
    await rename(aside, file);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
