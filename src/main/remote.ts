/**
 * DuneBugger Remote proper: what is done with a connection to the cloud. The parts are made here and handed to each other;
 * `remote/exchange.ts` is where they meet.
 */
import type { Logger } from './log.js';
import { createLocalLookup } from './net/local-lookup.js';
import { SystemNames } from './net/system-names.js';
import { Bus, type BusSettings, type BusState } from './remote/bus.js';
import { Exchange, type RemoteConnection, type RemoteSettings } from './remote/exchange.js';
import type { ClockStatus } from './remote/clock-teller.js';
import type { ComponentStatus, WatchedStatus } from './remote/from-bus.js';
import { DEFAULT_SENDER_LIMITS } from './remote/sender.js';
import { componentInfos } from './remote/components-info.js';
import { withInstalledVersions } from './remote/installed-versions.js';
import { createSystemInfoCollector } from './remote/system-info.js';
import { realHost } from './remote/system-info/host.js';
import type { VerdictStatus } from './remote/status-teller.js';
import { DEFAULT_FLOOD_LIMIT } from './remote/token-bucket.js';
import { coordinatorFiles } from './remote/updates/coordinator-files.js';
import type { Settings } from './settings.js';

export interface RemoteOptions {
  readonly settings: Settings;
  readonly connection: RemoteConnection;
  /** Its verdict is `internet_reachable` of system_info. */
  readonly monitor: { readonly isConnected: boolean };
  readonly log: Logger;
  /** This package's version, for system_info. */
  readonly version: string;
  /** PEM certificates to trust; undefined: Node's. */
  readonly ca?: string | undefined;
  /** Whether the system clock can be trusted. */
  readonly clockStatus: ClockStatus;
  /** How the internet and the cloud connection are, for the bus. */
  readonly verdict: VerdictStatus;
}

/** `off`: no bus is wanted. */
export interface RemoteStatus {
  readonly bus: 'off' | BusState;
  readonly components: readonly WatchedStatus[];
  /** Where another remote was seen lately. */
  readonly secondRemote: 'group' | 'bus' | null;
}

export interface Remote {
  /** To be called before the connection starts, so that no join is missed. */
  start(): void;
  /** Ends everything made here, the bus included, within its own deadlines. Never rejects. */
  stop(): Promise<void>;
  /** How the bus and the components are. */
  readonly status: RemoteStatus;
  /** Takes over what can change while running: `broadcastInitialState`, `heartBeat*`, `rateLimit*`, `staleCommandSecs`. */
  configure(settings: Settings): void;
}

/** Deadline of a look-up for the bus, milliseconds, and of a second one where the system finds nothing: an attempt to connect has 5 s for all. */
const BUS_LOOKUP_MS = 2_000;

export function createRemote({
  settings,
  connection,
  monitor,
  log,
  version,
  ca,
  clockStatus,
  verdict,
}: RemoteOptions): Remote {
  const host = realHost();
  const collect = createSystemInfoCollector({ host });
  const { coreInstallPath, dockerComposePath } = settings;
  const versions = (components: readonly ComponentStatus[]): Promise<readonly ComponentStatus[]> =>
    withInstalledVersions(components, { read: (file) => host.read(file), coreInstallPath, dockerComposePath });
  const system = new SystemNames();
  const lookup = createLocalLookup({ timeoutMs: BUS_LOOKUP_MS, system });
  const bus = settings.mQueueEnabled ? new Bus({ settings: busSettings(settings), log, ca, lookup }) : undefined;
  const exchange = new Exchange({
    connection,
    bus,
    collectSystemInfo: async (components) => ({
      system_info: await collect({
        deviceId: settings.deviceId,
        locationDescription: settings.locationDescription,
        internetReachable: monitor.isConnected,
        components: await versions(components),
        version,
        ntpAvailable: clockStatus.available ?? false,
      }),
    }),
    describeComponents: async (components) => componentInfos(await versions(components), version),
    updateFiles: settings.updateCoordinatorPath === '' ? undefined : coordinatorFiles(settings.updateCoordinatorPath),
    settings: liveSettings(settings),
    senderLimits: { ...DEFAULT_SENDER_LIMITS, sendTimeoutMs: settings.sendTimeoutSecs * 1_000 },
    log,
    clockStatus: { status: clockStatus, clientId: settings.mQueueClientID },
    verdict: { status: verdict, clientId: settings.mQueueClientID },
  });
  return {
    start: () => exchange.start(),
    stop: () => {
      system.stop();
      return exchange.stop();
    },
    get status(): RemoteStatus {
      return { bus: bus?.state ?? 'off', components: exchange.watched, secondRemote: exchange.secondRemote };
    },
    configure: (changed) => exchange.configure(liveSettings(changed)),
  };
}

function busSettings({ mQueueServers, mQueueClientID, mQueueSubjectRoot }: Settings): BusSettings {
  return { servers: mQueueServers, clientId: mQueueClientID, subjectRoot: mQueueSubjectRoot };
}

function liveSettings(settings: Settings): RemoteSettings {
  const { broadcastInitialState, heartBeatEverySecs, heartBeatLoopDurationSecs } = settings;
  const { rateLimitPerSec, rateLimitBurst, staleCommandSecs, maxMessageBytes } = settings;
  return {
    broadcastInitialState,
    heartBeatEverySecs,
    heartBeatLoopDurationSecs,
    staleCommandSecs,
    maxMessageBytes,
    floodLimit: { ...DEFAULT_FLOOD_LIMIT, perSecond: rateLimitPerSec, burst: rateLimitBurst },
  };
}
