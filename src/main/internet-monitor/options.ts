/** The monitor's options, and what the worker is told of them. */
import type { HostAndPort, SaverPace, WorkerSettings } from '../../workers/protocol.js';
import type { Logger } from '../log.js';
import type { Settings } from '../settings.js';
import { parseHostPort, proxyOf } from '../settings.js';
import { MonitorError } from './error.js';
import type { AskLiveConnection } from './live-connection.js';

/** What can be changed while the monitor runs. */
export interface MonitorSettings {
  /**
   * HTTPS site whose answer proves the internet: a host name, an IP literal or `localhost`, with `:port` if it is not 443. Several are separated
   * by commas; the first is asked, the others are the first of the witnesses. Default `smart.dunebugger.it` (the document).
   */
  readonly testDomain?: string;
  /**
   * Other hosts (`host` or `host:port`) whose verified TLS handshake proves the internet where the site fails: asked with the check that
   * confirms its failure, then every 30 s at most. At most 8. Default: none.
   */
  readonly witnesses?: readonly string[];
  /** Time from the start of one check to that of the next, seconds, from 0.05 to 86,400. Default 7 (the document). */
  readonly checkIntervalSecs?: number;
  /** Deadline of each phase of a check (names; connect, TLS and answer), seconds, from 0.05 to 60. Default 2 (the document). */
  readonly timeoutSecs?: number;
  /** Checks in a row that must fail before the verdict is offline, from 1 to 10. Default 2: one lost packet is no outage. */
  readonly failuresToOffline?: number;
  /** Checks in a row that must succeed before the verdict is online, from 1 to 10. Default 1. */
  readonly successesToOnline?: number;
  /** Name servers to ask, `address` or `address:port`. Default: the system's, as they are at each check. */
  readonly nameServers?: readonly string[];
  /**
   * Proxy for all that is asked: `http://user:password@host:port`, or `https://` for TLS to the proxy itself. Default, and the empty text: none. The
   * environment is not looked at.
   */
  readonly httpsProxy?: string;
  /** Who is reached without it: names (with all below them), addresses, networks (`192.0.2.0/24`), `*`; this machine always is. Default: nobody. */
  readonly noProxy?: readonly string[];
  /**
   * The line is paid by the byte: a live connection that answers, asked every 75 s, is the proof, and the site is asked where it does not, and once
   * an hour; every 5 min where no connection lives. An outage is noticed after 83 s at the most (default settings), not 11 s. While offline it is looked again
   * within a tenth of the outage, every 75 s at least. Default false.
   */
  readonly dataSaver?: boolean | DataSaverOptions;
}

/** Seconds, each from 0.05 to 86,400. */
export interface DataSaverOptions {
  /** From one question to the live connection to the next. Default 75: 0.32 MB a day on the wire, and a network that forgets idle connections does so after minutes. */
  readonly lookEverySecs?: number;
  /** The site is asked all the same, since a firewall may let old connections live and no new ones. Default 3,600. */
  readonly checkEverySecs?: number;
  /** The same where no connection lives. Default 300. */
  readonly checkAloneEverySecs?: number;
}

export interface MonitorOptions extends MonitorSettings {
  /** PEM certificates to trust instead of Node's. Default: Node's, and those of NODE_EXTRA_CA_CERTS. */
  readonly ca?: string;
  /** False: this system has no store of certificates, which explains one that nobody vouches for. Default true. */
  readonly hasCaStore?: boolean;
  /**
   * Let a check that failed wait, within its bound, for what answers over plain HTTP, so that one look names a portal. Default false: the confirming
   * check tells.
   */
  readonly waitForPortal?: boolean;
  /**
   * Asks a connection that lives whether it answers, where the site fails: resolves within `withinMs`. Undefined: none lives now. One that answers
   * keeps the verdict online, unless a firewall or a portal may be letting only old connections live. Default: there is none.
   */
  readonly liveConnection?: AskLiveConnection;
  /** Follow the kernel's link, address and route changes (Linux, by the `ip` command). Default true. */
  readonly followLinks?: boolean;
  /** Default: silent. */
  readonly log?: Logger;
  /** A listener that keeps everything else waiting for longer is said at warning, milliseconds. Default 100. */
  readonly slowListenerMs?: number;
  /** Heap the worker thread may have, MB; beyond that it is replaced. Default 48: it needs some 8. */
  readonly workerMemoryMb?: number;
  /** Module of the worker's task, a file URL. Default: this package's own. */
  readonly workerModule?: URL;
}

/** While offline it is looked again after this time, or the interval if that is shorter, milliseconds. */
const OFFLINE_INTERVAL_MS = 2_000;
/** A failed check is confirmed by another, begun not sooner than this after the first, milliseconds. */
const CONFIRM_AFTER_MS = 1_000;
/** Hosts asked beside the site, at the most. */
const MAX_WITNESSES = 8;

/** The options, checked and with their defaults. @throws {MonitorError} ERR_INVALID_OPTION */
export function workerSettingsOf(options: MonitorOptions): WorkerSettings {
  const [site, ...otherSites] = hosts('testDomain', (options.testDomain ?? 'smart.dunebugger.it').split(','));
  if (site === undefined) throw new MonitorError('ERR_INVALID_OPTION', 'testDomain is empty: name a site');
  const intervalMs = 1_000 * within('checkIntervalSecs', options.checkIntervalSecs ?? 7, 0.05, 86_400);
  const { httpsProxy = '', noProxy = [] } = options;
  const proxy = proxyOf({ httpsProxy, noProxy });
  if (httpsProxy !== '' && proxy === undefined)
    throw new MonitorError(
      'ERR_INVALID_OPTION',
      'httpsProxy is not allowed: give http://host:port or https://host:port',
    );
  const saver = saverPaceOf(options.dataSaver ?? false);
  const timeoutMs = 1_000 * within('timeoutSecs', options.timeoutSecs ?? 2, 0.05, 60);
  return {
    host: site.host,
    port: site.port,
    witnesses: [...otherSites, ...hosts('witnesses', options.witnesses ?? [])].slice(0, MAX_WITNESSES),
    intervalMs,
    offlineIntervalMs: Math.min(OFFLINE_INTERVAL_MS, intervalMs),
    timeoutMs,
    failuresToOffline: whole('failuresToOffline', options.failuresToOffline ?? 2, 1, 10),
    successesToOnline: whole('successesToOnline', options.successesToOnline ?? 1, 1, 10),
    confirmAfterMs: Math.min(CONFIRM_AFTER_MS, intervalMs),
    nameServers: options.nameServers ?? [],
    ...(proxy === undefined ? {} : { proxy }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    hasCaStore: options.hasCaStore ?? true,
    waitForPortal: options.waitForPortal ?? false,
    ...(saver === undefined ? {} : { dataSaver: saver }),
    followLinks: options.followLinks ?? true,
  };
}

function saverPaceOf(dataSaver: boolean | DataSaverOptions): SaverPace | undefined {
  if (dataSaver === false) return undefined;
  const { lookEverySecs = 75, checkEverySecs = 3_600, checkAloneEverySecs = 300 } = dataSaver === true ? {} : dataSaver;
  return {
    lookEveryMs: 1_000 * within('dataSaver.lookEverySecs', lookEverySecs, 0.05, 86_400),
    checkEveryMs: 1_000 * within('dataSaver.checkEverySecs', checkEverySecs, 0.05, 86_400),
    checkAloneEveryMs: 1_000 * within('dataSaver.checkAloneEverySecs', checkAloneEverySecs, 0.05, 86_400),
  };
}

function hosts(name: string, texts: readonly string[]): HostAndPort[] {
  return texts.map((text) => {
    const site = parseHostPort(text.trim());
    if (site !== undefined) return { host: site.host, port: site.port ?? 443 };
    throw new MonitorError(
      'ERR_INVALID_OPTION',
      `${name} "${text}" is not allowed: give a host name or IP address, with a port if need be, without https:// and without a path`,
    );
  });
}

/** The daemon's settings, as options. */
export function monitorSettingsOf(settings: Settings): Required<Omit<MonitorSettings, 'witnesses' | 'dataSaver'>> {
  return {
    testDomain: settings.testDomain,
    checkIntervalSecs: settings.connectionIntervalSecs,
    timeoutSecs: settings.connectionTimeoutSecs,
    failuresToOffline: settings.failuresToOffline,
    successesToOnline: settings.successesToOnline,
    nameServers: settings.nameServers,
    httpsProxy: settings.httpsProxy,
    noProxy: settings.noProxy,
  };
}

function within(name: string, value: number, least: number, most: number): number {
  if (value >= least && value <= most) return value;
  throw new MonitorError(
    'ERR_INVALID_OPTION',
    `${name} = ${value} is not allowed: give a number from ${least} to ${most}`,
  );
}

function whole(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value)) return within(name, value, least, most);
  throw new MonitorError('ERR_INVALID_OPTION', `${name} = ${value} is not allowed: give a whole number`);
}
