/** What the monitor tells, and to whom. */
import type { CheckEvidence, OfflineReason, Verdict } from '../../workers/protocol.js';

/** What is known of the internet. */
export interface InternetMonitorStatus {
  /** `unknown` until the first verdict. */
  readonly verdict: Verdict;
  /** Set when offline. */
  readonly reason?: OfflineReason;
  /** Wall clock of the change to this verdict, milliseconds since 1970, by the clock as it goes now. */
  readonly sinceMs: number;
  /** What the last check saw. */
  readonly lastEvidence?: CheckEvidence;
}

export type StatusListener = (status: InternetMonitorStatus) => unknown;

export interface WaitOptions {
  /** Milliseconds. Default: for ever. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}
