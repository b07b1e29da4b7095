/**
 * The exchange between the cloud and the components: shows that this machine is alive, tells what it is, and owns
 * when the parts begin, tick and end. What travels has a file for each direction, `from-group.ts` and `from-bus.ts`. The
 * decisions are pure (router, heartbeat, component watch, token bucket, outbox); here they meet the connection, the bus
 * and the clock.
 */
import type { GroupMessage } from '../connection/session.js';
import type { Logger } from '../log.js';
import { SystemInfoAnnouncer } from './announcer.js';
import type { Clock } from '../base/clock.js';
import { systemClock } from '../base/clock.js';
import { BrowserAnswers } from './browser-answers.js';
import { BrowserCommands } from './browser-commands.js';
import { ClockTeller } from './clock-teller.js';
import { DueTimer } from './due-timer.js';
import type { ExchangeDependencies, RemoteSettings } from './exchange-options.js';
import { ForeignController } from './foreign-controller.js';
import { FromBus, type ComponentStatus, type WatchedStatus } from './from-bus.js';
import { FromGroup } from './from-group.js';
import type { Heartbeat, HeartbeatEvent } from './heartbeat.js';
import { SILENT, nextTickMs, onHeartbeat } from './heartbeat.js';
import { STALE_COMMAND_SECS } from './late-commands.js';
import type { OutgoingMessage } from './messages.js';
import { outgoing } from './messages.js';
import type { Unsubscribe } from './ports.js';
import { RepeatedWarning } from './repeated-warning.js';
import type { GroupDecision } from './router.js';
import { SayAgain } from './say-again.js';
import { DEFAULT_SENDER_LIMITS, Sender } from './sender.js';
import { StateRefresher } from './state-refresher.js';
import { DEFAULT_FLOOD_LIMIT } from './token-bucket.js';
import { StatusTeller } from './status-teller.js';
import { Updates } from './updates/updates.js';

export type { ExchangeDependencies, RemoteSettings } from './exchange-options.js';
export type { ComponentStatus } from './from-bus.js';
export type { RemoteBus, RemoteConnection } from './ports.js';

/** How long what waited is held back on joining for the sake of system_info, milliseconds: each of its fields has 2 s. */
const GREETING_MS = 3_000;

export class Exchange {
  readonly #clock: Clock;
  readonly #log: Logger;
  #settings: RemoteSettings;
  readonly #sender: Sender;
  readonly #announcer: SystemInfoAnnouncer;
  readonly #fromGroup: FromGroup;
  readonly #fromBus: FromBus;
  readonly #answers: BrowserAnswers;
  readonly #commands: BrowserCommands;
  readonly #sayAgain: SayAgain;
  readonly #refresher: StateRefresher;
  readonly #clockTeller: ClockTeller | undefined;
  readonly #statusTeller: StatusTeller | undefined;
  readonly #updates: Updates;
  readonly #due: DueTimer;
  readonly #foreign: ForeignController;
  #unsubscribe: Unsubscribe[] = [];
  #heartbeat: Heartbeat = SILENT;
  #joins = 0;
  #connected = false;
  #running = false;
  #stopped = false;

  constructor(private readonly deps: ExchangeDependencies) {
    this.#clock = deps.clock ?? systemClock;
    this.#log = deps.log;
    this.#settings = deps.settings;
    this.#foreign = new ForeignController(deps.log, this.#clock);
    this.#due = new DueTimer(this.#clock, () => this.#timeHasCome());
    this.#answers = new BrowserAnswers((message) => this.#say(message), this.#clock);
    this.#commands = new BrowserCommands(
      (recipient, subject, payload) => deps.bus?.publish(recipient, subject, payload) ?? 'off',
      this.#answers,
      deps.log,
      this.#clock,
    );
    this.#refresher = new StateRefresher(
      (component, subject, payload) => (this.#muted ? undefined : deps.bus?.publish(component, subject, payload)),
      deps.log,
    );
    this.#sayAgain = new SayAgain(
      () => this.#sender.phase === 'open',
      ({ heartbeat, systemInfo }) => {
        if (heartbeat) this.#beat({ kind: 'joined' });
        if (systemInfo) void this.#announcer.announce();
      },
      this.#clock,
    );
    this.#clockTeller =
      deps.clockStatus &&
      new ClockTeller({
        ...deps.clockStatus,
        publish: (recipient, subject, payload) => void deps.bus?.publish(recipient, subject, payload),
        say: (message) => this.#say(message),
      });
    this.#statusTeller =
      deps.verdict &&
      new StatusTeller({
        ...deps.verdict,
        announce: (subject, payload) => void deps.bus?.announce(subject, payload),
      });
    this.#updates = new Updates({
      files: deps.updateFiles,
      answers: this.#answers,
      components: () => deps.describeComponents(this.components),
      say: (message) => this.#say(message),
      tell: (message) => {
        if (!this.#muted) this.#sender.relay(message);
      },
      announce: () => this.#announceSystemInfo(),
      log: deps.log,
      clock: this.#clock,
    });
    const common = { onTimeChanged: () => this.#arm(), log: deps.log, clock: this.#clock };
    // A budget of warnings for each side: what is malformed on one must not silence the other.
    this.#fromGroup = new FromGroup({
      ...common,
      flood: () => this.#settings.floodLimit ?? DEFAULT_FLOOD_LIMIT,
      refused: new RepeatedWarning(deps.log, this.#clock),
      onCommand: (arrived, command) => this.#command(arrived, command),
      onHeartbeatRequest: () => this.#askedByBrowser(),
      onSystemInfoRequest: () => this.#announceSystemInfo(),
      onClockRequest: () => this.#clockTeller?.tellBrowsers(),
      onUpdateRequest: (arrived, request, asker) => {
        if (!this.#commands.tooLate(arrived, asker, this.#staleCommandSecs)) void this.#updates.handle(request, asker);
      },
      maxMessageBytes: () => this.#settings.maxMessageBytes,
      foreign: this.#foreign,
      answers: this.#answers,
    });
    this.#fromBus = new FromBus({
      ...common,
      bus: deps.bus,
      refused: new RepeatedWarning(deps.log, this.#clock),
      relay: (message, bytes) => {
        if (this.#muted) return false;
        this.#sender.relay(message, bytes);
        return true;
      },
      onClockRequest: () => this.#clockTeller?.tellScheduler(),
      onStatusRequest: (answer) => this.#statusTeller?.tell(answer),
      onHeard: (component) => this.#refresher.on({ kind: 'heard-component', component }),
      onLost: (component) => this.#refresher.on({ kind: 'lost-component', component }),
      onComponentChanged: () => this.#announceSystemInfo(),
    });
    this.#sender = new Sender(
      (data, options) => deps.connection.send(data, options),
      deps.log,
      this.#clock,
      deps.senderLimits ?? DEFAULT_SENDER_LIMITS,
      ({ subject }) => this.#sayAgain.add(subject),
    );
    this.#announcer = new SystemInfoAnnouncer(
      () => deps.collectSystemInfo(this.components),
      (body) => this.#say(outgoing('system_info', body)),
      deps.log,
      this.#clock,
    );
  }

  /** What waits to be sent to the group. */
  get waiting(): Sender['waiting'] {
    return this.#sender.waiting;
  }

  get components(): readonly ComponentStatus[] {
    return this.#fromBus.components;
  }

  get watched(): readonly WatchedStatus[] {
    return this.#fromBus.watched;
  }

  /** Where another remote was seen lately. */
  get secondRemote(): ForeignController['seen'] {
    return this.#foreign.seen;
  }

  /** To be called before the connection starts, so that no join is missed. Once. */
  start(): void {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    const { connection, bus } = this.deps;
    if (this.#muted) {
      this.#log.info(
        {},
        'broadcastInitialState is False: nothing is sent to the group, commands from it still reach the bus.',
      );
    }
    this.#fromBus.start();
    this.#unsubscribe = [
      connection.onMessage((message) => {
        if (!this.#stopped) this.#fromGroup.take(message);
      }),
      connection.onJoined(({ recovered }) => this.#joined(recovered)),
      connection.onStateChange(({ kind }) => this.#connectionIs(kind)),
    ];
    if (bus === undefined) {
      this.#log.info({}, 'mQueueEnabled is False: no bus, so neither core nor scheduler is reached or watched.');
    } else {
      this.#unsubscribe.push(
        bus.onMessage((token, data, answer) => {
          if (!this.#stopped) this.#fromBus.take(token, data, answer);
        }),
        bus.onForeignQuestion((data) => this.#foreign.askedOnBus(data, this.#clock.nowMs())),
        bus.onStateChange((state) => {
          if (state !== 'up') return;
          this.#foreign.busUp();
          this.#refresher.on({ kind: 'bus-up' });
          this.#fromBus.busUp();
          this.#clockTeller?.tellScheduler();
          this.#statusTeller?.tell();
        }),
      );
      bus.start();
    }
    void this.#updates.resume();
    this.#arm();
  }

  /** New settings, in force at once. */
  configure(settings: RemoteSettings): void {
    if (this.#stopped) return;
    const wasMuted = this.#muted;
    this.#settings = settings;
    this.#beat({ kind: 'configured' });
    if (this.#muted === wasMuted) return;
    if (this.#muted) {
      this.#log.info({}, 'broadcastInitialState is now False: nothing more is sent to the group.');
      this.#joins += 1;
      this.#sender.clear();
      return;
    }
    // The browsers have seen nothing of this Pi so far.
    if (this.#connected) this.#joined(false);
    else this.#sayAgain.addAll();
  }

  /** Ends everything here, the bus included; the connection belongs to whoever made it. Never rejects. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#joins += 1;
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.#due.stop();
    this.#announcer.stop();
    this.#clockTeller?.stop();
    this.#statusTeller?.stop();
    this.#updates.stop();
    this.#answers.stop();
    this.#sayAgain.stop();
    this.#sender.stop();
    await this.deps.bus?.close();
  }

  get #muted(): boolean {
    return !this.#settings.broadcastInitialState;
  }

  get #staleCommandSecs(): number {
    return this.#settings.staleCommandSecs ?? STALE_COMMAND_SECS;
  }

  // The connection.

  #connectionIs(kind: string): void {
    this.#connected = kind === 'connected';
    if (this.#stopped || this.#connected) return;
    this.#joins += 1;
    this.#sender.enter(kind === 'recovering' && this.#sender.phase !== 'away' ? 'holding' : 'away');
  }

  /** A fresh join announces this Pi: who is there is asked, then what this is, then what happened meanwhile. */
  #joined(recovered: boolean): void {
    if (this.#stopped || this.#muted) return;
    this.#joins += 1;
    this.#sayAgain.reached();
    if (recovered) {
      const { systemInfo } = this.#sayAgain.take();
      // Always, for the document wants it, and a page may have given us up meanwhile. First, for it may have seconds left.
      this.#sender.enter('open', () => this.#beat({ kind: 'joined' }));
      if (systemInfo) void this.#announcer.announce();
      return;
    }
    const join = this.#joins;
    this.#sayAgain.take();
    this.#refresher.on({ kind: 'joined' });
    this.#sender.enter('greeting');
    this.#beat({ kind: 'joined' });
    void this.#announcer.announce(GREETING_MS).then(() => {
      if (this.#joins === join) this.#sender.enter('open');
    });
  }

  /** Somebody looks at this Pi. */
  #askedByBrowser(): void {
    this.#sayAgain.reached();
    this.#beat({ kind: 'requested' });
    this.#refresher.on({ kind: 'heard-browser' });
  }

  #command(arrival: GroupMessage, command: Extract<GroupDecision, { kind: 'forward' }>): void {
    const fate = this.#commands.handle(arrival, command, this.#staleCommandSecs);
    // What the browser asked for may have been a state.
    if (fate === 'too-late') this.#refresher.on({ kind: 'missed' });
  }

  // Time.

  #beat(event: HeartbeatEvent): void {
    const { heartBeatEverySecs, heartBeatLoopDurationSecs } = this.#settings;
    const settings = { everyMs: heartBeatEverySecs * 1000, durationMs: heartBeatLoopDurationSecs * 1000 };
    const [next, bodies] = onHeartbeat(this.#heartbeat, event, settings, this.#clock.nowMs());
    this.#heartbeat = next;
    for (const body of bodies) this.#say(outgoing('heartbeat', body));
    if (next.kind === 'silent') this.#refresher.on({ kind: 'nobody-looks' });
    this.#arm();
  }

  /** What does not reach the group is remembered as missed. */
  #say(message: OutgoingMessage): void {
    if (!this.#muted) this.#sender.say(message);
  }

  #announceSystemInfo(): void {
    if (this.#muted) return;
    if (this.#sender.phase === 'away' || this.#sender.phase === 'holding') this.#sayAgain.add('system_info');
    else void this.#announcer.announce();
  }

  #arm(): void {
    if (!this.#running || this.#stopped) return;
    this.#due.arm([nextTickMs(this.#heartbeat), this.#fromGroup.nextMs, this.#fromBus.nextMs]);
  }

  #timeHasCome(): void {
    this.#fromGroup.tick();
    this.#fromBus.tick();
    this.#beat({ kind: 'tick' });
  }
}
