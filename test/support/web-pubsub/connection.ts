import { WebSocket, type RawData } from 'ws';
import { DelayLine } from '../delay-line.js';
import type { ServiceFrame } from './frames.js';
import type { PubSubSession } from './sessions.js';

/** What becomes of the session when the socket closes. */
export type Ending = 'session-ends' | 'session-stays';

/** One socket of a session. */
export class PubSubConnection {
  /** False while what is older has still to be sent again: nothing may overtake it. */
  replayed = true;
  readonly #line = new DelayLine();
  /** Frames the service wrote while the link was half-open; TCP would deliver them once it heals. */
  readonly #held: (string | Buffer)[] = [];
  #halfOpen = false;
  #ending: Ending | undefined;

  constructor(
    readonly session: PubSubSession,
    private readonly socket: WebSocket,
    private readonly delayMs: () => number,
  ) {
    // ws reports a frame that breaks the WebSocket protocol or its size limit here, and closes by itself.
    socket.on('error', () => undefined);
  }

  /** False as soon as either side has begun to close, and while the link is half-open. */
  get live(): boolean {
    return this.socket.readyState === WebSocket.OPEN && !this.#halfOpen;
  }

  /** Decided by the service; undefined if the client or the network ended the connection. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  onText(handle: (text: string) => void): void {
    this.socket.on('message', (data: RawData, isBinary: boolean) => {
      // Binary frames do not exist on a JSON subprotocol; they are refused like text that is not JSON.
      handle(isBinary ? '' : rawText(data));
    });
  }

  onClose(handle: (code: number) => void): void {
    this.socket.once('close', (code) => {
      this.#line.clear();
      handle(code);
    });
  }

  send(frame: ServiceFrame): void {
    this.sendRaw(JSON.stringify(frame));
  }

  sendRaw(data: string | Buffer): void {
    this.#line.push(this.delayMs(), () => {
      if (this.#halfOpen) this.#held.push(data);
      else if (this.socket.readyState === WebSocket.OPEN) this.socket.send(data);
    });
  }

  /** Neither reads nor writes any more, not even a pong; TCP stays connected. */
  goHalfOpen(): void {
    this.#halfOpen = true;
    this.socket.pause();
  }

  heal(): void {
    this.#halfOpen = false;
    this.socket.resume();
    for (const data of this.#held.splice(0)) this.sendRaw(data);
  }

  /** A close by the service: the disconnected frame, then the close frame. */
  close(code: number, reason: string, ending: Ending): void {
    this.#ending = ending;
    this.send({ type: 'system', event: 'disconnected', message: reason });
    this.#line.push(this.delayMs(), () => {
      if (!this.#halfOpen) this.socket.close(code, reason);
    });
  }

  /** Ends the TCP connection without a word. */
  terminate(ending?: Ending): void {
    this.#ending ??= ending;
    this.#line.clear();
    this.socket.terminate();
  }
}

function rawText(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
}
