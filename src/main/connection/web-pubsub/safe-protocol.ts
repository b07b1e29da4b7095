/** The subprotocol as the Azure client sees it: frames that cannot be used are dropped here, none is ever thrown. */
import {
  WebPubSubJsonProtocol,
  WebPubSubJsonReliableProtocol,
  type WebPubSubClientProtocol,
  type WebPubSubMessage,
} from '@azure/web-pubsub-client';
import { JsonText } from '../../base/json.js';
import { Flow } from './flow.js';
import { parseFrame } from './frames.js';

export type SubprotocolName = 'json.reliable.webpubsub.azure.v1' | 'json.webpubsub.azure.v1';

/**
 * The service numbers the messages of a connection one by one, so a jump like this is no number of its own. Believing it would make the
 * client take every later message for a duplicate.
 */
const MAX_SEQUENCE_JUMP = 100_000;

export interface FrameObserver {
  /** A frame was dropped; the reason holds nothing of its content. */
  onBadFrame(reason: string): void;
  /** The service said why it is about to close; untrusted text. */
  onDisconnected(message: string): void;
  /** The answer to a ping of the subprotocol; the client gets none, since it asks none. */
  onPong(): void;
  /** Greeted as another connection than before; true: it was expected to be told who it is, and the frame ends the session. */
  onStranger(): boolean;
  /** This frame and all before it are to be acknowledged now rather than with the client's next second. */
  onAckDue(sequenceId: number): void;
}

/** For the client: a numbered frame that nobody listens to, so that it acknowledges the number. */
const numbered = (sequenceId: number): WebPubSubMessage => ({
  kind: 'serverData',
  dataType: 'text',
  data: '',
  sequenceId,
});

/** One per session: it remembers how far the numbering has come. */
export class SafeProtocol implements WebPubSubClientProtocol {
  readonly name: string;
  readonly isReliableSubProtocol: boolean;
  readonly #inner: WebPubSubClientProtocol;
  readonly #observer: FrameObserver;
  #connectionId: string | undefined;
  #reconnectionToken = '';
  #lastSequenceId = 0;
  readonly #flow = new Flow();

  constructor(name: SubprotocolName, observer: FrameObserver) {
    this.#inner = name === 'json.webpubsub.azure.v1' ? WebPubSubJsonProtocol() : WebPubSubJsonReliableProtocol();
    this.name = this.#inner.name;
    this.isReliableSubProtocol = this.#inner.isReliableSubProtocol;
    this.#observer = observer;
  }

  parseMessages(input: string | ArrayBuffer | Buffer): WebPubSubMessage | null {
    if (typeof input !== 'string') return this.#drop('not text');
    const frame = parseFrame(input);
    if (frame.kind === 'bad') this.#observer.onBadFrame(frame.reason);
    if (frame.kind !== 'message') {
      if (frame.sequenceId === undefined || !this.isReliableSubProtocol) return null;
      return this.#number(frame.sequenceId, input.length) ? numbered(frame.sequenceId) : null;
    }
    const { message } = frame;
    switch (message.kind) {
      case 'connected':
        // Only a new socket begins with this frame, and the id stays: another would make the next recovery ask for a stranger's session.
        if (this.#connectionId !== undefined && message.connectionId !== this.#connectionId) {
          return this.#observer.onStranger() ? null : this.#drop('connected again under another id');
        }
        this.#connectionId = message.connectionId;
        // The greeting of a recovery need not repeat the token: the one there is stays good.
        this.#reconnectionToken = message.reconnectionToken || this.#reconnectionToken;
        return { ...message, reconnectionToken: this.#reconnectionToken };
      case 'groupData':
      case 'serverData':
        if (message.sequenceId !== undefined && !this.#number(message.sequenceId, input.length)) return null;
        return message;
      case 'disconnected':
        this.#observer.onDisconnected(message.message);
        return message;
      case 'pong':
        this.#observer.onPong();
        return null;
      default:
        return message;
    }
  }

  writeMessage(message: WebPubSubMessage): string | ArrayBuffer {
    const data: unknown = message.kind === 'sendToGroup' ? message.data : undefined;
    if (message.kind === 'sendToGroup' && data instanceof JsonText) {
      const { group, ackId, noEcho } = message;
      const head = JSON.stringify({ type: 'sendToGroup', group, ackId, noEcho, dataType: 'json' });
      return `${head.slice(0, -1)},"data":${data.text}}`;
    }
    return this.#inner.writeMessage(message);
  }

  /** False: it can be no number of this connection. */
  #number(sequenceId: number, chars: number): boolean {
    if (sequenceId > this.#lastSequenceId + MAX_SEQUENCE_JUMP) {
      this.#drop('sequenceId jumps too far');
      return false;
    }
    this.#lastSequenceId = Math.max(this.#lastSequenceId, sequenceId);
    if (this.isReliableSubProtocol && this.#flow.took(chars)) this.#observer.onAckDue(this.#lastSequenceId);
    return true;
  }

  #drop(reason: string): null {
    this.#observer.onBadFrame(reason);
    return null;
  }
}
