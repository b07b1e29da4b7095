import { once } from 'node:events';
import net from 'node:net';

/** Where to listen. */
export interface ListenOptions {
  /** Address to bind. Default `127.0.0.1`; `::1`, an address of a network namespace or `0.0.0.0` work as well. */
  readonly address?: string;
  /** TCP port. Default 0: one that is free. */
  readonly port?: number;
}

interface ListenerOptions extends ListenOptions {
  /** Leave the closing of our side to the owner when the peer has closed its own. Default false. */
  readonly allowHalfOpen?: boolean;
}

/** Host for a URL: an IPv6 literal gets its brackets. */
export function urlHost(host: string): string {
  return net.isIPv6(host) ? `[${host}]` : host;
}

/** Resets a bare TCP connection; one that is ending already is destroyed, since Node would lose its handle. */
export function resetSocket(socket: net.Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/**
 * Below the ports that Linux gives to whoever connects (`ip_local_port_range`, 32768 and up): one of those may be taken by somebody else's
 * connection in the moment between listening and holding. Each process has a hundred of its own, so that none listens where another holds.
 */
const FIRST_PORT = 12_000;
const PORTS_OF_A_PROCESS = 100;
const PROCESSES = 200;
const ownPorts = new Set<number>();
let lastOffset = 0;

function nextPort(): number {
  for (let tries = 0; tries < PORTS_OF_A_PROCESS; tries += 1) {
    lastOffset = (lastOffset + 1) % PORTS_OF_A_PROCESS;
    const port = FIRST_PORT + (process.pid % PROCESSES) * PORTS_OF_A_PROCESS + lastOffset;
    if (!ownPorts.has(port)) return port;
  }
  throw new Error(`this process listens on ${PORTS_OF_A_PROCESS} ports already`);
}

/**
 * A TCP listener that knows all its sockets and can stop listening for a while without losing its port.
 * While it refuses, the port is held by a bound socket that does not listen, so that the kernel gives it to nobody who
 * asks for any free port, and answers every connect with a reset.
 */
export class Listener {
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();
  #address = '';
  #port = 0;
  #holder: PortHolder | undefined;
  #accepted = 0;
  /** One change of listening state at a time, in the order asked for. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(allowHalfOpen: boolean, onSocket: (socket: net.Socket) => void) {
    this.#server = net.createServer({ allowHalfOpen, noDelay: true }, (socket) => {
      this.#accepted += 1;
      this.#sockets.add(socket);
      // A reset by the peer is an everyday event here; without a listener it would end the process.
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
      onSocket(socket);
    });
  }

  static async start(options: ListenerOptions, onSocket: (socket: net.Socket) => void): Promise<Listener> {
    const listener = new Listener(options.allowHalfOpen ?? false, onSocket);
    listener.#address = options.address ?? '127.0.0.1';
    if (options.port === undefined || options.port === 0) {
      await listener.#listenAnywhere();
    } else {
      listener.#port = options.port;
      await listener.#listen();
    }
    return listener;
  }

  get address(): string {
    return this.#address;
  }

  get port(): number {
    return this.#port;
  }

  /** TCP connections accepted so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** TCP connections open now. */
  get open(): number {
    return this.#sockets.size;
  }

  get listening(): boolean {
    return this.#server.listening;
  }

  /** From now on a connect is refused by the kernel; sockets that are open stay open. */
  refuse(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#server.listening) return;
      await this.#unlisten();
      this.#holder = await PortHolder.hold(this.#address, this.#port);
    });
  }

  /** Listens again on the same port. */
  resume(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#server.listening) return;
      await this.#holder?.release();
      this.#holder = undefined;
      await this.#listen();
    });
  }

  /** Closes every open socket at once, without a word of TLS, HTTP or WebSocket. */
  dropAll(): void {
    // Not by a reset: Node loses the handle if a layer above (TLS) has a shutdown in flight, and cannot exit then.
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Stops listening and destroys every socket. */
  stop(): Promise<void> {
    return this.#inTurn(async () => {
      ownPorts.delete(this.#port);
      await this.#holder?.release();
      this.#holder = undefined;
      const closed = [...this.#sockets].filter((socket) => !socket.closed).map((socket) => once(socket, 'close'));
      for (const socket of this.#sockets) socket.destroy();
      if (this.#server.listening) await this.#unlisten();
      await Promise.all(closed);
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** On the next port of this process that is free. */
  async #listenAnywhere(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      this.#port = nextPort();
      try {
        await this.#listen();
        ownPorts.add(this.#port);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || tries === PORTS_OF_A_PROCESS) throw error;
      }
    }
  }

  async #listen(): Promise<void> {
    this.#server.listen({ host: this.#address, port: this.#port });
    await once(this.#server, 'listening');
  }

  /** `close` stops listening at once; its callback would wait for the last socket, so it is not awaited. */
  async #unlisten(): Promise<void> {
    this.#server.close();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Keeps a port bound without listening on it: the source port of a connection to ourselves. */
class PortHolder {
  readonly #socket: net.Socket;
  readonly #sink: net.Server;

  private constructor(socket: net.Socket, sink: net.Server) {
    this.#socket = socket;
    this.#sink = sink;
  }

  static async hold(address: string, port: number): Promise<PortHolder> {
    const sink = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
    });
    sink.listen({ host: address, port: 0 });
    await once(sink, 'listening');
    const socket = net.connect({
      host: address,
      port: (sink.address() as net.AddressInfo).port,
      localAddress: address,
      localPort: port,
    });
    const holder = new PortHolder(socket, sink);
    try {
      await once(socket, 'connect');
    } catch (cause) {
      await holder.release();
      throw new Error(`could not keep port ${port} while it refuses connections`, { cause });
    }
    socket.on('error', () => undefined);
    return holder;
  }

  async release(): Promise<void> {
    // A reset leaves no TIME_WAIT behind that would keep the port from being listened on.
    this.#socket.resetAndDestroy();
    this.#sink.close();
    await once(this.#sink, 'close');
  }
}
