import type { PubSubConnection } from './connection.js';
import type { AckBehaviour } from './faults.js';
import { parseClientFrame, type AckErrorName, type AckedFrame, type DataType, type Subprotocol } from './frames.js';
import { Scripted } from './http.js';
import { GREETED_FIRST, RecoveredSocket, type RecoveryVariant } from './recovery.js';
import { SessionStore, type Delivery, type PubSubSession } from './sessions.js';

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

/** An `event` frame that was accepted. */
export interface AcceptedEvent {
  readonly connectionId: string;
  readonly event: string;
  readonly data: unknown;
}

/** What goes on over sockets that are open: sessions, groups, messages, acks. */
export class Broker {
  readonly sessions: SessionStore;
  readonly messages: AcceptedMessage[] = [];
  readonly events: AcceptedEvent[] = [];
  readonly acks = new Scripted<AckBehaviour>({ kind: 'normal' });
  readonly counts = { connected: 0, recovered: 0, duplicates: 0 };
  /** How each new session will be recovered. */
  drawRecovery: () => RecoveryVariant = () => GREETED_FIRST;
  /** The socket each session has now. */
  readonly #connections = new Map<PubSubSession, PubSubConnection>();
  /** Every socket that is open, replaced ones included. */
  readonly #open = new Set<PubSubConnection>();
  readonly #maxLive = new Map<string | undefined, number>();

  constructor(
    private readonly limits: {
      readonly sessionRetentionMs: number;
      readonly maxUnacknowledged: number;
      readonly maxUnacknowledgedBytes: number;
    },
    private readonly changed: () => void,
  ) {
    this.sessions = new SessionStore(limits.sessionRetentionMs, changed);
  }

  /** Every socket that is open, replaced ones included. */
  get open(): ReadonlySet<PubSubConnection> {
    return this.#open;
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
  maxLiveConnections(userId: string): number {
    return this.#maxLive.get(userId) ?? 0;
  }

  /**
   * A socket of a new or a recovered session is open.
   * @param mute nothing is said and nothing heard on it
   */
  accept(connection: PubSubConnection, how: 'connected' | 'recovered', mute: boolean): void {
    const { session } = connection;
    this.#open.add(connection);
    connection.onClose((code) => {
      this.#onClosed(connection, code);
    });
    this.#recordLive(session.userId);
    const replaced = this.#connections.get(session);
    this.#connections.set(session, connection);
    replaced?.terminate();
    this.counts[how] += 1;
    if (how === 'connected') {
      session.recovery = this.drawRecovery();
      this.sessions.add(session);
    } else this.sessions.recover(session);
    if (!mute) this.#talk(connection, how);
    this.changed();
  }

  #talk(connection: PubSubConnection, how: 'connected' | 'recovered'): void {
    const { session } = connection;
    const recovered = new RecoveredSocket(how === 'connected' ? GREETED_FIRST : session.recovery, {
      greet: () => {
        connection.send({
          type: 'system',
          event: 'connected',
          ...(session.userId === undefined ? {} : { userId: session.userId }),
          connectionId: session.connectionId,
          ...(session.reliable ? tokenOf(session, how) : {}),
        });
      },
      replay: () => {
        for (const frame of session.unacknowledged) connection.send(frame);
        connection.replayed = true;
      },
    });
    connection.replayed = false;
    connection.onText((text) => {
      recovered.spokenTo(() => {
        this.#onText(connection, text);
      });
    });
    recovered.opened();
  }

  #onClosed(connection: PubSubConnection, code: number): void {
    const { session } = connection;
    this.#open.delete(connection);
    // A socket that was replaced by a recovery takes nothing with it.
    if (this.#connections.get(session) === connection) {
      this.#connections.delete(session);
      // 1000, 1001 and 1005 are a client that said goodbye: it does not come back.
      const ending = connection.ending ?? ([1000, 1001, 1005].includes(code) ? 'session-ends' : 'session-stays');
      if (ending === 'session-ends') this.sessions.remove(session);
      else this.sessions.drop(session);
    }
    this.changed();
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
    this.changed();
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
      this.counts.duplicates += 1;
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
    const behaviour = this.acks.current;
    if (behaviour.kind === 'normal') return behaviour;
    if (behaviour.types?.includes(type) === false) return { kind: 'normal' };
    return this.acks.use();
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
        this.messages.push({
          group,
          fromUserId: session.userId,
          connectionId: session.connectionId,
          dataType,
          data,
          ackId: frame.ackId,
          noEcho: frame.noEcho,
        });
        const from = session.userId === undefined ? {} : { fromUserId: session.userId };
        for (const member of this.sessions.members(session.hub, group)) {
          if (member === session && frame.noEcho) continue;
          this.deliver(member, { from: 'group', group, ...from, dataType, data });
        }
        return undefined;
      }
      case 'event':
        this.events.push({ connectionId: session.connectionId, event: frame.event, data: frame.data });
        return undefined;
    }
  }

  /** Numbers the message for this session and sends it, now or after its recovery. */
  deliver(session: PubSubSession, delivery: Delivery): void {
    const frame = session.number(delivery);
    const connection = this.#connections.get(session);
    if (
      session.unacknowledged.length > this.limits.maxUnacknowledged ||
      session.unacknowledgedBytes > this.limits.maxUnacknowledgedBytes
    ) {
      this.sessions.remove(session);
      connection?.close(1008, 'Too many messages are not acknowledged.', 'session-ends');
      return;
    }
    // Before its replay it would overtake what is older; the replay brings it.
    if (connection?.replayed === true) connection.send(frame);
  }

  #recordLive(userId: string | undefined): void {
    const live = [...this.#open].filter((other) => other.live && other.session.userId === userId).length;
    this.#maxLive.set(userId, Math.max(live, this.#maxLive.get(userId) ?? 0));
  }

  /** Does something to every connection selected; returns how many. */
  each(selection: Selection, work: (connection: PubSubConnection) => void): number {
    const chosen = [...this.#connections.values()].filter(
      ({ session }) =>
        (selection.connectionId === undefined || session.connectionId === selection.connectionId) &&
        (selection.userId === undefined || session.userId === selection.userId),
    );
    for (const connection of chosen) work(connection);
    this.changed();
    return chosen.length;
  }
}

function tokenOf(session: PubSubSession, how: 'connected' | 'recovered'): { readonly reconnectionToken?: string } {
  const { token } = session.recovery;
  if (how === 'recovered' && token === 'none') return {};
  if (how === 'recovered' && token === 'new') session.renewToken();
  return { reconnectionToken: session.reconnectionToken };
}
