/**
 * The daemon: what exists, and who is handed to whom. Read this file first.
 *
 *   internet monitor (its checks run in a worker thread)
 *        | verdicts                       ^ "look again": a close nobody asked for
 *        v                                |
 *   connection supervisor --- opens ---> Web PubSub session, with a URL from the credentials
 *        ^ sends      | group messages
 *        |            v
 *   remote: router, heartbeat, outbox, component watch, system_info <---> NATS bus (core, scheduler)
 */
import { systemClock } from './base/clock.js';
import { createClockWatch } from './clock.js';
import { askNetworkManager } from './data/network-manager.js';
import { DataSaver } from './data/saver.js';
import { DataUse } from './data/use.js';
import { contributionsOf } from './contributions.js';
import type { ClockWatch } from './clock/watch.js';
import { createCredentials } from './connection/credentials/create.js';
import type { ClientAccessUrlProvider } from './connection/credentials/provider.js';
import { credentialsOf, policyOf } from './connection/policy.js';
import { ConnectionSupervisor } from './connection/supervisor.js';
import { createOpenSession } from './connection/web-pubsub.js';
import { createInternetMonitor, monitorSettingsOf, type InternetConnectionMonitor } from './internet-monitor.js';
import { foldRepeats, numbersAside, type DaemonLogger, type FoldingLogger, type Logger } from './log.js';
import { createLookup } from './net/lookup.js';
import { proxyNotice } from './net/proxy-notice.js';
import { loadHouseTrust } from './net/house-trust.js';
import { createRemote, type Remote } from './remote.js';
import { NO_CONNECTION } from './remote/no-connection.js';
import { tellHistory } from './historian.js';
import { diffSettings, hostsOf, nameOf, proxyOf, takeOverLive, tellable, type Settings } from './settings.js';
import { Observation } from './observe/observation.js';
import type { PageAddress } from './observe/page-server.js';
import type { Parts as ObservedParts } from './observe/parts.js';
import type { StandingParts } from './observe/snapshot.js';
import type { SystemdNotifier } from './systemd.js';
import { carriedFor } from '../workers/net/meter.js';
import type { CheckEvidence } from '../workers/protocol.js';

export interface DaemonOptions {
  readonly settings: Settings;
  readonly log: DaemonLogger;
  readonly notifier: SystemdNotifier;
  /** This package's version, for the log and system_info. */
  readonly version: string;
  /** The machine has just booted, and this with it: see `boot.ts`. Default false. */
  readonly boot?: boolean;
  /** The service's own directory that outlives it. Default: none. */
  readonly stateDirectory?: string | undefined;
}

/** What goes on without the cloud. */
interface LocalParts {
  readonly remote: Remote;
  readonly clock: ClockWatch;
}

/** Everything that runs while the connection is wanted. */
interface Parts extends LocalParts {
  readonly monitor: InternetConnectionMonitor;
  readonly connection: ConnectionSupervisor;
  readonly credentials: ClientAccessUrlProvider;
  readonly dataSaver: DataSaver;
  readonly dataUse: DataUse;
}

/** How often an idle daemon wakes up; only so that the process stays. */
const IDLE_MS = 3_600_000;
/** The status line is put together again at least this often, as times in it grow old. */
const STATUS_MS = 60_000;
/** The listeners here are our own; a Pi under load is not news, a part that blocks the others for so long is. */
const SLOW_LISTENER_MS = 1_000;
/**
 * A message is said so often within ten minutes, numbers aside; then it is counted and told in one line. An outage is told in full, a day of
 * flapping fills no disk.
 */
const FOLD = { windowMs: 600_000, burst: 20, keyOf: numbersAside } as const;

export class Daemon {
  readonly #options: DaemonOptions;
  readonly #log: DaemonLogger;
  /** What the parts log to. */
  readonly #folded: FoldingLogger;
  #settings: Settings;
  /** On the clock that is never set. */
  readonly #startedAt = performance.now();
  readonly #observation: Observation;
  #parts: Parts | undefined;
  /** Set where the connection is not wanted. */
  #local: LocalParts | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastStatus = '';
  /** Of the last check. */
  #refused: string | undefined;
  /** A reload that was on its way must not call the daemon ready again. */
  #stopped = false;

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#folded = foldRepeats(options.log, FOLD);
    this.#settings = options.settings;
    this.#observation = new Observation({
      parts: () => this.#contributions(),
      standing: () => this.#standing(),
      settings: () => tellable(this.#settings, process.env),
      lookNow: async () => this.#parts?.monitor.checkNow(),
      controlSocket: options.settings.controlSocket,
      page: pageAddressOf(options.settings),
      env: process.env,
      log: options.log,
      version: options.version,
      stateDirectory: options.settings.keepHistory ? options.stateDirectory : undefined,
    });
  }

  /** Resolves when the daemon is in its loop; whether there is internet plays no part. */
  async start(): Promise<void> {
    const { notifier } = this.#options;
    await this.#observation.start();
    if (this.#stopped) return;
    if (!this.#settings.websocketEnabled) {
      this.#log.info(
        {},
        'websocketEnabled is False: neither the internet monitor nor the cloud connection is started, only the bus, the component watch and the clock; set it to True and restart to change that',
      );
      this.#timer = setInterval(() => undefined, IDLE_MS);
      const clock = createClockWatch(this.#settings, this.#folded);
      const remote = createRemote({
        settings: this.#settings,
        connection: NO_CONNECTION,
        monitor: { isConnected: false },
        log: this.#folded,
        version: this.#options.version,
        ca: loadHouseTrust(this.#settings.caFile, process.env, this.#folded).pem,
        clockStatus: clock,
        verdict: this.#observation.verdict,
      });
      this.#local = { remote, clock };
      this.#observation.verdict.look();
      remote.start();
      clock.start();
      notifier.startWatchdog(() => undefined);
      clock.onChange(() => this.#tellStatus());
      this.#lastStatus = this.#status();
      await notifier.ready(this.#lastStatus);
      return;
    }
    const parts = build(() => this.#settings, this.#folded, this.#options, this.#observation);
    this.#parts = parts;
    parts.monitor.onConnected(() => this.#tellStatus());
    parts.monitor.onConnected(() => parts.clock.lookNow());
    parts.monitor.onChecked((evidence) => this.#checked(parts.clock, evidence));
    parts.clock.onChange(() => this.#tellStatus());
    parts.monitor.onDisconnected(() => this.#tellStatus());
    parts.connection.onStateChange(() => this.#tellStatus());
    parts.monitor.onChecked((evidence) => this.#observation.checked(evidence));
    parts.monitor.onChecked(() => this.#observation.verdict.look());
    parts.monitor.onWayOutChanged(() => parts.connection.wayOutChanged());
    parts.monitor.onWayOutChanged(() => parts.dataSaver.wayOutChanged());
    tellHistory(parts.monitor, parts.connection, this.#observation);
    this.#timer = setInterval(() => {
      this.#tellStatus();
      parts.dataUse.tick();
    }, STATUS_MS);

    parts.dataSaver.start();
    parts.remote.start();
    parts.connection.start();
    parts.monitor.start();
    parts.clock.start();
    notifier.startWatchdog(() => parts.monitor.health.problem);
    this.#lastStatus = this.#status();
    await notifier.ready(this.#lastStatus);
  }

  /** Takes over what can change while running and names what cannot. Never throws for a setting. */
  async reload(settings: Settings): Promise<void> {
    const { notifier } = this.#options;
    await notifier.reloading();
    if (this.#stopped) return;
    const { live, restart } = diffSettings(this.#settings, settings);
    if (live.length > 0) {
      this.#settings = takeOverLive(this.#settings, settings);
      this.#log.setLevel(this.#settings.dunebuggerLogLevel);
      this.#parts?.monitor.configure(monitorSettingsOf(this.#settings));
      this.#parts?.connection.updatePolicy(policyOf(this.#settings));
      (this.#parts ?? this.#local)?.remote.configure(this.#settings);
      this.#log.info(
        { changed: live.map((change) => change.text).join('; ') },
        'Configuration reloaded: the changes are in force',
      );
    }
    if (restart.length > 0) {
      const keys = restart.map((change) => nameOf(change.key)).join(', ');
      this.#log.warn(
        { keys },
        `Configuration reloaded, but ${keys} change${restart.length === 1 ? 's' : ''} only with a restart: systemctl restart dunebugger-remote`,
      );
    }
    // What NetworkManager says of the line may be another word, whatever the conf says.
    this.#parts?.dataSaver.configure();
    // Whatever made the cloud refuse may have been mended at its own end.
    this.#parts?.credentials.mended();
    this.#parts?.connection.retryNow();
    if (live.length === 0 && restart.length === 0) this.#log.info({}, 'Configuration reloaded: nothing has changed');
    await notifier.ready(this.#status());
  }

  /** Resolves when nothing is left; every part has its own deadline, within 5 s together. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    const said = this.#options.notifier.stopping('Stopping');
    const parts = this.#parts;
    this.#parts = undefined;
    const local = this.#local;
    this.#local = undefined;
    local?.clock.stop();
    await local?.remote.stop();
    parts?.clock.stop();
    parts?.dataSaver.stop();
    if (parts !== undefined) {
      // Side by side, so that the longest of their deadlines counts and not the sum; remote hands nothing on any more at once.
      await Promise.all([parts.remote.stop(), parts.connection.stop(), parts.monitor.stop()]);
    }
    await this.#observation.stop();
    this.#folded.flush();
    await said;
  }

  /** What the parts say of themselves; undefined once the daemon is stopping. */
  #contributions(): ObservedParts | undefined {
    const running = this.#parts ?? this.#local;
    if (running === undefined) return undefined;
    return contributionsOf({
      version: this.#options.version,
      startedAtMs: Math.round(systemClock.wallMs() - (performance.now() - this.#startedAt)),
      cloud: this.#parts,
      testDomain: this.#settings.testDomain,
      remote: running.remote,
      clock: running.clock,
      data: this.#parts?.dataUse.today,
    });
  }

  #standing(): StandingParts | undefined {
    const cloud = this.#parts;
    if (cloud === undefined && this.#local === undefined) return undefined;
    return { wanted: cloud !== undefined, internet: cloud?.monitor.status, cloud: cloud?.connection.state };
  }

  #status(): string {
    return this.#observation.snapshot()?.sentence ?? 'Stopping';
  }

  /** What of a check changes the status line beside the verdict. */
  #checked(clock: ClockWatch, { https, refused }: CheckEvidence): void {
    const aheadMs = https.find((one) => one.ok && one.clockAheadMs !== undefined)?.clockAheadMs;
    const clockChanged = aheadMs !== undefined && clock.siteSays(aheadMs);
    if (clockChanged || refused !== this.#refused) this.#tellStatus();
    this.#refused = refused;
  }

  #tellStatus(): void {
    this.#observation.verdict.look();
    const status = this.#observation.snapshot()?.sentence;
    if (status === undefined || status === this.#lastStatus) return;
    this.#lastStatus = status;
    void this.#options.notifier.status(status);
  }
}

function pageAddressOf({ statusPage, statusPort, statusListen }: Settings): PageAddress | undefined {
  return statusPage ? { port: statusPort, listen: statusListen } : undefined;
}

function build(
  current: () => Settings,
  log: Logger,
  { version, boot = false, stateDirectory }: DaemonOptions,
  { verdict }: Observation,
): Parts {
  const settings = current();
  // Two of its settings can change while it runs.
  const lookup = createLookup(() => ({
    timeoutMs: current().connectionTimeoutSecs * 1_000,
    nameServers: current().nameServers,
  }));
  const trust = loadHouseTrust(settings.caFile, process.env, log);
  const ca = trust.pem;
  const proxy = proxyOf(settings);
  if (proxy !== undefined) log.info({}, proxyNotice(proxy));
  const hosts = hostsOf(settings);
  const dataSaver = new DataSaver({
    setting: () => current().dataSaver,
    ask: () => askNetworkManager(),
    onChange: (on) => monitor.configure({ dataSaver: on }),
    log,
  });
  const monitor = createInternetMonitor(settings, {
    trust,
    log,
    dataSaver: dataSaver.on,
    witnesses: hosts,
    slowListenerMs: SLOW_LISTENER_MS,
    liveConnection: (withinMs) => connection.answers(withinMs),
  });
  const clock = createClockWatch(settings, log);
  const credentials = createCredentials({
    ...credentialsOf(settings),
    lookup,
    proxy,
    ca,
    log,
    stateDirectory,
    keepUrl: settings.keepAccessUrl,
    trustedWallMs: () => (clock.available === true ? systemClock.wallMs() : undefined),
  });
  const connection: ConnectionSupervisor = new ConnectionSupervisor({
    monitor,
    openSession: createOpenSession({
      credentials,
      group: settings.wsGroupName,
      lookup,
      proxy,
      ca,
      mayOpen: () => monitor.isConnected,
      sparing: () => dataSaver.on,
      onHost: (host) => monitor.configure({ witnesses: [...new Set([...hosts, host])] }),
      halfOpenTimeoutMs: settings.halfOpenTimeoutSecs * 1_000,
      log,
    }),
    policy: policyOf(settings),
    boot,
    group: settings.wsGroupName,
    log,
  });
  const remote = createRemote({ settings, connection, monitor, log, version, ca, clockStatus: clock, verdict });
  const dataUse = new DataUse({
    read: () => ({ checks: monitor.carried, signIn: carriedFor('sign-in'), cloud: carriedFor('cloud') }),
    dataSaver: () => dataSaver.on,
    log,
  });
  return { monitor, connection, credentials, remote, clock, dataSaver, dataUse };
}
