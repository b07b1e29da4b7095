import { randomBytes } from 'node:crypto';
import http from 'node:http';
import tls from 'node:tls';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { CertificateAuthority } from './certificates.js';
import { Changes, type WaitOptions } from './changes.js';
import { Listener, urlHost, type ListenOptions } from './listener.js';
import { admit, chooseSubprotocol, type Admission } from './web-pubsub/admission.js';
import {
  Broker,
  type AcceptedEvent,
  type AcceptedMessage,
  type LiveConnection,
  type Selection,
} from './web-pubsub/broker.js';
import { PubSubConnection } from './web-pubsub/connection.js';
import type { AckBehaviour, HandshakeBehaviour, HttpRefusal, NegotiateBehaviour } from './web-pubsub/faults.js';
import { MAX_MESSAGE_BYTES, type DataType } from './web-pubsub/frames.js';
import { Scripted, refuseOnSocket } from './web-pubsub/http.js';
import type { RecoveryVariant } from './web-pubsub/recovery.js';
import { signToken, type TokenClaims } from './web-pubsub/tokens.js';

export type { AcceptedEvent, AcceptedMessage, LiveConnection, Selection } from './web-pubsub/broker.js';

export interface WebPubSubServerOptions extends ListenOptions {
  /** Default true: wss and https. False: ws and http, for tests on loopback. */
  readonly secure?: boolean;
  /** Who signs the certificate; default: a CA of the server's own. */
  readonly ca?: CertificateAuthority;
  /** Names and addresses of the certificate. Default: localhost, 127.0.0.1, ::1 and the address listened on. */
  readonly names?: readonly string[];
  /** Host of the URLs handed out. Default: the address listened on. */
  readonly advertisedHost?: string;
  /** Default `['dunebugger']`. Any other hub is 404. */
  readonly hubs?: readonly string[];
  /** How long a dropped session can be recovered, milliseconds. Default 60,000, as the service does. */
  readonly sessionRetentionMs?: number;
  /** A session with more unacknowledged messages is closed with 1008. Default 1,000, as the service does. */
  readonly maxUnacknowledged?: number;
  /** The same in bytes. Default 16 MB, as the service does. */
  readonly maxUnacknowledgedBytes?: number;
}

/** What a client access URL grants. */
export interface ClientAccessOptions {
  /** Default `device`. */
  readonly userId?: string;
  /** Default: join, leave and send in every group. */
  readonly roles?: readonly string[];
  /** Default 86,400 (24 h). Negative: expired already. */
  readonly expiresInSecs?: number;
  /** Default: the first hub. */
  readonly hub?: string;
  /** `HOST:PORT` of a gate in front of the server; the token stays the server's. */
  readonly via?: string;
  /** Overrides single claims, to make a wrong token. */
  readonly claims?: Partial<TokenClaims>;
  /** Signs with another key, to make a forged token. */
  readonly signingKey?: string;
}

export interface ServiceCounts {
  /** TCP connections accepted. */
  readonly tcpConnections: number;
  /** WebSocket upgrades asked for. */
  readonly upgrades: number;
  /** Upgrades refused in HTTP. */
  readonly refused: number;
  /** New sessions. */
  readonly connected: number;
  /** Sessions that went on over a new socket. */
  readonly recovered: number;
  /** Recoveries ended by 1008. */
  readonly recoveriesRefused: number;
  /** Resent frames answered `Duplicate`. */
  readonly duplicates: number;
  /** GET /negotiate. */
  readonly negotiations: number;
}

const ALL_ROLES = ['webpubsub.joinLeaveGroup', 'webpubsub.sendToGroup'];

/** A local Azure Web PubSub service, with a negotiate endpoint beside it. */
export class WebPubSubServer {
  /** Signed the server's certificate; undefined when not secure. */
  readonly ca: CertificateAuthority | undefined;
  /** Every frame of the service is this late, milliseconds; the order is kept. */
  frameDelayMs = 0;
  /** Whom `GET /negotiate` hands out URLs for. */
  negotiateAccess: ClientAccessOptions = {};
  #listener!: Listener;
  readonly #http: http.Server;
  readonly #tls: tls.Server | undefined;
  readonly #webSockets: WebSocketServer;
  readonly #hubs: readonly string[];
  readonly #advertisedHost: string;
  readonly #key = randomBytes(32).toString('hex');
  readonly #changes = new Changes();
  readonly #broker: Broker;
  readonly #handshake = new Scripted<HandshakeBehaviour>({ kind: 'normal' });
  readonly #negotiate = new Scripted<NegotiateBehaviour>({ kind: 'normal' });
  readonly #counts = {
    upgrades: 0,
    refused: 0,
    recoveriesRefused: 0,
    negotiations: 0,
  };

  private constructor(options: WebPubSubServerOptions, ca?: CertificateAuthority, identity?: tls.TlsOptions) {
    this.ca = ca;
    this.#hubs = options.hubs ?? ['dunebugger'];
    this.#advertisedHost = options.advertisedHost ?? options.address ?? '127.0.0.1';
    this.#broker = new Broker(
      {
        sessionRetentionMs: options.sessionRetentionMs ?? 60_000,
        maxUnacknowledged: options.maxUnacknowledged ?? 1_000,
        maxUnacknowledgedBytes: options.maxUnacknowledgedBytes ?? 16 * 1_048_576,
      },
      () => {
        this.#changes.notify();
      },
    );
    this.#http = http.createServer((request, response) => {
      this.#onRequest(request, response);
    });
    this.#http.on('upgrade', (request: http.IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#onUpgrade(request, socket, head);
    });
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: MAX_MESSAGE_BYTES,
      handleProtocols: chooseSubprotocol,
    });
    if (identity !== undefined) {
      this.#tls = tls.createServer({ ...identity, ALPNProtocols: ['http/1.1'] }, (socket) => {
        socket.on('error', () => undefined);
        this.#http.emit('connection', socket);
      });
      this.#tls.on('tlsClientError', () => undefined);
    }
  }

  static async start(options: WebPubSubServerOptions = {}): Promise<WebPubSubServer> {
    const secure = options.secure ?? true;
    const ca = secure ? (options.ca ?? (await CertificateAuthority.create())) : undefined;
    const names = options.names ?? [
      ...new Set(['localhost', '127.0.0.1', '::1', options.address ?? '127.0.0.1', options.advertisedHost ?? '::1']),
    ];
    const server = new WebPubSubServer(options, ca, await ca?.issue({ names }));
    server.#listener = await Listener.start(options, (socket) => {
      (server.#tls ?? server.#http).emit('connection', socket);
    });
    return server;
  }

  // --- where it is, and the way in

  get address(): string {
    return this.#listener.address;
  }

  get port(): number {
    return this.#listener.port;
  }

  get hostAndPort(): string {
    return `${urlHost(this.#advertisedHost)}:${this.port}`;
  }

  get negotiateUrl(): string {
    return `${this.ca === undefined ? 'http' : 'https'}://${this.hostAndPort}/negotiate`;
  }

  /** A URL with a fresh token, as the application's server would hand it out. */
  clientAccessUrl(options: ClientAccessOptions = {}): string {
    const hub = options.hub ?? this.#hubs[0] ?? 'hub';
    const nowSecs = Math.floor(Date.now() / 1000);
    const token = signToken(
      {
        aud: this.#audience(hub),
        iat: nowSecs,
        exp: nowSecs + (options.expiresInSecs ?? 86_400),
        sub: options.userId ?? 'device',
        role: options.roles ?? ALL_ROLES,
        ...options.claims,
      },
      options.signingKey ?? this.#key,
    );
    const base = options.via === undefined ? this.#audience(hub) : this.#audience(hub, options.via);
    return `${base}?access_token=${token}`;
  }

  // --- faults

  /** What happens to the next upgrade requests. */
  behaveOnHandshake(behaviour: HandshakeBehaviour): void {
    this.#handshake.set(behaviour);
  }

  /** What happens to the next frames that want an ack. */
  behaveOnAcks(behaviour: AckBehaviour): void {
    this.#broker.acks.set(behaviour);
  }

  /** What recovered sockets get, of sessions there are and of new ones; a function is asked once for each session. */
  recoverAs(variant: RecoveryVariant | (() => RecoveryVariant)): void {
    const draw = typeof variant === 'function' ? variant : (): RecoveryVariant => variant;
    this.#broker.drawRecovery = draw;
    for (const session of this.#broker.sessions.all) session.recovery = draw();
  }

  /** What `GET /negotiate` answers next. */
  behaveOnNegotiate(behaviour: NegotiateBehaviour): void {
    this.#negotiate.set(behaviour);
  }

  /** Connects are refused by the kernel; open connections stay. The port is kept. */
  refuseTcp(): Promise<void> {
    return this.#listener.refuse();
  }

  /** Listens again. */
  acceptTcp(): Promise<void> {
    return this.#listener.resume();
  }

  /** Ends sockets without a close frame; reliable sessions stay. Returns how many. */
  drop(selection: Selection = {}): number {
    return this.#broker.each(selection, (connection) => {
      connection.terminate('session-stays');
    });
  }

  /** Closes every TCP connection at once, in whatever state; no close frame. Reliable sessions stay. */
  dropAll(): void {
    this.#listener.dropAll();
  }

  /** Stops reading and writing, pongs included, while TCP stays connected. Returns how many. */
  goHalfOpen(selection: Selection = {}): number {
    return this.#broker.each(selection, (connection) => {
      connection.goHalfOpen();
    });
  }

  /** Half-open connections go on; what was written meanwhile is delivered. */
  heal(): void {
    for (const connection of this.#broker.open) connection.heal();
  }

  /** A close by the service, with its disconnected frame. Only 1008 ends the session, unless said otherwise. */
  close(code: number, reason: string, selection: Selection = {}, sessionEnds: boolean = code === 1008): number {
    return this.#broker.each(selection, (connection) => {
      connection.close(code, reason, sessionEnds ? 'session-ends' : 'session-stays');
    });
  }

  /** Sends this as it is: a text frame for a string, a binary frame for a buffer. */
  sendRaw(data: string | Buffer, selection: Selection = {}): number {
    return this.#broker.each(selection, (connection) => {
      connection.sendRaw(data);
    });
  }

  /** Forgets every session that has no socket: its recovery is closed with 1008. */
  forgetDroppedSessions(): void {
    for (const session of this.#broker.sessions.all) if (session.dropped) this.#broker.sessions.remove(session);
    this.#changes.notify();
  }

  /** Drops every socket and forgets every session, as a restart of the service would. */
  forgetSessions(): void {
    for (const connection of this.#broker.open) connection.terminate('session-ends');
    this.#broker.sessions.clear();
    this.#changes.notify();
  }

  /** Everything normal again: handshakes, acks, negotiation, delay, listening, half-open links. */
  async repair(): Promise<void> {
    this.frameDelayMs = 0;
    this.#handshake.set({ kind: 'normal' });
    this.#broker.acks.set({ kind: 'normal' });
    this.#negotiate.set({ kind: 'normal' });
    await this.acceptTcp();
    this.heal();
  }

  // --- the service's own messages

  /** A message of the service to connections. */
  sendFromServer(data: unknown, dataType: DataType = 'json', selection: Selection = {}): number {
    return this.#broker.each(selection, (connection) => {
      this.#broker.deliver(connection.session, { from: 'server', dataType, data });
    });
  }

  /** A message to a group by its REST interface. */
  sendToGroup(group: string, data: unknown, dataType: DataType = 'json', hub = this.#hubs[0] ?? 'hub'): void {
    for (const member of this.#broker.sessions.members(hub, group)) {
      this.#broker.deliver(member, { from: 'group', group, dataType, data });
    }
  }

  // --- what is seen

  get counts(): ServiceCounts {
    return { tcpConnections: this.#listener.accepted, ...this.#counts, ...this.#broker.counts };
  }

  /** Connections that are open now; half-open ones do not count. */
  liveConnections(userId?: string): readonly LiveConnection[] {
    return this.#broker.liveConnections(userId);
  }

  /** The most connections of one user that were ever live at the same time. */
  maxLiveConnections(userId = 'device'): number {
    return this.#broker.maxLiveConnections(userId);
  }

  /** Sessions known, with and without a socket. */
  get sessions(): readonly {
    readonly connectionId: string;
    readonly userId: string | undefined;
    readonly groups: readonly string[];
    readonly dropped: boolean;
    readonly unacknowledged: number;
  }[] {
    return this.#broker.sessions.all.map((session) => ({
      connectionId: session.connectionId,
      userId: session.userId,
      groups: [...session.groups],
      dropped: session.dropped,
      unacknowledged: session.unacknowledged.length,
    }));
  }

  /** Every group message accepted from a client, oldest first; a resent one is there once. */
  get messages(): readonly AcceptedMessage[] {
    return this.#broker.messages;
  }

  /** Every `event` frame accepted. */
  get events(): readonly AcceptedEvent[] {
    return this.#broker.events;
  }

  /** Waits until the group has that many connected members (default 1), of one user or any. */
  async waitForMember(
    group: string,
    options: WaitOptions & { readonly userId?: string; readonly count?: number } = {},
  ): Promise<readonly LiveConnection[]> {
    const count = options.count ?? 1;
    const members = (): readonly LiveConnection[] =>
      this.liveConnections(options.userId).filter(({ groups }) => groups.includes(group));
    return this.#changes.until(
      () => (members().length >= count ? members() : undefined),
      `${count} member(s) of group ${group}${options.userId === undefined ? '' : ` of user ${options.userId}`}`,
      options,
      () => `${members().length}`,
    );
  }

  /** Waits until exactly that many connections are live, of one user or of all. */
  async waitForLive(count: number, options: WaitOptions & { readonly userId?: string } = {}): Promise<void> {
    await this.#changes.until(
      () => this.liveConnections(options.userId).length === count,
      `${count} live connection(s)`,
      options,
      () => `${this.liveConnections(options.userId).length}`,
    );
  }

  /** Waits for a message accepted from a client, now or earlier, that fits. */
  async waitForMessage(
    fits: (message: AcceptedMessage) => boolean = () => true,
    options?: WaitOptions,
  ): Promise<AcceptedMessage> {
    return this.#changes.until(
      () => this.#broker.messages.find(fits),
      'a message to a group that fits',
      options,
      () => `${this.#broker.messages.length} message(s), none of them`,
    );
  }

  /** Waits until a condition over anything seen here is true; looked at after each change. */
  async waitUntil(condition: () => boolean, what: string, options?: WaitOptions): Promise<void> {
    await this.#changes.until(condition, what, options, () => JSON.stringify(this.counts));
  }

  async stop(): Promise<void> {
    this.#changes.close('the service was stopped');
    for (const connection of this.#broker.open) connection.terminate('session-ends');
    this.#broker.sessions.clear();
    this.#webSockets.close();
    await this.#listener.stop();
  }

  // --- HTTP

  #audience(hub: string, hostAndPort = this.hostAndPort): string {
    return `${this.ca === undefined ? 'ws' : 'wss'}://${hostAndPort}/client/hubs/${hub}`;
  }

  #onRequest(request: http.IncomingMessage, response: http.ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://service');
    if (url.pathname !== '/negotiate' || request.method !== 'GET') {
      response.writeHead(404).end();
      return;
    }
    this.#counts.negotiations += 1;
    this.#changes.notify();
    const behaviour = this.#negotiate.use();
    switch (behaviour.kind) {
      case 'hang':
        return;
      case 'status':
        if (behaviour.retryAfterSecs !== undefined) response.setHeader('Retry-After', behaviour.retryAfterSecs);
        response.writeHead(behaviour.status).end();
        return;
      case 'normal':
      case 'body':
        response
          .writeHead(200, { 'Content-Type': 'application/json' })
          .end(
            behaviour.kind === 'body'
              ? behaviour.body
              : JSON.stringify({ url: this.clientAccessUrl(this.negotiateAccess) }),
          );
        return;
    }
  }

  #onUpgrade(request: http.IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    this.#counts.upgrades += 1;
    const behaviour = this.#handshake.use();
    this.#changes.notify();
    if (behaviour.kind === 'hang') {
      socket.once('end', () => socket.destroy());
      socket.resume();
      return;
    }
    const admission: Admission | HttpRefusal = behaviour.kind === 'status' ? behaviour : this.#admit(request);
    if (admission.kind === 'status' || admission.kind === 'refused') {
      this.#counts.refused += 1;
      this.#changes.notify();
      refuseOnSocket(socket, admission);
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      if (admission.kind === 'gone') {
        this.#counts.recoveriesRefused += 1;
        this.#changes.notify();
        const message = 'The connection id or the reconnection token is not known.';
        webSocket.on('error', () => undefined);
        webSocket.send(JSON.stringify({ type: 'system', event: 'disconnected', message }));
        webSocket.close(1008, message);
        return;
      }
      const connection = new PubSubConnection(admission.session, webSocket, () => this.frameDelayMs);
      this.#broker.accept(connection, admission.kind, behaviour.kind === 'hang-after');
    });
  }

  #admit(request: http.IncomingMessage): Admission {
    return admit(request, {
      hubs: this.#hubs,
      key: this.#key,
      audience: (hub) => this.#audience(hub),
      sessions: this.#broker.sessions,
    });
  }
}
