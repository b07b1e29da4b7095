import { randomBytes } from 'node:crypto';
import http from 'node:http';
import tls from 'node:tls';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { CertificateAuthority } from './certificates.js';
import { Changes, type WaitOptions } from './changes.js';
import { Listener, urlHost, type ListenOptions } from './listener.js';
import { PubSubConnection } from './web-pubsub/connection.js';
import type { AckBehaviour, HandshakeBehaviour, NegotiateBehaviour } from './web-pubsub/faults.js';
import {
  MAX_MESSAGE_BYTES,
  RELIABLE_SUBPROTOCOL,
  SIMPLE_SUBPROTOCOL,
  parseClientFrame,
  type AckedFrame,
  type AckErrorName,
  type DataType,
  type Subprotocol,
} from './web-pubsub/frames.js';
import { Scripted, refuseOnSocket } from './web-pubsub/http.js';
import { PubSubSession, SessionStore, type Delivery } from './web-pubsub/sessions.js';
import { signToken, verifyToken, type TokenClaims } from './web-pubsub/tokens.js';

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
  /** A session with more unacknowledged messages is ended. Default 10,000. */
  readonly maxUnacknowledged?: number;
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

/** A message to a group that the service accepted, in the order of acceptance. */
export interface AcceptedMessage {
  readonly group: string;
  readonly fromUserId: string | undefined;
  readonly connectionId: string;
  readonly dataType: DataType;
  readonly data: unknown;
  readonly ackId: number | undefined;
  readonly noEcho: boolean;
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

/** A connection as tests see it. */
export interface LiveConnection {
  readonly connectionId: string;
  readonly userId: string | undefined;
  readonly groups: readonly string[];
  readonly subprotocol: Subprotocol;
}

/** Which connections a fault hits; default: all. */
export interface Selection {
  readonly connectionId?: string;
  readonly userId?: string;
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
  readonly #maxUnacknowledged: number;
  readonly #key = randomBytes(32).toString('hex');
  readonly #changes = new Changes();
  readonly #sessions: SessionStore;
  /** The socket each session has now. */
  readonly #connections = new Map<PubSubSession, PubSubConnection>();
  /** Every socket that is open, replaced ones included. */
  readonly #open = new Set<PubSubConnection>();
  readonly #messages: AcceptedMessage[] = [];
  readonly #events: { readonly connectionId: string; readonly event: string; readonly data: unknown }[] = [];
  readonly #maxLive = new Map<string | undefined, number>();
  readonly #handshake = new Scripted<HandshakeBehaviour>({ kind: 'normal' });
  readonly #acks = new Scripted<AckBehaviour>({ kind: 'normal' });
  readonly #negotiate = new Scripted<NegotiateBehaviour>({ kind: 'normal' });
  readonly #counts = {
    upgrades: 0,
    refused: 0,
    connected: 0,
    recovered: 0,
    recoveriesRefused: 0,
    duplicates: 0,
    negotiations: 0,
  };

  private constructor(options: WebPubSubServerOptions, ca?: CertificateAuthority, identity?: tls.TlsOptions) {
    this.ca = ca;
    this.#hubs = options.hubs ?? ['dunebugger'];
    this.#advertisedHost = options.advertisedHost ?? options.address ?? '127.0.0.1';
    this.#maxUnacknowledged = options.maxUnacknowledged ?? 10_000;
    this.#sessions = new SessionStore(options.sessionRetentionMs ?? 60_000, () => {
      this.#changes.notify();
    });
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
    this.#acks.set(behaviour);
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
    return this.#each(selection, (connection) => {
      connection.terminate('session-stays');
    });
  }

  /** Closes every TCP connection at once, in whatever state; no close frame. Reliable sessions stay. */
  dropAll(): void {
    this.#listener.dropAll();
  }

  /** Stops reading and writing, pongs included, while TCP stays connected. Returns how many. */
  goHalfOpen(selection: Selection = {}): number {
    return this.#each(selection, (connection) => {
      connection.goHalfOpen();
    });
  }

  /** Half-open connections go on; what was written meanwhile is delivered. */
  heal(): void {
    for (const connection of this.#open) connection.heal();
  }

  /** A close by the service, with its disconnected frame. Only 1008 ends the session, unless said otherwise. */
  close(code: number, reason: string, selection: Selection = {}, sessionEnds: boolean = code === 1008): number {
    return this.#each(selection, (connection) => {
      connection.close(code, reason, sessionEnds ? 'session-ends' : 'session-stays');
    });
  }

  /** Sends this as it is: a text frame for a string, a binary frame for a buffer. */
  sendRaw(data: string | Buffer, selection: Selection = {}): number {
    return this.#each(selection, (connection) => {
      connection.sendRaw(data);
    });
  }

  /** Forgets every session that has no socket: its recovery is closed with 1008. */
  forgetDroppedSessions(): void {
    for (const session of this.#sessions.all) if (session.dropped) this.#sessions.remove(session);
    this.#changes.notify();
  }

  /** Drops every socket and forgets every session, as a restart of the service would. */
  forgetSessions(): void {
    for (const connection of this.#open) connection.terminate('session-ends');
    this.#sessions.clear();
    this.#changes.notify();
  }

  /** Everything normal again: handshakes, acks, negotiation, delay, listening, half-open links. */
  async repair(): Promise<void> {
    this.frameDelayMs = 0;
    this.#handshake.set({ kind: 'normal' });
    this.#acks.set({ kind: 'normal' });
    this.#negotiate.set({ kind: 'normal' });
    await this.acceptTcp();
    this.heal();
  }

  // --- the service's own messages

  /** A message of the service to connections. */
  sendFromServer(data: unknown, dataType: DataType = 'json', selection: Selection = {}): number {
    return this.#each(selection, (connection) => {
      this.#deliver(connection.session, { from: 'server', dataType, data });
    });
  }

  /** A message to a group by its REST interface. */
  sendToGroup(group: string, data: unknown, dataType: DataType = 'json', hub = this.#hubs[0] ?? 'hub'): void {
    for (const member of this.#sessions.members(hub, group)) {
      this.#deliver(member, { from: 'group', group, dataType, data });
    }
  }

  // --- what is seen

  get counts(): ServiceCounts {
    return { tcpConnections: this.#listener.accepted, ...this.#counts };
  }

  /** Connections that are open now; half-open ones do not count. */
  liveConnections(userId?: string): readonly LiveConnection[] {
    return [...this.#open]
      .filter(({ live, session }) => live && (userId === undefined || session.userId === userId))
      .map(({ session }) => ({
        connectionId: session.connectionId,
        userId: session.userId,
        groups: [...session.groups],
        subprotocol: session.subprotocol,
      }));
  }

  /** The most connections of one user that were ever live at the same time. */
  maxLiveConnections(userId?: string): number {
    return this.#maxLive.get(userId ?? 'device') ?? 0;
  }

  /** Sessions known, with and without a socket. */
  get sessions(): readonly {
    readonly connectionId: string;
    readonly userId: string | undefined;
    readonly groups: readonly string[];
    readonly dropped: boolean;
    readonly unacknowledged: number;
  }[] {
    return this.#sessions.all.map((session) => ({
      connectionId: session.connectionId,
      userId: session.userId,
      groups: [...session.groups],
      dropped: session.dropped,
      unacknowledged: session.unacknowledged.length,
    }));
  }

  /** Every group message accepted from a client, oldest first; a resent one is there once. */
  get messages(): readonly AcceptedMessage[] {
    return this.#messages;
  }

  /** Every `event` frame accepted. */
  get events(): readonly { readonly connectionId: string; readonly event: string; readonly data: unknown }[] {
    return this.#events;
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
      () => this.#messages.find(fits),
      'a message to a group that fits',
      options,
      () => `${this.#messages.length} message(s), none of them`,
    );
  }

  /** Waits until a condition over anything seen here is true; looked at after each change. */
  async waitUntil(condition: () => boolean, what: string, options?: WaitOptions): Promise<void> {
    await this.#changes.until(condition, what, options, () => JSON.stringify(this.counts));
  }

  async stop(): Promise<void> {
    this.#changes.close('the service was stopped');
    for (const connection of this.#open) connection.terminate('session-ends');
    this.#sessions.clear();
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
    const admission =
      behaviour.kind === 'status' ? { kind: 'refused' as const, ...without(behaviour) } : this.#admit(request);
    if (admission.kind === 'refused') {
      this.#counts.refused += 1;
      this.#changes.notify();
      refuseOnSocket(socket, admission, admission.message);
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
      this.#onConnected(connection, admission.kind, behaviour.kind === 'hang-after');
    });
  }

  /** Decides over an upgrade request by its path, subprotocol, token or recovery. */
  #admit(request: http.IncomingMessage): Admission {
    const url = new URL(request.url ?? '/', 'http://service');
    const hub = /^\/client\/hubs\/([^/]+)$/.exec(url.pathname)?.[1];
    if (hub === undefined || !this.#hubs.includes(hub)) return refused(404, 'The hub is not known.');
    const subprotocol = chooseSubprotocol(offeredSubprotocols(request));
    if (subprotocol === false) return refused(400, 'None of the subprotocols is supported.');
    const connectionId = url.searchParams.get('awps_connection_id');
    if (connectionId !== null) {
      // The reconnection token stands in for the access token, which may have expired meanwhile.
      const session = this.#sessions.find(connectionId, url.searchParams.get('awps_reconnection_token') ?? '');
      return session?.hub === hub && session.subprotocol === subprotocol
        ? { kind: 'recovered', session }
        : { kind: 'gone' };
    }
    const token =
      url.searchParams.get('access_token') ?? /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) return refused(401, 'There is no access token.');
    const verified = verifyToken(token, this.#key, this.#audience(hub), Date.now());
    if (!verified.ok) return refused(401, `The access token is not valid: ${verified.problem}.`);
    const { sub, role } = verified.claims;
    if (role === undefined || role.length === 0) return refused(403, 'The access token has no role.');
    return { kind: 'connected', session: new PubSubSession(hub, sub, role, subprotocol) };
  }

  // --- connections

  #onConnected(connection: PubSubConnection, how: 'connected' | 'recovered', mute: boolean): void {
    const { session } = connection;
    this.#open.add(connection);
    connection.onClose((code) => {
      this.#onClosed(connection, code);
    });
    this.#recordLive(session.userId);
    const replaced = this.#connections.get(session);
    this.#connections.set(session, connection);
    replaced?.terminate();
    this.#counts[how] += 1;
    if (how === 'connected') this.#sessions.add(session);
    else this.#sessions.recover(session);
    if (!mute) {
      connection.onText((text) => {
        this.#onText(connection, text);
      });
      connection.send({
        type: 'system',
        event: 'connected',
        ...(session.userId === undefined ? {} : { userId: session.userId }),
        connectionId: session.connectionId,
        ...(session.reliable ? { reconnectionToken: session.reconnectionToken } : {}),
      });
      for (const frame of session.unacknowledged) connection.send(frame);
    }
    this.#changes.notify();
  }

  #onClosed(connection: PubSubConnection, code: number): void {
    const { session } = connection;
    this.#open.delete(connection);
    // A socket that was replaced by a recovery takes nothing with it.
    if (this.#connections.get(session) === connection) {
      this.#connections.delete(session);
      // 1000, 1001 and 1005 are a client that said goodbye: it does not come back.
      const ending = connection.ending ?? ([1000, 1001, 1005].includes(code) ? 'session-ends' : 'session-stays');
      if (ending === 'session-ends') this.#sessions.remove(session);
      else this.#sessions.drop(session);
    }
    this.#changes.notify();
  }

  #onText(connection: PubSubConnection, text: string): void {
    if (connection.ending !== undefined) return;
    const parsed = parseClientFrame(text);
    if (!parsed.ok) {
      connection.close(1007, parsed.problem, 'session-ends');
      return;
    }
    const { frame } = parsed;
    switch (frame.type) {
      case 'ping':
        connection.send({ type: 'pong' });
        break;
      case 'sequenceAck':
        connection.session.acknowledge(frame.sequenceId);
        break;
      case 'joinGroup':
      case 'leaveGroup':
      case 'sendToGroup':
      case 'event':
        this.#onAckedFrame(connection, frame);
        break;
    }
    this.#changes.notify();
  }

  #onAckedFrame(connection: PubSubConnection, frame: AckedFrame): void {
    const { session } = connection;
    const { ackId } = frame;
    const fail = (name: AckErrorName, message: string): void => {
      if (ackId !== undefined) connection.send({ type: 'ack', ackId, success: false, error: { name, message } });
    };
    const behaviour = this.#ackBehaviourFor(frame.type);
    if (behaviour.kind === 'fail') {
      fail(behaviour.error, 'The service was told to fail.');
      return;
    }
    const acknowledged = behaviour.kind !== 'withhold';
    if (ackId !== undefined && session.hasProcessed(ackId)) {
      this.#counts.duplicates += 1;
      if (acknowledged) fail('Duplicate', `Message with ack-id: ${ackId} has been processed`);
      return;
    }
    const forbidden = this.#handle(session, frame);
    if (forbidden !== undefined) {
      fail('Forbidden', forbidden);
      return;
    }
    if (ackId === undefined) return;
    session.markProcessed(ackId);
    if (acknowledged) connection.send({ type: 'ack', ackId, success: true });
  }

  #ackBehaviourFor(type: AckedFrame['type']): AckBehaviour {
    const behaviour = this.#acks.current;
    if (behaviour.kind === 'normal') return behaviour;
    if (behaviour.types?.includes(type) === false) return { kind: 'normal' };
    return this.#acks.use();
  }

  /** Carries the frame out; returns why it may not. */
  #handle(session: PubSubSession, frame: AckedFrame): string | undefined {
    switch (frame.type) {
      case 'joinGroup':
      case 'leaveGroup':
        if (!session.may('joinLeaveGroup', frame.group)) return `No permission to join or leave ${frame.group}.`;
        if (frame.type === 'joinGroup') session.groups.add(frame.group);
        else session.groups.delete(frame.group);
        return undefined;
      case 'sendToGroup': {
        if (!session.may('sendToGroup', frame.group)) return `No permission to send to ${frame.group}.`;
        const { group, dataType, data } = frame;
        this.#messages.push({
          group,
          fromUserId: session.userId,
          connectionId: session.connectionId,
          dataType,
          data,
          ackId: frame.ackId,
          noEcho: frame.noEcho,
        });
        const from = session.userId === undefined ? {} : { fromUserId: session.userId };
        for (const member of this.#sessions.members(session.hub, group)) {
          if (member === session && frame.noEcho) continue;
          this.#deliver(member, { from: 'group', group, ...from, dataType, data });
        }
        return undefined;
      }
      case 'event':
        this.#events.push({ connectionId: session.connectionId, event: frame.event, data: frame.data });
        return undefined;
    }
  }

  #deliver(session: PubSubSession, delivery: Delivery): void {
    const frame = session.number(delivery);
    const connection = this.#connections.get(session);
    if (session.unacknowledged.length > this.#maxUnacknowledged) {
      this.#sessions.remove(session);
      connection?.close(1008, 'Too many messages are not acknowledged.', 'session-ends');
      return;
    }
    connection?.send(frame);
  }

  #recordLive(userId: string | undefined): void {
    const live = [...this.#open].filter((other) => other.live && other.session.userId === userId).length;
    this.#maxLive.set(userId, Math.max(live, this.#maxLive.get(userId) ?? 0));
  }

  #each(selection: Selection, work: (connection: PubSubConnection) => void): number {
    const chosen = [...this.#connections.values()].filter(
      ({ session }) =>
        (selection.connectionId === undefined || session.connectionId === selection.connectionId) &&
        (selection.userId === undefined || session.userId === selection.userId),
    );
    for (const connection of chosen) work(connection);
    this.#changes.notify();
    return chosen.length;
  }
}

type Admission =
  | { readonly kind: 'connected' | 'recovered'; readonly session: PubSubSession }
  | { readonly kind: 'gone' }
  | { readonly kind: 'refused'; readonly status: number; readonly retryAfterSecs?: number; readonly message?: string };

function refused(status: number, message: string): Admission {
  return { kind: 'refused', status, message };
}

function without(refusal: { readonly status: number; readonly retryAfterSecs?: number }): {
  readonly status: number;
  readonly retryAfterSecs?: number;
  readonly message?: string;
} {
  const { status, retryAfterSecs } = refusal;
  return retryAfterSecs === undefined ? { status } : { status, retryAfterSecs };
}

function offeredSubprotocols(request: http.IncomingMessage): ReadonlySet<string> {
  return new Set((request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim()));
}

function chooseSubprotocol(offered: ReadonlySet<string>): Subprotocol | false {
  if (offered.has(RELIABLE_SUBPROTOCOL)) return RELIABLE_SUBPROTOCOL;
  return offered.has(SIMPLE_SUBPROTOCOL) ? SIMPLE_SUBPROTOCOL : false;
}
