/**
 * The exchange between the cloud and the components: carries messages between the group and the bus, shows that it is
 * alive, watches the components, tells what this machine is. The decisions are pure (router, heartbeat, component
 * watch, token bucket, outbox); here they meet the connection, the bus and the clock.
 */
import type { Json } from '../base/json.js';
import type { GroupMessage, SendOutcome } from '../connection/session.js';
import type { Logger } from '../log.js';
import { SystemInfoAnnouncer } from './announcer.js';
import type { BusState, PublishOutcome } from './bus.js';
import type { Clock } from '../base/clock.js';
import { systemClock } from '../base/clock.js';
import { ClockTeller, type ClockStatus } from './clock-teller.js';
import type { ComponentWatch, ComponentWatchEffect, ComponentWatchEvent } from './component-watch.js';
import { nextWatchTickMs, onComponentWatch, startComponentWatch } from './component-watch.js';
import { ForeignController } from './foreign-controller.js';
import type { Heartbeat, HeartbeatBody, HeartbeatEvent } from './heartbeat.js';
import { SILENT, nextTickMs, onHeartbeat } from './heartbeat.js';
import type { Component, JsonObject } from './messages.js';
import { outgoing } from './messages.js';
import type { SeenSubjects } from './relay.js';
import { NOTHING_SEEN, see } from './relay.js';
import { RefusalAnswers } from './refusal-answers.js';
import { RepeatedWarning } from './repeated-warning.js';
import { isFromController, routeFromBus, routeFromGroup } from './router.js';
import type { SenderLimits } from './sender.js';
import { DEFAULT_SENDER_LIMITS, Sender } from './sender.js';
import type { TokenBucket, TokenBucketEffect, TokenBucketOptions } from './token-bucket.js';
import { DEFAULT_FLOOD_LIMIT, fullBucket, nextSettleMs, settle, take } from './token-bucket.js';

type Unsubscribe = () => void;

/** The connection with the cloud, as much of it as is needed here. */
export interface RemoteConnection {
  /** Resolves within `timeoutMs` and never rejects. Calls made in a row go out in that order. */
  send(
    data: Json,
    options: { readonly timeoutMs: number },
  ): Promise<{ readonly outcome: SendOutcome; readonly message?: string }>;
  onMessage(listener: (message: GroupMessage) => void): Unsubscribe;
  /** The group is joined. `recovered`: the same session goes on and nothing was lost. */
  onJoined(listener: (joined: { readonly recovered: boolean }) => void): Unsubscribe;
  /** `connected` and `recovering` are told apart; everything else is away. */
  onStateChange(listener: (state: { readonly kind: string }) => void): Unsubscribe;
}

/** The bus, as much of it as is needed here; `bus.ts` makes one. */
export interface RemoteBus {
  start(): void;
  publish(recipient: Component, subject: string, payload: JsonObject): PublishOutcome;
  /** `token`: the last token of the NATS subject. */
  onMessage(listener: (token: string, data: Uint8Array) => void): Unsubscribe;
  onStateChange(listener: (state: BusState) => void): Unsubscribe;
  close(): Promise<void>;
}

export interface RemoteSettings {
  /** False: nothing at all is sent to the group, as the Python version did; messages to the components still pass. */
  readonly broadcastInitialState: boolean;
  readonly heartBeatEverySecs: number;
  readonly heartBeatLoopDurationSecs: number;
  /** Largest message taken from the group, bytes of JSON. Default: that of the router. */
  readonly maxMessageBytes?: number;
  /** Limit on messages from the group. Default {@link DEFAULT_FLOOD_LIMIT}. */
  readonly floodLimit?: TokenBucketOptions;
}

/** What is known of a component, in the words of system_info. */
export interface ComponentStatus {
  /** The front end's name of it: core is `dunebugger`. */
  readonly name: 'dunebugger' | 'scheduler';
  readonly state: 'running' | 'not_responding';
  /** Null until one of its heartbeats carried one. */
  readonly version: string | null;
}

export interface ExchangeDependencies {
  readonly connection: RemoteConnection;
  /** Undefined: no bus is wanted; the components are neither watched nor reached. */
  readonly bus: RemoteBus | undefined;
  /** Collects the body of a `system_info` message, `{system_info: {...}}`. */
  readonly collectSystemInfo: (components: readonly ComponentStatus[]) => Promise<Json>;
  readonly settings: RemoteSettings;
  /** Default {@link DEFAULT_SENDER_LIMITS}. */
  readonly senderLimits?: SenderLimits;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Whether the system clock can be trusted; undefined: nobody is told anything of it. */
  readonly clockStatus?: { readonly status: ClockStatus; readonly clientId: string };
}

const WHY_DROPPED = {
  off: 'mQueueEnabled is False',
  down: 'the bus is not there',
  full: 'the bus does not keep up',
  refused: 'the bus takes no message so large',
} as const;

/** How long what waited is held back on joining for the sake of system_info, milliseconds: each of its fields has 2 s. */
const GREETING_MS = 3_000;

export class Exchange {
  readonly #clock: Clock;
  readonly #log: Logger;
  #settings: RemoteSettings;
  readonly #sender: Sender;
  readonly #announcer: SystemInfoAnnouncer;
  readonly #clockTeller: ClockTeller | undefined;
  readonly #foreign: ForeignController;
  readonly #refusals: RefusalAnswers;
  readonly #refused: RepeatedWarning;
  readonly #undelivered: RepeatedWarning;
  #unsubscribe: Unsubscribe[] = [];
  #tick: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #heartbeat: Heartbeat = SILENT;
  #watch: ComponentWatch;
  #bucket: TokenBucket;
  /** What a browser missed while the connection was away; said after a recovery. */
  #missed: { heartbeat: boolean; systemInfo: boolean } = { heartbeat: false, systemInfo: false };
  #seen: SeenSubjects = NOTHING_SEEN;
  #joins = 0;
  #connected = false;
  #running = false;
  #stopped = false;

  constructor(private readonly deps: ExchangeDependencies) {
    this.#clock = deps.clock ?? systemClock;
    this.#log = deps.log;
    this.#settings = deps.settings;
    const now = this.#clock.nowMs();
    this.#bucket = fullBucket(this.#flood, now);
    this.#watch = startComponentWatch(now);
    this.#refusals = new RefusalAnswers((message) => {
      if (!this.#muted) this.#sender.say(message);
    }, this.#clock);
    this.#foreign = new ForeignController(deps.log);
    this.#refused = new RepeatedWarning(deps.log, this.#clock);
    this.#undelivered = new RepeatedWarning(deps.log, this.#clock);
    this.#sender = new Sender(
      (data, options) => deps.connection.send(data, options),
      deps.log,
      this.#clock,
      deps.senderLimits ?? DEFAULT_SENDER_LIMITS,
    );
    this.#announcer = new SystemInfoAnnouncer(
      () => deps.collectSystemInfo(this.components),
      (body) => {
        if (!this.#sender.say(outgoing('system_info', body))) this.#missed.systemInfo = true;
      },
      deps.log,
      this.#clock,
    );
    this.#clockTeller =
      deps.clockStatus &&
      new ClockTeller({
        ...deps.clockStatus,
        publish: (recipient, subject, payload) => void deps.bus?.publish(recipient, subject, payload),
        say: (message) => {
          if (!this.#muted) this.#sender.say(message);
        },
      });
  }

  /** What waits to be sent to the group. */
  get waiting(): Sender['waiting'] {
    return this.#sender.waiting;
  }

  get components(): readonly ComponentStatus[] {
    const status = (component: Component, name: ComponentStatus['name']): ComponentStatus => {
      const { state, version } = this.#watch.components[component];
      return { name, state: state === 'running' ? 'running' : 'not_responding', version: version ?? null };
    };
    return [status('core', 'dunebugger'), status('scheduler', 'scheduler')];
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
    this.#watch = startComponentWatch(this.#clock.nowMs());
    this.#unsubscribe = [
      connection.onMessage((message) => this.#fromGroup(message)),
      connection.onJoined(({ recovered }) => this.#joined(recovered)),
      connection.onStateChange(({ kind }) => this.#connectionIs(kind)),
    ];
    if (bus === undefined) {
      this.#log.info({}, 'mQueueEnabled is False: no bus, so neither core nor scheduler is reached or watched.');
    } else {
      this.#unsubscribe.push(
        bus.onMessage((token, data) => this.#fromBus(token, data)),
        bus.onStateChange((state) => {
          if (state !== 'up') return;
          this.#watched({ kind: 'bus-up' });
          this.#clockTeller?.tellScheduler();
        }),
      );
      bus.start();
    }
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
    else this.#missed = { heartbeat: true, systemInfo: true };
  }

  /** Ends everything here, the bus included; the connection belongs to whoever made it. Never rejects. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#joins += 1;
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    this.#tick?.cancel();
    this.#tick = undefined;
    this.#announcer.stop();
    this.#clockTeller?.stop();
    this.#sender.stop();
    await this.deps.bus?.close();
  }

  get #muted(): boolean {
    return !this.#settings.broadcastInitialState;
  }

  get #flood(): TokenBucketOptions {
    return this.#settings.floodLimit ?? DEFAULT_FLOOD_LIMIT;
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
    if (recovered) {
      this.#sender.enter('open');
      const { heartbeat, systemInfo } = this.#missed;
      this.#missed = { heartbeat: false, systemInfo: false };
      if (heartbeat) this.#beat({ kind: 'joined' });
      if (systemInfo) void this.#announcer.announce();
      return;
    }
    const join = this.#joins;
    this.#missed = { heartbeat: false, systemInfo: false };
    this.#sender.enter('greeting');
    this.#beat({ kind: 'joined' });
    void this.#announcer.announce(GREETING_MS).then(() => {
      if (this.#joins === join) this.#sender.enter('open');
    });
  }

  #fromGroup({ dataType, data }: GroupMessage): void {
    if (this.#stopped) return;
    if (isFromController(data)) {
      this.#foreign.seenInGroup((data as { readonly subject?: unknown }).subject);
      return;
    }
    const taken = take(this.#bucket, this.#flood, this.#clock.nowMs());
    this.#bucket = taken.bucket;
    this.#floodNews(taken.effects);
    this.#arm();
    if (!taken.allowed) return;
    const decision =
      dataType === 'json'
        ? routeFromGroup(data, this.#settings.maxMessageBytes)
        : ({ kind: 'refuse', reason: 'not-json' } as const);
    switch (decision.kind) {
      case 'forward':
        this.#publish(decision.recipient, decision.subject, decision.payload);
        break;
      case 'heartbeat':
        this.#beat({ kind: 'requested' });
        break;
      case 'system-info':
        this.#announceSystemInfo();
        break;
      case 'clock':
        this.#clockTeller?.tellBrowsers();
        break;
      case 'ignore':
        this.#log.debug({ reason: decision.reason }, 'A message of the group is not for this machine; ignored.');
        break;
      case 'refuse':
        this.#refusals.refused(decision.reason);
        this.#refused.warn({ from: 'group', reason: decision.reason }, 'A malformed message of the group was dropped.');
        break;
    }
  }

  // The bus.

  #fromBus(token: string, data: Uint8Array): void {
    if (this.#stopped) return;
    const decision = routeFromBus(token, data);
    switch (decision.kind) {
      case 'relay':
        if (this.#muted) break;
        this.#firstSeen(decision.message.subject);
        this.#sender.relay(decision.message, decision.bytes);
        break;
      case 'clock':
        this.#clockTeller?.tellScheduler();
        break;
      case 'alive': {
        const { component, version } = decision;
        this.#watched({ kind: 'alive', component, ...(version === undefined ? {} : { version }) });
        break;
      }
      case 'unknown':
        this.#refused.warn(
          { from: 'bus', subject: decision.subject },
          'A component said something to this daemon that it does not know; ignored.',
        );
        break;
      case 'refuse':
        this.#refused.warn(
          { from: 'bus', subject: token.slice(0, 64), reason: decision.reason },
          'A malformed message of the bus was dropped.',
        );
        break;
    }
  }

  /** A subject is news once: a release of core has something new to say, or somebody else speaks on the bus. */
  #firstSeen(subject: string): void {
    const [seen, isNew] = see(this.#seen, subject);
    this.#seen = seen;
    if (isNew) this.#log.info({ subject }, 'A subject of the components is relayed for the first time.');
  }

  #publish(recipient: Component, subject: string, payload: JsonObject): void {
    const outcome = this.deps.bus?.publish(recipient, subject, payload) ?? 'off';
    if (outcome === 'published') this.#log.debug({ recipient, subject }, 'Handed to the bus.');
    else {
      // Never kept for later: a command that is minutes old must not move anything.
      this.#undelivered.warn(
        { recipient, subject, outcome },
        `A command from a browser was dropped: ${WHY_DROPPED[outcome]}.`,
      );
    }
  }

  // Time.

  #beat(event: HeartbeatEvent): void {
    const { heartBeatEverySecs, heartBeatLoopDurationSecs } = this.#settings;
    const settings = { everyMs: heartBeatEverySecs * 1000, durationMs: heartBeatLoopDurationSecs * 1000 };
    const [next, bodies] = onHeartbeat(this.#heartbeat, event, settings, this.#clock.nowMs());
    this.#heartbeat = next;
    for (const body of bodies) this.#sayHeartbeat(body);
    this.#arm();
  }

  #sayHeartbeat(body: HeartbeatBody): void {
    if (this.#muted) return;
    if (!this.#sender.say(outgoing('heartbeat', body))) this.#missed.heartbeat = true;
  }

  #watched(event: ComponentWatchEvent): void {
    const [next, effects] = onComponentWatch(this.#watch, event, this.#clock.nowMs());
    this.#watch = next;
    for (const effect of effects) this.#watchEffect(effect);
    this.#arm();
  }

  #watchEffect(effect: ComponentWatchEffect): void {
    const { component } = effect;
    if (effect.kind === 'ask') {
      const question = outgoing('heartbeat', 'are you there?');
      const { body, subject, source } = question;
      const outcome = this.deps.bus?.publish(component, subject, { body, subject, source });
      this.#log.debug({ component, outcome }, 'Asked a component whether it is there.');
      return;
    }
    const { from, to, version } = effect;
    const fields = { component, ...(version === undefined ? {} : { version }) };
    if (from === to) this.#log.info(fields, 'A component tells another version.');
    else if (to === 'running') this.#log.info(fields, 'A component is running.');
    else this.#log.warn(fields, 'A component does not respond; it is asked again every 30 s.');
    this.#announceSystemInfo();
  }

  #announceSystemInfo(): void {
    if (this.#muted) return;
    if (this.#sender.phase === 'away' || this.#sender.phase === 'holding') this.#missed.systemInfo = true;
    else void this.#announcer.announce();
  }

  #floodNews(effects: readonly TokenBucketEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'flood-began') {
        const { perSecond, burst } = this.#flood;
        this.#log.warn(
          { perSecond, burst },
          'More messages from the group than are let through; the rest is dropped and counted.',
        );
      } else {
        this.#log.warn(
          { dropped: effect.dropped, ms: Math.round(effect.ms) },
          'The flood of messages from the group is over.',
        );
      }
    }
  }

  /** One timer, for whatever is due first. */
  #arm(): void {
    if (!this.#running || this.#stopped) return;
    const watchAtMs = this.deps.bus === undefined ? undefined : nextWatchTickMs(this.#watch);
    const due = [nextTickMs(this.#heartbeat), nextSettleMs(this.#bucket, this.#flood), watchAtMs];
    const atMs = Math.min(...due.filter((at) => at !== undefined));
    if (this.#tick?.atMs === atMs) return;
    this.#tick?.cancel();
    this.#tick = undefined;
    if (atMs === Infinity) return;
    const cancel = this.#clock.setTimer(
      () => {
        this.#tick = undefined;
        this.#timeHasCome();
      },
      Math.max(0, Math.ceil(atMs - this.#clock.nowMs())),
    );
    this.#tick = { atMs, cancel };
  }

  #timeHasCome(): void {
    const [bucket, effects] = settle(this.#bucket, this.#flood, this.#clock.nowMs());
    this.#bucket = bucket;
    this.#floodNews(effects);
    if (this.deps.bus !== undefined) this.#watched({ kind: 'tick' });
    this.#beat({ kind: 'tick' });
  }
}
