/** One look at the internet for a command: the checks of the service, in a worker of their own, once. */
import { InternetConnectionMonitor, monitorSettingsOf, type InternetMonitorStatus } from '../internet-monitor.js';
import { hostsOf, type Settings } from '../settings.js';
import type { Trust } from '../../workers/net/trust.js';

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
