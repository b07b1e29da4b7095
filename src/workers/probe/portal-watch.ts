/**
 * Beside the check that follows a failed one the site is asked for over plain HTTP, as a portal wants it: many of them show no certificate at all. The
 * answer never holds a check up; what has come by its end counts.
 */
import { within } from '../net/resolve.js';
import type { DnsEvidence, LinkEvidence, PortalEvidence } from '../protocol.js';
import { judgePlainAnswer } from './portal-answer.js';
import { askPlain } from './plain-http.js';

export interface PortalWatchSettings {
  /** The site's name. */
  readonly host: string;
  /** Over connect, headers and page, milliseconds. */
  readonly timeoutMs: number;
  /** Default 80. */
  readonly port?: number;
}

/** While checks fail it is asked again after that time; a page of a portal may be as large as hundreds of checks. */
const AGAIN_AFTER_MS = 30_000;

export class PortalWatch {
  readonly #settings: PortalWatchSettings;
  #evidence: PortalEvidence | undefined;
  #asking: { readonly abort: AbortController; readonly done: Promise<void> } | undefined;
  #askedAt = -Infinity;

  constructor(settings: PortalWatchSettings) {
    this.#settings = settings;
  }

  /**
   * A check has ended: what is known by now of a portal. One that failed although there is a link has it asked for, and lets it answer for `waitMs`.
   * `lastGood`: the site's address where its name is not to be had.
   */
  async after(
    seen: { readonly ok: boolean; readonly dns: DnsEvidence },
    link: LinkEvidence,
    lastGood: string | undefined,
    waitMs: number,
  ): Promise<PortalEvidence | undefined> {
    if (seen.ok || !link.ok) {
      this.forget();
      return undefined;
    }
    this.#ask(seen.dns.ok ? seen.dns.addresses : lastGood === undefined ? [] : [lastGood]);
    if (waitMs > 0 && this.#asking !== undefined) await within(waitMs, this.#asking.done);
    return this.#evidence;
  }

  #ask(addresses: readonly string[]): void {
    const due = performance.now() - this.#askedAt >= AGAIN_AFTER_MS;
    if (addresses.length === 0 || this.#asking !== undefined || !due) return;
    this.#askedAt = performance.now();
    const abort = new AbortController();
    const { host, timeoutMs, port = 80 } = this.#settings;
    const done = askPlain({ host, port, addresses, timeoutMs, signal: abort.signal }).then(
      ({ address, ms, answer, error }) => {
        if (abort.signal.aborted) return;
        this.#asking = undefined;
        const verdict = answer === undefined ? undefined : judgePlainAnswer(answer, host);
        this.#evidence = {
          phase: 'portal',
          address,
          ms,
          sign: verdict?.kind ?? 'nothing',
          ...(answer === undefined ? {} : { status: answer.status }),
          ...(verdict?.kind !== 'portal' || verdict.login === undefined ? {} : { login: verdict.login }),
          ...(error === undefined ? {} : { error }),
        };
      },
    );
    this.#asking = { abort, done };
  }

  /** The network is another one: what was found no longer counts, and it may be asked for at once. */
  forget(): void {
    this.#asking?.abort.abort();
    this.#asking = undefined;
    this.#evidence = undefined;
    this.#askedAt = -Infinity;
  }
}
