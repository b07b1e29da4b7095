/** All that lets others know how this daemon is: the snapshot, and the outlets that show it. */
import path from 'node:path';
import type { CheckEvidence } from '../../workers/protocol.js';
import { History, HISTORY_FOLDER } from './history/history.js';
import { storyOf } from './history/outages.js';
import type { HistoryEvent } from './history/recorder.js';
import { reportOf, type OutageReport } from './history/report.js';
import type { Machine } from './machine.js';
import type { RedactingLogger } from './ports.js';
import { controlAddress } from './control-address.js';
import { ControlServer } from './control-server.js';
import { RecentHistory } from './history/view.js';
import { Looks } from './looks.js';
import { createPageRoutes, createReadings, createRoutes, redacted } from './outlet.js';
import { PageServer, type PageAddress } from './page-server.js';
import type { Pages } from './page/routes.js';
import type { Answer } from './http/server.js';
import type { Shown } from './page/sections.js';
import type { Parts } from './parts.js';
import { systemClock } from '../base/clock.js';
import { settledWithin } from '../base/deadline.js';
import { CheckQuality } from './quality.js';
import { TrafficOfToday } from './traffic.js';
import type { RunningSettings } from './running-settings.js';
import { takeSnapshot, type Snapshot, type StandingParts } from './snapshot.js';
import { VerdictOutlet } from './verdict/outlet.js';
import { standingOf } from './verdict/told.js';

export interface ObservationOptions {
  /** What the parts say of themselves now; undefined while nothing runs. */
  readonly parts: () => Parts | undefined;
  /** The same of what programs are told, which is looked at with each check. */
  readonly standing: () => StandingParts | undefined;
  /** The settings that are in force now, without secrets. */
  readonly settings: () => RunningSettings;
  /** Looks at the internet now. */
  readonly lookNow: () => Promise<unknown>;
  /** `[Status] controlSocket`. */
  readonly controlSocket: string;
  /** `[Status] statusPage`; undefined: it is not wanted. */
  readonly page: PageAddress | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: RedactingLogger;
  readonly version: string;
  /** Where the folder of the history is; undefined: in memory only. */
  readonly stateDirectory: string | undefined;
}

/** So often an outage that lasts is noted, so that a power cut leaves its length known to that, milliseconds. */
const TICK_MS = 900_000;
const TICKS_AN_HOUR = 4;
const LAST_OUTAGES = 3;
/** A card that hangs is not waited for: whoever asks how it is gets that within a second, milliseconds. */
const CARD_MS = 700;

export class Observation {
  readonly #options: ObservationOptions;
  readonly #control: ControlServer;
  readonly #page: PageServer;
  readonly #quality = new CheckQuality();
  readonly #traffic = new TrafficOfToday();
  readonly #history: History;
  readonly #recent: RecentHistory;
  readonly #looks: Looks;
  /** For programs of the operator. */
  readonly verdict: VerdictOutlet;
  #pages: Promise<Pages> | undefined;
  #ticks = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ObservationOptions) {
    this.#options = options;
    const { log, stateDirectory, version } = options;
    const directory = stateDirectory === undefined ? undefined : path.join(stateDirectory, HISTORY_FOLDER);
    this.#history = new History({ directory, version, log });
    this.#recent = new RecentHistory(this.#history);
    this.#looks = new Looks(options.lookNow);
    this.verdict = new VerdictOutlet({
      snapshot: () => this.snapshot(),
      standing: () => {
        const parts = options.standing();
        return parts && standingOf(parts);
      },
      runtimeDirectory: options.env['RUNTIME_DIRECTORY'],
      log,
    });
    const readings = {
      snapshot: () => this.#look(),
      outages: () => this.#outages(),
      metrics: (accept: string | undefined) => this.#metrics(accept),
      redact: (text: string) => log.redact(text),
    };
    const pages = createPageRoutes(() => (this.#pages ??= this.#loadPages()));
    this.#control = new ControlServer({
      routes: { ...createRoutes({ ...readings, looks: this.#looks, settings: options.settings }), ...pages },
      log,
    });
    this.#page = new PageServer({ ...createReadings(readings), ...pages }, log);
  }

  /** A check of the internet has ended. */
  checked(evidence: CheckEvidence): void {
    this.#quality.note(evidence, performance.now());
  }

  /** Something for the history. What it says of the network is redacted like a line of the log. */
  happened(event: HistoryEvent): void {
    const { log } = this.#options;
    const told = 'evidence' in event ? { ...event, evidence: log.redact(event.evidence) } : event;
    void this.#history.note(told);
  }

  /** The cloud connection does not stand; `givenUp`: nor is it being resumed. */
  cloudAway(givenUp: boolean, message: string | undefined): void {
    const why = this.snapshot()?.troubles.first?.code ?? 'cloud-lost';
    this.happened({ kind: 'cloud-away', givenUp, why, ...(message === undefined ? {} : { evidence: message }) });
  }

  /** What the parts say of themselves; undefined while nothing runs. */
  snapshot(): Snapshot | undefined {
    const parts = this.#options.parts();
    return parts === undefined ? undefined : takeSnapshot(parts, systemClock.wallMs());
  }

  /** Never rejects: a daemon that cannot be asked does its work all the same. */
  async start(): Promise<void> {
    const { controlSocket, env, page } = this.#options;
    void this.#history.start();
    this.#timer = setInterval(() => void this.#tick(), TICK_MS);
    await Promise.all([
      this.#control.listen(controlAddress(controlSocket, env, process.pid)),
      page === undefined ? undefined : this.#page.listen(page),
    ]);
    void this.#noteTraffic();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([this.#control.close(), this.#page.close(), this.#history.stop(), this.verdict.stop()]);
  }

  async #tick(): Promise<void> {
    this.#ticks += 1;
    void this.#history.note({ kind: 'tick' });
    const kb = await this.#noteTraffic();
    if (this.#ticks % TICKS_AN_HOUR > 0) return;
    const { checks, failed, latencyMs, jitterMs } = this.#quality.lastHour(performance.now());
    const ms = latencyMs === null ? null : ([latencyMs.mean, jitterMs ?? 0, latencyMs.max] as const);
    void this.#history.note({ kind: 'hour', n: checks, f: failed, ms, kb });
  }

  async #noteTraffic(): Promise<readonly [number, number] | null> {
    const { traffic } = await this.#machine();
    return this.#traffic.note(traffic, systemClock.wallMs());
  }

  /** Loaded when it is looked at for the first time. */
  async #machine(): Promise<Machine> {
    const { lookAtMachine } = await import('./machine.js');
    return lookAtMachine();
  }

  /** The same with a look at the machine and at the history. */
  async #look(): Promise<Snapshot | undefined> {
    const reading = this.#recent.story(systemClock.wallMs());
    const [machine, inTime] = await Promise.all([this.#machine(), settledWithin(reading, CARD_MS)]);
    const parts = this.#options.parts();
    if (parts === undefined) return undefined;
    const nowMs = systemClock.wallMs();
    this.#traffic.note(machine.traffic, nowMs);
    return takeSnapshot(parts, nowMs, {
      machine,
      lastHour: this.#quality.lastHour(performance.now()),
      today: this.#traffic.today,
      outages: inTime ? (await reading).outages.slice(-LAST_OUTAGES).reverse() : null,
    });
  }

  async #outages(): Promise<OutageReport> {
    const read = await this.#history.read();
    const atMs = systemClock.wallMs();
    return reportOf(storyOf(read.records, { at: atMs }), { atMs, running: true, read });
  }

  /** For the page, without anything that must not be read. */
  async #show(): Promise<Shown | undefined> {
    const snapshot = await this.#look();
    if (snapshot === undefined) return undefined;
    const story = await this.#recent.story(snapshot.takenAtMs);
    return { snapshot: redacted(snapshot, (text) => this.#options.log.redact(text)), story };
  }

  async #loadPages(): Promise<Pages> {
    const { createPages } = await import('./page/routes.js');
    return createPages({
      look: () => this.#show(),
      outages: () => this.#outages(),
      looks: this.#looks,
      log: this.#options.log,
    });
  }

  async #metrics(accept: string | undefined): Promise<Answer> {
    const { formatFor, metricsText, METRICS_TYPES } = await import('./metrics.js');
    const snapshot = await this.#look();
    const story = await this.#recent.story(systemClock.wallMs());
    const format = formatFor(accept);
    return {
      contentType: METRICS_TYPES[format],
      body: metricsText({ snapshot, totals: this.#quality.totals, story }, format),
    };
  }
}
