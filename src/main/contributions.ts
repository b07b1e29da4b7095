/** What each part of the daemon says of itself, put together for a snapshot. Costs a few property reads, and only when somebody asks. */
import type { ClockWatch } from './clock/watch.js';
import type { ConnectionSupervisor } from './connection/supervisor.js';
import type { InternetConnectionMonitor } from './internet-monitor.js';
import type { DataPart, Parts } from './observe/parts.js';
import type { Remote } from './remote.js';

export interface Contributors {
  readonly version: string;
  /** Milliseconds since 1970, by the clock as it goes now. */
  readonly startedAtMs: number;
  /** Undefined where `websocketEnabled` is False. */
  readonly cloud:
    { readonly monitor: InternetConnectionMonitor; readonly connection: ConnectionSupervisor } | undefined;
  readonly testDomain: string;
  readonly remote: Remote;
  readonly clock: ClockWatch;
  /** Undefined where `websocketEnabled` is False. */
  readonly data: DataPart | undefined;
}

export function contributionsOf({ version, startedAtMs, cloud, testDomain, remote, clock, data }: Contributors): Parts {
  const { bus, components, secondRemote } = remote.status;
  return {
    daemon: {
      version,
      pid: process.pid,
      startedAtMs,
      wanted: cloud !== undefined,
      problem: cloud?.monitor.health.problem,
    },
    internet: cloud && {
      ...cloud.monitor.status,
      testDomain,
      offlineIntervalSecs: cloud.monitor.offlineIntervalSecs,
    },
    cloud: cloud?.connection.state,
    bus,
    components,
    secondRemote,
    clock: { trusted: clock.available, farOffMs: clock.farOffMs },
    data,
  };
}
