/** Tells programs of the operator how the internet is: by a file, and whoever listens here. */
import { Listeners } from '../../base/guard.js';
import type { Json } from '../../base/json.js';
import type { Logger } from '../../base/logger.js';
import type { Snapshot } from '../snapshot.js';
import { VerdictFile } from './file.js';
import { noteVerdict, NOTHING_TOLD, verdictBody, verdictLine, type Standing, type VerdictMemory } from './told.js';

export interface VerdictOutletOptions {
  /** Undefined: nothing runs. */
  readonly snapshot: () => Snapshot | undefined;
  /** As much of it as shows whether there is anything to tell, which is looked at with each check. Default: all of it. */
  readonly standing?: () => Standing | undefined;
  /** `RUNTIME_DIRECTORY` of systemd.exec(5), of several the first; undefined or empty: there is no file. */
  readonly runtimeDirectory: string | undefined;
  readonly log: Logger;
}

export class VerdictOutlet {
  readonly #snapshot: () => Snapshot | undefined;
  readonly #standing: () => Standing | undefined;
  readonly #file: VerdictFile | undefined;
  readonly #listeners: Listeners<Json>;
  #memory: VerdictMemory = NOTHING_TOLD;
  #stopped = false;

  constructor({ snapshot, standing = snapshot, runtimeDirectory, log }: VerdictOutletOptions) {
    this.#snapshot = snapshot;
    this.#standing = standing;
    const [directory = ''] = (runtimeDirectory ?? '').split(':');
    this.#file = directory === '' ? undefined : new VerdictFile({ directory, log });
    this.#listeners = new Listeners(log, 'verdict');
  }

  /** What is told now; undefined: nothing runs. */
  get current(): Json | undefined {
    const snapshot = this.#snapshot();
    if (snapshot === undefined) return undefined;
    const [{ told }] = noteVerdict(this.#memory, snapshot);
    return told && verdictBody(told, snapshot.sentence);
  }

  /** Returns the remover. */
  onChange(listener: (body: Json) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Something may have changed. */
  look(): void {
    const standing = this.#stopped ? undefined : this.#standing();
    if (standing === undefined) return;
    const [memory, told] = noteVerdict(this.#memory, standing);
    this.#memory = memory;
    if (told === undefined) return;
    this.#file?.say(verdictLine(told));
    this.#listeners.tell(verdictBody(told, this.#snapshot()?.sentence ?? ''));
  }

  /** What nobody keeps up is not left standing. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#file?.stop();
  }
}
