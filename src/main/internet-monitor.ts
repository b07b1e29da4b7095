/**
 * Knows whether the internet is really there. The checks run in a worker thread; here are the verdict, its listeners and the words of the log.
 *
 * ```ts
 * const monitor = new InternetConnectionMonitor({ testDomain: 'example.org', checkIntervalSecs: 15, timeoutSecs: 3 });
 * monitor.onConnected(() => console.log('Internet restored!'));
 * monitor.start();
 * ```
 */
import type { Carried, CheckEvidence, VerdictState, WorkerSettings } from '../workers/protocol.js';
import { systemClock } from './base/clock.js';
import { loadTrust, type Trust } from '../workers/net/trust.js';
import { Listeners } from './base/guard.js';
import { humanDuration } from './base/duration.js';
import { adviceOn, evidenceFields } from './evidence-text.js';
import { AskedChecks } from './internet-monitor/asked-checks.js';
import { MonitorError } from './internet-monitor/error.js';
import {
  monitorSettingsOf,
  workerSettingsOf,
  type MonitorOptions,
  type MonitorSettings,
} from './internet-monitor/options.js';
import type { InternetMonitorStatus, StatusListener, WaitOptions } from './internet-monitor/status.js';
import { CarriedByWorkers } from './internet-monitor/carried.js';
import { liveAnswer } from './internet-monitor/live-connection.js';
import { RefusedChecks } from './internet-monitor/refused-checks.js';
import { Teller } from './internet-monitor/teller.js';
import { Waits } from './internet-monitor/waits.js';
import { WorkerHost, type MonitorMessage } from './internet-monitor/worker-host.js';
import type { Logger } from './log.js';
import { reasonWords } from './troubles.js';
import { hostsOf, type Settings } from './settings.js';

export { MonitorError, type MonitorErrorCode } from './internet-monitor/error.js';
export { monitorSettingsOf, type MonitorOptions, type MonitorSettings } from './internet-monitor/options.js';
export type { InternetMonitorStatus, StatusListener, WaitOptions } from './internet-monitor/status.js';

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  showsDebug: () => false,
};
const WORKER_MODULE = new URL('../workers/connectivity.js', import.meta.url);
/** A check that was asked for may have to wait for a running one and for a new worker, milliseconds beyond twice the longest check. */
const CHECK_GRACE_MS = 10_000;

/** Whoever waits for a listener that takes longer has noticed it, milliseconds (RAIL: an answer within 100 ms is at once). */
const SLOW_LISTENER_MS = 100;

/** `sinceMs` of a state is the worker's; what {@link InternetConnectionMonitor.status} tells is reckoned by our own clock. */
const UNKNOWN: VerdictState = { verdict: 'unknown', sinceMs: 0 };

/** The document's `InternetConnectionMonitor`. Start it once; several listeners may be added at any time. */
export class InternetConnectionMonitor {
  readonly #log: Logger;
  readonly #connected: Listeners<InternetMonitorStatus>;
  readonly #disconnected: Listeners<InternetMonitorStatus>;
  readonly #wayOutChanged: Listeners<undefined>;
  readonly #refused: RefusedChecks;
  readonly #checkEnded: Listeners<CheckEvidence>;
  #options: MonitorOptions;
  #settings: WorkerSettings;
  #host: WorkerHost | undefined;
  #state: VerdictState = UNKNOWN;
  /** When that verdict came, by a clock that is never set: a Pi gets the right time only once the internet is back. */
  #changedAtMs = performance.now();
  #lastEvidence: CheckEvidence | undefined;
  readonly #carried = new CarriedByWorkers();
  /** As the worker said with its last check. */
  #lookAgainMs = 0;
  readonly #teller: Teller;
  readonly #asked = new AskedChecks();
  readonly #waits = new Waits();

  /** @throws {MonitorError} ERR_INVALID_OPTION */
  constructor(options: MonitorOptions = {}) {
    this.#options = options;
    this.#log = options.log ?? SILENT;
    this.#settings = this.#settingsOf(options);
    this.#teller = new Teller(this.#log);
    const slowMs = options.slowListenerMs ?? SLOW_LISTENER_MS;
    this.#connected = new Listeners(this.#log, 'connected', { slowMs, tellRuns: true });
    this.#disconnected = new Listeners(this.#log, 'disconnected', { slowMs, tellRuns: true });
    this.#wayOutChanged = new Listeners(this.#log, 'way out', { slowMs });
    this.#refused = new RefusedChecks(this.#log);
    this.#checkEnded = new Listeners(this.#log, 'check', { slowMs });
  }

  /** Begins to check, at once and then at each interval. A second call does nothing. */
  start(): void {
    if (this.#host !== undefined) return;
    const settings = this.#settings;
    this.#reset();
    this.#host = new WorkerHost({
      settings,
      verdict: () => this.#state,
      onMessage: (message) => this.#heard(message),
      onReplaced: () => {
        for (const message of this.#asked.unanswered) this.#host?.post(message);
      },
      log: this.#log,
      memoryMb: this.#options.workerMemoryMb ?? 48,
      module: this.#options.workerModule ?? WORKER_MODULE,
    });
    this.#host.start();
    this.#log.debug(
      {
        host: settings.host,
        port: settings.port,
        intervalSecs: settings.intervalMs / 1_000,
        timeoutSecs: settings.timeoutMs / 1_000,
      },
      'The internet checks begin',
    );
  }

  /** Ends the checks; resolves within 3 s, when thread, port and timers are gone. The verdict is unknown then. */
  async stop(): Promise<void> {
    const host = this.#host;
    if (host === undefined) return;
    this.#host = undefined;
    this.#reset();
    this.#teller.reset();
    const stopped = new MonitorError('ERR_MONITOR_STOPPED', 'The internet monitor was stopped');
    this.#asked.end(stopped);
    this.#waits.end(stopped);
    await host.stop();
  }

  /** True if the verdict is online. */
  get isConnected(): boolean {
    return this.#state.verdict === 'online';
  }

  get status(): InternetMonitorStatus {
    // Reckoned back from now, so that a clock which was set meanwhile makes no moment of years ago of it.
    const sinceMs = Math.round(systemClock.wallMs() - (performance.now() - this.#changedAtMs));
    const state = { ...this.#state, sinceMs };
    return this.#lastEvidence === undefined ? state : { ...state, lastEvidence: this.#lastEvidence };
  }

  /** Bytes of the checks since the monitor was made, without the headers of the packets and the questions to name servers. */
  get carried(): Carried {
    return this.#carried.sum;
  }

  /** How the monitor itself is; `problem` says what is wrong, in words. */
  get health(): { readonly problem: string | undefined } {
    return { problem: this.#host?.problem };
  }

  /** Seconds from one look to the next while offline, as it is now: where bytes are saved it grows with the outage. */
  get offlineIntervalSecs(): number {
    const { offlineIntervalMs, dataSaver } = this.#settings;
    const isStretched = dataSaver !== undefined && this.#state.verdict === 'offline';
    return isStretched
      ? Math.max(offlineIntervalMs / 1_000, Math.round(this.#lookAgainMs / 1_000))
      : offlineIntervalMs / 1_000;
  }

  /** Called when the verdict becomes online, the first one included. Returns the remover. */
  onConnected(listener: StatusListener): () => void {
    return this.#connected.add(listener);
  }

  /** Called when the verdict becomes offline, the first one included. Returns the remover. */
  onDisconnected(listener: StatusListener): () => void {
    return this.#disconnected.add(listener);
  }

  /**
   * Called with what each check saw, before a change of the verdict that it brings; up to 2 s later where it saw the same as the one before. Returns the
   * remover.
   */
  onChecked(listener: (evidence: CheckEvidence) => unknown): () => void {
    return this.#checkEnded.add(listener);
  }

  /** Called when this machine's packets leave by another way than before, by the kernel's tables. Returns the remover. */
  onWayOutChanged(listener: () => unknown): () => void {
    return this.#wayOutChanged.add(listener);
  }

  /**
   * Checks now, and resolves when that check has ended; the verdict may still want it confirmed by another. `fresh`: by a new connection, since
   * somebody failed to open one. Default false.
   * @throws {MonitorError} ERR_MONITOR_STOPPED, ERR_CHECK_TIMEOUT
   */
  checkNow({ fresh = false }: { readonly fresh?: boolean } = {}): Promise<InternetMonitorStatus> {
    const host = this.#host;
    if (host === undefined) {
      return Promise.reject(
        new MonitorError('ERR_MONITOR_STOPPED', 'The internet monitor is not running: start it first'),
      );
    }
    const deadlineMs = 4 * this.#settings.timeoutMs + CHECK_GRACE_MS;
    return this.#asked.ask((message) => host.post(message), fresh, deadlineMs);
  }

  /**
   * Resolves when the verdict is online, at once if it is.
   * @throws {MonitorError} ERR_WAIT_TIMEOUT, ERR_MONITOR_STOPPED
   * @throws the signal's reason, if it aborts
   */
  waitForConnection(options: WaitOptions = {}): Promise<void> {
    return this.isConnected ? Promise.resolve() : this.#waits.wait((listener) => this.onConnected(listener), options);
  }

  /** New settings, from the next check on, which begins at once. @throws {MonitorError} ERR_INVALID_OPTION */
  configure(settings: MonitorSettings): void {
    const options = { ...this.#options, ...settings };
    const before = this.#settings;
    const after = this.#settingsOf(options);
    this.#options = options;
    this.#settings = after;
    if (JSON.stringify(after) !== JSON.stringify(before)) this.#host?.configure(after);
  }

  #settingsOf(options: MonitorOptions): WorkerSettings {
    return { ...workerSettingsOf(options), tellsEach: this.#log.showsDebug?.() !== false };
  }

  #reset(): void {
    this.#state = UNKNOWN;
    this.#changedAtMs = performance.now();
  }

  #heard(message: MonitorMessage): void {
    switch (message.kind) {
      case 'looked':
        break;
      case 'note':
        this.#log[message.level](message.fields ?? {}, message.message);
        break;
      case 'checked':
        this.#carried.heard(message.carried);
        this.#lookAgainMs = message.lookAgainMs;
        this.#checked(message.evidence, message.state, message.answers);
        break;
      case 'changed':
        this.#changed(message.state);
        break;
      case 'way-out-changed':
        this.#wayOutChanged.tell(undefined);
        break;
      case 'ask-live':
        void liveAnswer(this.#options.liveConnection, message.withinMs, this.#log).then((answer) =>
          this.#host?.post({ kind: 'live', id: message.id, answer }),
        );
        break;
    }
  }

  /** A change of the verdict is taken over by the `changed` that follows, so that it is never seen before its listeners are told. */
  #checked(evidence: CheckEvidence, state: VerdictState, answers: readonly number[]): void {
    this.#lastEvidence = evidence;
    const { verdict, reason } = state;
    if (this.#log.showsDebug?.() !== false) {
      this.#log.debug(
        { verdict, ...evidenceFields(evidence) },
        evidence.ok
          ? `Internet check passed in ${evidence.ms} ms`
          : `Internet check failed (${evidence.reason ?? evidence.refused ?? 'unknown'}) after ${evidence.ms} ms`,
      );
    }
    this.#teller.checked(evidence);
    this.#refused.saw(evidence);
    if (verdict === this.#state.verdict) {
      this.#state = state;
      if (verdict === 'offline' && reason !== undefined) this.#teller.stillOffline(reason, adviceOn(this.status));
    }
    this.#checkEnded.tell(evidence);
    if (answers.length === 0) return;
    // After a change that comes with it.
    queueMicrotask(() => {
      this.#asked.answered(answers, this.status);
    });
  }

  #changed(state: VerdictState): void {
    const before = this.#state;
    const lastedMs = performance.now() - this.#changedAtMs;
    this.#state = state;
    this.#changedAtMs = performance.now();
    const { verdict, reason } = state;
    if (verdict === 'online') {
      this.#teller.online();
      const again = before.verdict === 'offline';
      this.#log.info(
        { verdict, ...(again ? { offlineSecs: Math.round(lastedMs / 100) / 10 } : {}) },
        again ? `Online again after ${humanDuration(lastedMs)}` : 'Online: the internet is there',
      );
      this.#connected.tell(this.status);
    } else if (verdict === 'offline' && reason !== undefined) {
      this.#teller.offline(reason);
      const { dns, https, link, portal } = this.#lastEvidence === undefined ? {} : evidenceFields(this.#lastEvidence);
      this.#log.warn(
        { verdict, reason, link, dns, https, portal },
        `Offline: ${reasonWords(reason)}; looking again every ${this.#offlinePaceWords()}. ${adviceOn(this.status) ?? ''}`,
      );
      this.#disconnected.tell(this.status);
    }
  }

  #offlinePaceWords(): string {
    const { offlineIntervalMs, dataSaver } = this.#settings;
    const first = `${offlineIntervalMs / 1_000} s`;
    if (dataSaver === undefined) return first;
    return `${first} at first, then within a tenth of the outage, every ${dataSaver.lookEveryMs / 1_000} s at least (data saver)`;
  }
}

export interface FromSettings extends Pick<
  MonitorOptions,
  'log' | 'witnesses' | 'liveConnection' | 'dataSaver' | 'slowListenerMs'
> {
  /** The certificates that are trusted. Default: Node's, Debian's, and those of `caFile` and NODE_EXTRA_CA_CERTS, read now. */
  readonly trust?: Trust;
}

/**
 * The document's shared instance: a monitor that is configured from the settings. Make it once, and hand it to whom it concerns.
 * `witnesses`: default are the hosts that a sign-in by these settings needs. `dataSaver`: default is the setting; `auto` is off, unless whoever calls finds it out.
 * @throws {MonitorError} ERR_INVALID_OPTION
 */
export function createInternetMonitor(settings: Settings, options: FromSettings = {}): InternetConnectionMonitor {
  const { log, trust: given, ...others } = options;
  const trust = given ?? loadTrust({ env: process.env, caFile: settings.caFile });
  // Whoever has loaded them has said what is wrong about them.
  for (const problem of given === undefined ? trust.problems : [])
    log?.error({}, `Certificates: ${problem}; going on with the others`);
  return new InternetConnectionMonitor({
    witnesses: hostsOf(settings),
    ...monitorSettingsOf(settings),
    // Nobody asks NetworkManager here.
    dataSaver: settings.dataSaver === true,
    ...others,
    ca: trust.pem,
    hasCaStore: trust.hasStore,
    ...(log && { log }),
  });
}
