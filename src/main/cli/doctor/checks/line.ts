/**
 * Does the line lose packets, and how long does one take? By connections to the test site that are opened and closed: what takes a second longer
 * than the others has lost its first packet or the answer to it (RFC 6298, 2.1: it is sent again after a second). Where names are not found, by
 * questions to the name server: each is one packet there and one back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseHostPort, proxyOfSite, type Settings } from '../../../settings.js';
import { openAddress } from '../../../../workers/net/open-address.js';
import { resolveHost } from '../../../../workers/net/resolve.js';
import type { OfflineReason } from '../../../../workers/protocol.js';
import { skipBehind } from '../blame.js';
import { pass, skip, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

/** Some 5 kB in all. */
const TRIES = 24;
/** A name, milliseconds. */
const NAME_MS = 2_000;
const SPACING_MS = 40;
const TRY_MS = 2_000;
/** A shorter try would take a slow line for one that loses packets. */
const LEAST_TRY_MS = 1_200;
/** So much longer than the others: a packet was lost, milliseconds. */
const SENT_AGAIN_MS = 800;
/** One lost packet is nobody's fault. */
const LOST = 2;
/** There and back, milliseconds. */
const SLOW_MS = 300;
/** Whoever has raised the time-out knows about the line, seconds. */
const PATIENT_SECS = 5;
/** Looked at so often whether this process is kept from working, and counted from then on, milliseconds. */
const TICK_MS = 20;
const STALL_MS = 100;

/** What a line that loses packets may look like. */
const MAY_BE_LOSS: readonly OfflineReason[] = ['dns-timeout', 'tcp-timeout', 'tls-failed', 'http-timeout'];

export class LineCheck implements Check {
  readonly id = 'line';
  readonly area = 'network';
  readonly title = 'line';

  /** Beside the check of the internet, whose time-outs would leave none for it. */
  async run({ internet, configuration, signal, leftMs }: Facts): Promise<Finding> {
    const { settings } = await configuration();
    const site = proxyOfSite(settings) ?? parseHostPort(settings.testDomain.split(',')[0] ?? '');
    if (site === undefined) return skip('nobody is known who could be asked');
    const dns = await resolveHost({ host: site.host, timeoutMs: NAME_MS, nameServers: settings.nameServers });
    const port = site.port ?? 443;
    const address = await openAddressOf(dns.addresses, port, signal);
    const ask = questionOf(address, dns.servers, site.host, port);
    const finding = ask === undefined ? undefined : await this.#ask(ask, settings, leftMs(), signal);
    const evidence = await internet();
    const { reason } = evidence ?? {};
    const behind = skipBehind('hosts', evidence);
    if (behind !== undefined && (reason === undefined || !MAY_BE_LOSS.includes(reason))) return behind;
    return finding ?? behind ?? skip('nobody is known who could be asked');
  }

  async #ask(ask: Ask, settings: Settings, leftMs: number, signal: AbortSignal): Promise<Finding> {
    const tryMs = Math.min(TRY_MS, Math.floor(leftMs) - TRIES * SPACING_MS);
    if (tryMs < LEAST_TRY_MS) return skip('there was no time left for it');
    const stalls = new Stalls();
    const times = await Promise.all(
      Array.from({ length: TRIES }, async (_, i) => {
        await sleep(i * SPACING_MS, undefined, { signal }).catch(() => undefined);
        const ms = await ask(tryMs, signal);
        return ms === undefined ? undefined : Math.max(0, ms - stalls.justNowMs);
      }),
    );
    stalls.stop();
    return judge(times, settings.connectionTimeoutSecs >= PATIENT_SECS);
  }
}

/** Resolves with the milliseconds until the answer; undefined: none came in time. */
type Ask = (withinMs: number, signal: AbortSignal) => Promise<number | undefined>;

/** The first to open; one that does not where none does. Of two families one may be dead, which is another check's to tell. */
async function openAddressOf(
  addresses: readonly string[],
  port: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const tries = addresses.map(async (address) => {
    if ((await connectionMs(address, port, LEAST_TRY_MS, signal)) === undefined) throw new Error('not open');
    return address;
  });
  return Promise.any(tries).catch(() => addresses[0]);
}

function questionOf(
  address: string | undefined,
  servers: readonly string[],
  host: string,
  port: number,
): Ask | undefined {
  if (address !== undefined) return (withinMs, signal) => connectionMs(address, port, withinMs, signal);
  const [server] = servers;
  return server === undefined ? undefined : (withinMs, signal) => answerMs(host, server, withinMs, signal);
}

async function connectionMs(
  address: string,
  port: number,
  withinMs: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  const opened = await openAddress({
    address,
    host: address,
    port,
    tls: undefined,
    signal: AbortSignal.any([signal, AbortSignal.timeout(withinMs)]),
  });
  if (!opened.ok) return undefined;
  opened.socket.destroy();
  return opened.steps.tcpMs;
}

/** One question: it is not repeated within a second. */
async function answerMs(
  host: string,
  server: string,
  withinMs: number,
  signal: AbortSignal,
): Promise<number | undefined> {
  const families = { v4: true, v6: false };
  // Asked once more after half of its time: what comes by then is the answer to the first.
  const dns = await resolveHost({ host, timeoutMs: withinMs, nameServers: [server], families, signal });
  return dns.trouble === 'silent' || dns.ms >= withinMs / 2 ? undefined : dns.ms;
}

/** How long this process was kept from working just before: an answer that came meanwhile is told late, and that is not the line's fault. */
class Stalls {
  #tickedAt = performance.now();
  #last = { endedAt: -Infinity, ms: 0 };
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now();
      const ms = now - this.#tickedAt - TICK_MS;
      this.#tickedAt = now;
      if (ms > STALL_MS) this.#last = { endedAt: now, ms };
    }, TICK_MS);
  }

  /** Also where the tick itself is still late. */
  get justNowMs(): number {
    const now = performance.now();
    const lateMs = now - this.#tickedAt - TICK_MS;
    if (lateMs > STALL_MS) return lateMs;
    return now - this.#last.endedAt < TICK_MS ? this.#last.ms : 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** @param times milliseconds until each was answered; undefined: it was not, in time */
export function judge(times: readonly (number | undefined)[], patient: boolean): Finding {
  const answered = times.filter((ms) => ms !== undefined).sort((a, b) => a - b);
  const [least] = answered;
  const median = answered[Math.floor(answered.length / 2)];
  if (median === undefined || least === undefined || answered.length < times.length / 4) {
    return skip('hardly anything comes back now');
  }
  const lost = times.filter((ms) => ms === undefined || ms > median + SENT_AGAIN_MS).length;
  const words = `a packet takes ${Math.round(median)} ms there and back`;
  if (lost >= LOST) return warn('line-lossy', `of ${times.length} tries ${lost} lost a packet; otherwise ${words}`);
  return least > SLOW_MS && !patient ? warn('line-slow', words) : pass(`${words}, none is lost`);
}
