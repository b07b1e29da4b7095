import net from 'node:net';
import { Changes, type WaitOptions } from './changes.js';
import { DelayLine } from './delay-line.js';
import { Listener, resetSocket, urlHost, type ListenOptions } from './listener.js';

/** What the gate does with bytes and connects. */
export type GateBehaviour =
  /** Passes everything on, each chunk `delayMs` late if given. */
  | { readonly kind: 'open'; readonly delayMs?: number }
  /** Connects are refused by the kernel, open connections reset. The port is kept. */
  | { readonly kind: 'refuse' }
  /** Connects succeed and nothing is heard ever after; open connections go on. */
  | { readonly kind: 'hang-new' }
  /** As `hang-new`, and open connections become half-open: nothing passes in either direction, not even their end. */
  | { readonly kind: 'black-hole' };

export interface TcpGateOptions extends ListenOptions {
  readonly upstream: { readonly address: string; readonly port: number };
}

interface Pair {
  readonly client: net.Socket;
  readonly upstream: net.Socket;
  readonly lines: readonly [DelayLine, DelayLine];
}

/**
 * A TCP forwarder in front of a server. It plays the network between one client and that server, so that the faults
 * hit the clients that come through it and no others.
 */
export class TcpGate {
  #listener!: Listener;
  readonly #upstream: TcpGateOptions['upstream'];
  readonly #pairs = new Set<Pair>();
  /** Accepted while connects hang: never forwarded. */
  readonly #hung = new Set<net.Socket>();
  readonly #changes = new Changes();
  #behaviour: GateBehaviour = { kind: 'open' };

  private constructor(upstream: TcpGateOptions['upstream']) {
    this.#upstream = upstream;
  }

  static async start(options: TcpGateOptions): Promise<TcpGate> {
    const gate = new TcpGate(options.upstream);
    gate.#listener = await Listener.start({ ...options, allowHalfOpen: true }, (socket) => {
      gate.#onConnection(socket);
    });
    return gate;
  }

  get address(): string {
    return this.#listener.address;
  }

  get port(): number {
    return this.#listener.port;
  }

  get hostAndPort(): string {
    return `${urlHost(this.address)}:${this.port}`;
  }

  /** TCP connections accepted so far. */
  get accepted(): number {
    return this.#listener.accepted;
  }

  /** Connections forwarded now. */
  get open(): number {
    return this.#pairs.size;
  }

  async behave(behaviour: GateBehaviour): Promise<void> {
    this.#behaviour = behaviour;
    if (behaviour.kind === 'refuse') {
      await this.#listener.refuse();
      this.drop();
      return;
    }
    await this.#listener.resume();
    for (const { client, upstream } of this.#pairs) {
      for (const socket of [client, upstream]) {
        // Not read means not acknowledged in the end, and neither an end nor a close is noticed.
        if (behaviour.kind === 'black-hole') socket.pause();
        else socket.resume();
      }
    }
    if (behaviour.kind === 'open') for (const socket of this.#hung) resetSocket(socket);
  }

  /** Resets every open connection, on both sides. */
  drop(): void {
    for (const { client, upstream } of this.#pairs) {
      resetSocket(client);
      resetSocket(upstream);
    }
    for (const socket of this.#hung) resetSocket(socket);
  }

  /** Waits until that many connections have been accepted since the start. */
  async waitForAccepted(count: number, options?: WaitOptions): Promise<void> {
    await this.#changes.until(
      () => this.accepted >= count,
      `${count} connections at the gate`,
      options,
      () => `${this.accepted}`,
    );
  }

  async stop(): Promise<void> {
    this.#changes.close('the gate was stopped');
    for (const { upstream } of this.#pairs) upstream.destroy();
    await this.#listener.stop();
  }

  #onConnection(client: net.Socket): void {
    this.#changes.notify();
    if (this.#behaviour.kind !== 'open') {
      this.#hung.add(client);
      client.once('close', () => this.#hung.delete(client));
      client.once('end', () => client.destroy());
      client.resume();
      return;
    }
    const upstream = net.connect({
      host: this.#upstream.address,
      port: this.#upstream.port,
      allowHalfOpen: true,
      noDelay: true,
    });
    const pair: Pair = { client, upstream, lines: [new DelayLine(), new DelayLine()] };
    this.#pairs.add(pair);
    upstream.on('error', () => resetSocket(client));
    this.#forward(client, upstream, pair.lines[0]);
    this.#forward(upstream, client, pair.lines[1]);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.once('close', (hadError) => {
        for (const line of pair.lines) line.clear();
        this.#pairs.delete(pair);
        if (hadError) resetSocket(other);
        else other.destroy();
      });
    }
  }

  #forward(from: net.Socket, to: net.Socket, line: DelayLine): void {
    const later = (work: () => void): void => {
      line.push(this.#behaviour.kind === 'open' ? (this.#behaviour.delayMs ?? 0) : 0, work);
    };
    from.on('data', (chunk) => later(() => to.write(chunk)));
    from.on('end', () => later(() => to.end()));
  }
}
