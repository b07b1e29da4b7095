import { WebPubSubJsonProtocol, type WebPubSubClient } from '@azure/web-pubsub-client';
import { AzureClient } from './azure-client.js';
import { Changes, type WaitOptions } from './changes.js';

export interface GroupClientOptions {
  /** Client access URL with its token. */
  readonly url: string;
  readonly group: string;
  /** PEM of the CA that the service's certificate comes from; undefined: the system's. */
  readonly ca?: string;
  /** Default true, as in browsers: the subprotocol with recovery. */
  readonly reliable?: boolean;
}

/** A message of the group as a browser would get it. */
export interface ReceivedMessage {
  readonly fromUserId: string | undefined;
  readonly dataType: string;
  readonly data: unknown;
}

/** A member of a group like a browser: the official client, joined. It collects every message. */
export class GroupClient {
  readonly #azure: AzureClient;
  readonly #client: WebPubSubClient;
  readonly #group: string;
  readonly #messages: ReceivedMessage[] = [];
  readonly #listeners = new Set<(message: ReceivedMessage) => void>();
  readonly #changes = new Changes();
  #connectionId: string | undefined;

  private constructor(options: GroupClientOptions) {
    this.#group = options.group;
    this.#azure = new AzureClient({
      url: options.url,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      client: {
        autoReconnect: false,
        ...(options.reliable === false ? { protocol: WebPubSubJsonProtocol() } : {}),
      },
    });
    this.#client = this.#azure.client;
    this.#client.on('connected', ({ connectionId }) => {
      this.#connectionId = connectionId;
      this.#changes.notify();
    });
    this.#client.on('stopped', () => {
      this.#connectionId = undefined;
      this.#changes.notify();
    });
    this.#client.on('group-message', ({ message }) => {
      const received = { fromUserId: message.fromUserId, dataType: message.dataType, data: message.data as unknown };
      this.#messages.push(received);
      for (const listener of this.#listeners) listener(received);
      this.#changes.notify();
    });
  }

  /** Resolves when it has joined the group. */
  static async start(options: GroupClientOptions): Promise<GroupClient> {
    const client = new GroupClient(options);
    const signal = AbortSignal.timeout(10_000);
    try {
      await client.#client.start();
      await client.#client.joinGroup(client.#group, { abortSignal: signal });
      await client.#changes.until(() => client.#connectionId, 'the connected frame');
    } catch (error) {
      await client.stop();
      throw error;
    }
    return client;
  }

  /** The service's id of this connection; undefined once it is gone for good. */
  get connectionId(): string | undefined {
    return this.#connectionId;
  }

  /** Every message so far, oldest first. */
  get messages(): readonly ReceivedMessage[] {
    return this.#messages;
  }

  /** Calls back with each new message; returns its remover. */
  onMessage(listener: (message: ReceivedMessage) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sends JSON to the group. Resolves when it is acknowledged, rejects after `timeoutMs` (default 10,000). */
  async send(data: unknown, options: WaitOptions & { readonly noEcho?: boolean } = {}): Promise<void> {
    await this.#client.sendToGroup(this.#group, data as Parameters<WebPubSubClient['sendToGroup']>[1], 'json', {
      noEcho: options.noEcho ?? true,
      abortSignal: AbortSignal.timeout(options.timeoutMs ?? 10_000),
    });
  }

  /** Waits for a message that fits, from index `since` on (default: all so far). */
  async waitForMessage(
    fits: (message: ReceivedMessage) => boolean = () => true,
    options: WaitOptions & { readonly since?: number } = {},
  ): Promise<ReceivedMessage> {
    return this.#changes.until(
      () => this.#messages.slice(options.since ?? 0).find(fits),
      'a message of the group that fits',
      options,
      () => JSON.stringify(this.#messages.slice(-5)),
    );
  }

  /** Leaves. The official client's sequence-ack timer may run on for at most a second. */
  async stop(): Promise<void> {
    if (this.#azure.stopped) return;
    await this.#azure.stop();
    this.#changes.close('the client was stopped');
  }
}
