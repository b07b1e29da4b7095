/** What several checks want to know, each found out once, and only if one asks. */
import { stateDirectoryOf } from '../../boot.js';
import { addressesToTry } from '../../observe/control-address.js';
import { gatherConnectivity } from '../../remote/system-info/connectivity.js';
import { lookAtMachine, type Machine } from '../../observe/machine.js';
import { HIDDEN } from '../../log/redact.js';
import type { RunningSettings } from '../../observe/running-settings.js';
import type { Snapshot } from '../../observe/snapshot.js';
import { loadServiceSettings, type ServiceSettings } from '../../settings/of-service.js';
import { TABLE, type SettingName, type Settings } from '../../settings.js';
import type { TroubleCode } from '../../troubles.js';
import type { CheckEvidence, PacketEvidence } from '../../../workers/protocol.js';
import { within } from '../../../workers/net/resolve.js';
import { loadTrust, type Trust } from '../../../workers/net/trust.js';
import { askDaemon } from '../ask.js';
import { lookAtPackets, lookOnce } from '../look-once.js';
import { askSystemd, processStateOf, whyNoAnswer, type UnitProperties } from '../service-state.js';
import { tryBus, type BusTrial } from './bus-trial.js';
import { tryCloud, type CloudTrial } from './cloud-trial.js';
import type { System } from './system.js';
import { CREDENTIALS, MORE_PROPERTIES, sourcesOf } from './unit.js';

/** What the running service says. */
export type ServiceAnswer =
  { readonly kind: 'snapshot'; readonly snapshot: Snapshot } | { readonly kind: 'none'; readonly why: TroubleCode };

export interface Configuration extends ServiceSettings {
  readonly settings: Settings;
  /** The file that was read; undefined: there is none. */
  readonly confFile: string | undefined;
}

export interface Router {
  /** Undefined: the way out needs none. */
  readonly address: string | undefined;
  /** A ping or a connection was answered; undefined: neither was. */
  readonly ms: number | undefined;
}

export interface Facts {
  readonly system: System;
  /** Also what costs a sign-in while the service is connected. */
  readonly deep: boolean;
  /** The conf file that the command line names. */
  readonly namedConf: string | undefined;
  /** Ends whatever still runs. */
  readonly signal: AbortSignal;
  /** Until the report has to be made, milliseconds. */
  readonly leftMs: () => number;
  readonly unit: () => Promise<UnitProperties>;
  readonly service: () => Promise<ServiceAnswer>;
  readonly configuration: () => Promise<Configuration>;
  readonly trust: () => Promise<Trust>;
  readonly machine: () => Promise<Machine>;
  readonly router: () => Promise<Router>;
  /** The checks of the service, once; undefined: they did not end in time. */
  readonly internet: () => Promise<CheckEvidence | undefined>;
  /** Whether large packets get through; undefined: nothing is known of it. */
  readonly packets: () => Promise<PacketEvidence | undefined>;
  /** A connection of our own, closed again. */
  readonly cloud: () => Promise<CloudTrial>;
  /** The same to the bus; components are asked only where no service could hear of it. */
  readonly bus: () => Promise<BusTrial>;
}

export interface FactsOptions {
  readonly system: System;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Named on the command line: then the environment of this process counts, and not that of the service. */
  readonly confFile?: string | undefined;
  readonly deep: boolean;
  /** Of `performance.now`. */
  readonly endsAtMs: number;
  readonly signal: AbortSignal;
}

/** Deadlines, milliseconds. */
const SYSTEMD_MS = 2_000;
const ANSWER_MS = 1_000;
const ROUTER_MS = 2_500;
/** Beyond it nobody waits in a command, whatever the service is told to bear; seconds. */
const MAX_TIMEOUT_SECS = 2;
/** Of the look at large packets: a quick line is asked, and a lost packet waited for twice. */
const PACKET_TIMEOUT_SECS = 1;
const PACKETS_MS = 7_500;
const LEAST_PACKETS_MS = 1_000;
/** What the end of a worker may take beside all else, milliseconds. */
const STOP_MS = 1_200;
/** What is left for printing, milliseconds. */
const LEFT_MS = 300;
/** Of the service (`StateDirectory=`). */
export const STATE_DIRECTORY = '/var/lib/dunebugger-remote';

export function createFacts({ system, env, confFile, deep, endsAtMs, signal }: FactsOptions): Facts {
  const unit = once(() => askSystemd(SYSTEMD_MS, MORE_PROPERTIES));
  const configuration = once(async (): Promise<Configuration> => {
    const ofUnit = confFile === undefined ? sourcesOf(await unit()) : undefined;
    const sources =
      ofUnit === undefined
        ? { confFile, environment: env, environmentFiles: [], credentialsDirectory: env['CREDENTIALS_DIRECTORY'] }
        : { ...ofUnit, credentialsDirectory: CREDENTIALS };
    const read = loadServiceSettings(sources);
    const told = read.hidden.length === 0 ? {} : await toldByService(read.loaded.settings.controlSocket, env);
    const found =
      Object.keys(told).length === 0
        ? read
        : loadServiceSettings({ ...sources, environment: { ...sources.environment, ...told } });
    return { ...found, settings: found.loaded.settings, confFile: found.loaded.sources.confFile };
  });
  const trust = once(async () => {
    const { settings, environment } = await configuration();
    return loadTrust({ env: { ...environment }, caFile: settings.caFile });
  });
  const service = once(async () => askService((await configuration()).settings.controlSocket, env, unit));
  const internet = once(async () => {
    const { settings } = await configuration();
    const timeoutSecs = Math.min(settings.connectionTimeoutSecs, MAX_TIMEOUT_SECS);
    const look = lookOnce({ settings, trust: await trust(), timeoutSecs });
    // Whoever is late is told as late; what comes of it later is nobody's.
    look.catch(() => undefined);
    return (await within(Math.max(0, endsAtMs - LEFT_MS - performance.now()), look))?.lastEvidence;
  });
  return {
    system,
    deep,
    namedConf: confFile,
    signal,
    leftMs: () => Math.max(0, endsAtMs - LEFT_MS - performance.now()),
    unit,
    configuration,
    trust,
    service,
    machine: once(() => lookAtMachine()),
    router: once(async () => {
      const { default_route: address, latency_ms_to_gateway: ms } = await gatherConnectivity(system, ROUTER_MS);
      return { address: address ?? undefined, ms: ms ?? undefined };
    }),
    internet,
    packets: once(async () => {
      const evidence = await internet();
      if (evidence?.ok !== true || evidence.siteReason !== undefined) return undefined;
      const { settings } = await configuration();
      const withinMs = Math.min(PACKETS_MS, endsAtMs - STOP_MS - performance.now());
      if (withinMs < LEAST_PACKETS_MS) return undefined;
      return lookAtPackets({ settings, trust: await trust(), timeoutSecs: PACKET_TIMEOUT_SECS, withinMs });
    }),
    cloud: once(async () => {
      const { settings, environment } = await configuration();
      const stateDirectory = stateDirectoryOf(environment) ?? STATE_DIRECTORY;
      return tryCloud({ settings, ca: (await trust()).pem, stateDirectory, signal });
    }),
    bus: once(async () => {
      const { settings } = await configuration();
      const askComponents = (await service()).kind === 'none';
      return tryBus({ settings, ca: (await trust()).pem, askComponents, signal });
    }),
  };
}

/** What may not be read the service says, but for secrets: as variables. Empty if it does not. */
async function toldByService(controlSocket: string, env: FactsOptions['env']): Promise<Record<string, string>> {
  const paths = addressesToTry(controlSocket, env);
  const asked = await askDaemon({ what: 'GET /settings', paths, timeoutMs: ANSWER_MS });
  const running =
    asked.kind === 'answer' && asked.status === 200 ? (parse(asked.body) as RunningSettings | undefined) : undefined;
  const told = Object.entries(running?.settings ?? {}).filter(
    ([name, text]) => name in TABLE && !/^\((?:not set|secret)\)$/.test(text) && !text.includes(HIDDEN),
  );
  return Object.fromEntries(told.map(([name, text]) => [TABLE[name as SettingName].envName, text]));
}

async function askService(
  controlSocket: string,
  env: FactsOptions['env'],
  unit: Facts['unit'],
): Promise<ServiceAnswer> {
  const paths = addressesToTry(controlSocket, env);
  const asked = await askDaemon({ what: 'GET /snapshot', paths, timeoutMs: ANSWER_MS });
  if (asked.kind === 'answer') {
    const snapshot = asked.status === 200 ? (parse(asked.body) as Snapshot | undefined) : undefined;
    if (snapshot !== undefined) return { kind: 'snapshot', snapshot };
    return { kind: 'none', why: asked.status === 503 ? 'service-starting' : 'service-silent' };
  }
  const properties = asked.kind === 'refused' ? {} : await unit();
  return {
    kind: 'none',
    why: whyNoAnswer(asked.kind, properties, await processStateOf(properties['MainPID'])),
  };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function once<T>(find: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | undefined;
  return () => (found ??= find());
}
