/** Runs `ip monitor` for the worker, whose thread may be terminated at any time: here somebody waits for the child's end. */
import { startMonitor, type Monitor, type StartMonitor } from '../../workers/net/monitor-child.js';
import type { ToWorker } from '../../workers/protocol.js';

/** In a storm of announcements the worker is told that often at the most, milliseconds: it looks no sooner after the first of them. */
const SPACING_MS = 20;

export class LinkMonitor {
  #monitor: Monitor | undefined;
  #ending: Promise<void> = Promise.resolve();
  #spacing: NodeJS.Timeout | undefined;
  #signs = false;

  /** @param begin default: a child of this thread */
  constructor(
    private readonly post: (message: ToWorker) => void,
    private readonly begin: StartMonitor = startMonitor,
  ) {}

  /** In place of one that runs. */
  start(id: number, guarded: boolean): void {
    void this.end();
    this.#monitor = this.begin(guarded, {
      sign: () => this.#sign(id),
      ended: (why, code) => {
        this.#quiet();
        this.#monitor = undefined;
        this.post({ kind: 'monitor-ended', id, why, ...(code === undefined ? {} : { code }) });
      },
    });
  }

  /** Resolves when it is gone, and nothing is left of it. */
  end(): Promise<void> {
    this.#quiet();
    const monitor = this.#monitor;
    this.#monitor = undefined;
    if (monitor !== undefined) this.#ending = Promise.all([this.#ending, monitor.end()]).then(() => undefined);
    return this.#ending;
  }

  #sign(id: number): void {
    if (this.#spacing !== undefined) {
      this.#signs = true;
      return;
    }
    this.post({ kind: 'monitor-sign', id });
    this.#spacing = setTimeout(() => {
      this.#spacing = undefined;
      const more = this.#signs;
      this.#signs = false;
      if (more) this.#sign(id);
    }, SPACING_MS);
  }

  #quiet(): void {
    clearTimeout(this.#spacing);
    this.#spacing = undefined;
    this.#signs = false;
  }
}
