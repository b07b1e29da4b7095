/**
 * A month in minutes: the real daemon as a process, with everything around it, on a clock that goes faster and lets quarters of an hour pass at once.
 * After each cycle of happenings it is looked at, at rest; at the end every figure is judged.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { HISTORY_FOLDER } from '../../src/main/observe/history/history.js';
import { SEGMENT_BYTES, SEGMENTS } from '../../src/main/observe/history/segments.js';
import { ask } from '../support/ask.js';
import { freePort } from '../support/free-port.js';
import { GROUP, Installation } from '../support/installation.js';
import { makeFullHistory } from './full-history.js';
import { trendOf, type Trend } from './leak.js';
import { happenings, type Happening, type Plan } from './plan.js';
import { FIGURES, lookAtCard, takeSample, type Figure, type Sample } from './sample.js';

export interface MonthOptions {
  readonly plan: Plan;
  /** Something leaks on purpose. Default false. */
  readonly leaks?: boolean;
  readonly say?: (line: string) => void;
}

export interface MonthResult {
  readonly samples: readonly Sample[];
  readonly trends: Readonly<Record<Figure, Trend>>;
  /** What the cloud counted: joins of a new session, sessions that went on. */
  readonly joined: number;
  readonly recovered: number;
  /** The history at its largest. */
  readonly mostOnCard: number;
  /** What is wrong, a sentence each. */
  readonly complaints: readonly string[];
}

/**
 * Optimised code is made for hours, as one function after the other gets hot, and bytecode is dropped when it has not run for a while: 40 kB a cycle, and
 * nothing to do with what the program holds (measured by heap snapshots: of 700 kB none was data).
 */
const V8 = ['--expose-gc', '--no-opt', '--no-flush-bytecode'] as const;
/** The daemon's own deadlines, in real seconds: a slow machine has to keep them. */
const DEADLINES = { check: 2, halfOpen: 6, send: 5 } as const;
const QUARTER_MS = 900_000;
/** Before it is looked at: what the last happening has set off is over by then. Real milliseconds. */
const REST_MS = 500;
const DEVICE = { userId: 'device' } as const;
/** A wait of the daemon's own of a quarter of an hour, such as after a refusal, is over by then. */
const PATIENT = { timeoutMs: 120_000 } as const;
/** Beyond the four segments: the last batch may make the newest one longer. */
const CARD_BYTES = SEGMENTS * SEGMENT_BYTES + 64 * 1_024;

export async function month({ plan, leaks = false, say = () => undefined }: MonthOptions): Promise<MonthResult> {
  const directory = await mkdtemp(path.join(tmpdir(), 'month-'));
  const run = await Run.start(directory, plan.speed, leaks);
  const samples: Sample[] = [];
  let mostOnCard = 0;
  try {
    for (let cycle = 0; cycle < plan.cycles; cycle += 1) {
      for (const kind of happenings(plan, cycle)) await run.let(kind);
      const [sample, bytes] = await run.look();
      samples.push(sample);
      mostOnCard = Math.max(mostOnCard, bytes);
      say(
        `${String(cycle + 1).padStart(3)}/${plan.cycles} ${JSON.stringify(sample)} history ${Math.round(bytes / 1_024)} kB`,
      );
    }
    say(`It took: ${run.took}`);
    const figures = Object.keys(FIGURES) as Figure[];
    const trends = Object.fromEntries(
      figures.map((figure) => {
        const allowed = FIGURES[figure];
        const values = samples.map((sample) => sample[figure]);
        return [figure, trendOf(values, allowed === 'heap' ? plan.allowedHeapKb : allowed)];
      }),
    ) as Record<Figure, Trend>;
    const { connected, recovered } = run.site.cloud.pubsub.counts;
    const complaints = [
      ...figures
        .filter((figure) => trends[figure].leaks)
        .map((figure) => `${figure}: it grows, ${inWords(trends[figure])}`),
      ...(mostOnCard > CARD_BYTES
        ? [`the history took ${mostOnCard} bytes of the card; ${CARD_BYTES} are allowed`]
        : []),
      ...run.errors().map((line) => `the daemon logged an error: ${line}`),
      ...run.unanswered(),
      ...(await run.end()),
    ];
    return { samples, trends, joined: connected, recovered, mostOnCard, complaints };
  } finally {
    await run.site.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

export function inWords({ median, growth, slope, sigma }: Trend): string {
  const [middle, more, each] = [median, growth, slope].map((value) => value.toFixed(1));
  return `median ${middle}, ${each} a cycle, ${more} over the second half (${sigma.toFixed(1)} sigma)`;
}

class Run {
  readonly #door: string;
  #passedMs = 0;
  #counts = 0;
  #linesSeen = 0;
  #asked = 0;
  #unanswered = 0;
  readonly #tookMs = new Map<Happening, number>();

  private constructor(
    readonly site: Installation,
    readonly directory: string,
    readonly epochMs: number,
    readonly speed: number,
    readonly outlets: readonly (string | number)[],
  ) {
    this.#door = path.join(directory, 'door.sock');
  }

  static async start(directory: string, speed: number, leaks: boolean): Promise<Run> {
    const epochMs = Date.now();
    makeFullHistory(directory, epochMs);
    const socket = path.join(directory, 'control.sock');
    const port = await freePort();
    const site = await Installation.create({
      nodeArgs: [...V8, '--import', fileURLToPath(new URL('./inside.js', import.meta.url))],
      env: (cloud) => ({
        MONTH_DOOR: path.join(directory, 'door.sock'),
        MONTH_SPEED: String(speed),
        MONTH_EPOCH_MS: String(epochMs),
        MONTH_LEAKS: leaks ? 'yes' : '',
        STATE_DIRECTORY: directory,
        // Its tokens are issued for as long as they are to serve, see `#pass`.
        WEBPUBSUB_NEGOTIATE_URL: cloud.negotiateUrl,
        DUNEBUGGER_STATUS_CONTROL_SOCKET: socket,
        DUNEBUGGER_STATUS_STATUS_PAGE: 'True',
        DUNEBUGGER_STATUS_STATUS_PORT: String(port),
        // In the daemon's time.
        DUNEBUGGER_WEBSOCKET_CONNECTION_INTERVAL_SECS: '2',
        DUNEBUGGER_WEBSOCKET_CONNECTION_TIMEOUT_SECS: String(DEADLINES.check * speed),
        DUNEBUGGER_WEBSOCKET_HALF_OPEN_TIMEOUT_SECS: String(DEADLINES.halfOpen * speed),
        DUNEBUGGER_WEBSOCKET_SEND_TIMEOUT_SECS: String(DEADLINES.send * speed),
        DUNEBUGGER_WEBSOCKET_FAILURES_TO_OFFLINE: '1',
        DUNEBUGGER_WEBSOCKET_STABILIZATION_SECS: '0',
        DUNEBUGGER_WEBSOCKET_RETURN_SPREAD_SECS: '0',
        DUNEBUGGER_WEBSOCKET_STABLE_AFTER_SECS: '0',
        DUNEBUGGER_NTP_NTP_SERVERS: '127.0.0.1',
      }),
    });
    const run = new Run(site, directory, epochMs, speed, [socket, port]);
    run.#follow();
    try {
      await site.startConnected();
      return run;
    } catch (error) {
      await site.stop();
      throw error;
    }
  }

  async let(kind: Happening): Promise<void> {
    this.#counts += 1;
    this.#follow();
    const startedAt = performance.now();
    await this.#ways[kind]();
    this.#tookMs.set(kind, (this.#tookMs.get(kind) ?? 0) + performance.now() - startedAt);
  }

  /** How long each kind of happening took, together. */
  get took(): string {
    return [...this.#tookMs].map(([kind, ms]) => `${kind} ${(ms / 1_000).toFixed(1)} s`).join(', ');
  }

  /** At rest. */
  async look(): Promise<readonly [Sample, number]> {
    await this.#joined();
    await sleep(REST_MS);
    await this.#joined();
    const { lines, pid } = this.site.daemon;
    const logged = lines.slice(this.#linesSeen);
    this.#linesSeen = lines.length;
    const sample = await takeSample(pid, this.#door, logged);
    return [sample, lookAtCard(path.join(this.directory, HISTORY_FOLDER)).bytes];
  }

  errors(): readonly string[] {
    return this.site
      .log()
      .filter(({ level }) => level === 'error' || level === 'fatal')
      .map(({ msg }) => msg);
  }

  /** Most questions have to be answered, or nothing is proven by them. */
  unanswered(): readonly string[] {
    const bad = this.#unanswered > this.#asked / 10;
    return bad ? [`${this.#unanswered} of ${this.#asked} questions were not answered`] : [];
  }

  /** It stops as it should. */
  async end(): Promise<readonly string[]> {
    const { daemon } = this.site;
    daemon.signal('SIGTERM');
    const { code, signal } = await daemon.waitForExit(PATIENT);
    return code === 0 ? [] : [`it ended with ${signal ?? String(code)}`];
  }

  readonly #ways: Readonly<Record<Happening, () => Promise<void>>> = {
    outage: () => this.#outage(),
    recovery: () => this.#cut(() => this.site.cloud.pubsub.drop(DEVICE)),
    anew: () => this.#cut(() => this.site.cloud.pubsub.forgetSessions()),
    busRestart: async () => {
      const since = this.site.daemon.lines.length;
      await this.site.nats.kill();
      await this.site.nats.start();
      await this.site.daemon.waitForLine(/The bus is there/, { ...PATIENT, since });
    },
    reload: () => this.site.reload('heartBeatLoopDurationSecs', String(300 + (this.#counts % 2))),
    quarterOfAnHour: async () => {
      this.#passedMs += QUARTER_MS;
      this.#follow();
      await ask(this.#door, `/pass?ms=${QUARTER_MS}`);
    },
    question: async () => {
      const [socket = '', port = 0] = this.outlets;
      for (const what of ['/snapshot', '/outages', '/metrics', '/settings']) await this.#ask(socket, what);
      for (const what of ['/', '/metrics', '/outages.csv']) await this.#ask(port, what);
    },
    message: () => this.#say(),
  };

  /** Until it has been heard: what is said while the connection goes, as when time passes at once, is old news after it and not handed on. */
  async #say(tries = 60): Promise<void> {
    const { cloud, core, scheduler } = this.site;
    await this.#joined();
    const mark = `said ${this.#counts}`;
    const heard = scheduler.waitForCommand(({ body }) => body === mark, {
      timeoutMs: 2_000,
      since: scheduler.commands.length,
    });
    core.publish('log', mark);
    const message = { subject: 'scheduler.update_schedule', body: mark, connectionId: null };
    cloud.pubsub.sendToGroup(GROUP, message);
    cloud.pubsub.sendToGroup(GROUP, { subject: 'controller.heartbeat', body: '', connectionId: null });
    try {
      await heard;
    } catch (error) {
      if (tries === 1) throw error;
      await this.#say(tries - 1);
    }
  }

  async #ask(where: string | number, what: string): Promise<void> {
    this.#asked += 1;
    try {
      await ask(where, what);
    } catch {
      // The outlets' deadlines for their clients go as fast as everything.
      this.#unanswered += 1;
    }
  }

  async #joined(): Promise<void> {
    await this.site.cloud.pubsub.waitForMember(GROUP, { ...DEVICE, ...PATIENT });
  }

  async #cut(cut: () => void): Promise<void> {
    await this.#joined();
    const { pubsub } = this.site.cloud;
    const comings = (): number => pubsub.counts.connected + pubsub.counts.recovered;
    const before = comings();
    cut();
    await pubsub.waitUntil(() => comings() > before, 'the device to be back', PATIENT);
  }

  async #outage(): Promise<void> {
    const { cloud, daemon } = this.site;
    const since = daemon.lines.length;
    await this.site.breakInternet(this.#counts % 8 === 0 ? 'portal' : 'refused');
    await daemon.waitForLine(/Internet lost/, { ...PATIENT, since });
    if (this.#counts % 2 === 0) cloud.pubsub.forgetDroppedSessions();
    await this.site.repairInternet();
    await this.#joined();
  }

  /** What the daemon's clock is compared with goes with it. */
  #follow(): void {
    const { cloud } = this.site;
    const wallMs = this.epochMs + (Date.now() - this.epochMs) * this.speed + this.#passedMs;
    cloud.site.dateHeader = new Date(wallMs);
    const expiresInSecs = Math.round((wallMs - Date.now()) / 1_000) + 86_400;
    cloud.pubsub.negotiateAccess = { via: cloud.gate.hostAndPort, expiresInSecs };
  }
}
