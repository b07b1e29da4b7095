/**
 * Stand-ins for core and scheduler on the local bus: they answer heartbeats and, if asked to, questions; remember what they are told; publish
 * what they are asked to.
 */
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { isDeepStrictEqual } from 'node:util';
import { Changes, type WaitOptions } from './changes.js';

export type ComponentName = 'core' | 'scheduler';

/** A message of the bus to a component: the whole message of the browser, its subject cut. */
export interface Command {
  readonly subject: string;
  readonly body: unknown;
  readonly connectionId?: string;
}

export interface StandInOptions {
  /** Such as `nats://127.0.0.1:4222`. */
  readonly server: string;
  readonly name: ComponentName;
  /** mQueueSubjectRoot. Default `dunebugger`. */
  readonly root?: string;
  /** Told in its heartbeats, as components may. */
  readonly version?: string;
  /** Answers the questions of a page with states, as the real ones do. Default false. */
  readonly answersQuestions?: boolean;
  /**
   * The wire of February 2026: its version is in the heartbeat's body, and the scheduler asks at its start whether the clock can be trusted.
   * Default false.
   */
  readonly newest?: boolean;
}

/** Presses of an analytics page, some 22 bytes each. */
const PRESSES = Array.from({ length: 12_000 }, (_, i) =>
  new Date(1_767_225_600_000 + i * 61_000).toISOString().slice(0, 19),
);

const MODES = [
  { filename: 'day.json', name: 'Day', desc: 'With the doors open', commands: ['sw 1 on', 'dm 2 80'] },
  { filename: 'night.json', name: 'Night', desc: 'Quiet', commands: ['sw 1 off'] },
];

/** What a question, its subject or its subject and body, is answered with: subjects, and bodies as long as nothing else has been published on them. */
const ANSWERS: Readonly<Record<ComponentName, Readonly<Record<string, readonly (readonly [string, unknown])[]>>>> = {
  core: {
    refresh_gpios: [['gpio_state', [{ pin: 4, label: 'Start', mode: 'IN', state: 'HIGH' }]]],
    refresh_sequence: [
      ['sequence_state', { random_actions: true, cycle_running: false, start_button_enabled: true }],
      ['playing_time', 0],
    ],
    get_sequence: [['sequence', { sequence: [{ time: 1.5, action: 'on', lane: 'light' }] }]],
    'frontend_command get_modes_list': [['modes_list', { modes: MODES }]],
    'analytics_command get_metrics': [
      [
        'analytics_metrics',
        {
          count: PRESSES.length,
          timestamps: PRESSES,
          first_press: PRESSES[0],
          last_press: PRESSES.at(-1),
          log_source: 'journal',
        },
      ],
    ],
    terminal_command: [['log', { message: 'done', level: 'info' }]],
  },
  scheduler: {
    get_schedule: [['current_schedule', '[monday]\n8:00 on\n21:30 off']],
    refresh: [['current_schedule', '[monday]\n8:00 on\n21:30 off']],
    get_next_actions: [['next_actions', [{ date: '01-12-2025', time: '08:00', action: 'on', commands: ['c on'] }]]],
    get_last_executed_action: [['last_executed_action', { executed: true, action: 'off', time: '21:30' }]],
  },
};

/** True for what a stand-in answers to the question for its states as long as nothing else was published. */
export function isFirstAnswer(subject: string, body: unknown): boolean {
  return Object.values(ANSWERS)
    .flatMap((answers) => Object.values(answers).flat())
    .some(([of, first]) => of === subject && isDeepStrictEqual(first, body));
}

export class ComponentStandIn {
  /** Every command so far, oldest first; heartbeats are not among them. */
  readonly commands: Command[] = [];
  /** How often it was asked whether it is there. */
  heartbeats = 0;
  #options: StandInOptions;
  #nats: NatsConnection;
  readonly #changes = new Changes();
  /** What it said last of each subject: its present state. */
  readonly #latest = new Map<string, unknown>();
  readonly #listeners = new Set<(command: Command) => void>();

  private constructor(options: StandInOptions, nats: NatsConnection) {
    this.#options = options;
    this.#nats = nats;
    this.#listen();
  }

  /** Resolves when it listens. It reconnects for ever, as the real ones do. */
  static async start(options: StandInOptions): Promise<ComponentStandIn> {
    const component = new ComponentStandIn(options, await dial(options.server));
    await component.listening();
    return component;
  }

  /** The component ends; {@link revive} starts it again. */
  async die(): Promise<void> {
    await this.#nats.close();
  }

  /** Resolves when it listens again, perhaps as another version. */
  async revive(version = this.#options.version): Promise<void> {
    this.#options = { ...this.#options, ...(version !== undefined && { version }) };
    this.#nats = await dial(this.#options.server);
    this.#listen();
    await this.listening();
  }

  /** Says something to the daemon. */
  publish(subject: string, body: unknown, recipient = 'remote'): void {
    const { name, version, newest } = this.#options;
    this.become(subject, body);
    const told = version === undefined || newest === true ? {} : { version };
    const message = { body, subject, source: name, ...told };
    this.#nats.publish(`${this.#root}.${recipient}.${subject}`, JSON.stringify(message));
  }

  /** Its state changes and it tells nobody, as while it is not on the bus. */
  become(subject: string, body: unknown): void {
    if (!['log', 'heartbeat', 'get_ntp_status'].includes(subject)) this.#latest.set(subject, body);
  }

  /** Publishes anything on any subject. */
  publishRaw(subject: string, data: Uint8Array | string): void {
    this.#nats.publish(subject, data);
  }

  onCommand(listener: (command: Command) => void): void {
    this.#listeners.add(listener);
  }

  /** Waits for a command that fits, from index `since` on (default: all so far). */
  async waitForCommand(
    fits: (command: Command) => boolean,
    options: WaitOptions & { readonly since?: number } = {},
  ): Promise<Command> {
    const find = (): Command | undefined => this.commands.slice(options.since ?? 0).find(fits);
    return this.until(find, `a command to ${this.#options.name} that fits`, options);
  }

  /** Waits for anything that is true of it; looked at after each message. */
  async until<T>(look: () => T | undefined | false, what: string, options?: WaitOptions): Promise<T> {
    return this.#changes.until(look, what, options, () => JSON.stringify(this.commands.slice(-5)).slice(0, 2_000));
  }

  /** Resolves when the server is known to hear it, after a restart too; rejects at the deadline. */
  async listening({ timeoutMs = 10_000 }: WaitOptions = {}): Promise<void> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const leftMs = until - performance.now();
      if (leftMs <= 0) throw new Error(`${this.#options.name} is not on the bus again after ${timeoutMs} ms`);
      if (await answersWithin(this.#nats, leftMs)) return;
    }
  }

  async stop(): Promise<void> {
    this.#changes.close('the component was stopped');
    await this.#nats.close();
  }

  #listen(): void {
    const nats = this.#nats;
    nats.subscribe(`${this.#root}.${this.#options.name}.*`, {
      callback: (error, message) => {
        if (error === null && this.#nats === nats && !nats.isClosed()) this.#hear(message.json<Command>());
      },
    });
    const { name, newest } = this.#options;
    if (newest === true && name === 'scheduler') this.publish('get_ntp_status', null);
  }

  #hear(command: Command): void {
    const { name, answersQuestions, newest, version } = this.#options;
    if (command.subject === 'heartbeat') {
      this.heartbeats += 1;
      this.publish('heartbeat', newest === true ? { status: 'alive', full_version: version } : 'alive');
    } else {
      this.commands.push(command);
      const known = ANSWERS[name];
      const answers =
        answersQuestions === true
          ? (known[command.subject] ?? known[`${command.subject} ${String(command.body)}`] ?? [])
          : [];
      for (const [subject, body] of answers) this.publish(subject, this.#latest.get(subject) ?? body);
      for (const listener of this.#listeners) listener(command);
    }
    this.#changes.notify();
  }

  get #root(): string {
    return this.#options.root ?? 'dunebugger';
  }
}

function dial(servers: string): Promise<NatsConnection> {
  return connect({ servers, maxReconnectAttempts: -1, reconnectTimeWait: 100, reconnectJitter: 0, timeout: 10_000 });
}

/** False: the connection broke meanwhile, or there is none yet. */
async function answersWithin(nats: NatsConnection, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const answered = nats.flush().then(
    () => true,
    // A flush that was under way when the server went is rejected, perhaps at once.
    () => new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 20)),
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
  }
}
