/**
 * One check: asks the name servers and the site, and tells what it saw. Never rejects, never takes longer than twice the
 * time-out, and leaves one idle connection behind at most.
 *
 * The tries over HTTPS are begun as the picture unfolds:
 * - the connection kept from the last check is asked at the same time as the name servers;
 * - the addresses found are tried on a fresh connection unless the kept one answers soon and leads to one of them;
 * - the last address that worked is tried where the name servers are late or fail (the document's fall-back).
 * An answer counts if the name servers agree with its address, or have nothing to say. One that leads elsewhere does not: behind a
 * captive portal the old connection may live on while every new one ends at the portal.
 * Where a proxy leads to the site, it is the proxy's name that is asked for, and its addresses that are tried.
 */
import type { DnsEvidence, HttpsEvidence } from '../protocol.js';
import { Agenda } from '../net/agenda.js';
import { LinkedAbort } from '../net/linked-abort.js';
import { resolveHost, type Families } from '../net/resolve.js';
import { tryFresh, tryKept, type Connection, type Site, type Tried } from './https.js';
import type { Manner } from './manner.js';
import { keptForMs, lateAfterMs } from './patience.js';

export interface CheckSettings {
  readonly site: Site;
  /** Deadline of each phase, milliseconds. */
  readonly timeoutMs: number;
  /** `address` or `address:port`; empty: the system's, as they are at each check. */
  readonly nameServers: readonly string[];
}

export interface Seen {
  readonly ok: boolean;
  readonly dns: DnsEvidence;
  /** In the order in which they ended; tries that were no longer needed are left out. */
  readonly https: readonly HttpsEvidence[];
}

/** Shares of the time-out: how long the name servers may take before the fall-back is tried, and the kept connection before a fresh one. */
const LATE_NAMES = 1 / 8;
const LATE_ANSWER = 1 / 5;

/** What earlier checks have left. */
export interface Given {
  readonly kept: Connection | undefined;
  readonly families: Families;
  readonly lastGood: string | undefined;
  /** The name servers did not serve the last check, so the fall-back does not wait for them. */
  readonly namesFailed: boolean;
  readonly manner: Manner;
  /** How long the last answer took. */
  readonly usualMs: number | undefined;
  readonly session: Buffer | undefined;
  readonly onSession: (session: Buffer) => void;
  readonly isVerified: (address: string) => boolean;
  readonly signal: AbortSignal;
}

/** `connection`: the one that answered, to be kept. */
export type SeenHere = Seen & { readonly connection: Connection | undefined };

/** A try that is under way. */
interface Running {
  readonly addresses: readonly string[];
  readonly abort: LinkedAbort;
  /** It has had its time; another may begin beside it. */
  late: boolean;
}

export class OneCheck {
  readonly #settings: CheckSettings;
  readonly #given: Given;
  readonly #startedAt = performance.now();
  readonly #agenda = new Agenda();
  /** Takes what is due from the agenda. */
  readonly #due: (() => void)[] = [];
  readonly #running = new Set<Running>();
  readonly #ended: Tried[] = [];
  #dns: DnsEvidence | undefined;
  #namesAt = Infinity;
  /** Only the names of the kept connection's family were asked for. */
  #oneFamily = false;
  #lookingAgain = false;
  #namesLate: boolean;
  #foundTried = false;
  #lastGoodTried = false;
  /** Addresses tried in vain over a fresh connection. */
  readonly #triedFresh = new Set<string>();
  #finish!: (seen: SeenHere) => void;
  #over = false;

  constructor(settings: CheckSettings, given: Given) {
    this.#settings = settings;
    this.#given = given;
    this.#namesLate = given.namesFailed;
  }

  run(): Promise<SeenHere> {
    const { timeoutMs } = this.#settings;
    const { kept, manner, usualMs } = this.#given;
    return new Promise((resolve) => {
      this.#finish = resolve;
      void this.#lookUpFirst();
      this.#after(timeoutMs * LATE_NAMES, () => (this.#namesLate = true));
      if (kept !== undefined) {
        const forMs = keptForMs(timeoutMs, usualMs);
        const running = this.#begin([kept.address], (abort) => tryKept(kept, manner, abort, forMs, this.#agenda));
        this.#after(lateAfterMs(timeoutMs * LATE_ANSWER, usualMs), () => (running.late = true));
      }
      this.#advance();
    });
  }

  /** While a kept connection serves, the names of its family are enough, if they agree with it: a query less is 170 bytes of a metered line. */
  async #lookUpFirst(): Promise<void> {
    const { timeoutMs } = this.#settings;
    const { families, kept, namesFailed } = this.#given;
    const isEnough = kept !== undefined && families.v4 && families.v6 && !namesFailed;
    const v6 = kept !== undefined && kept.address.includes(':');
    let dns = await this.#lookUp(isEnough ? { v4: !v6, v6 } : families, timeoutMs);
    const leftMs = timeoutMs - (performance.now() - this.#startedAt);
    this.#oneFamily = isEnough && dns.ok && this.#agrees(kept.address, dns);
    if (isEnough && !this.#oneFamily && leftMs >= 1) dns = await this.#lookUp(families, leftMs);
    this.#dns = dns;
    this.#namesAt = performance.now();
    this.#advance();
  }

  /** The kept connection is not enough. What comes soon of the other family is tried as well. */
  async #lookUpAgain(): Promise<void> {
    this.#oneFamily = false;
    this.#lookingAgain = true;
    const dns = await this.#lookUp(this.#given.families, this.#settings.timeoutMs * LATE_NAMES);
    this.#lookingAgain = false;
    if (dns.ok) this.#dns = dns;
    this.#advance();
  }

  async #lookUp(families: Families, timeoutMs: number): Promise<DnsEvidence> {
    const { site, nameServers } = this.#settings;
    // A site behind a proxy is looked up by the proxy.
    const { proxy } = site;
    const host = proxy?.host ?? site.host;
    const { signal } = this.#given;
    const dns = await resolveHost({ host, timeoutMs, nameServers, families, signal, agenda: this.#agenda });
    return proxy === undefined ? dns : { ...dns, proxy: proxy.host };
  }

  #after(ms: number, note: () => void): void {
    this.#due.push(
      this.#agenda.after(ms, () => {
        note();
        this.#advance();
      }),
    );
  }

  #begin(addresses: readonly string[], work: (abort: LinkedAbort) => Promise<Tried>): Running {
    const running: Running = { addresses, abort: new LinkedAbort(this.#given.signal), late: false };
    this.#running.add(running);
    void work(running.abort).then((tried) => {
      running.abort.release();
      this.#running.delete(running);
      if (this.#over) {
        tried.connection?.close();
        return;
      }
      this.#ended.push(tried);
      if (!tried.evidence.reused) for (const address of addresses) this.#triedFresh.add(address);
      this.#advance();
    });
    return running;
  }

  /** Looks at all that is known, and begins what is now due or ends the check. */
  #advance(): void {
    if (this.#over) return;
    const dns = this.#dns;
    const { lastGood, signal, kept } = this.#given;
    if (signal.aborted && dns !== undefined && this.#running.size === 0) {
      this.#end(dns, undefined);
      return;
    }
    if (dns !== undefined) {
      const winner = this.#ended.find((tried) => tried.evidence.ok && this.#counts(tried.evidence, dns));
      if (winner !== undefined) {
        this.#end(dns, winner);
        return;
      }
    }
    // Something that may yet count is under way, and not late: nothing to begin.
    const hopeful = [...this.#running].some(
      ({ addresses, late }) => !late && (dns?.ok !== true || addresses.some((address) => this.#agrees(address, dns))),
    );
    if (this.#lookingAgain) return;
    if (!hopeful && !signal.aborted) {
      if (this.#oneFamily) {
        void this.#lookUpAgain();
        return;
      }
      const { timeoutMs } = this.#settings;
      if (dns?.ok === true) this.#tryFound(dns.addresses, timeoutMs);
      else if (lastGood !== undefined && (dns !== undefined || this.#namesLate)) {
        // Beside a kept connection it is the same question asked again, within the same time.
        const usedMs = kept === undefined ? 0 : performance.now() - this.#startedAt;
        this.#tryLastGood(lastGood, Math.max(1, timeoutMs - usedMs));
      }
    }
    if (dns !== undefined && this.#running.size === 0) this.#end(dns, undefined);
  }

  #tryFound(addresses: readonly string[], timeoutMs: number): void {
    if (this.#foundTried) return;
    this.#foundTried = true;
    // One time-out from the moment the addresses were known, although a kept connection may have had some of it.
    const usedMs = performance.now() - this.#namesAt;
    const rest = this.#inOrder(addresses).filter((address) => !this.#triedFresh.has(address));
    if (rest.length > 0) this.#tryFresh(rest, 'dns', Math.max(1, timeoutMs - usedMs));
  }

  #tryLastGood(address: string, timeoutMs: number): void {
    if (this.#lastGoodTried || this.#ended.some(({ evidence }) => evidence.ok)) return;
    this.#lastGoodTried = true;
    const running = this.#tryFresh([address], 'last-good', timeoutMs);
    this.#after(timeoutMs * LATE_ANSWER, () => (running.late = true));
  }

  #tryFresh(addresses: readonly string[], addressesFrom: HttpsEvidence['addressesFrom'], timeoutMs: number): Running {
    const { site } = this.#settings;
    const { session, onSession, manner } = this.#given;
    // What is left of the check, for a line on which every step takes long.
    const boundMs = 2 * this.#settings.timeoutMs - (performance.now() - this.#startedAt);
    return this.#begin(addresses, ({ signal }) =>
      tryFresh({ site, addresses, addressesFrom, manner, session, onSession, timeoutMs, boundMs, signal }),
    );
  }

  /** What worked last goes first, unless it is what keeps silent now: of two families one may be dead. */
  #inOrder(addresses: readonly string[]): readonly string[] {
    const { lastGood } = this.#given;
    if (lastGood === undefined || !addresses.includes(lastGood)) return addresses;
    const others = addresses.filter((address) => address !== lastGood);
    const silent = [...this.#running].some((running) => running.late && running.addresses.includes(lastGood));
    return silent ? [...others, lastGood] : [lastGood, ...others];
  }

  #counts(evidence: HttpsEvidence, dns: DnsEvidence): boolean {
    return !dns.ok || (evidence.address !== undefined && this.#agrees(evidence.address, dns));
  }

  /** The name leads to that address, or to one that has lately proved to be the same site. */
  #agrees(address: string, dns: DnsEvidence): boolean {
    return dns.addresses.includes(address) || dns.addresses.some((found) => this.#given.isVerified(found));
  }

  #end(dns: DnsEvidence, winner: Tried | undefined): void {
    this.#over = true;
    for (const remove of this.#due) remove();
    for (const { abort } of this.#running) abort.abort();
    for (const tried of this.#ended) if (tried !== winner) tried.connection?.close();
    const https = this.#ended.map(({ evidence }) =>
      evidence.ok && !this.#counts(evidence, dns)
        ? { ...evidence, detail: `not counted: the name now leads to ${dns.addresses.join(', ')}` }
        : evidence,
    );
    this.#finish({ ok: winner !== undefined, dns, https, connection: winner?.connection });
  }
}
