/** Looks at the clock now and then, off the main path, and tells of each change. The decision is in `decision.ts`. */
import { systemClock, type Clock } from '../base/clock.js';
import { humanDuration } from '../base/duration.js';
import { refusalWords } from '../../workers/net/refusal.js';
import { Listeners } from '../base/guard.js';
import type { Logger } from '../base/logger.js';
import { farOffWords, judgeSite, NO_WORD, type SiteWord } from './site.js';
import type { Asking } from './kernel.js';
import { Refused } from './refused.js';
import {
  judgeClock,
  MAX_OFFSET_MS,
  NOT_CHECKED,
  REFUSED_HOLD_MS,
  type ClockTrust,
  type KernelClock,
} from './decision.js';

export interface ClockWatchOptions {
  /** Neither rejects, and both have a deadline. */
  readonly askKernel: (asking: Asking) => Promise<KernelClock | Refused>;
  readonly askServers: (signal: AbortSignal) => Promise<number | undefined | Refused>;
  /** From the end of one check to the start of the next, milliseconds. */
  readonly everyMs: number;
  readonly log: Logger;
  readonly clock?: Clock;
}

/**
 * The servers cost bytes of a metered line, and each has names to be looked up: one that proved the clock right is not asked again for half an
 * hour (a crystal at 100 ppm drifts 0.2 s by then), and while they do not answer the pauses double, from one check to a quarter of an hour.
 */
const PROVED_FOR_MS = 1_800_000;
const MAX_SERVER_PAUSE_MS = 900_000;

/** The wall clock moved so much more than the other one, milliseconds: it was set, not slewed. */
const STEP_MS = 2_000;

export class ClockWatch {
  readonly #options: ClockWatchOptions;
  readonly #clock: Clock;
  readonly #listeners: Listeners<boolean>;
  readonly #life = new AbortController();
  #trust: ClockTrust = NOT_CHECKED;
  #site: SiteWord = NO_WORD;
  /** The look before, by both clocks. */
  #lookedAt: { readonly wallMs: number; readonly nowMs: number } | undefined;
  /** Something hints at another answer of the kernel. */
  #anew = false;
  #cancel: (() => void) | undefined;
  /** Not before that the servers are asked again, and how long the next pause is, milliseconds. */
  #serversAtMs = -Infinity;
  #serverPauseMs: number;
  #checking = false;
  #started = false;

  constructor(options: ClockWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#serverPauseMs = options.everyMs;
    this.#listeners = new Listeners(options.log, 'clock');
  }

  /** True: the scheduler may rely on it. Undefined before the first check has ended. */
  get available(): boolean | undefined {
    return this.#trust.trusted;
  }

  /** Our clock minus the test site's while more than a day lies between them, milliseconds. */
  get farOffMs(): number | undefined {
    return this.#site.farOffMs;
  }

  onChange(listener: (available: boolean) => void): () => void {
    return this.#listeners.add(listener);
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#check();
  }

  /**
   * The test site has answered a check. True if that is news.
   * @param aheadMs our clock minus the site's, milliseconds
   */
  siteSays(aheadMs: number): boolean {
    const [word, news] = judgeSite(this.#site, aheadMs, this.#clock.nowMs());
    const changed = (word.farOffMs === undefined) !== (this.#site.farOffMs === undefined);
    this.#site = word;
    if (changed) {
      this.#anew = true;
      // Whether it is right: the site's word may be of a check that was made before the clock was set.
      this.#askServersAnew();
    }
    const { log } = this.#options;
    if (news === 'far-off') {
      const fields = { bySecs: Math.round(aheadMs / 1_000) };
      log.warn(
        fields,
        `The clock of this machine is ${farOffWords(aheadMs)} compared with the test site: dates are wrong until it is set. Said once a day at most.`,
      );
    } else if (news === 'agrees') log.info({}, 'The clock of this machine agrees with the test site again.');
    return changed;
  }

  /** The internet is back: whoever could not be asked can be asked now. */
  lookNow(): void {
    if (!this.#started || this.#life.signal.aborted || this.#trust.trusted === true) return;
    this.#askServersAnew();
    this.#anew = true;
    if (this.#checking) return;
    this.#cancel?.();
    void this.#check();
  }

  stop(): void {
    this.#life.abort();
    this.#cancel?.();
  }

  async #check(): Promise<void> {
    const { askKernel, everyMs, log } = this.#options;
    const { signal } = this.#life;
    this.#checking = true;
    const setSinceMs = this.#setSinceMs();
    const stepped = setSinceMs !== undefined;
    const anew = this.#anew;
    this.#anew = false;
    const word = await askKernel({ setSinceMs, anew }).catch((): KernelClock => 'unknown');
    const kernel = word instanceof Refused ? 'unknown' : word;
    if (stepped) {
      this.#askServersAnew();
      this.#site = { ...this.#site, farOffMs: undefined };
    }
    const offset = kernel === 'synchronised' || signal.aborted ? undefined : await this.#askServers();
    const offsetMs = offset instanceof Refused ? undefined : offset;
    const refused = [word, offset].find((one) => one instanceof Refused);
    this.#checking = false;
    if (signal.aborted) return;
    const { trusted: before, refusedSinceMs } = this.#trust;
    this.#trust = judgeClock(
      this.#trust,
      { kernel, offsetMs, refused: refused !== undefined, stepped, farOff: this.#site.farOffMs !== undefined },
      this.#clock.nowMs(),
    );
    const after = this.#trust.trusted;
    if (refused !== undefined && refusedSinceMs === undefined && this.#trust.refusedSinceMs !== undefined) {
      log.warn(
        { code: refused.code },
        `The system refuses the questions about the clock (${refusalWords(refused.code)}): what the scheduler was told last stands for ${humanDuration(REFUSED_HOLD_MS)}`,
      );
    }
    if (after !== undefined && after !== before) {
      const fields = { kernel, ...(offsetMs === undefined ? {} : { offsetMs: Math.round(offsetMs) }) };
      if (after) log.info(fields, 'The clock can be trusted: the scheduler is told so.');
      else log.warn(fields, 'The clock cannot be trusted: the scheduler is told so, and skips its actions.');
      this.#listeners.tell(after);
    }
    this.#cancel = this.#clock.setTimer(() => void this.#check(), everyMs);
  }

  async #askServers(): Promise<number | undefined | Refused> {
    if (this.#clock.nowMs() < this.#serversAtMs) return undefined;
    const offsetMs = await this.#options.askServers(this.#life.signal).catch(() => undefined);
    if (offsetMs instanceof Refused) return offsetMs;
    const right = offsetMs !== undefined && Math.abs(offsetMs) <= MAX_OFFSET_MS;
    this.#serversAtMs = this.#clock.nowMs() + (right ? PROVED_FOR_MS : this.#serverPauseMs);
    this.#serverPauseMs = right ? this.#options.everyMs : Math.min(2 * this.#serverPauseMs, MAX_SERVER_PAUSE_MS);
    return offsetMs;
  }

  #askServersAnew(): void {
    this.#serversAtMs = -Infinity;
    this.#serverPauseMs = this.#options.everyMs;
  }

  /** Undefined unless the clock was set since the look before. */
  #setSinceMs(): number | undefined {
    const before = this.#lookedAt;
    const at = { wallMs: this.#clock.wallMs(), nowMs: this.#clock.nowMs() };
    this.#lookedAt = at;
    if (before === undefined) return undefined;
    const passedMs = at.nowMs - before.nowMs;
    const movedMs = at.wallMs - before.wallMs - passedMs;
    if (Math.abs(movedMs) < STEP_MS) return undefined;
    this.#options.log.warn(
      { bySecs: Math.round(movedMs / 1_000) },
      'The system clock was set while running; durations here do not depend on it.',
    );
    return at.wallMs - passedMs;
  }
}
