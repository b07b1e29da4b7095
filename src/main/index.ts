/** The library: the internet monitor, for programs other than the daemon. */
export {
  createInternetMonitor,
  InternetConnectionMonitor,
  MonitorError,
  type FromSettings,
  type InternetMonitorStatus,
  type MonitorErrorCode,
  type MonitorOptions,
  type MonitorSettings,
  type StatusListener,
  type WaitOptions,
} from './internet-monitor.js';
export { loadSettings } from './library.js';
export { SettingsError, type LoadedSettings, type LoadOptions, type Settings } from './settings.js';
export type { Logger } from './base/logger.js';
export { reasonAdvice, reasonWords } from './troubles.js';
export type {
  CheckEvidence,
  CheckTrigger,
  DnsEvidence,
  HttpsEvidence,
  LinkEvidence,
  LiveAnswer,
  OfflineReason,
  PortalEvidence,
  Verdict,
  WitnessEvidence,
} from '../workers/protocol.js';
