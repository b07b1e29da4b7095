/** `ip monitor`, started by the main thread on this thread's behalf: whoever is terminated waits for no child. */
import type { Monitor, MonitorListener, StartMonitor } from './net/monitor-child.js';
import type { FromWorker, ToWorker } from './protocol.js';

/** What the main thread says of it. */
export type MonitorWord = Extract<ToWorker, { kind: 'monitor-sign' | 'monitor-ended' }>;

export class MonitorByMain {
  #lastId = 0;
  #listener: MonitorListener | undefined;

  constructor(private readonly post: (message: FromWorker) => void) {}

  readonly start: StartMonitor = (guarded, listener): Monitor => {
    this.#lastId += 1;
    const id = this.#lastId;
    this.#listener = listener;
    this.post({ kind: 'start-monitor', id, guarded });
    return {
      end: () => {
        if (id !== this.#lastId) return Promise.resolve();
        this.#listener = undefined;
        this.post({ kind: 'end-monitor' });
        // That it is waited for is the main thread's affair.
        return Promise.resolve();
      },
    };
  };

  heard(word: MonitorWord): void {
    const listener = this.#listener;
    // Of one before, which has been told to end.
    if (listener === undefined || word.id !== this.#lastId) return;
    if (word.kind === 'monitor-sign') {
      listener.sign();
      return;
    }
    this.#listener = undefined;
    listener.ended(word.why, word.code);
  }
}
