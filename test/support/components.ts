/** Stand-ins for core and scheduler on the local bus: they answer heartbeats, remember what they are told, publish what they are asked to. */
import { connect, type NatsConnection } from '@nats-io/transport-node';
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
}

export class ComponentStandIn {
  /** Every command so far, oldest first; heartbeats are not among them. */
  readonly commands: Command[] = [];
  readonly #options: StandInOptions;
  readonly #nats: NatsConnection;
  readonly #changes = new Changes();
  readonly #listeners = new Set<(command: Command) => void>();

  private constructor(options: StandInOptions, nats: NatsConnection) {
    this.#options = options;
    this.#nats = nats;
    nats.subscribe(`${this.#root}.${options.name}.*`, {
      callback: (error, message) => {
        if (error !== null) return;
        const command = message.json<Command>();
        if (command.subject === 'heartbeat') this.publish('heartbeat', 'alive');
        else {
          this.commands.push(command);
          for (const listener of this.#listeners) listener(command);
          this.#changes.notify();
        }
      },
    });
  }

  /** Resolves when it listens. It reconnects for ever, as the real ones do. */
  static async start(options: StandInOptions): Promise<ComponentStandIn> {
    const nats = await connect({
      servers: options.server,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      reconnectJitter: 0,
      timeout: 10_000,
    });
    const component = new ComponentStandIn(options, nats);
    await nats.flush();
    return component;
  }

  /** Says something to the daemon. */
  publish(subject: string, body: unknown, recipient = 'remote'): void {
    const { name, version } = this.#options;
    const message = { body, subject, source: name, ...(version === undefined ? {} : { version }) };
    this.#nats.publish(`${this.#root}.${recipient}.${subject}`, JSON.stringify(message));
  }

  onCommand(listener: (command: Command) => void): void {
    this.#listeners.add(listener);
  }

  async waitForCommand(fits: (command: Command) => boolean, options?: WaitOptions): Promise<Command> {
    return this.#changes.until(
      () => this.commands.find(fits),
      `a command to ${this.#options.name} that fits`,
      options,
      () => JSON.stringify(this.commands.slice(-5)),
    );
  }

  /** Resolves when the server is known to hear it, after a restart too; rejects at the deadline. */
  async listening({ timeoutMs = 10_000 }: WaitOptions = {}): Promise<void> {
    await withDeadline(this.#nats.flush(), timeoutMs, `${this.#options.name} is not on the bus again`);
  }

  async stop(): Promise<void> {
    this.#changes.close('the component was stopped');
    await this.#nats.close();
  }

  get #root(): string {
    return this.#options.root ?? 'dunebugger';
  }
}

async function withDeadline(work: Promise<void>, timeoutMs: number, otherwise: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${otherwise} after ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
