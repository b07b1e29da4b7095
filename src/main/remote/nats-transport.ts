/**
 * The seam under the NATS client. Its own transport resolves names with `dns.lookup`, which no deadline reaches; leaves
 * the socket of an attempt open when that attempt times out; waits for ever to close a socket that a frozen server does not
 * read; and cannot be told to give up an attempt. This one can, and is in other respects the same.
 */
import { createConnection } from 'node:net';
import type { LookupFunction, Socket } from 'node:net';
import { contextOf } from '../../workers/net/open-address.js';
import { NatsConnectionImpl, setTransportFactory } from '@nats-io/transport-node';
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node';
import { NodeTransport } from '@nats-io/transport-node/lib/node_transport.js';

/** What one attempt is made with. */
export interface DialOptions {
  /** Host name or address. */
  readonly host: string;
  readonly port: number;
  /** True: TLS, the certificate verified for `host`. */
  readonly tls: boolean;
  /** PEM certificates to trust; undefined: Node's. */
  readonly ca?: string | undefined;
  readonly lookup: LookupFunction;
  /** From the first packet to the first PONG, milliseconds. */
  readonly timeoutMs: number;
  /** Aborting gives the attempt up at once, and later the connection. */
  readonly signal: AbortSignal;
}

/** The client hands its options down to the transport as they are, so they can carry what ours needs. */
interface Handed extends NodeConnectionOptions {
  readonly dialOptions: DialOptions;
}

class BoundedTransport extends NodeTransport {
  #dialOptions: DialOptions | undefined;
  #dialled: Socket | undefined;

  override async connect(
    server: { hostname: string; port: number; tlsName: string },
    options: NodeConnectionOptions,
  ): Promise<void> {
    const { dialOptions } = options as Handed;
    const { signal } = dialOptions;
    this.#dialOptions = dialOptions;
    const connecting = super.connect({ ...server, tlsName: dialOptions.host }, options);
    // The client stops waiting on its own; what comes after that is nobody's.
    connecting.catch(() => undefined);
    signal.addEventListener('abort', () => this.abandon(signal.reason), { once: true });
    await Promise.race([connecting, rejectOnAbort(signal)]);
  }

  override dial(server: { hostname: string; port: number }): Promise<Socket> {
    const lookup = this.#dialOptions?.lookup;
    return new Promise((resolve, reject) => {
      const socket = createConnection({
        host: server.hostname,
        port: server.port,
        noDelay: true,
        ...(lookup === undefined ? {} : { lookup }),
      });
      this.#dialled = socket;
      let failure: Error | undefined;
      socket.once('connect', () => {
        socket.removeAllListeners();
        resolve(socket);
      });
      socket.on('error', (error) => {
        failure = error;
      });
      socket.on('close', () => {
        socket.removeAllListeners();
        reject(failure ?? new Error('The socket was closed before it was connected'));
      });
    });
  }

  /** Called when the server does not answer pings: it will not read a farewell either. */
  override disconnect(): void {
    this.close(new Error('The server does not answer any more')).catch(() => undefined);
  }

  /** Ends an attempt or a connection without waiting for anything. */
  abandon(reason: unknown): void {
    if (this.connected) this.close(reason instanceof Error ? reason : new Error('Given up')).catch(() => undefined);
    else this.discard();
    this.#destroyDialled();
  }

  override async close(error?: Error): Promise<void> {
    await super.close(error);
    // Left open by the client when the attempt did not succeed.
    this.#destroyDialled();
  }

  #destroyDialled(): void {
    const socket = this.#dialled;
    if (socket === undefined || socket.destroyed) return;
    socket.removeAllListeners();
    // A socket being destroyed may still report an error, and nobody else listens.
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('Given up'));
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

/** The client hands these down to `tls.connect` as they are, though its type knows but some. */
function verified(ca: string | undefined): object {
  return { rejectUnauthorized: true, ...(ca === undefined ? {} : { secureContext: contextOf(ca) }) };
}

/** Connects once, to one server; the connection never reconnects by itself. Rejects within the deadline. */
export function dialNats(
  options: Omit<NodeConnectionOptions, 'servers'>,
  dialOptions: DialOptions,
): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new BoundedTransport() });
  const { host, port, tls, ca, timeoutMs } = dialOptions;
  const handed: Handed = {
    ...options,
    servers: `${host.includes(':') ? `[${host}]` : host}:${port}`,
    timeout: timeoutMs,
    tls: tls ? verified(ca) : null,
    reconnect: false,
    resolve: false,
    ignoreClusterUpdates: true,
    dialOptions,
  };
  return NatsConnectionImpl.connect(handed);
}
