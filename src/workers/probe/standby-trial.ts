/**
 * Where the interface that carries has no internet: has one that stands by? A verified TLS handshake with the test site is tried over it, as a portal cannot forge
 * one. Beside the checks, which never wait for it; what has come by their end counts.
 */
import { isIPv6 } from 'node:net';
import { openAddress } from '../net/open-address.js';
import { over, UnknownWayError, type Dial } from '../net/over-interface.js';
import { within } from '../net/resolve.js';
import type { LinkEvidence } from '../protocol.js';
import type { Site } from './connection.js';

export interface StandbyTrialSettings {
  readonly site: Site;
  /** Over connect and handshake, milliseconds. */
  readonly timeoutMs: number;
  /** Bytes are saved: tried more rarely. */
  readonly sparing?: boolean;
  /** Default: a child that binds to the device. */
  readonly over?: (device: string) => Dial;
  /** A clock that never jumps, milliseconds. Default: the process's. */
  readonly now?: () => number;
}

/**
 * Between two trials of an outage, doubled with each; the line that stands by may be a metered one, and a handshake is some 5 kB. A day of outage costs
 * half a megabyte for each family of each interface, and a tenth of that where bytes are saved.
 */
const PACE = { firstMs: 60_000, capMs: 900_000 } as const;
const SPARING_PACE = { firstMs: 900_000, capMs: 14_400_000 } as const;
/** Interfaces tried at the most. */
const MAX_TRIED = 2;

export class StandbyTrial {
  /** Name -> whether it has internet. */
  readonly #found = new Map<string, boolean>();
  #asking: { readonly abort: AbortController; readonly done: Promise<unknown> } | undefined;
  #askedAt = -Infinity;
  #dueAt = -Infinity;
  readonly #pace: typeof PACE | typeof SPARING_PACE;
  #pauseMs: number;

  constructor(private readonly settings: StandbyTrialSettings) {
    this.#pace = settings.sparing === true ? SPARING_PACE : PACE;
    this.#pauseMs = this.#pace.firstMs;
  }

  /**
   * There is no internet: tries what stands by, if it is time, lets it answer for `waitMs`, and adds what is known by now.
   * @param addresses of the site or its proxy, in the order of trust; none: nothing can be tried
   */
  async beside(link: LinkEvidence, addresses: readonly string[], waitMs: number): Promise<LinkEvidence> {
    const { uplinks } = link;
    const standbys = uplinks?.filter(({ role }) => role === 'stands-by') ?? [];
    if (uplinks === undefined || standbys.length === 0) return link;
    this.#ask(
      standbys.slice(0, MAX_TRIED).map(({ name }) => name),
      oneOfEachFamily(addresses),
    );
    if (waitMs > 0 && this.#asking !== undefined) await within(waitMs, this.#asking.done);
    return {
      ...link,
      uplinks: uplinks.map((uplink) => {
        const hasInternet = uplink.role === 'stands-by' ? this.#found.get(uplink.name) : undefined;
        return hasInternet === undefined ? uplink : { ...uplink, hasInternet };
      }),
    };
  }

  /** The internet is there: what was found no longer counts. */
  online(): void {
    if (this.#found.size === 0 && this.#asking === undefined) return;
    this.elsewhere();
    this.#pauseMs = this.#pace.firstMs;
  }

  /** The network is another one: the same, and it may be tried sooner, but links that flap are no reason to try each time. */
  elsewhere(): void {
    this.#asking?.abort.abort();
    this.#asking = undefined;
    this.#found.clear();
    this.#dueAt = this.#askedAt + this.#pace.firstMs;
  }

  #ask(names: readonly string[], addresses: readonly string[]): void {
    const now = (this.settings.now ?? ((): number => performance.now()))();
    if (addresses.length === 0 || this.#asking !== undefined || now < this.#dueAt) return;
    this.#askedAt = now;
    this.#dueAt = now + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pace.capMs, 2 * this.#pauseMs);
    const abort = new AbortController();
    const trials = names.map(async (name) => {
      const hasInternet = await this.#try(name, addresses, abort.signal);
      if (abort.signal.aborted) return;
      if (hasInternet === undefined) this.#found.delete(name);
      else this.#found.set(name, hasInternet);
    });
    const done = Promise.all(trials).then(() => {
      if (!abort.signal.aborted) this.#asking = undefined;
    });
    this.#asking = { abort, done };
  }

  /** Undefined: nothing can be said of it. */
  async #try(name: string, addresses: readonly string[], outer: AbortSignal): Promise<boolean | undefined> {
    const { site, timeoutMs } = this.settings;
    const dial = (this.settings.over ?? over)(name);
    const signal = AbortSignal.any([outer, AbortSignal.timeout(timeoutMs)]);
    const opened = await Promise.all(
      addresses.map((address) =>
        openAddress({
          address,
          host: site.host,
          port: site.port,
          proxy: site.proxy,
          tls: { ALPNProtocols: ['http/1.1'], ...(site.ca === undefined ? {} : { ca: site.ca }) },
          dial,
          signal,
        }),
      ),
    );
    for (const one of opened) if (one.ok) one.socket.destroySoon();
    if (opened.some(({ ok }) => ok)) return true;
    return opened.every((one) => !one.ok && one.error instanceof UnknownWayError) ? undefined : false;
  }
}

function oneOfEachFamily(addresses: readonly string[]): readonly string[] {
  const first = [true, false].map((v6) => addresses.find((address) => isIPv6(address) === v6));
  return first.filter((address) => address !== undefined);
}
