/**
 * The socket that the Azure client gets. To the client it is slow to open and never fails: it waits while no socket may be opened, tries one link
 * after another as its owner decides, and calls itself open only when the service has shown to be there. So the client's own recovery (once a
 * second for 30 s, internet or not, and no way to stop it) comes down to one patient call.
 *
 * It ends by {@link GatedSocket.retire}: it becomes an inert thing that pretends to be open, since an open socket is the only one the client can stop.
 */
import type { ClientSocket } from './azure-client.js';
import type { LinkEnd, TryEnd } from './endings.js';
import type { Link, LinkHandlers } from './link.js';

export type Verdict = { readonly kind: 'retry' } | { readonly kind: 'give-up' };

export interface SocketOwner {
  /** Milliseconds until a link may be opened; undefined: not now, a {@link GatedSocket.poke} will come. */
  mayOpenInMs(): number | undefined;
  openLink(url: string, handlers: LinkHandlers): Link;
  /** The handshake is done; nothing has been heard yet. */
  onHandshake(say: (text: string) => void): void;
  /** A frame came on an open socket; it is handed to the client next. */
  onHeard(): void;
  /** Whether a frame is what we wait for to call the socket open: the greeting, or another sign of life; `wrong` is a stranger's greeting. */
  firstFrame(text: string): 'greeting' | 'alive' | 'wrong' | 'other';
  onBinary(): void;
  /** The client knows that it is open, and has seen the greeting if that came first; any other first frame follows. */
  onOpen(): void;
  /** A link ended before the first frame. */
  onTryFailed(end: TryEnd): Verdict;
  /** An open socket lost its link; the owner goes on with {@link GatedSocket.reportLoss} or {@link GatedSocket.retire}. */
  onLost(end: LinkEnd): void;
}

type State =
  | { readonly kind: 'waiting'; readonly timer?: NodeJS.Timeout }
  | { readonly kind: 'opening'; readonly link: Link }
  | { readonly kind: 'open'; readonly link: Link }
  /** It was open; the client does not yet know that it is no longer. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'inert' }
  | { readonly kind: 'closed' };

export class GatedSocket implements ClientSocket {
  readonly #url: string;
  readonly #owner: SocketOwner;
  #state: State = { kind: 'waiting' };
  #onopen: () => void = () => undefined;
  #onclose: (code: number, reason: string) => void = () => undefined;
  #onmessage: (data: string) => void = () => undefined;

  constructor(url: string, owner: SocketOwner) {
    this.#url = url;
    this.#owner = owner;
    // Not at once: the client has not hung in its listeners yet.
    queueMicrotask(() => this.#tryToOpen());
  }

  onopen(fn: () => void): void {
    this.#onopen = fn;
  }
  onclose(fn: (code: number, reason: string) => void): void {
    this.#onclose = fn;
  }
  onerror(): void {
    // It never fails.
  }
  onmessage(fn: (data: string) => void): void {
    this.#onmessage = fn;
  }

  isOpen(): boolean {
    return this.#state.kind === 'open' || this.#state.kind === 'inert';
  }

  /** Resolves at once: waiting for the write would let a drop reject an acknowledgement that nobody waits for yet, which ends the process. */
  send(data: unknown): Promise<void> {
    switch (this.#state.kind) {
      case 'open':
        this.#state.link.send(data as string);
        return Promise.resolve();
      case 'inert':
        return Promise.resolve();
      default:
        return Promise.reject(new Error('The connection is not open'));
    }
  }

  /** Called by the client's `stop()`. */
  close(): void {
    if (this.#state.kind === 'closed') return;
    this.#release();
    this.#state = { kind: 'closed' };
    this.#onclose(1000, '');
  }

  /** The gate may have opened. */
  poke(): void {
    this.#tryToOpen();
  }

  /** The gate has shut: no link from here to {@link poke}. */
  hold(): void {
    if (this.#state.kind === 'open') this.#lose({ kind: 'suspended' });
    else if (this.#state.kind === 'opening' || this.#state.kind === 'waiting') this.#wait(undefined);
  }

  /** An open link that answers no ping within the time is given up. */
  doubt(withinMs: number): void {
    if (this.#state.kind === 'open') this.#state.link.doubt(withinMs);
  }

  /** A link that is being opened is given up for another. */
  openAfresh(): void {
    if (this.#state.kind !== 'opening') return;
    this.#wait(undefined);
    this.#tryToOpen();
  }

  /** Lets the client know of the loss: it asks for the next socket at once, or stops, as it sees fit. */
  reportLoss(code: number, reason: string): void {
    if (this.#state.kind !== 'lost') return;
    this.#state = { kind: 'closed' };
    this.#onclose(code, reason);
  }

  /**
   * Never again a link. The client believes itself connected after this, and its `stop()` works. With a farewell, an open link is closed
   * by a close frame rather than cut, so that the service keeps no session for it.
   */
  retire(how: 'cut' | 'farewell' = 'cut'): void {
    const { kind } = this.#state;
    if (kind === 'inert' || kind === 'closed') return;
    if (this.#state.kind === 'open' && how === 'farewell') this.#state.link.farewell();
    else this.#release();
    this.#state = { kind: 'inert' };
    if (kind === 'waiting' || kind === 'opening') this.#onopen();
  }

  /** Says something past the client; only while open. */
  say(text: string): void {
    if (this.#state.kind === 'open') this.#state.link.send(text);
  }

  /** Bytes read on the open link so far. */
  get bytesRead(): number {
    return this.#state.kind === 'open' ? this.#state.link.bytesRead : 0;
  }

  /** Hands the client a frame as if the service had sent it. */
  inject(frame: string): void {
    this.#onmessage(frame);
  }

  #tryToOpen(): void {
    if (this.#kind() !== 'waiting') return;
    const waitMs = this.#owner.mayOpenInMs();
    // The owner may have retired this socket while it was asked.
    if (this.#state.kind !== 'waiting') return;
    if (waitMs === undefined || waitMs > 0) {
      this.#wait(waitMs);
      return;
    }
    clearTimeout(this.#state.timer);
    let link: Link;
    try {
      link = this.#owner.openLink(this.#url, {
        onOpen: () => this.#owner.onHandshake((text) => link.send(text)),
        onText: (text) => this.#onText(link, text),
        onBinary: () => this.#owner.onBinary(),
        onEnd: (end) => this.#onLinkEnd(end),
      });
    } catch {
      // The error quotes the URL, which is a secret.
      this.#failTry({ kind: 'failed', message: 'the client access URL is not a WebSocket URL' });
      return;
    }
    this.#state = { kind: 'opening', link };
  }

  /** The state's kind as it is now: the owner may change it behind the compiler's back. */
  #kind(): State['kind'] {
    return this.#state.kind;
  }

  #wait(ms: number | undefined): void {
    this.#release();
    this.#state =
      ms === undefined
        ? { kind: 'waiting' }
        : { kind: 'waiting', timer: setTimeout(() => this.#tryToOpen(), Math.ceil(ms)) };
  }

  #onText(link: Link, text: string): void {
    switch (this.#state.kind) {
      case 'open':
        this.#owner.onHeard();
        this.#onmessage(text);
        return;
      case 'opening':
        break;
      default:
        return;
    }
    const first = this.#owner.firstFrame(text);
    switch (first) {
      case 'greeting':
      case 'alive':
        link.greeted();
        this.#state = { kind: 'open', link };
        this.#onopen();
        if (first === 'greeting') this.#onmessage(text);
        this.#owner.onOpen();
        // Whoever heard of it may have given the session up.
        if (first === 'alive' && this.#kind() === 'open') this.#onmessage(text);
        return;
      case 'wrong': {
        this.#failTry({ kind: 'wrong-greeting' });
        return;
      }
      case 'other':
        return;
    }
  }

  #onLinkEnd(end: LinkEnd): void {
    if (this.#state.kind === 'open') this.#lose(end);
    else if (this.#state.kind === 'opening') this.#failTry(end);
  }

  #failTry(end: TryEnd): void {
    this.#wait(undefined);
    if (this.#owner.onTryFailed(end).kind === 'retry') this.#tryToOpen();
  }

  #lose(end: LinkEnd): void {
    this.#release();
    this.#state = { kind: 'lost' };
    this.#owner.onLost(end);
  }

  #release(): void {
    switch (this.#state.kind) {
      case 'waiting': {
        clearTimeout(this.#state.timer);
        return;
      }
      case 'opening':
      case 'open': {
        this.#state.link.terminate();
        return;
      }
      default:
        return;
    }
  }
}
