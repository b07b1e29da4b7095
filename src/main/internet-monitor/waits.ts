/** Those who wait for the internet. */
import { MonitorError } from './error.js';
import type { WaitOptions } from './status.js';

export class Waits {
  readonly #ends = new Set<(error: MonitorError) => void>();

  /**
   * Resolves when `onConnected` calls its listener.
   * @throws {MonitorError} ERR_WAIT_TIMEOUT, or what {@link end} is given
   * @throws the signal's reason, if it aborts
   */
  wait(onConnected: (listener: () => void) => () => void, { timeoutMs, signal }: WaitOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        remove();
        this.#ends.delete(fail);
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const fail = (error: MonitorError): void => finish(() => reject(error));
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a signal's reason is handed on as it is
      const onAbort = (): void => finish(() => reject(signal?.reason));
      const remove = onConnected(() => finish(resolve));
      const timer =
        timeoutMs === undefined
          ? undefined
          : setTimeout(
              () => fail(new MonitorError('ERR_WAIT_TIMEOUT', `No internet within ${timeoutMs} ms`)),
              timeoutMs,
            );
      this.#ends.add(fail);
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted === true) onAbort();
    });
  }

  end(error: MonitorError): void {
    for (const end of [...this.#ends]) end(error);
  }
}
