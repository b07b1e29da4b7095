/** Bytes of this service by what they were for, since midnight; told in the journal once a day. */
import { systemClock, type Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import type { Carried } from '../../workers/protocol.js';

export interface Uses {
  readonly checks: Carried;
  readonly signIn: Carried;
  readonly cloud: Carried;
}

export interface DataUsePart extends Uses {
  /** Midnight, or the start of the service if that was later; milliseconds since 1970. */
  readonly sinceMs: number;
  readonly dataSaver: boolean;
  /** Since the service started. */
  readonly whole: Uses;
}

export interface DataUseOptions {
  /** Since the service started; none of it ever sinks. */
  readonly read: () => Uses;
  readonly dataSaver: () => boolean;
  readonly log: Logger;
  readonly clock?: Clock;
}

export class DataUse {
  readonly #options: DataUseOptions;
  readonly #clock: Clock;
  #day: string;
  #sinceMs: number;
  #before: Uses;

  constructor(options: DataUseOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#sinceMs = this.#clock.wallMs();
    this.#day = dayOf(this.#sinceMs);
    this.#before = options.read();
  }

  get today(): DataUsePart {
    const { read, dataSaver } = this.#options;
    const now = read();
    return {
      sinceMs: this.#sinceMs,
      dataSaver: dataSaver(),
      whole: now,
      checks: minus(now.checks, this.#before.checks),
      signIn: minus(now.signIn, this.#before.signIn),
      cloud: minus(now.cloud, this.#before.cloud),
    };
  }

  /** To be called now and then: a day that is over is told. */
  tick(): void {
    const nowMs = this.#clock.wallMs();
    const day = dayOf(nowMs);
    if (day === this.#day) return;
    const { checks, signIn, cloud, dataSaver } = this.today;
    const [forChecks, forSignIn, forCloud] = [sum(checks), sum(signIn), sum(cloud)];
    this.#options.log.info(
      { checks: forChecks, signIn: forSignIn, cloud: forCloud, dataSaver },
      `Data of ${this.#day}: ${size(forChecks)} for the checks, ${size(forSignIn)} for signing in, ${size(forCloud)} for the cloud connection; the headers of the packets and the questions to name servers come on top`,
    );
    this.#day = day;
    this.#sinceMs = nowMs;
    this.#before = this.#options.read();
  }
}

/** Of the local calendar: `2026-11-25`. */
function dayOf(atMs: number): string {
  const at = new Date(atMs);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

function minus(one: Carried, other: Carried): Carried {
  return { received: one.received - other.received, sent: one.sent - other.sent };
}

function sum({ received, sent }: Carried): number {
  return received + sent;
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1_000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
