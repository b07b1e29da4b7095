/**
 * A whole installation in a stepped clock: a page, the service in the middle, the exchange, core and scheduler. The line between the Pi and the
 * service is cut and mended by hand; what the connection does about it follows the times of the real one.
 */
import type { Json, Sendable } from '../../src/main/base/json.js';
import type { Delivery, GroupMessage, SendOutcome } from '../../src/main/connection/session.js';
import type { BusState, PublishOutcome } from '../../src/main/remote/bus.js';
import { Exchange } from '../../src/main/remote/exchange.js';
import type { RemoteBus, RemoteConnection, RemoteSettings } from '../../src/main/remote/exchange.js';
import { jsonMessage, read } from './json-text.js';
import { Page } from './page.js';
import { RecordedLog } from './recorded-log.js';
import { SteppedClock } from './stepped-clock.js';

/** Silence until a cut line is noticed, milliseconds: `halfOpenTimeoutSecs`. */
const NOTICED_AFTER_MS = 15_000;
/** From the internet's return to a socket: `stabilizationSecs`, and the handshakes. */
const SETTLES_MS = 3_200;
/** All that the service promises: it keeps a session for so long after its socket has gone. Seen kept for longer elsewhere. */
const KEPT_MS = 30_000;
const TRIP_MS = 50;

interface OnItsWay {
  readonly data: Json;
  readonly settle: (outcome: SendOutcome) => void;
  readonly cancel: () => void;
}

/** The Pi's connection and the service behind it. */
class Line implements RemoteConnection {
  #toPage: ((data: Json) => void) | undefined;
  readonly #messages = new Set<(message: GroupMessage) => void>();
  readonly #joined = new Set<(joined: { recovered: boolean }) => void>();
  readonly #states = new Set<(state: { kind: string }) => void>();
  #kind = 'waiting-for-internet';
  #cutAtMs: number | undefined;
  #droppedAtMs: number | undefined;
  #gone = false;
  #sessionLives = false;
  /** Sent by the Pi and not acknowledged; goes out again under its ackId when the session goes on. */
  #pending = new Set<OnItsWay>();
  /** Written into a dead line: TCP brings it if the line comes back before the socket is given up, whatever we made of it. */
  #written: OnItsWay[] = [];
  /** What the service holds for the Pi. */
  #held: Json[] = [];

  constructor(
    private readonly clock: SteppedClock,
    private readonly keptMs: number,
  ) {}

  /** The page at the other end of the group. */
  serve(toPage: (data: Json) => void): void {
    this.#toPage = toPage;
  }

  send(sent: Sendable, { timeoutMs }: { readonly timeoutMs: number }): Promise<{ outcome: SendOutcome }> {
    if (this.#kind !== 'connected') return Promise.resolve({ outcome: 'not-connected' });
    return new Promise((resolve) => {
      const item: OnItsWay = {
        data: read(sent),
        settle: (outcome) => {
          item.cancel();
          this.#pending.delete(item);
          resolve({ outcome });
        },
        cancel: this.clock.setTimer(() => item.settle('failed'), timeoutMs),
      };
      this.#pending.add(item);
      if (this.#cutAtMs === undefined) this.#deliver(item);
      else this.#written.push(item);
    });
  }

  onMessage(listener: (message: GroupMessage) => void): () => void {
    this.#messages.add(listener);
    return () => this.#messages.delete(listener);
  }
  onJoined(listener: (joined: { recovered: boolean }) => void): () => void {
    this.#joined.add(listener);
    return () => this.#joined.delete(listener);
  }
  onStateChange(listener: (state: { kind: string }) => void): () => void {
    this.#states.add(listener);
    return () => this.#states.delete(listener);
  }

  /** A browser says something to the group. */
  fromPage(data: Json): void {
    this.clock.setTimer(() => {
      if (!this.#sessionLives) return;
      if (this.#cutAtMs === undefined && this.#kind === 'connected') this.#tell(data);
      else this.#held.push(data);
    }, TRIP_MS);
  }

  join(): void {
    this.#cutAtMs = undefined;
    this.#droppedAtMs = undefined;
    this.#gone = false;
    this.#held = [];
    this.#sessionLives = true;
    this.#become('connected');
    for (const listener of this.#joined) listener({ recovered: false });
  }

  /** The process is gone, and its session with it. */
  leave(): void {
    this.#lose();
  }

  /** `silent`: nothing comes back and nothing is refused; otherwise the socket is closed at once. */
  cut(silent: boolean): void {
    const cutAtMs = this.clock.nowMs();
    this.#cutAtMs = cutAtMs;
    const drop = (): void => {
      if (this.#cutAtMs !== cutAtMs) return;
      this.#droppedAtMs = this.clock.nowMs();
      this.#written = [];
      this.#become('waiting-for-internet');
    };
    if (silent) this.clock.setTimer(drop, NOTICED_AFTER_MS);
    else drop();
    // The service notices in its own time; it counts from the last it heard.
    this.clock.setTimer(() => {
      if (this.#cutAtMs !== cutAtMs || this.#droppedAtMs === undefined) return;
      this.#gone = true;
      this.#sessionLives = false;
      this.#held = [];
    }, this.keptMs);
  }

  /** The internet is back. */
  mend(): void {
    if (this.#droppedAtMs === undefined) {
      // Nobody has noticed: what waited in the buffers of both ends arrives.
      this.#cutAtMs = undefined;
      for (const item of this.#written.splice(0)) this.#deliver(item);
      for (const data of this.#held.splice(0)) this.#tell(data);
      return;
    }
    this.clock.setTimer(() => (this.#gone ? this.#afresh() : this.#recover()), SETTLES_MS);
  }

  #recover(): void {
    const droppedForMs = this.clock.nowMs() - (this.#droppedAtMs ?? 0);
    this.#cutAtMs = undefined;
    this.#droppedAtMs = undefined;
    this.#become('connected');
    for (const listener of this.#joined) listener({ recovered: true });
    for (const item of [...this.#pending]) this.#deliver(item);
    for (const data of this.#held.splice(0)) this.#tell(data, { replayed: true, droppedForMs });
  }

  #afresh(): void {
    this.#lose();
    this.join();
  }

  #lose(): void {
    this.#sessionLives = false;
    this.#become('connecting');
    for (const item of [...this.#pending]) item.settle('failed');
  }

  #deliver(item: OnItsWay): void {
    this.clock.setTimer(() => {
      if (this.#cutAtMs !== undefined) {
        this.#written.push(item);
        return;
      }
      this.#toPage?.(item.data);
      item.settle('sent');
    }, TRIP_MS);
  }

  #tell(data: Json, how: Partial<Delivery> = {}): void {
    for (const listener of this.#messages) listener(jsonMessage(data, how));
  }

  #become(kind: string): void {
    if (kind === this.#kind) return;
    this.#kind = kind;
    for (const listener of this.#states) listener({ kind });
  }
}

/** The bus with core and scheduler on it. */
class Components implements RemoteBus {
  up = true;
  /** What core and scheduler are like at present. */
  readonly state = { core: 0, scheduler: 0 };
  readonly here = { core: true, scheduler: true };
  /** Commands that moved something. */
  readonly moved: unknown[] = [];
  /** Told in their heartbeats, as components may. */
  readonly versions: { core?: string; scheduler?: string } = {};
  /** Questions "are you there?" that nobody was there to hear. */
  missedQuestions = 0;
  readonly #messages = new Set<(token: string, data: Uint8Array) => void>();
  readonly #states = new Set<(state: BusState) => void>();

  constructor(private readonly clock: SteppedClock) {}

  start(): void {
    for (const listener of this.#states) listener('up');
  }
  onMessage(listener: (token: string, data: Uint8Array) => void): () => void {
    this.#messages.add(listener);
    return () => this.#messages.delete(listener);
  }
  onForeignQuestion(): () => void {
    return () => undefined;
  }
  onStateChange(listener: (state: BusState) => void): () => void {
    this.#states.add(listener);
    return () => this.#states.delete(listener);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  announce(): PublishOutcome {
    return this.up ? 'published' : 'down';
  }

  publish(recipient: 'core' | 'scheduler', subject: string, payload: object): PublishOutcome {
    if (!this.up) return 'down';
    this.clock.setTimer(() => this.#hears(recipient, subject, (read(payload) as { readonly body?: Json }).body), 5);
    return 'published';
  }

  /** Something has changed: it is told. */
  change(component: 'core' | 'scheduler'): void {
    this.state[component] += 1;
    this.#tellState(component);
  }

  /** The scheduler asks this at its start. */
  askForTheClock(): void {
    this.#tell('scheduler', 'get_ntp_status', null);
  }

  become(state: BusState): void {
    this.up = state === 'up';
    for (const listener of this.#states) listener(state);
  }

  #hears(component: 'core' | 'scheduler', subject: string, body: Json | undefined): void {
    if (subject === 'heartbeat' && !this.here[component]) this.missedQuestions += 1;
    if (subject === 'heartbeat') this.#tell(component, 'heartbeat', 'alive');
    else if (subject === 'refresh_gpios' || subject === 'refresh') this.#tellState(component);
    else if (subject === 'dunebugger_set' && this.here[component]) this.moved.push(body);
  }

  #tellState(component: 'core' | 'scheduler'): void {
    this.#tell(component, component === 'core' ? 'gpio_state' : 'current_schedule', this.state[component]);
  }

  #tell(source: 'core' | 'scheduler', subject: string, body: Json): void {
    if (!this.up || !this.here[source]) return;
    const version = this.versions[source];
    const data = Buffer.from(JSON.stringify({ body, subject, source, ...(version === undefined ? {} : { version }) }));
    for (const listener of this.#messages) listener(subject, data);
  }
}

export class House {
  readonly clock = new SteppedClock();
  readonly line: Line;
  readonly components = new Components(this.clock);
  readonly log = new RecordedLog();
  readonly page: Page;
  /** `log` messages that the page draws. */
  readonly drawn: { readonly message?: string; readonly level?: string; readonly success?: boolean }[] = [];
  #exchange: Exchange;

  /** `keptMs`: how long the service keeps a session whose socket is gone. Default 30,000. */
  constructor(
    private readonly settings: Partial<RemoteSettings> = {},
    keptMs = KEPT_MS,
  ) {
    this.line = new Line(this.clock, keptMs);
    this.page = new Page({ clock: this.clock, send: (subject, body) => this.press(subject, body as Json) });
    this.line.serve((data) => {
      const { subject, body, destination } = data as { subject: string; body: Json; destination: string };
      if (destination !== 'broadcast' && destination !== 'page-1') return;
      if (subject === 'log') this.drawn.push(body as { message?: string });
      this.page.received(subject, body);
    });
    this.#exchange = this.#startExchange();
  }

  /** Up and running, with a page that looks at it. */
  async open(): Promise<void> {
    this.line.join();
    await this.clock.advance(1_000);
    this.page.connected();
    await this.clock.advance(1_000);
  }

  /** As a click does. */
  press(subject: string, body: Json): void {
    this.line.fromPage({ subject, body, connectionId: 'page-1' });
  }

  get showsThePresent(): boolean {
    return (
      this.page.online &&
      this.page.shown('gpio_state') === this.components.state.core &&
      this.page.shown('current_schedule') === this.components.state.scheduler
    );
  }

  /** For messages of a failed assertion. */
  get seen(): string {
    const { core, scheduler } = this.components.state;
    return `online ${this.page.online}, core ${String(this.page.shown('gpio_state'))} of ${core}, scheduler ${String(this.page.shown('current_schedule'))} of ${scheduler}`;
  }

  /** The daemon ends and is there again after `awayMs`. */
  async restartDaemon(awayMs: number, meanwhile: () => void): Promise<void> {
    await this.#exchange.stop();
    this.line.leave();
    meanwhile();
    await this.clock.advance(awayMs);
    this.#exchange = this.#startExchange();
    this.line.join();
  }

  async stop(): Promise<void> {
    this.page.stop();
    await this.#exchange.stop();
  }

  #startExchange(): Exchange {
    const exchange = new Exchange({
      connection: this.line,
      bus: this.components,
      collectSystemInfo: () => Promise.resolve('info'),
      describeComponents: () => Promise.resolve([]),
      settings: {
        broadcastInitialState: true,
        heartBeatEverySecs: 60,
        heartBeatLoopDurationSecs: 300,
        ...this.settings,
      },
      log: this.log,
      clock: this.clock,
    });
    exchange.start();
    return exchange;
  }
}
