import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import dnsPacket from 'dns-packet';
import { Changes, type WaitOptions } from './changes.js';
import { Listener, urlHost, type ListenOptions } from './listener.js';

/** How queries are answered. */
export type NameServerBehaviour =
  /** From the records; a name without any is NXDOMAIN, one without an address of that family has an empty answer. */
  | { readonly kind: 'answer' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'nxdomain' | 'servfail' | 'refused' | 'formerr' | 'notimp' }
  /** FORMERR to whoever speaks of EDNS, as servers from before 1999 do. */
  | { readonly kind: 'no-edns' }
  /** Nothing but a CNAME to that name, with the addresses it has in the records, through as many names as said. */
  | { readonly kind: 'alias'; readonly to: string; readonly through?: readonly string[] }
  /** Bytes that are no answer; or the answer to another question. */
  | { readonly kind: 'garbage' | 'other-name' }
  /** As `answer`, later. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** Every name has this address, as a captive portal does it; the other family has an empty answer. */
  | { readonly kind: 'hijack'; readonly address: string }
  /** Over UDP the answer is empty and marked truncated, over TCP it is complete. */
  | { readonly kind: 'truncated' };

export type AddressType = 'A' | 'AAAA';

export interface NameServerOptions extends ListenOptions {
  /** Name -> addresses of either family. */
  readonly records?: Readonly<Record<string, readonly string[]>>;
}

export interface Query {
  readonly name: string;
  readonly type: string;
  readonly transport: 'udp' | 'tcp';
}

const RCODE = { ok: 0, formerr: 1, servfail: 2, nxdomain: 3, notimp: 4, refused: 5 } as const;

/** A DNS server over UDP and TCP, on the same port. */
export class NameServer {
  #udp!: dgram.Socket;
  #tcp!: Listener;
  readonly #records = new Map<string, readonly string[]>();
  readonly #behaviours = new Map<AddressType, NameServerBehaviour>();
  readonly #queries: Query[] = [];
  readonly #changes = new Changes();
  readonly #timers = new Set<NodeJS.Timeout>();

  static async start(options: NameServerOptions = {}): Promise<NameServer> {
    const server = new NameServer();
    for (const [name, addresses] of Object.entries(options.records ?? {})) server.setRecord(name, addresses);
    // A port that is free for TCP may be taken for UDP; with a port given there is one try.
    for (let tries = options.port === undefined || options.port === 0 ? 20 : 1; ; tries -= 1) {
      server.#tcp = await Listener.start(options, (socket) => {
        server.#onTcp(socket);
      });
      try {
        server.#udp = await bindUdp(server.#tcp.address, server.#tcp.port);
        break;
      } catch (error) {
        await server.#tcp.stop();
        if (tries <= 1) throw error;
      }
    }
    server.#udp.on('message', (message, from) => {
      server.#onQuery(message, 'udp', (answer) => {
        server.#udp.send(answer, from.port, from.address, () => undefined);
      });
    });
    return server;
  }

  get address(): string {
    return this.#tcp.address;
  }

  get port(): number {
    return this.#tcp.port;
  }

  /** `ADDRESS:PORT`, as `Resolver.setServers` takes it. */
  get hostAndPort(): string {
    return `${urlHost(this.address)}:${this.port}`;
  }

  /** Every query so far, oldest first. */
  get queries(): readonly Query[] {
    return this.#queries;
  }

  /** Sets the addresses of a name; none: the name does not exist. */
  setRecord(name: string, addresses: readonly string[]): void {
    if (addresses.length === 0) this.#records.delete(name.toLowerCase());
    else this.#records.set(name.toLowerCase(), addresses);
  }

  /** Changes how queries of these types are answered (default: all types). */
  behave(behaviour: NameServerBehaviour, types: readonly AddressType[] = ['A', 'AAAA']): void {
    for (const type of types) this.#behaviours.set(type, behaviour);
  }

  /** Number of queries so far, of all names or one, of all types or one. */
  countQueries(name?: string, type?: string): number {
    return this.#queries.filter(
      (query) =>
        (name === undefined || query.name === name.toLowerCase()) && (type === undefined || query.type === type),
    ).length;
  }

  /** Waits until that many queries have arrived since the start. */
  async waitForQueries(count: number, options?: WaitOptions): Promise<void> {
    await this.#changes.until(
      () => this.#queries.length >= count,
      `${count} queries at the name server`,
      options,
      () => `${this.#queries.length}`,
    );
  }

  async stop(): Promise<void> {
    this.#changes.close('the name server was stopped');
    for (const timer of this.#timers) clearTimeout(timer);
    const closed = once(this.#udp, 'close');
    this.#udp.close();
    await Promise.all([closed, this.#tcp.stop()]);
  }

  #onTcp(socket: net.Socket): void {
    let pending = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
        const end = 2 + pending.readUInt16BE(0);
        const message = pending.subarray(2, end);
        pending = pending.subarray(end);
        this.#onQuery(message, 'tcp', (answer) => {
          const length = Buffer.alloc(2);
          length.writeUInt16BE(answer.length);
          socket.write(Buffer.concat([length, answer]));
        });
      }
    });
  }

  #onQuery(message: Buffer, transport: 'udp' | 'tcp', reply: (answer: Buffer) => void): void {
    const query = decode(message);
    const question = query?.questions?.[0];
    if (query === undefined || question === undefined) return;
    const name = question.name.toLowerCase();
    this.#queries.push({ name, type: question.type, transport });
    const behaviour = this.#behaviours.get(question.type === 'AAAA' ? 'AAAA' : 'A') ?? { kind: 'answer' };
    const family = question.type === 'A' ? 4 : question.type === 'AAAA' ? 6 : undefined;
    const answer = (
      rcode: number,
      addresses: readonly string[],
      truncated = false,
      aliases: readonly string[] = [],
      asked = question.name,
    ): void => {
      const names = [asked, ...aliases];
      reply(
        dnsPacket.encode({
          type: 'response',
          id: query.id,
          flags:
            dnsPacket.RECURSION_DESIRED |
            dnsPacket.RECURSION_AVAILABLE |
            (truncated ? dnsPacket.TRUNCATED_RESPONSE : 0) |
            rcode,
          questions: [{ ...question, name: asked }],
          answers: [
            ...aliases.map((data, i) => ({ type: 'CNAME' as const, name: names[i] ?? asked, ttl: 5, data })),
            ...addresses
              .filter((address) => net.isIP(address) === family)
              .map((data) => ({ type: question.type as AddressType, name: names.at(-1) ?? asked, ttl: 5, data })),
          ],
        }),
      );
    };
    const answerFromRecords = (): void => {
      const addresses = this.#records.get(name);
      answer(addresses === undefined ? RCODE.nxdomain : RCODE.ok, addresses ?? []);
    };
    switch (behaviour.kind) {
      case 'answer':
        answerFromRecords();
        break;
      case 'silent':
        break;
      case 'nxdomain':
      case 'servfail':
      case 'refused':
      case 'formerr':
      case 'notimp':
        answer(RCODE[behaviour.kind], []);
        break;
      case 'no-edns':
        if ((query.additionals ?? []).some(({ type }) => type === 'OPT')) answer(RCODE.formerr, []);
        else answerFromRecords();
        break;
      case 'alias':
        answer(RCODE.ok, this.#records.get(behaviour.to) ?? [], false, [...(behaviour.through ?? []), behaviour.to]);
        break;
      case 'garbage':
        reply(Buffer.from('this is no answer'));
        break;
      case 'other-name':
        answer(RCODE.ok, this.#records.get(name) ?? [], false, [], 'somebody.else.test');
        break;
      case 'slow':
        this.#after(behaviour.delayMs, answerFromRecords);
        break;
      case 'hijack':
        answer(RCODE.ok, [behaviour.address]);
        break;
      case 'truncated':
        if (transport === 'udp') answer(RCODE.ok, [], true);
        else answerFromRecords();
        break;
    }
    this.#changes.notify();
  }

  #after(delayMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delayMs);
    this.#timers.add(timer);
  }
}

function decode(message: Buffer): dnsPacket.DecodedPacket | undefined {
  try {
    return dnsPacket.decode(message);
  } catch {
    return undefined;
  }
}

async function bindUdp(address: string, port: number): Promise<dgram.Socket> {
  const socket = dgram.createSocket(net.isIPv6(address) ? 'udp6' : 'udp4');
  try {
    socket.bind({ address, port });
    await once(socket, 'listening');
  } catch (error) {
    socket.close();
    throw error;
  }
  // An ICMP answer to a reply (the asker has gone) is nobody's business here.
  socket.on('error', () => undefined);
  return socket;
}
