/**
 * The connection of the last check, for the next. It proves only itself: a firewall or a portal may let old connections live and no new ones. So it is
 * renewed now and then, and at once where somebody has failed to open one.
 */
import { stillServes, type Connection } from './https.js';
import type { Interfaces } from '../net/interfaces.js';

export interface KeptPolicy {
  /** Renewed after so long, milliseconds. Default 900,000: 96 a day of 2 kB each with a TLS session that is resumed, of 6 kB without. */
  readonly renewedAfterMs: number;
  /** One that is no older counts as new to whoever doubts an old one, milliseconds. Default 10,000: whoever asks in a hurry pays for no handshakes. */
  readonly newForMs: number;
}

const DEFAULT_POLICY: KeptPolicy = { renewedAfterMs: 900_000, newForMs: 10_000 };
/** Up to a fifth sooner or later: many devices may have come back at the same moment. */
const RENEWAL_JITTER = 0.2;

/** Times on the clock of `performance.now()`. */
interface Kept {
  readonly connection: Connection;
  readonly openedAtMs: number;
  readonly untilMs: number;
}

export class KeptConnection {
  #kept: Kept | undefined;
  /** What was taken, so that its age goes on when it comes back. */
  #taken: Kept | undefined;

  constructor(private readonly policy = DEFAULT_POLICY) {}

  /** Hands it over, unless it no longer serves, or proves too little: it is closed then. `fresh`: an old one proves nothing. */
  take(interfaces: Interfaces | undefined, fresh: boolean): Connection | undefined {
    const kept = this.#kept;
    this.#kept = undefined;
    this.#taken = kept;
    if (kept === undefined) return undefined;
    const nowMs = performance.now();
    const proves = nowMs < kept.untilMs && (!fresh || nowMs - kept.openedAtMs < this.policy.newForMs);
    if (proves && stillServes(kept.connection, interfaces)) return kept.connection;
    kept.connection.close();
    return undefined;
  }

  keep(connection: Connection): void {
    this.#kept = connection === this.#taken?.connection ? this.#taken : this.#new(connection);
    this.#taken = undefined;
  }

  close(): void {
    this.#kept?.connection.close();
    this.#kept = undefined;
  }

  #new(connection: Connection): Kept {
    const openedAtMs = performance.now();
    const jitter = RENEWAL_JITTER * (2 * Math.random() - 1);
    return { connection, openedAtMs, untilMs: openedAtMs + this.policy.renewedAfterMs * (1 + jitter) };
  }
}
