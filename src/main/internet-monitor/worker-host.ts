/**
 * Owns the piscina pool of one thread, its one long-lived task and the port to it: starts the worker, notices when it dies, hangs or runs
 * out of memory, and replaces it, with growing pauses.
 */
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import {
  PROTOCOL_VERSION,
  type FromWorker,
  type ToWorker,
  type VerdictState,
  type WorkerSettings,
  type WorkerTask,
} from '../../workers/protocol.js';
import { quietChecksMemory, QuietChecksReader } from '../../workers/quiet-checks.js';
import { refusalOf, refusalWords } from '../../workers/net/refusal.js';
import { describeError } from '../base/guard.js';
import type { Logger } from '../log.js';
import { LinkMonitor } from './link-monitor.js';

export interface WorkerHostOptions {
  readonly settings: WorkerSettings;
  /** The verdict so far, from which a new worker goes on. */
  readonly verdict: () => VerdictState;
  /** Of those that do not concern the host alone. */
  readonly onMessage: (message: MonitorMessage) => void;
  /** A new worker has been started in place of one that failed. */
  readonly onReplaced: () => void;
  readonly log: Logger;
  readonly memoryMb: number;
  readonly module: URL;
}

export type MonitorMessage = Exclude<FromWorker, { kind: 'begun' | 'start-monitor' | 'end-monitor' }>;

type CheckedMessage = Extract<FromWorker, { kind: 'checked' }>;

/** A worker and what is known of it. */
interface Life {
  readonly pool: Piscina;
  /** Of its thread; undefined once that has ended. */
  readonly performance: Worker['performance'] | undefined;
  readonly port: MessagePort;
  readonly ended: Promise<void>;
  readonly startedAt: number;
  /** Checks that it tells by no message, and the last one that it told by one. */
  readonly quiet: QuietChecksReader;
  told: CheckedMessage | undefined;
  /** Runs `ip monitor` for it. */
  readonly links: LinkMonitor;
  /** Ticks of the clock since it was last seen alive, and since it last ended a check. Not time: a process that was stopped must not blame its worker. */
  silentTicks: number;
  uncheckedTicks: number;
  spoke: boolean;
  /** How long its event loop had waited for something to do, at the tick before; milliseconds. */
  idleMs: number;
}

/** The time a new worker has to its first word, milliseconds. Measured: 0.4 s on a PC; a Pi Zero under load takes some ten. */
const START_LIMIT_MS = 30_000;
/** So often the worker is looked at, milliseconds; four times an interval where that is short. */
const TICK_MS = 2_000;
/** Silence after which a worker counts as hung: two intervals, but not less or more than these, milliseconds. */
const LEAST_SILENCE_MS = 500;
const MOST_SILENCE_MS = 10_000;
/** First pause before a new worker, milliseconds; doubles with each failure, starts over after a stable minute. */
const RESTART_MS = 100;
const RESTART_CAP_MS = 60_000;
const STABLE_MS = 60_000;
/** So many failures in a row are not bad luck. */
const MANY_FAILURES = 4;
/** Longest pause after the system refused a thread, milliseconds: that passes. */
const REFUSED_CAP_MS = 15_000;
/** A worker that was asked to end has this time, milliseconds; then its thread is terminated, which takes some 10 ms. */
const STOP_MS = 1_000;
/** The same for one that is only starting: terminated in that moment, a thread of Node 20 aborts the whole process. */
const STOP_STARTING_MS = 5_000;
const TERMINATE_MS = 1_500;

export class WorkerHost {
  readonly #options: WorkerHostOptions;
  #settings: WorkerSettings;
  #life: Life | undefined;
  #failures = 0;
  /** Threads that the system refused since the last one it gave. */
  #refusals = 0;
  #lastFailure: string | undefined;
  #restart: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #stopped = false;
  readonly #ending = new Set<Promise<void>>();

  constructor(options: WorkerHostOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  start(): void {
    this.#watchOver();
    this.#launch();
  }

  /** Undefined while checks are made; otherwise what is wrong, in words. */
  get problem(): string | undefined {
    if (this.#failures < MANY_FAILURES) return undefined;
    return `the worker thread of the internet checks failed ${this.#failures} times in a row (${this.#lastFailure ?? 'unknown'})`;
  }

  post(message: ToWorker): void {
    this.#life?.port.postMessage(message);
  }

  configure(settings: WorkerSettings): void {
    this.#settings = settings;
    this.#watchOver();
    this.post({ kind: 'configure', settings });
  }

  /** Resolves when thread, port and timers are gone, within 3 s; within 7 s if the thread had only begun to start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#restart);
    clearInterval(this.#watch);
    const life = this.#life;
    this.#life = undefined;
    if (life !== undefined) {
      life.port.postMessage({ kind: 'stop' } satisfies ToWorker);
      await within(life.spoke ? STOP_MS : STOP_STARTING_MS, life.ended);
      this.#end(life);
    }
    await Promise.all([...this.#ending]);
  }

  #launch(): void {
    const { port1: port, port2 } = new MessageChannel();
    const quiet = quietChecksMemory();
    const pool = new Piscina({
      filename: this.#options.module.href,
      // None by itself: the pool would replace a thread that died at once, and `#end` terminate the new one while it starts, in which
      // Node 20 aborts the whole process (seen: SIGABRT in `PatchProcessObject`).
      minThreads: 0,
      maxThreads: 1,
      // The thread has one task for life: nothing to wait for between tasks, nothing to measure.
      atomics: 'disabled',
      recordTiming: false,
      resourceLimits: { maxOldGenerationSizeMb: this.#options.memoryMb, maxYoungGenerationSizeMb: 4 },
    });
    const task: WorkerTask = {
      version: PROTOCOL_VERSION,
      port: port2,
      settings: this.#settings,
      verdict: this.#options.verdict(),
      quiet,
    };
    let running: Promise<unknown>;
    try {
      // Makes the thread, and throws where the system refuses one. The pool is left alone then: it has no thread, and to destroy it would
      // reject the task that it has kept, which nobody can catch.
      running = pool.run(task, { transferList: [port2] });
    } catch (error) {
      port.close();
      this.#refused(error);
      return;
    }
    this.#refusals = 0;
    const life: Life = {
      pool,
      performance: pool.threads[0]?.performance,
      port,
      ended: running.then(
        () => undefined,
        () => undefined,
      ),
      startedAt: performance.now(),
      quiet: new QuietChecksReader(quiet),
      told: undefined,
      links: new LinkMonitor((message) => port.postMessage(message)),
      silentTicks: 0,
      uncheckedTicks: 0,
      spoke: false,
      idleMs: 0,
    };
    this.#life = life;
    port.on('message', (message: FromWorker) => this.#heard(life, message));
    // Without a task of its own an error of the thread is the pool's.
    pool.on('error', (error: unknown) => this.#failed(life, describeError(error)));
    running.then(
      () => this.#failed(life, 'it ended by itself'),
      (error: unknown) => this.#failed(life, describeError(error)),
    );
  }

  #heard(life: Life, message: FromWorker): void {
    if (this.#life !== life) return;
    life.silentTicks = 0;
    life.spoke = true;
    // What was before is heard before.
    this.#readQuiet(life);
    if (message.kind === 'checked') {
      life.told = message;
      life.quiet.told(message.evidence);
    }
    if (message.kind === 'checked' || message.kind === 'looked') {
      life.uncheckedTicks = 0;
      if (performance.now() - life.startedAt >= STABLE_MS) this.#failures = 0;
    }
    switch (message.kind) {
      case 'begun':
        break;
      case 'start-monitor':
        life.links.start(message.id, message.guarded);
        break;
      case 'end-monitor':
        void life.links.end();
        break;
      default:
        this.#options.onMessage(message);
    }
  }

  #readQuiet(life: Life): void {
    life.quiet.read((evidence, carried) => {
      life.uncheckedTicks = 0;
      if (life.told !== undefined) this.#options.onMessage({ ...life.told, evidence, carried, answers: [] });
    });
  }

  #watchOver(): void {
    clearInterval(this.#watch);
    this.#watch = setInterval(() => this.#tick(), tickMsOf(this.#settings));
  }

  #tick(): void {
    const life = this.#life;
    if (life === undefined) return;
    this.#readQuiet(life);
    life.silentTicks = this.#hasWaited(life) ? 0 : life.silentTicks + 1;
    life.uncheckedTicks += 1;
    const { intervalMs, timeoutMs, dataSaver } = this.#settings;
    const tickMs = tickMsOf(this.#settings);
    const longestPauseMs = Math.max(intervalMs, dataSaver?.lookEveryMs ?? 0);
    const silenceMs = Math.min(MOST_SILENCE_MS, Math.max(LEAST_SILENCE_MS, 2 * intervalMs));
    const silentMs = life.silentTicks * tickMs;
    if (!life.spoke) {
      if (silentMs >= START_LIMIT_MS) this.#failed(life, `it did not start within ${START_LIMIT_MS / 1_000} s`);
    } else if (silentMs >= silenceMs) {
      this.#failed(life, `it has hung for ${Math.round(silentMs / 100) / 10} s`);
    } else if (life.uncheckedTicks * tickMs >= longestPauseMs + 4 * timeoutMs + silenceMs) {
      this.#failed(life, 'its checks do not end');
    }
  }

  /**
   * True if the worker's event loop has waited for something to do since the last tick, as one does that turns: Node counts that, and tells it without
   * a word of the worker's, which costs it nothing. One that has begun nothing yet only waits.
   */
  #hasWaited(life: Life): boolean {
    const idleMs = life.performance?.eventLoopUtilization().idle ?? 0;
    const waited = life.spoke && idleMs > life.idleMs;
    life.idleMs = idleMs;
    return waited;
  }

  #failed(life: Life, why: string): void {
    if (this.#life !== life || this.#stopped) return;
    this.#life = undefined;
    this.#end(life);
    if (performance.now() - life.startedAt >= STABLE_MS) this.#failures = 0;
    this.#failures += 1;
    this.#lastFailure = why;
    const retryMs = Math.min(RESTART_CAP_MS, RESTART_MS * 2 ** Math.min(this.#failures - 1, 20));
    const fields = { error: why, failures: this.#failures, retrySecs: retryMs / 1_000 };
    const message = `The worker thread of the internet checks failed (${why}); the last verdict stands, a new one starts in ${retryMs / 1_000} s`;
    if (this.#failures < MANY_FAILURES) this.#options.log.warn(fields, message);
    else this.#options.log.error(fields, `${message}. If this goes on, restart the service and report it as a bug`);
    this.#launchIn(retryMs);
  }

  /** Not the worker's fault and nothing that a restart of the service would mend, so it does not count as a failure. */
  #refused(error: unknown): void {
    if (this.#stopped) return;
    const retryMs = Math.min(REFUSED_CAP_MS, RESTART_MS * 2 ** Math.min(this.#refusals, 20));
    this.#refusals += 1;
    if (this.#refusals === 1) {
      const why = refusalWords(refusalOf(error) ?? describeError(error));
      this.#options.log.warn(
        { error: describeError(error), retrySecs: retryMs / 1_000 },
        `The system refuses the thread of the internet checks (${why}); the last verdict stands, and it is tried again until there is one`,
      );
    }
    this.#launchIn(retryMs);
  }

  #launchIn(ms: number): void {
    this.#restart = setTimeout(() => {
      this.#launch();
      this.#options.onReplaced();
    }, ms);
  }

  /** Terminates the thread; a spinning one, too. */
  #end(life: Life): void {
    life.port.close();
    const gone = within(TERMINATE_MS, Promise.all([life.links.end(), life.pool.destroy().catch(() => undefined)]));
    this.#ending.add(gone);
    void gone.then(() => this.#ending.delete(gone));
  }
}

function tickMsOf({ intervalMs }: WorkerSettings): number {
  return Math.min(TICK_MS, intervalMs / 4);
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
