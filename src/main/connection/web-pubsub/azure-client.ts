/**
 * The one seam into `@azure/web-pubsub-client`. The client asks its method `_getWebSocketClientFactory` for the maker of its sockets; giving it
 * ours puts every socket it ever opens under our rule. The method is private, therefore the dependency is pinned to one exact version and
 * test/integration/azure-client-contract.test.ts fails if an upgrade moves it.
 */
import { WebPubSubClient, type WebPubSubClientProtocol } from '@azure/web-pubsub-client';

/** What the client wants of a socket (its own `WebSocketClientLike`, which it does not export). */
export interface ClientSocket {
  onopen(fn: () => void): void;
  onclose(fn: (code: number, reason: string) => void): void;
  onerror(fn: (error: unknown) => void): void;
  onmessage(fn: (data: string) => void): void;
  close(code?: number, reason?: string): void;
  send(data: unknown): Promise<void>;
  isOpen(): boolean;
}

/** Makes the socket for one connect of the client, the first or one of a recovery. Must not throw. */
export type SocketFactory = (url: string) => ClientSocket;

const SEAM = '_getWebSocketClientFactory';

/** A client that opens sockets through `factory` only, and does nothing by itself but recover. */
export function createAzureClient(
  url: string,
  protocol: WebPubSubClientProtocol,
  factory: SocketFactory,
): WebPubSubClient {
  const client = new WebPubSubClient(url, {
    protocol,
    // When to try again is the supervisor's decision.
    autoReconnect: false,
    autoRejoinGroups: false,
    // The outbox sends again, after a recovery; the client would do so blindly three times, a second apart.
    messageRetryOptions: { maxRetries: 0 },
    // 0 makes neither of its timers, which outlive stop(). A link watches itself.
    keepAliveIntervalInMs: 0,
    keepAliveTimeoutInMs: 0,
  });
  if (typeof (client as unknown as Record<string, unknown>)[SEAM] !== 'function') {
    throw new Error(
      `This version of @azure/web-pubsub-client has no ${SEAM}: install exactly the version of package.json`,
    );
  }
  Object.defineProperty(client, SEAM, { value: () => ({ create: factory }) });
  return client;
}
