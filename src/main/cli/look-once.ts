/** One look at the internet for a command: the checks of the service, in a worker of their own, once. */
import { InternetConnectionMonitor, monitorSettingsOf, type InternetMonitorStatus } from '../internet-monitor.js';
import { hostsOf, type Settings } from '../settings.js';
import type { Trust } from '../../workers/net/trust.js';
import type { PacketEvidence } from '../../workers/protocol.js';

export interface LookOptions {
  readonly settings: Settings;
  readonly trust: Trust;
  /** Deadline of each phase, seconds. */
  readonly timeoutSecs: number;
}

/**
 * Resolves within four times the timeout and a worker's start.
 * @throws Error if the checks do not even begin
 */
export async function lookOnce({ settings, trust, timeoutSecs }: LookOptions): Promise<InternetMonitorStatus> {
  const monitor = new InternetConnectionMonitor({
    ...monitorSettingsOf(settings),
    timeoutSecs,
    witnesses: hostsOf(settings),
    // One look has to do: a second would only tell whether it was one lost packet.
    failuresToOffline: 1,
    successesToOnline: 1,
    waitForPortal: true,
    ca: trust.pem,
    hasCaStore: trust.hasStore,
    followLinks: false,
  });
  try {
    monitor.start();
    return await firstVerdict(monitor, timeoutSecs);
  } finally {
    await monitor.stop();
  }
}

/** Checks follow each other so quickly while it is waited for what is found beside them, seconds. */
const BESIDE_EVERY_SECS = 0.5;

/**
 * Whether large packets get through on the way out, where the site answers; undefined: nothing is known of it within the time. Never rejects.
 * @param timeoutSecs a lost packet costs four times as long
 */
export async function lookAtPackets({
  settings,
  trust,
  timeoutSecs,
  withinMs,
}: LookOptions & { readonly withinMs: number }): Promise<PacketEvidence | undefined> {
  const monitor = new InternetConnectionMonitor({
    ...monitorSettingsOf(settings),
    timeoutSecs,
    checkIntervalSecs: BESIDE_EVERY_SECS,
    ca: trust.pem,
    hasCaStore: trust.hasStore,
    followLinks: false,
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve) => {
      timer = setTimeout(() => resolve(undefined), withinMs);
      monitor.onChecked(({ packets }) => {
        if (packets !== undefined) resolve(packets);
      });
      monitor.start();
      // As if an attempt to connect had failed: that is when they are looked at.
      monitor.checkNow({ fresh: true }).catch(() => undefined);
    });
  } finally {
    clearTimeout(timer);
    await monitor.stop();
  }
}

/** The worker has its start, the check twice its timeout, as have the witnesses where the site fails; a worker that never answers is an error, not a verdict. */
function firstVerdict(monitor: InternetConnectionMonitor, timeoutSecs: number): Promise<InternetMonitorStatus> {
  const deadlineMs = 4 * timeoutSecs * 1_000 + 10_000;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`The checks did not start within ${deadlineMs / 1_000} s; is this machine overloaded?`)),
      deadlineMs,
    );
    const done = (status: InternetMonitorStatus): void => {
      clearTimeout(timer);
      resolve(status);
    };
    monitor.onConnected(done);
    monitor.onDisconnected(done);
    // Where the system refuses the check there is no verdict, and there will be none.
    monitor.checkNow().then(
      (status) => {
        if (status.lastEvidence?.refused !== undefined) done(status);
      },
      () => undefined,
    );
  });
}
