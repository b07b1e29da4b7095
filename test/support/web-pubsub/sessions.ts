import { randomBytes } from 'node:crypto';
import { registerSecret } from '../everything-logged.js';
import type { DataType, ServiceFrame, Subprotocol } from './frames.js';
import { RELIABLE_SUBPROTOCOL } from './frames.js';
import { GREETED_FIRST, type RecoveryVariant } from './recovery.js';

/** A group or server message before it has a number. */
export type Delivery =
  | {
      readonly from: 'group';
      readonly group: string;
      readonly fromUserId?: string;
      readonly dataType: DataType;
      readonly data: unknown;
    }
  | { readonly from: 'server'; readonly dataType: DataType; readonly data: unknown };

type MessageFrame = Extract<ServiceFrame, { type: 'message' }>;

/** How far back an ackId is recognised as processed already. */
const REMEMBERED_ACK_IDS = 10_000;

/**
 * What the service keeps of one connectionId, whatever happens to its sockets: groups, numbered messages that were not
 * acknowledged, and the ackIds processed.
 */
export class PubSubSession {
  readonly connectionId = randomBytes(12).toString('base64url');
  /** What its recovered sockets get. */
  recovery: RecoveryVariant = GREETED_FIRST;
  readonly groups = new Set<string>();
  /** True from the drop of its socket until it is recovered or gone. */
  dropped = false;
  readonly #processed = new Set<number>();
  #unacknowledged: MessageFrame[] = [];
  #unacknowledgedBytes = 0;
  #sequenceId = 0;
  #reconnectionToken = '';

  constructor(
    readonly hub: string,
    readonly userId: string | undefined,
    readonly roles: readonly string[],
    readonly subprotocol: Subprotocol,
  ) {
    this.renewToken();
  }

  get reconnectionToken(): string {
    return this.#reconnectionToken;
  }

  /** From now on only the new one recovers. */
  renewToken(): void {
    this.#reconnectionToken = randomBytes(24).toString('base64url');
    registerSecret(this.#reconnectionToken);
  }

  get reliable(): boolean {
    return this.subprotocol === RELIABLE_SUBPROTOCOL;
  }

  /** Messages that would be sent again after a recovery, oldest first. */
  get unacknowledged(): readonly MessageFrame[] {
    return this.#unacknowledged;
  }

  get unacknowledgedBytes(): number {
    return this.#unacknowledgedBytes;
  }

  /** `webpubsub.sendToGroup` permits every group, `webpubsub.sendToGroup.G` one. */
  may(action: 'joinLeaveGroup' | 'sendToGroup', group: string): boolean {
    return this.roles.includes(`webpubsub.${action}`) || this.roles.includes(`webpubsub.${action}.${group}`);
  }

  hasProcessed(ackId: number): boolean {
    return this.#processed.has(ackId);
  }

  markProcessed(ackId: number): void {
    this.#processed.add(ackId);
    if (this.#processed.size <= REMEMBERED_ACK_IDS) return;
    const [oldest] = this.#processed;
    if (oldest !== undefined) this.#processed.delete(oldest);
  }

  /** Makes the frame; on the reliable subprotocol it is numbered and kept until it is acknowledged. */
  number(delivery: Delivery): MessageFrame {
    if (!this.reliable) return { type: 'message', ...delivery };
    this.#sequenceId += 1;
    const frame: MessageFrame = { type: 'message', ...delivery, sequenceId: this.#sequenceId };
    this.#unacknowledged.push(frame);
    this.#unacknowledgedBytes += sizeOf(frame);
    return frame;
  }

  /** Acknowledges this message and every one before it. */
  acknowledge(sequenceId: number): void {
    // The oldest are first.
    const kept = this.#unacknowledged.findIndex((frame) => (frame.sequenceId ?? 0) > sequenceId);
    const gone = this.#unacknowledged.splice(0, kept === -1 ? this.#unacknowledged.length : kept);
    for (const frame of gone) this.#unacknowledgedBytes -= sizeOf(frame);
  }
}

/** Characters of its JSON data: near enough to bytes for a limit. */
function sizeOf({ data }: MessageFrame): number {
  return typeof data === 'string' ? data.length : JSON.stringify([data]).length;
}

/** Every session the service knows. A dropped one is forgotten after `retentionMs`. */
export class SessionStore {
  readonly #sessions = new Map<string, PubSubSession>();
  readonly #expiries = new Map<PubSubSession, NodeJS.Timeout>();

  constructor(
    readonly retentionMs: number,
    private readonly onForgotten: () => void,
  ) {}

  get all(): readonly PubSubSession[] {
    return [...this.#sessions.values()];
  }

  add(session: PubSubSession): void {
    this.#sessions.set(session.connectionId, session);
  }

  has(session: PubSubSession): boolean {
    return this.#sessions.get(session.connectionId) === session;
  }

  /** The session to recover, if it is known and the token is its own. */
  find(connectionId: string, reconnectionToken: string): PubSubSession | undefined {
    const session = this.#sessions.get(connectionId);
    return session?.reliable === true && session.reconnectionToken === reconnectionToken ? session : undefined;
  }

  members(hub: string, group: string): readonly PubSubSession[] {
    return this.all.filter((session) => session.hub === hub && session.groups.has(group));
  }

  /** Its socket is gone: a reliable session waits for its recovery, any other ends. */
  drop(session: PubSubSession): void {
    if (!this.has(session)) return;
    if (!session.reliable) {
      this.remove(session);
      return;
    }
    session.dropped = true;
    this.#expiries.set(
      session,
      setTimeout(() => {
        this.remove(session);
        this.onForgotten();
      }, this.retentionMs),
    );
  }

  /** It has a socket again. */
  recover(session: PubSubSession): void {
    session.dropped = false;
    this.#cancelExpiry(session);
  }

  remove(session: PubSubSession): void {
    this.#cancelExpiry(session);
    if (this.has(session)) this.#sessions.delete(session.connectionId);
  }

  clear(): void {
    for (const session of this.all) this.remove(session);
  }

  #cancelExpiry(session: PubSubSession): void {
    clearTimeout(this.#expiries.get(session));
    this.#expiries.delete(session);
  }
}
