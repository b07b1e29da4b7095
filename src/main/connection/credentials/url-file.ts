/** The kept client access URL in the state directory: a file of our own that only we may read, replaced as a whole. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { describeError } from '../../base/guard.js';
import type { Logger } from '../../log.js';
import { decodeKept, encodeKept, type KeptUrl, type UrlKeeper } from './kept-url.js';

export interface UrlFileOptions {
  /** Of the service, such as `/var/lib/dunebugger-remote`. */
  readonly directory: string;
  /** All settings that decide which URL one gets, secrets included. */
  readonly boundTo: readonly string[];
  readonly log: Logger;
}

const NAME = 'access-url';
/** Twice the longest URL. */
const MAX_BYTES = 32 * 1024;

type Wanted = { readonly kind: 'keep'; readonly kept: KeptUrl } | { readonly kind: 'forget' };

export class UrlFile implements UrlKeeper {
  readonly found: KeptUrl | undefined;
  readonly #file: string;
  readonly #boundTo: string;
  readonly #log: Logger;
  /** Only the latest counts, so nothing queues up behind a slow card. */
  #wanted: Wanted | undefined;
  #working: Promise<void> | undefined;
  #complained = false;

  constructor({ directory, boundTo, log }: UrlFileOptions) {
    this.#file = path.join(directory, NAME);
    // One hash over all: a password alone could be guessed from its own.
    this.#boundTo = createHash('sha256').update(JSON.stringify(boundTo)).digest('hex');
    this.#log = log;
    this.found = this.#read();
  }

  keep(kept: KeptUrl): void {
    this.#want({ kind: 'keep', kept });
  }

  forget(): void {
    this.#want({ kind: 'forget' });
  }

  /** Resolves when nothing is left to be written, for tests. Never rejects. */
  get settled(): Promise<void> {
    return this.#working ?? Promise.resolve();
  }

  #read(): KeptUrl | undefined {
    try {
      const text = readFileSync(this.#file, 'utf8');
      return text.length > MAX_BYTES ? undefined : decodeKept(text, this.#boundTo);
    } catch {
      // None, or none that can be read: then we sign in.
      return undefined;
    }
  }

  #want(wanted: Wanted): void {
    this.#wanted = wanted;
    this.#working ??= this.#work();
  }

  async #work(): Promise<void> {
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      try {
        if (next.kind === 'keep') await this.#replace(encodeKept(next.kept, this.#boundTo));
        else await rm(this.#file, { force: true });
      } catch (error) {
        this.#complain(error);
      }
    }
    this.#working = undefined;
  }

  #take(): Wanted | undefined {
    const wanted = this.#wanted;
    this.#wanted = undefined;
    return wanted;
  }

  /** Either the old file is there or the new one, whole, even if the power goes now. */
  async #replace(text: string): Promise<void> {
    const draft = `${this.#file}.new`;
    // One that was left by a power cut could have another mode.
    await rm(draft, { force: true });
    const handle = await open(draft, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, this.#file);
  }

  #complain(error: unknown): void {
    if (this.#complained) return;
    this.#complained = true;
    this.#log.warn(
      { file: this.#file, error: describeError(error) },
      'The client access URL could not be kept for the next start; until it can be, each start signs in anew',
    );
  }
}
