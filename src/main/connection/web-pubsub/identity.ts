/** Which connection a session is, whether it can be recovered, and what the service said last: read from the first frame of each socket. */
import { parseFrame } from './frames.js';
import { redact } from './redact.js';

/** What a first frame is: the greeting; another sign of life, which is enough on a recovered socket; a stranger's greeting; nothing yet. */
export type FirstFrame = 'greeting' | 'alive' | 'wrong' | 'other';

export class Identity {
  connectionId = '';
  /** The service has given a reconnectionToken. */
  recoverable = false;
  /** Why the service is about to close, in its own words; '' if it has said nothing. */
  lastWords = '';
  /** A recovered socket that has not been greeted yet: a stranger's greeting then says that the session is another's. */
  #ungreeted = false;

  /**
   * A fresh socket has to be greeted; a recovered one need not be (client-spec.md, 1.2.4): there any valid frame but a farewell is the
   * sign of life.
   */
  firstFrame(text: string, fresh: boolean, onBadFrame: (reason: string) => void): FirstFrame {
    const frame = parseFrame(text);
    if (frame.kind === 'bad') {
      onBadFrame(frame.reason);
      return 'other';
    }
    if (frame.kind === 'message' && frame.message.kind === 'disconnected') {
      this.says(frame.message.message);
      return 'other';
    }
    if (frame.kind !== 'message' || frame.message.kind !== 'connected') {
      if (fresh) return 'other';
      this.#ungreeted = true;
      this.lastWords = '';
      return 'alive';
    }
    const { connectionId, reconnectionToken } = frame.message;
    if (this.connectionId !== '' && connectionId !== this.connectionId) return 'wrong';
    this.connectionId = connectionId;
    this.#ungreeted = false;
    this.lastWords = '';
    // The greeting of a recovery need not repeat the token.
    this.recoverable ||= reconnectionToken !== '';
    return 'greeting';
  }

  /** Greeted as another connection after the first frame: whether that ends the session rather than being nonsense. */
  get ungreeted(): boolean {
    return this.#ungreeted;
  }

  says(words: string): void {
    this.lastWords = redact(words);
  }
}
