/** Tells the history what the parts tell: when the internet and the cloud connection go and come, and why. */
import type { ConnectionSupervisor } from './connection/supervisor.js';
import { evidenceFields } from './evidence-text.js';
import type { InternetConnectionMonitor, InternetMonitorStatus } from './internet-monitor.js';
import type { Observation } from './observe/observation.js';

export function tellHistory(
  monitor: InternetConnectionMonitor,
  connection: ConnectionSupervisor,
  observation: Observation,
): void {
  monitor.onDisconnected((status) => {
    const evidence = evidenceWords(status);
    observation.happened({
      kind: 'offline',
      why: status.reason ?? 'no-internet',
      ...(evidence === '' ? {} : { evidence }),
    });
  });
  monitor.onConnected(() => observation.happened({ kind: 'online' }));
  monitor.onChecked(() => {
    const { verdict, reason } = monitor.status;
    if (verdict === 'offline' && reason !== undefined) observation.happened({ kind: 'reason', why: reason });
  });
  connection.onJoined(({ recovered }) => observation.happened({ kind: 'cloud-joined', recovered }));
  connection.onStateChange(({ kind, lastFailure }) => {
    if (kind === 'connected' || kind === 'stopped') return;
    observation.cloudAway(kind === 'backing-off', lastFailure?.message);
  });
}

function evidenceWords({ lastEvidence }: InternetMonitorStatus): string {
  if (lastEvidence === undefined) return '';
  const { link, dns, https } = evidenceFields(lastEvidence);
  return [link, dns, https].filter((part) => part !== undefined).join('; ');
}
