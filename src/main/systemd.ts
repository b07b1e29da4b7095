/**
 * Tells systemd how the daemon is: READY, STATUS, RELOADING, STOPPING and the watchdog (sd_notify(3)).
 *
 * By a descriptor where one was handed over (`with-notify-socket`), otherwise by a `systemd-notify` for each message; that is why messages are
 * merged while one is on its way.
 */
import type { Logger } from './log.js';
import { byDescriptor, byProgram, type Carrier } from './systemd/carriers.js';

/** After a message that could not be handed over, what it said is tried again so much later by default, or with the next one. */
const RETRY_MS = 5_000;

/** Longest time one `systemd-notify` may take before it is killed, by default. */
const NOTIFY_DEADLINE_MS = 5_000;

export interface SystemdNotifierOptions {
  /** Where NOTIFY_SOCKET, NOTIFY_FD and WATCHDOG_USEC are looked up. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  /** The program that carries the messages where there is no descriptor. Default: `systemd-notify`, found by PATH. */
  readonly program?: string;
  /** Longest time the program may take before it is killed, milliseconds. Default 5 s. */
  readonly deadlineMs?: number;
  /** After a message that could not be handed over it is tried again so much later, milliseconds. Default 5 s. */
  readonly retryMs?: number;
}

/** Does nothing, at no cost, where systemd has not asked to be notified. */
export class SystemdNotifier {
  /** True if systemd asked to be notified. */
  readonly enabled: boolean;
  /** How often the watchdog is to be fed, milliseconds: a third of WatchdogSec; undefined where there is none. */
  readonly watchdogIntervalMs: number | undefined;
  readonly #log: Logger;
  readonly #carry: Carrier;
  readonly #retryMs: number;
  readonly #pending = new Map<string, string>();
  /** What systemd did not get, such as when the system refused a process; newer words replace older ones. */
  readonly #unsent = new Map<string, string>();
  #retry: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #watchdog: NodeJS.Timeout | undefined;
  #feed: (() => void) | undefined;
  #failed = false;

  constructor(options: SystemdNotifierOptions) {
    this.#log = options.log;
    const { env, program = 'systemd-notify', deadlineMs = NOTIFY_DEADLINE_MS } = options;
    const socket = env['NOTIFY_SOCKET'] ?? '';
    this.#carry =
      byDescriptor(env['NOTIFY_FD']) ??
      // No more than it needs: this process's environment may hold secrets.
      byProgram({ program, env: { NOTIFY_SOCKET: socket, PATH: env['PATH'] ?? '/usr/bin:/bin' }, deadlineMs });
    this.#retryMs = options.retryMs ?? RETRY_MS;
    this.enabled = socket !== '';
    const watchdogUsec = Number(env['WATCHDOG_USEC'] ?? '');
    const watchdogPid = env['WATCHDOG_PID'];
    const forUs = watchdogPid === undefined || watchdogPid === String(process.pid);
    this.watchdogIntervalMs =
      this.enabled && forUs && Number.isFinite(watchdogUsec) && watchdogUsec > 0 ? watchdogUsec / 3_000 : undefined;
  }

  /** The daemon is in its loop; whether there is internet plays no part. */
  ready(status: string): Promise<void> {
    return this.#send({ READY: '1', STATUS: status });
  }

  /** What `systemctl status` shows, in plain words, on one line. */
  status(text: string): Promise<void> {
    return this.#send({ STATUS: text });
  }

  /** A reload has begun; {@link ready} ends it. */
  reloading(): Promise<void> {
    return this.#send({ RELOADING: '1' });
  }

  /** The daemon is on its way out. */
  stopping(status: string): Promise<void> {
    this.stopWatchdog();
    return this.#send({ STOPPING: '1', STATUS: status });
  }

  /**
   * Feeds the watchdog for as long as `sick()` answers undefined. A main loop that hangs feeds nothing by itself;
   * `sick` says what else is wrong, in words for the log.
   */
  startWatchdog(sick: () => string | undefined): void {
    if (this.watchdogIntervalMs === undefined || this.#watchdog !== undefined) return;
    let lastComplaint: string | undefined;
    const feed = (): void => {
      const complaint = sick();
      if (complaint === undefined) void this.#send({ WATCHDOG: '1' });
      if (complaint !== lastComplaint) {
        if (complaint === undefined) this.#log.info({}, 'Healthy again');
        else this.#log.error({}, `Not healthy: ${complaint}; systemd restarts this service if it lasts`);
      }
      lastComplaint = complaint;
    };
    feed();
    this.#feed = feed;
    this.#watchdog = setInterval(feed, this.watchdogIntervalMs);
  }

  stopWatchdog(): void {
    clearInterval(this.#watchdog);
    this.#watchdog = undefined;
    this.#feed = undefined;
  }

  /** Merges what is waiting into the next message; resolves when everything known now has been sent or given up. */
  #send(fields: Readonly<Record<string, string>>): Promise<void> {
    if (!this.enabled) return Promise.resolve();
    clearTimeout(this.#retry);
    for (const [key, value] of this.#unsent) if (!this.#pending.has(key)) this.#pending.set(key, value);
    this.#unsent.clear();
    for (const [key, value] of Object.entries(fields)) this.#pending.set(key, value);
    // These two contradict each other, so the later one wins.
    if ('RELOADING' in fields) this.#pending.delete('READY');
    if ('READY' in fields) this.#pending.delete('RELOADING');
    this.#running ??= this.#drain();
    return this.#running;
  }

  async #drain(): Promise<void> {
    // Lets everything that is said in one turn go out as one message.
    await Promise.resolve();
    let hungry = false;
    while (this.#pending.size > 0) {
      const fields = [...this.#pending];
      this.#pending.clear();
      const problem = await this.#carry(fields.map(([key, value]) => `${key}=${oneLine(value)}`));
      this.#tell(problem);
      if (problem === undefined) continue;
      for (const [key, value] of fields) {
        // A sign of life is of its moment; everything else is still true.
        if (key === 'WATCHDOG') hungry = true;
        else this.#unsent.set(key, value);
      }
    }
    if ((hungry || this.#unsent.size > 0) && !this.#unsent.has('STOPPING')) {
      this.#retry = setTimeout(() => {
        if (hungry) this.#feed?.();
        void this.#send({});
      }, this.#retryMs).unref();
    }
    // In the same turn as the last look at what is pending, so that nothing is left behind in between.
    this.#running = undefined;
  }

  #tell(problem: string | undefined): void {
    if (problem !== undefined && !this.#failed) {
      const message = `Could not notify systemd (${problem}), which takes this service for dead if it lasts; tried again within ${this.#retryMs / 1_000} s`;
      this.#log.warn({ problem }, message);
    }
    this.#failed = problem !== undefined;
  }
}

/** sd_notify separates fields by newlines; a status of several lines would forge one. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, 300);
}
