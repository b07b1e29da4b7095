/**
 * Follows the kernel's link, address and route changes through `ip monitor`.
 *
 * What `ip` prints is not parsed: a line only says that something moved, and the kernel's tables say what is. That holds for
 * every version of iproute2, has no line to bound, and sees what the kernel does not announce: the IPv4 routes that vanish
 * with their interface.
 */
import type { LinkEvidence } from '../protocol.js';
import { lookAtLinks } from './link-snapshot.js';
import { startMonitor, type Monitor, type StartMonitor } from '../net/monitor-child.js';
import { isRefusal, refusalWords } from '../net/refusal.js';
import { fingerprint, refusalIn, type LinkSnapshot } from './link-state.js';
import { linkEvidenceOf } from './uplinks.js';

/** What the kernel says, and since when it says so. */
export interface LinkState {
  readonly evidence: LinkEvidence;
  /** When `evidence.reason` became what it is, on the clock of `performance.now()`, milliseconds. */
  readonly sinceMs: number;
}

/** What the follower reports. */
export type LinkEvent =
  /** The way out is another one than before, or gone, or back. */
  | { readonly kind: 'changed'; readonly state: LinkState }
  /** There is no way out, and there has been none for the hold time: the kernel's word needs no confirming. */
  | { readonly kind: 'held'; readonly state: LinkState };

interface LoggerLike {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface FollowLinksOptions {
  /** Told of every event. What it throws is logged and harms nothing else. */
  readonly onEvent: (event: LinkEvent) => void;
  readonly log: LoggerLike;
  /** Time from the first sign of a change to the look at the tables, so that a burst makes one look. Default 20 ms. In a storm see {@link MAX_SHARE}. */
  readonly debounceMs?: number;
  /** How long the way out must be gone before `held`. Default 300 ms: a DHCP renewal or a roaming Wi-Fi is shorter. */
  readonly holdMs?: number;
  /** IP literals whose reachability matters; default: documentation addresses, that is, the default routes. */
  readonly destinations?: () => readonly string[];
  /** Default: a child of this thread. */
  readonly start?: StartMonitor;
  /** Takes the snapshot. */
  readonly look?: (destinations?: readonly string[]) => Promise<LinkSnapshot>;
  /** Monotonic milliseconds. Default `performance.now`. */
  readonly now?: () => number;
}

export interface LinkFollower {
  /** The latest look; undefined before the first. */
  state(): LinkState | undefined;
  /** How often the kernel has announced anything so far; undefined while nobody listens, or only just. */
  signs(): number | undefined;
  /** Ends the child and every timer; no event follows, even while this is awaited. */
  stop(): Promise<void>;
}

/** First wait before a child that died is started again; doubles to the cap, and starts over after a stable minute. */
const RESTART_MS = 1_000;
const RESTART_CAP_MS = 300_000;
/** The same where the system refused the process itself: it is not the child's fault, and passes. */
const REFUSED_CAP_MS = 15_000;
const STABLE_MS = 60_000;
/** `ip` says nowhere that it has begun to listen, so the tables are looked at again, for what changed just before. */
const SETTLE_MS = 500;
/** After a look that the system refused. */
const LOOK_AGAIN_MS = 5_000;
/** Share of a core that looks may take while signs keep coming. */
const MAX_SHARE = 1 / 40;
/** And how long a look may be put off because of it. */
const MAX_PAUSE_MS = 1_000;

/** Starts following. Returns at once; a first look is on its way. */
export function followLinks(options: FollowLinksOptions): LinkFollower {
  return new Follower(options);
}

class Follower implements LinkFollower {
  readonly #options: FollowLinksOptions;
  readonly #debounceMs: number;
  readonly #holdMs: number;
  readonly #start: StartMonitor;
  readonly #look: (destinations?: readonly string[]) => Promise<LinkSnapshot>;
  readonly #now: () => number;
  readonly #timers: Partial<Record<'look' | 'settle' | 'hold' | 'restart' | 'refused', NodeJS.Timeout>> = {};
  #state: LinkState | undefined;
  #fingerprint: string | undefined;
  #monitor: Monitor | undefined;
  #guarded = true;
  #deaths = 0;
  /** The child has had the time to begin. */
  #listens = false;
  #signs = 0;
  #looking = false;
  /** When the last look began and ended. */
  #looked = { fromMs: 0, toMs: 0 };
  #lookAgain = false;
  #refused = false;
  #stopped = false;

  constructor(options: FollowLinksOptions) {
    this.#options = options;
    this.#debounceMs = options.debounceMs ?? 20;
    this.#holdMs = options.holdMs ?? 300;
    this.#start = options.start ?? startMonitor;
    this.#look = options.look ?? lookAtLinks;
    this.#now = options.now ?? (() => performance.now());
    this.#startMonitor();
    void this.#lookNow();
  }

  state(): LinkState | undefined {
    return this.#state;
  }

  signs(): number | undefined {
    return this.#listens ? this.#signs : undefined;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    const monitor = this.#monitor;
    this.#monitor = undefined;
    await monitor?.end();
  }

  #startMonitor(): void {
    const startedAtMs = this.#now();
    this.#monitor = this.#start(this.#guarded, {
      sign: () => {
        this.#signs += 1;
        this.#lookSoon();
      },
      ended: (why, code) => {
        if (this.#stopped) return;
        this.#monitor = undefined;
        this.#listens = false;
        // What was announced meanwhile is not known.
        this.#signs += 1;
        this.#monitorEnded(startedAtMs, why, code);
      },
    });
    this.#timers.settle = setTimeout(() => {
      this.#listens = true;
      void this.#lookNow();
    }, SETTLE_MS);
  }

  /** `code`: why there was none at all. */
  #monitorEnded(startedAtMs: number, why: string, code: string | undefined): void {
    const missing = code === 'ENOENT';
    clearTimeout(this.#timers.settle);
    const { log } = this.#options;
    if (missing && this.#guarded) {
      // Either of the two is missing; the next try tells which.
      this.#guarded = false;
      this.#startMonitor();
      return;
    }
    if (missing) {
      log.warn(
        { error: why },
        'No `ip` command here (Debian: iproute2), so link changes are noticed at the next check',
      );
      return;
    }
    if (this.#now() - startedAtMs >= STABLE_MS) this.#deaths = 0;
    const capMs = isRefusal(code) ? REFUSED_CAP_MS : RESTART_CAP_MS;
    const retryMs = Math.min(capMs, RESTART_MS * 2 ** this.#deaths);
    this.#deaths = Math.min(this.#deaths + 1, 30);
    const words = '`ip monitor` ended, so link changes are noticed at the next check until it runs again';
    const fields = { error: why, retrySecs: retryMs / 1_000 };
    if (this.#deaths === 1) log.warn(fields, words);
    else log.debug(fields, words);
    this.#timers.restart = setTimeout(() => this.#startMonitor(), retryMs);
  }

  /** Not pushed back by further signs: a storm of them delays no look. */
  #lookSoon(): void {
    if (this.#stopped || this.#timers.look !== undefined) return;
    const { fromMs, toMs } = this.#looked;
    const pauseMs = Math.min(MAX_PAUSE_MS, (toMs - fromMs) / MAX_SHARE);
    this.#timers.look = setTimeout(
      () => {
        delete this.#timers.look;
        void this.#lookNow();
      },
      Math.max(this.#debounceMs, toMs + pauseMs - this.#now()),
    );
  }

  async #lookNow(): Promise<void> {
    if (this.#stopped) return;
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = true;
    const fromMs = this.#now();
    try {
      const snapshot = await this.#look(this.#options.destinations?.());
      const refusal = refusalIn(snapshot);
      this.#tellRefusal(refusal);
      if (refusal === undefined) this.#take(snapshot);
    } catch (error) {
      this.#options.log.debug({ error: messageOf(error) }, 'The links could not be looked at');
    } finally {
      this.#looking = false;
      this.#looked = { fromMs, toMs: this.#now() };
    }
    if (this.#lookAgain) {
      this.#lookAgain = false;
      this.#lookSoon();
    }
  }

  #take(snapshot: LinkSnapshot): void {
    if (this.#stopped) return;
    const evidence = linkEvidenceOf(snapshot);
    const print = fingerprint(snapshot);
    const before = this.#state;
    const changed = this.#fingerprint !== print;
    this.#fingerprint = print;
    // A change between the two reasons does not start the hold over: there was no way out all along.
    const wasSince = before !== undefined && before.evidence.ok === evidence.ok ? before.sinceMs : undefined;
    this.#state = { evidence, sinceMs: wasSince ?? this.#now() };
    if (evidence.ok) this.#clearHold();
    else if (wasSince === undefined) this.#timers.hold = setTimeout(() => void this.#holdIsOver(), this.#holdMs);
    // The first look is no change, unless there is bad news in it.
    if (changed && (before !== undefined || !evidence.ok)) this.#emit({ kind: 'changed', state: this.#state });
  }

  /** What could not be looked at is as it was, until it can be. */
  #tellRefusal(refusal: string | undefined): void {
    if (this.#stopped) return;
    clearTimeout(this.#timers.refused);
    const { log } = this.#options;
    if (refusal !== undefined) {
      this.#timers.refused = setTimeout(() => void this.#lookNow(), LOOK_AGAIN_MS);
      const words = `The system refuses a look at the network links (${refusalWords(refusal)}), so their changes are noticed at the next check`;
      if (!this.#refused) log.warn({ retrySecs: LOOK_AGAIN_MS / 1_000 }, words);
    } else if (this.#refused) log.info({}, 'The network links can be looked at again');
    this.#refused = refusal !== undefined;
  }

  #clearHold(): void {
    clearTimeout(this.#timers.hold);
    delete this.#timers.hold;
  }

  /** Looks once more, since not everything is announced. */
  async #holdIsOver(): Promise<void> {
    await this.#lookNow();
    const state = this.#state;
    if (this.#stopped || state === undefined || state.evidence.ok || this.#timers.hold === undefined) return;
    this.#clearHold();
    this.#emit({ kind: 'held', state });
  }

  #emit(event: LinkEvent): void {
    try {
      this.#options.onEvent(event);
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'A listener of link changes failed; report this as a bug');
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
