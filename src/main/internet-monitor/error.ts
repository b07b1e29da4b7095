/** What the internet monitor rejects with or throws. */
export type MonitorErrorCode =
  /** An option is not allowed; the message says what is. */
  | 'ERR_INVALID_OPTION'
  /** `checkNow` or `waitForConnection` on a monitor that was not started, or was stopped meanwhile. */
  | 'ERR_MONITOR_STOPPED'
  /** No check came to its end in time: the worker thread is in trouble. */
  | 'ERR_CHECK_TIMEOUT'
  /** The internet was not there within the time given to `waitForConnection`. */
  | 'ERR_WAIT_TIMEOUT';

export class MonitorError extends Error {
  constructor(
    readonly code: MonitorErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'MonitorError';
  }
}
