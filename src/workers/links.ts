/**
 * What the kernel says of the links, for the loop of checks: followed as they change, or looked at once a check. What it means
 * for the verdict is decided by `connectivity.ts` and `verdict.ts`.
 */
import { isIP } from 'node:net';
import { MonitorByMain, type MonitorWord } from './monitor-by-main.js';
import { interfacesNow, type Interfaces } from './net/interfaces.js';
import { isThisMachine } from './net/proxy.js';
import { followLinks, type LinkEvent, type LinkFollower, type LinkState } from './probe/link-follower.js';
import { DESTINATIONS, lookAtLinks } from './probe/link-snapshot.js';
import { refusalIn } from './probe/link-state.js';
import { linkEvidenceOf } from './probe/uplinks.js';
import type { CheckEvidence, CheckTrigger, FromWorker, LinkEvidence } from './protocol.js';

export interface LinksDependencies {
  /** Host of the test site. */
  readonly host: () => string;
  /** Host of the proxy that leads to it. */
  readonly proxy: () => string | undefined;
  /** The address of it that worked last. */
  readonly lastGood: () => string | undefined;
  readonly onEvent: (event: LinkEvent) => void;
  readonly post: (message: FromWorker) => void;
}

/** The kernel is asked anew after that in any case, should an announcement have been lost, milliseconds. */
const INTERFACES_FOR_MS = 60_000;

export class Links {
  readonly #monitor: MonitorByMain;
  #follower: LinkFollower | undefined;
  #interfaces: { readonly signs: number; readonly atMs: number; readonly found: Interfaces | undefined } | undefined;

  constructor(private readonly deps: LinksDependencies) {
    this.#monitor = new MonitorByMain((message) => {
      deps.post(message);
    });
  }

  /** The main thread's word on `ip monitor`. */
  heard(word: MonitorWord): void {
    this.#monitor.heard(word);
  }

  follow(): void {
    const note = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) =>
      this.deps.post({ kind: 'note', level, message, fields: plain(fields) });
    this.#follower = followLinks({
      onEvent: (event) => {
        this.deps.onEvent(event);
      },
      destinations: () => this.#destinations(),
      start: this.#monitor.start,
      log: { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') },
    });
  }

  async stop(): Promise<void> {
    await this.#follower?.stop();
  }

  /** Undefined where nobody follows the links, and before the first look. */
  state(): LinkState | undefined {
    return this.#follower?.state();
  }

  /** The addresses of this machine. While the kernel has announced nothing they are what they were. */
  interfaces(): Interfaces | undefined {
    const signs = this.#follower?.signs();
    const nowMs = performance.now();
    const known = this.#interfaces;
    if (known !== undefined && known.signs === signs && nowMs - known.atMs < INTERFACES_FOR_MS) return known.found;
    const found = interfacesNow();
    // What the system refused is to be asked again.
    this.#interfaces = signs === undefined || found === undefined ? undefined : { signs, atMs: nowMs, found };
    return found;
  }

  /** One look, where nobody follows the links; undefined if the system refuses it. */
  async look(): Promise<LinkEvidence | undefined> {
    const snapshot = await lookAtLinks(this.#destinations());
    return refusalIn(snapshot) === undefined ? linkEvidenceOf(snapshot) : undefined;
  }

  /** True if the kernel had shown no way out from before the check on, all the time. */
  contradicts(before: LinkState | undefined, startedAt: number): boolean {
    const now = this.state();
    if (before === undefined || now === undefined || before.evidence.ok || now.evidence.ok) return false;
    return before.sinceMs === now.sinceMs && before.sinceMs < startedAt;
  }

  /** Tells a change in the log. */
  tell({ kind, state: { evidence, sinceMs } }: LinkEvent): void {
    this.deps.post({
      kind: 'note',
      level: 'debug',
      message: evidence.ok
        ? 'The way out has changed'
        : `No way out: ${evidence.detail ?? evidence.reason ?? 'unknown'}`,
      fields: { event: kind, ...(evidence.ok ? {} : { ms: Math.round(performance.now() - sinceMs) }) },
    });
  }

  #destinations(): readonly string[] {
    return destinationsOf(this.deps.host(), this.deps.proxy(), this.deps.lastGood());
  }
}

/** The evidence of a check that sent no packet, since the kernel shows no way out. */
export function kernelsWord(checkId: number, link: LinkEvidence, trigger: CheckTrigger): CheckEvidence {
  const reason = link.reason ?? 'no-route';
  return {
    checkId,
    trigger,
    startedAtMs: Date.now(),
    ms: 0,
    ok: false,
    reason,
    link,
    https: [],
  };
}

/**
 * The way that matters is the one to the site, or to the proxy that leads there; before its address is known, the one to the internet at large. A proxy
 * may be all there is, so before its address is known an address of our own is way enough; one on this machine has the same way out as we have.
 */
function destinationsOf(host: string, proxy: string | undefined, lastGood: string | undefined): readonly string[] {
  if (proxy !== undefined) {
    if (isThisMachine(proxy)) return DESTINATIONS;
    if (isIP(proxy) !== 0) return [proxy];
    return lastGood === undefined ? [] : [lastGood];
  }
  if (/^[\d.]+$|:/.test(host)) return [host];
  if (host === 'localhost' || host.endsWith('.localhost')) return ['127.0.0.1'];
  return lastGood === undefined ? DESTINATIONS : [...DESTINATIONS, lastGood];
}

function plain(fields: object): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]: [string, unknown]) => [
      key,
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : String(value),
    ]),
  );
}
