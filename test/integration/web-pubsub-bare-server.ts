/** A bare `ws` server with just enough of the service for the adapter's own tests; each test scripts what it does wrong. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { once } from 'node:events';
import { WebSocketServer, type WebSocket } from 'ws';
import { GREETED_FIRST, RecoveredSocket, type RecoveryVariant } from '../support/web-pubsub/recovery.js';

export interface Upstream {
  readonly type: string;
  readonly ackId?: number;
  readonly group?: string;
  readonly data?: unknown;
  readonly noEcho?: boolean;
  readonly sequenceId?: number;
}

/** A session as the service keeps it: it outlives its socket. */
export interface Kept {
  readonly id: string;
  ws: WebSocket | undefined;
  readonly processed: Set<number>;
  readonly delivered: unknown[];
  unacked: { sequenceId: number; frame: string }[];
  lastSequenceId: number;
  token: string;
  /** False while older messages have still to be sent again on the socket it has. */
  replayed: boolean;
}

export interface Script {
  /** Answer the handshake with this instead; true: say nothing, ever. */
  refuse?: (request: IncomingMessage) => { status: number; headers?: Record<string, string> } | true | undefined;
  /** Called instead of the `connected` frame. */
  onConnection?: (ws: WebSocket, request: IncomingMessage) => void;
  /** Called before the server's own answer; true: it has been dealt with. */
  onFrame?: (frame: Upstream, kept: Kept, ws: WebSocket) => boolean;
}

export class BareServer {
  readonly http: Server = createServer();
  readonly wss = new WebSocketServer({ noServer: true });
  readonly sessions = new Map<string, Kept>();
  readonly sockets = new Set<Duplex>();
  readonly requests: string[] = [];
  readonly frames: Upstream[] = [];
  /** The most WebSockets open at the same time, as this side sees it. */
  mostLive = 0;
  script: Script = {};
  /** What a recovered socket gets. */
  recovery: RecoveryVariant = GREETED_FIRST;
  #ids = 0;
  #tokens = 0;

  static async start(script: Script = {}, recovery = GREETED_FIRST): Promise<BareServer> {
    const server = new BareServer();
    server.recovery = recovery;
    server.script = script;
    server.http.on('connection', (socket: Socket) => {
      server.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => server.sockets.delete(socket));
    });
    server.http.on('upgrade', (request, socket, head) => server.#upgrade(request, socket, head));
    server.http.listen(0, '127.0.0.1');
    await once(server.http, 'listening');
    return server;
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/client/hubs/hub?access_token=eyJhbGciOiJIUzI1NiJ9.c2VjcmV0.c2ln`;
  }

  get live(): WebSocket[] {
    return [...this.wss.clients];
  }

  get kept(): Kept {
    return [...this.sessions.values()].at(-1)!;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.http.close();
    await once(this.http, 'close');
  }

  /** Cuts every connection, without a close frame. */
  drop(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  /** A group message from somebody else, kept until acknowledged. */
  publish(data: unknown, kept = this.kept): void {
    const sequenceId = (kept.lastSequenceId += 1);
    const frame = JSON.stringify({
      type: 'message',
      from: 'group',
      group: 'g',
      fromUserId: 'u',
      dataType: 'json',
      data,
      sequenceId,
    });
    kept.unacked.push({ sequenceId, frame });
    if (kept.replayed) kept.ws?.send(frame);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.requests.push(request.url ?? '');
    const refusal = this.script.refuse?.(request);
    if (refusal === true) {
      // Read on, or the other side's going away would not be noticed.
      socket.on('end', () => socket.destroy()).resume();
      return;
    }
    if (refusal) {
      const headers = Object.entries({ 'content-length': '0', connection: 'close', ...refusal.headers });
      socket.end(
        `HTTP/1.1 ${refusal.status} No\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
      );
      return;
    }
    this.wss.handleUpgrade(request, socket, head, (ws) => {
      ws.on('error', () => undefined);
      this.mostLive = Math.max(this.mostLive, this.live.length);
      if (this.script.onConnection) this.script.onConnection(ws, request);
      else this.greet(ws, request);
    });
  }

  greet(ws: WebSocket, request: IncomingMessage): void {
    const query = new URL(request.url ?? '', 'ws://x').searchParams;
    const asked = query.get('awps_connection_id');
    if (asked !== null && this.sessions.get(asked)?.token !== query.get('awps_reconnection_token')) {
      ws.close(SESSION_GONE);
      return;
    }
    const id = asked ?? `connection-${(this.#ids += 1)}`;
    const kept = this.sessions.get(id) ?? {
      id,
      ws,
      processed: new Set(),
      delivered: [],
      unacked: [],
      lastSequenceId: 0,
      token: 'token',
      replayed: false,
    };
    this.sessions.set(id, kept);
    kept.ws = ws;
    ws.on('close', () => {
      if (kept.ws === ws) kept.ws = undefined;
    });
    const variant = asked === null ? GREETED_FIRST : this.recovery;
    kept.replayed = false;
    const recovered = new RecoveredSocket(variant, {
      greet: () => {
        if (variant.token === 'new') kept.token = `token-${(this.#tokens += 1)}`;
        const token = variant.token === 'none' ? {} : { reconnectionToken: kept.token };
        ws.send(JSON.stringify({ type: 'system', event: 'connected', userId: 'u', connectionId: id, ...token }));
      },
      replay: () => {
        for (const { frame } of kept.unacked) ws.send(frame);
        if (kept.ws === ws) kept.replayed = true;
      },
    });
    ws.on('message', (data) => {
      const frame = JSON.parse((data as Buffer).toString()) as Upstream;
      recovered.spokenTo(() => this.#onFrame(frame, kept, ws));
    });
    recovered.opened();
  }

  #onFrame(frame: Upstream, kept: Kept, ws: WebSocket): void {
    this.frames.push(frame);
    if (this.script.onFrame?.(frame, kept, ws) === true) return;
    const { ackId } = frame;
    if (frame.type === 'ping') ws.send('{"type":"pong"}');
    else if (frame.type === 'sequenceAck') {
      kept.unacked = kept.unacked.filter((message) => message.sequenceId > (frame.sequenceId ?? 0));
    } else if (ackId !== undefined) {
      const duplicate = kept.processed.has(ackId);
      if (!duplicate && frame.type === 'sendToGroup') kept.delivered.push(frame.data);
      kept.processed.add(ackId);
      ws.send(
        JSON.stringify(
          duplicate
            ? { type: 'ack', ackId, success: false, error: { name: 'Duplicate', message: 'again' } }
            : { type: 'ack', ackId, success: true },
        ),
      );
    }
  }
}

const SESSION_GONE = 1008;
