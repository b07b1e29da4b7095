/** One check with all that is asked beside it: the site, a portal, whoever else may speak for the internet. Remembers what makes the next one cheap. */
import type { Interfaces } from './net/interfaces.js';
import { suspicionOf } from './net/name-answers.js';
import { proxyFor } from './net/proxy.js';
import { Prober, type Seen } from './probe/check.js';
import type { Site } from './probe/https.js';
import { PacketWatch } from './probe/packet-watch.js';
import { PortalWatch } from './probe/portal-watch.js';
import { StandbyTrial } from './probe/standby-trial.js';
import { isFinal, type Situation } from './proof.js';
import { Proofs } from './proofs.js';
import type {
  CheckEvidence,
  DnsEvidence,
  FromWorker,
  LinkEvidence,
  LiveAnswer,
  OfflineReason,
  PortalEvidence,
  WorkerSettings,
} from './protocol.js';
import { reasonOf, refusedCall } from './verdict.js';

/** Where the system refuses a look at the links, nothing is held against them. */
const NOT_LOOKED_AT: LinkEvidence = { phase: 'link', ok: true };

/** What the check adds to the evidence, and whether the site itself answered. */
export type Look = Omit<CheckEvidence, 'checkId' | 'trigger' | 'startedAtMs' | 'ms'> & {
  readonly siteAnswered: boolean;
};

export class Checker {
  #settings: WorkerSettings;
  #prober: Prober;
  #portal: PortalWatch | undefined;
  readonly #packets = new PacketWatch();
  #standby: StandbyTrial;
  readonly #proofs: Proofs;
  /** How the site failed in the last check; undefined: it answered. */
  #lastReason: OfflineReason | undefined;

  /** @param interfaces the addresses of this machine */
  constructor(
    settings: WorkerSettings,
    private readonly interfaces: () => Interfaces | undefined,
    post: (message: FromWorker) => void,
  ) {
    this.#settings = settings;
    this.#prober = proberOf(settings, interfaces);
    this.#portal = portalWatchOf(settings);
    this.#standby = standbyTrialOf(settings);
    this.#proofs = new Proofs(settings, post);
  }

  /** The address of the site that answered last. */
  get lastGood(): string | undefined {
    return this.#prober.lastGood;
  }

  /** Never rejects. Resolves with undefined if `signal` aborted meanwhile. Calls must not overlap. `fresh`: an attempt to connect has failed, so an old connection proves nothing. */
  async check(
    { fresh, ...situation }: Omit<Situation, 'lastReason'> & { readonly fresh: boolean },
    lookAtLink: () => Promise<LinkEvidence | undefined>,
    signal: AbortSignal,
  ): Promise<Look | undefined> {
    const startedAt = performance.now();
    if (fresh) this.#packets.doubt();
    // Where the way out is another one, what is open may live on over the one of before.
    const newOnly = fresh || situation.trigger === 'link';
    const beside = this.#proofs.begin({ ...situation, lastReason: this.#lastReason }, signal);
    const seen = await this.#prober.check(signal, newOnly);
    if (seen === undefined) return undefined;
    const shown = await lookAtLink();
    const dns = seen.ok ? seen.dns : withSuspicion(seen.dns, this.#settings, this.#prober.lastGood);
    const refused = seen.ok ? undefined : refusedCall(shown, dns, seen.https);
    const common = { ...(shown === undefined ? {} : { link: shown }), dns, https: seen.https, siteAnswered: seen.ok };
    if (refused !== undefined) {
      beside.giveUp();
      return { ok: false, refused, ...common };
    }
    if (seen.ok) this.#lookAtPackets();
    const { evidence: packets } = this.#packets;
    const portal = await this.#portalBeside(seen, shown ?? NOT_LOOKED_AT, startedAt);
    const siteReason = seen.ok ? undefined : reasonOf(shown, dns, seen.https, portal);
    const { weight, ...others } = await beside.settle(siteReason);
    if (signal.aborted) return undefined;
    this.#lastReason = siteReason;
    const ok = seen.ok || weight === 'proved';
    // What may be one lost packet is no reason to look elsewhere.
    const isOutage = situation.verdict === 'offline' || situation.failures + 1 >= this.#settings.failuresToOffline;
    const link = await this.#standbyBeside({ ok, isOutage: isOutage && weight !== 'void' }, shown, dns, startedAt);
    return {
      ok,
      ...(siteReason === undefined || weight === 'void' ? {} : ok ? { siteReason } : { reason: siteReason }),
      ...common,
      ...(link === undefined ? {} : { link }),
      ...(portal === undefined ? {} : { portal }),
      ...(packets === undefined ? {} : { packets }),
      ...others,
    };
  }

  /** In place of a check: does the live connection answer? Never rejects. */
  askLive(signal: AbortSignal): Promise<LiveAnswer> {
    return this.#proofs.askLiveOnly(signal);
  }

  /** What became of it: the verdict is offline since now, or the kernel says why it is. */
  failed(reason: OfflineReason, offlineSinceNow: boolean): void {
    if (offlineSinceNow || isFinal(reason)) this.#proofs.outage(reason);
  }

  /** The main thread's word on the live connection. */
  told(id: number, answer: LiveAnswer): void {
    this.#proofs.told(id, answer);
  }

  /** Other settings; true if checks are to begin afresh, for which neither other witnesses nor another way to tell is a reason. */
  configure(settings: WorkerSettings): boolean {
    const before = this.#settings;
    this.#settings = settings;
    this.#proofs.configure(settings);
    const { witnesses, tellsEach = false } = settings;
    if (JSON.stringify({ ...before, witnesses, tellsEach }) === JSON.stringify({ ...settings, tellsEach }))
      return false;
    this.close();
    this.#prober = proberOf(settings, this.interfaces);
    this.#portal = portalWatchOf(settings);
    this.#standby = standbyTrialOf(settings);
    return true;
  }

  /** The network is another one. */
  elsewhere(): void {
    this.#portal?.forget();
    this.#packets.again();
    this.#standby.elsewhere();
  }

  close(): void {
    this.#prober.close();
    this.#portal?.forget();
    this.#standby.elsewhere();
    this.#packets.close();
  }

  #lookAtPackets(): void {
    const { lastGood, manner } = this.#prober;
    if (lastGood === undefined) return;
    const { timeoutMs } = this.#settings;
    this.#packets.passed({ site: siteOf(this.#settings), address: lastGood, manner, timeoutMs });
  }

  async #portalBeside(seen: Seen, link: LinkEvidence, startedAt: number): Promise<PortalEvidence | undefined> {
    return this.#portal?.after(seen, link, this.#prober.lastGood, this.#waitMs(startedAt, 2));
  }

  async #standbyBeside(
    { ok, isOutage }: { readonly ok: boolean; readonly isOutage: boolean },
    link: LinkEvidence | undefined,
    dns: DnsEvidence,
    startedAt: number,
  ): Promise<LinkEvidence | undefined> {
    if (ok) this.#standby.online();
    if (!isOutage || ok || link === undefined) return link;
    const { lastGood } = this.#prober;
    // A name server may be a portal's.
    const addresses = lastGood === undefined ? dns.addresses : [lastGood, ...dns.addresses];
    return this.#standby.beside(link, addresses, this.#waitMs(startedAt, 3.5));
  }

  /** How long a check may wait for what is asked beside it, where nobody looks again. @param timeouts since its beginning, at the most */
  #waitMs(startedAt: number, timeouts: number): number {
    const { waitForPortal, timeoutMs } = this.#settings;
    return waitForPortal === true ? startedAt + timeouts * timeoutMs - performance.now() : 0;
  }
}

function withSuspicion(dns: DnsEvidence, site: WorkerSettings, lastGood: string | undefined): DnsEvidence {
  // A proxy may be at any address.
  if (dns.proxy !== undefined) return dns;
  const trouble = dns.trouble ?? suspicionOf(dns.addresses, site, lastGood);
  return trouble === undefined ? dns : { ...dns, trouble };
}

/**
 * Whatever the site's port is: portals lie in wait at that of plain HTTP. None where a proxy leads out: straight out nobody answers, and what the proxy
 * makes of plain HTTP is its own affair.
 */
function portalWatchOf({ host, port, proxy, timeoutMs }: WorkerSettings): PortalWatch | undefined {
  return proxyFor(proxy, host, port) === undefined ? new PortalWatch({ host, timeoutMs }) : undefined;
}

function proberOf(settings: WorkerSettings, interfaces: () => Interfaces | undefined): Prober {
  const { timeoutMs, nameServers } = settings;
  return new Prober({ site: siteOf(settings), timeoutMs, nameServers, interfaces });
}

/** Twice the time-out: the line that stands by may be a slow one. */
function standbyTrialOf(settings: WorkerSettings): StandbyTrial {
  const sparing = settings.dataSaver !== undefined;
  return new StandbyTrial({ site: siteOf(settings), timeoutMs: 2 * settings.timeoutMs, sparing });
}

function siteOf({ host, port, proxy, ca, hasCaStore }: WorkerSettings): Site {
  return { host, port, proxy: proxyFor(proxy, host, port), ca, hasCaStore };
}
