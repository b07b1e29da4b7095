/** The checks that somebody asked for and waits for: one message to the worker serves all that wait for its answer. */
import type { ToWorker } from '../../workers/protocol.js';
import { MonitorError } from './error.js';
import type { InternetMonitorStatus } from './status.js';

interface Waiter {
  readonly resolve: (status: InternetMonitorStatus) => void;
  readonly reject: (error: MonitorError) => void;
}

/** One message and who waits for its answer. */
interface Asked {
  readonly message: Extract<ToWorker, { kind: 'check-now' }>;
  readonly waiter: Waiter;
}

export class AskedChecks {
  #lastId = 0;
  readonly #open = new Map<number, Asked>();

  /**
   * Resolves with the status after a check that was begun after this.
   * @throws {MonitorError} ERR_CHECK_TIMEOUT, or what {@link end} is given
   */
  ask(post: (message: ToWorker) => void, fresh: boolean, deadlineMs: number): Promise<InternetMonitorStatus> {
    this.#lastId += 1;
    const message = { kind: 'check-now', id: this.#lastId, fresh } as const;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#open.delete(message.id);
      };
      const waiter: Waiter = {
        resolve: (status) => {
          done();
          resolve(status);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      const timer = setTimeout(
        () =>
          waiter.reject(
            new MonitorError('ERR_CHECK_TIMEOUT', `No internet check ended within ${deadlineMs / 1_000} s`),
          ),
        deadlineMs,
      );
      this.#open.set(message.id, { message, waiter });
      post(message);
    });
  }

  /** What no worker has answered yet: a new one knows nothing of it. */
  get unanswered(): readonly ToWorker[] {
    return [...this.#open.values()].map(({ message }) => message);
  }

  answered(ids: readonly number[], status: InternetMonitorStatus): void {
    for (const id of ids) this.#open.get(id)?.waiter.resolve(status);
  }

  end(error: MonitorError): void {
    for (const { waiter } of [...this.#open.values()]) waiter.reject(error);
  }
}
