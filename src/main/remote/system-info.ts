/**
 * What `system_info` says of this machine. Every field has 2 s, all are gathered at the same time; what fails or is late is
 * null (a list: empty), so that one broken driver costs one field and not the message.
 */

import { systemClock, type Clock } from '../base/clock.js';
import { componentInfos, type ComponentInfo, type ComponentSeen } from './components-info.js';
import { within } from './system-info/bounded.js';
import { gatherConnectivity, type ConnectivityInfo } from './system-info/connectivity.js';
import { gatherHardware, type HardwareInfo } from './system-info/hardware.js';
import { realHost, type Host } from './system-info/host.js';
import { gatherInterfaces, type InterfaceInfo } from './system-info/interfaces.js';
import { gatherOs, type OsInfo } from './system-info/operating-system.js';

// An alias and not an interface, so that a SystemInfo is a Json.
export type SystemInfo = {
  readonly device_id: string;
  /** UTC without a zone, whole seconds: `2025-06-01T12:00:00`. */
  readonly timestamp: string;
  readonly dunebugger_components: readonly ComponentInfo[];
  readonly hardware: HardwareInfo;
  readonly os: OsInfo;
  readonly network: {
    readonly hostname: string | null;
    readonly interfaces: readonly InterfaceInfo[];
    readonly connectivity: ConnectivityInfo & { readonly internet_reachable: boolean };
  };
  /** The system clock can be trusted. */
  readonly ntp_available: boolean;
  readonly location: { readonly description: string };
};

/** What others know: taken anew at every call, never from the cache. */
export interface SystemInfoInputs {
  readonly deviceId: string;
  readonly locationDescription: string;
  /** The monitor's verdict is online. */
  readonly internetReachable: boolean;
  /** The other components, as the component watch sees them. */
  readonly components: readonly ComponentSeen[];
  /** The system clock can be trusted. */
  readonly ntpAvailable: boolean;
  /** Version of this component, which is running for certain. */
  readonly version: string;
}

export interface SystemInfoOptions {
  /** Default: this machine. */
  readonly host?: Host;
  /** Default: the system's. */
  readonly clock?: Pick<Clock, 'nowMs' | 'wallMs'>;
  /** Deadline of each field, milliseconds. Default 2,000. */
  readonly fieldMs?: number;
  /** How long what was gathered serves further calls, milliseconds. Default 3,000: browsers that open together ask together. */
  readonly keepMs?: number;
}

export type CollectSystemInfo = (inputs: SystemInfoInputs) => Promise<SystemInfo>;

interface Machine {
  readonly hardware: HardwareInfo;
  readonly os: OsInfo;
  readonly hostname: string | null;
  readonly interfaces: readonly InterfaceInfo[];
  readonly connectivity: ConnectivityInfo;
}

/** Makes the collector: it never rejects, takes 2.5 s at most, and gathers once for calls that come together. */
export function createSystemInfoCollector(options: SystemInfoOptions = {}): CollectSystemInfo {
  const { host = realHost(), clock = systemClock, fieldMs = 2_000, keepMs = 3_000 } = options;
  let gathered: { readonly machine: Promise<Machine>; readonly atMs: number | undefined } | undefined;

  const gather = async (): Promise<Machine> => {
    const [hardware, os, hostname, interfaces, connectivity] = await Promise.all([
      gatherHardware(host, fieldMs),
      gatherOs(host, fieldMs),
      within(fieldMs, () => host.read('/proc/sys/kernel/hostname')),
      gatherInterfaces(host, fieldMs),
      gatherConnectivity(host, fieldMs),
    ]);
    return { hardware, os, hostname, interfaces, connectivity };
  };

  const machineNow = (): Promise<Machine> => {
    const at = clock.nowMs();
    const atMs = gathered?.atMs;
    const underWay = gathered !== undefined && atMs === undefined;
    const fresh = atMs !== undefined && at - atMs < keepMs;
    if (gathered !== undefined && (underWay || fresh)) return gathered.machine;
    const machine = gather();
    gathered = { machine, atMs: undefined };
    void machine.then(() => (gathered = { machine, atMs: clock.nowMs() }));
    return machine;
  };

  return async ({ deviceId, locationDescription, internetReachable, components, version, ntpAvailable }) => {
    const { hardware, os, hostname, interfaces, connectivity } = await machineNow();
    return {
      device_id: deviceId,
      timestamp: new Date(clock.wallMs()).toISOString().slice(0, 19),
      dunebugger_components: componentInfos(components, version),
      hardware,
      os,
      network: { hostname, interfaces, connectivity: { ...connectivity, internet_reachable: internetReachable } },
      ntp_available: ntpAvailable,
      location: { description: locationDescription },
    };
  };
}
