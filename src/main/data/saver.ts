/** Whether bytes are to be saved: by the setting, or by NetworkManager's word, asked at the start, after each change of the way out and now and then. */
import type { Logger } from '../base/logger.js';
import type { MeteredWord } from './network-manager.js';

export interface DataSaverOptions {
  readonly setting: () => 'auto' | boolean;
  /** Never rejects, and has a deadline. */
  readonly ask: () => Promise<MeteredWord>;
  readonly onChange: (on: boolean) => void;
  readonly log: Logger;
}

/** After a change of the way out NetworkManager may still be about to say something else, milliseconds. */
const SETTLE_MS = 3_000;
/** A connection's `metered` can be set without the way out changing: looked at again so often, milliseconds. */
const AGAIN_MS = 300_000;

export class DataSaver {
  readonly #options: DataSaverOptions;
  #on: boolean;
  #timer: NodeJS.Timeout | undefined;
  #asking = false;
  /** Something has changed while it was asked. */
  #askAgain = false;
  #started = false;
  #saidWhy: string | undefined;

  constructor(options: DataSaverOptions) {
    this.#options = options;
    this.#on = options.setting() === true;
  }

  get on(): boolean {
    return this.#on;
  }

  start(): void {
    this.#started = true;
    if (this.#on) this.#tell('dataSaver is True');
    void this.#look();
  }

  stop(): void {
    this.#started = false;
    clearTimeout(this.#timer);
  }

  /** The setting may be another one. */
  configure(): void {
    void this.#look();
  }

  wayOutChanged(): void {
    this.#lookIn(SETTLE_MS);
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#started) this.#timer = setTimeout(() => void this.#look(), ms);
  }

  async #look(): Promise<void> {
    const { setting, ask } = this.#options;
    const wanted = setting();
    if (wanted !== 'auto') {
      clearTimeout(this.#timer);
      this.#be(wanted, `dataSaver is ${wanted ? 'True' : 'False'}`);
      return;
    }
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = true;
    const word = await ask();
    this.#asking = false;
    if (!this.#started) return;
    const again = this.#askAgain;
    this.#askAgain = false;
    // It may have been changed meanwhile.
    if (setting() === 'auto') this.#heard(word);
    if (again) void this.#look();
    else if (setting() === 'auto') this.#lookIn(AGAIN_MS);
  }

  #heard(word: MeteredWord): void {
    if (word.kind === 'unknown') {
      this.#cannotAsk(word.why);
      this.#be(false, 'nobody says that the line is metered');
      return;
    }
    this.#saidWhy = undefined;
    const guess = word.guessed ? ', as it guesses' : '';
    this.#be(word.kind === 'metered', `NetworkManager says that the line is ${word.kind}${guess}`);
  }

  #cannotAsk(why: string | undefined): void {
    if (why !== undefined && why !== this.#saidWhy) {
      this.#options.log.info(
        { why },
        'NetworkManager runs, but cannot be asked whether the line is metered, so it is taken as unmetered; where it is paid by the byte, set dataSaver = True in [Network]',
      );
    }
    this.#saidWhy = why;
  }

  #be(on: boolean, because: string): void {
    if (on === this.#on) return;
    this.#on = on;
    this.#tell(because);
    this.#options.onChange(on);
  }

  #tell(because: string): void {
    this.#options.log.info(
      { because },
      this.#on
        ? `Data saver on (${because}): the cloud connection, asked every 75 s, proves the internet, and the test site is asked where it does not answer and once an hour; an outage is noticed within 83 s`
        : `Data saver off (${because}): the test site is asked at each interval`,
    );
  }
}
