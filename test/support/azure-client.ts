/** The official JS client as a browser has it, but for the CA it trusts and for a `stop` that leaves nothing. */
import { WebPubSubClient, WebPubSubJsonReliableProtocol, type WebPubSubClientOptions } from '@azure/web-pubsub-client';
import { WebSocket } from 'ws';
import { Changes } from './changes.js';

export interface AzureClientOptions {
  /** Client access URL with its token. */
  readonly url: string;
  /** PEM of the CA that the service's certificate comes from; undefined: the system's. */
  readonly ca?: string;
  /** Beyond these: the subprotocol with recovery, no keep-alive (its timers outlive `stop`). */
  readonly client?: WebPubSubClientOptions;
}

export class AzureClient {
  readonly client: WebPubSubClient;
  readonly #ca: string | undefined;
  /** The very object that the client looks at. */
  readonly #clientOptions: WebPubSubClientOptions;
  readonly #changes = new Changes();
  readonly #sockets = new Set<WebSocket>();
  #stopped = false;

  constructor(options: AzureClientOptions) {
    this.#ca = options.ca;
    this.#clientOptions = {
      protocol: WebPubSubJsonReliableProtocol(),
      keepAliveIntervalInMs: 0,
      keepAliveTimeoutInMs: 0,
      ...options.client,
    };
    this.client = new WebPubSubClient(options.url, this.#clientOptions);
    // The one way to make the official client trust a CA within a process that runs already.
    Object.defineProperty(this.client, '_getWebSocketClientFactory', {
      value: () => ({ create: (uri: string, subprotocol: string) => this.#makeSocket(uri, subprotocol) }),
    });
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Ends its sockets without a farewell, as a bad line would. The client itself goes on. */
  dropSockets(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  /** Leaves for good. The official client's sequence-ack timer may run on for at most a second. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    // A client that is stopped while its socket is gone would connect anew for ever.
    this.#clientOptions.autoReconnect = false;
    this.client.stop();
    this.dropSockets();
    await this.#changes.until(() => this.#sockets.size === 0, 'its sockets to close');
    this.#changes.close('the client was stopped');
  }

  #makeSocket(uri: string, subprotocol: string): object {
    if (this.#stopped) return new GoneSocket();
    const socket = new WebSocket(uri, subprotocol, {
      handshakeTimeout: 10_000,
      ...(this.#ca === undefined ? {} : { ca: this.#ca }),
    });
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#changes.notify();
    });
    return {
      onopen: (fn: () => void) => socket.on('open', fn),
      onclose: (fn: (code: number, reason: string) => void) =>
        socket.on('close', (code, reason) => fn(code, reason.toString())),
      onerror: (fn: (error: Error) => void) => socket.on('error', fn),
      onmessage: (fn: (data: string) => void) =>
        socket.on('message', (data: Buffer) => {
          if (!this.#stopped) fn(data.toString());
        }),
      close: (code?: number, reason?: string) => socket.close(code, reason),
      send: (data: string) =>
        new Promise<void>((resolve, reject) =>
          socket.send(data, (error) => {
            if (error) reject(error);
            else resolve();
          }),
        ),
      isOpen: () => socket.readyState === WebSocket.OPEN,
    };
  }
}

/** Opens and closes with 1008 at once: the one answer that ends the official client's recovery. */
class GoneSocket {
  onopen(fn: () => void): void {
    queueMicrotask(fn);
  }
  onclose(fn: (code: number, reason: string) => void): void {
    queueMicrotask(() => queueMicrotask(() => fn(1008, 'stopped')));
  }
  onerror(): void {
    // Never fails.
  }
  onmessage(): void {
    // Never speaks.
  }
  close(): void {
    // Closed already.
  }
  send(): Promise<void> {
    return Promise.reject(new Error('the client was stopped'));
  }
  isOpen(): boolean {
    return false;
  }
}
