/** One session of the service: a connection, its group, its recoveries. */
import { performance } from 'node:perf_hooks';
import type { WebPubSubClient } from '@azure/web-pubsub-client';
import type { Sendable } from '../../base/json.js';
import { swallowedNotice } from '../../net/swallowed-notice.js';
import type { Delivery, LossCause, OpenFailure, Session, SessionEvent } from '../session.js';
import { OpenError } from '../session.js';
import { createAzureClient } from './azure-client.js';
import { dropCulprit } from './culprit.js';
import type { LinkEnd, TryEnd } from './endings.js';
import {
  causeOf,
  describeEnd,
  endOfRecovery,
  isFinal,
  openFailure,
  pauseAfter,
  reachedNobody,
  refusesToken,
} from './endings.js';
import { FrameComplaints } from './frame-complaints.js';
import { GatedSocket, type SocketOwner, type Verdict } from './gated-socket.js';
import { Identity } from './identity.js';
import { joinFailure } from './join-failure.js';
import { Link, type LinkHandlers } from './link.js';
import { LivenessWatch } from './liveness-watch.js';
import { Outbox, type SendResult } from './outbox.js';
import { describeError } from './redact.js';
import { RecoveryPace } from './recovery-pace.js';
import { Replay } from './replay.js';
import { SendRights } from './rights.js';
import { contentOf } from './frames.js';
import { SafeProtocol } from './safe-protocol.js';
import type { SessionSettings } from './session-settings.js';
import { Teller } from './teller.js';

type State =
  | { readonly kind: 'opening'; readonly resolve: () => void; readonly reject: (error: OpenError) => void }
  | { readonly kind: 'open' }
  | { readonly kind: 'interrupted'; readonly window: NodeJS.Timeout }
  | { readonly kind: 'over' };

const JOIN_ACK_ID = 1;
/** Answered on every service, greeted or not. */
const PING = '{"type":"ping"}';

export class WebPubSubSession implements Session {
  readonly #identity = new Identity();
  readonly #teller: Teller;
  readonly #settings: SessionSettings;
  readonly #protocol: SafeProtocol;
  readonly #client: WebPubSubClient;
  readonly #outbox: Outbox;
  readonly #complaints: FrameComplaints;
  readonly #rights: SendRights;
  readonly #links = new Set<Link>();
  #state: State = { kind: 'over' };
  #socket: GatedSocket | undefined;
  #suspended = false;
  /** The request that opens it was swallowed, and is tried once more. */
  #isRepeated = false;
  readonly #pace: RecoveryPace;
  readonly #replay = new Replay();
  readonly #liveness: LivenessWatch;
  #joinTimer: NodeJS.Timeout | undefined;
  readonly answers = (withinMs: number): Promise<boolean> => this.#liveness.answers(withinMs);

  constructor(url: string, settings: SessionSettings) {
    this.#settings = settings;
    this.#pace = new RecoveryPace(settings.recoverySpacingMs);
    this.#teller = new Teller(settings.onEvent, settings.log);
    this.#complaints = new FrameComplaints(settings.log);
    this.#rights = new SendRights(settings.group, settings.log);
    this.#protocol = new SafeProtocol(settings.link.subprotocol, {
      onBadFrame: (reason) => this.#complaints.add(reason),
      onDisconnected: (message) => this.#identity.says(message),
      onPong: () => this.#replay.end(),
      onStranger: () => this.#stranger(),
      onAckDue: (sequenceId) => this.#socket?.say(JSON.stringify({ type: 'sequenceAck', sequenceId })),
    });
    this.#liveness = new LivenessWatch(settings.liveness, {
      ask: () => this.#socket?.say(PING),
      dead: (message) => this.#end(message, { kind: 'silent' }),
      bytesRead: () => this.#socket?.bytesRead ?? 0,
    });
    this.#client = createAzureClient(url, this.#protocol, (socketUrl) => this.#createSocket(socketUrl));
    this.#client.on('group-message', ({ message }) => {
      const { group, fromUserId } = message;
      const delivery: Delivery = { group, ...(fromUserId && { fromUserId }), ...this.#replay.mark };
      this.#emit({ kind: 'message', message: { ...delivery, ...contentOf(message) } });
    });
    // Only if the client gives up for a reason we did not foresee: the supervisor must not wait for ever.
    this.#client.on('stopped', () => this.#end('the client stopped', { kind: 'own' }));
    this.#outbox = new Outbox(
      {
        // No abortSignal: aborted at the wrong moment, the client leaves a promise behind whose rejection nobody handles.
        transmit: (data, ackId) =>
          this.#client
            .sendToGroup(settings.group, data, 'json', { ackId, noEcho: true, fireAndForget: false })
            .catch((error: unknown) => {
              this.#rights.failed(error);
              throw error;
            }),
        // The client keeps what it waits for until the socket drops; an answer lets it go.
        forget: (ackId) => this.#socket?.inject(`{"type":"ack","ackId":${ackId},"success":false}`),
      },
      JOIN_ACK_ID,
      {
        onAcknowledged: () => this.#liveness.tell({ kind: 'acknowledged' }),
        onUnacknowledged: (waitedMs) => this.#liveness.tell({ kind: 'unacknowledged', waitedMs }),
      },
    );
  }

  get connectionId(): string {
    return this.#identity.connectionId;
  }

  /** Connects and joins, once. Rejects with {@link OpenError}, and then nothing is left of it. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#state = { kind: 'opening', resolve, reject };
      // It resolves with our socket's onopen and rejects never; either way our own state is the truth.
      this.#client.start().catch((error: unknown) => this.#fail({ kind: 'failed', message: describeError(error) }));
    });
  }

  send(data: Sendable, timeoutMs: number): Promise<SendResult> {
    return this.#outbox.send(data, timeoutMs);
  }

  wayOutChanged(withinMs: number): void {
    if (this.#state.kind === 'open') this.#socket?.doubt(withinMs);
    else if (this.#state.kind === 'interrupted' && !this.#suspended) this.#socket?.openAfresh();
  }

  suspend(): void {
    this.#suspended = true;
    this.#socket?.hold();
  }

  resume(): void {
    this.#suspended = false;
    this.#socket?.poke();
  }

  async dispose(): Promise<void> {
    this.#teller.silence();
    // Nothing reaches the service without internet: then there is nothing to wait for.
    const state = this.#finish('the session was given up', this.#settings.mayOpen() ? 'farewell' : 'cut');
    if (state.kind === 'opening') state.reject(new OpenError({ kind: 'failed', message: 'the attempt was given up' }));
    await Promise.all([...this.#links].map((link) => link.closed));
  }

  #createSocket(url: string): GatedSocket {
    const first = this.#state.kind === 'opening';
    const owner: SocketOwner = {
      mayOpenInMs: () => this.#mayOpenInMs(first),
      openLink: (linkUrl, handlers) => this.#openLink(linkUrl, handlers),
      onHandshake: (say) => {
        if (!first) say(PING);
      },
      onHeard: () => this.#liveness.tell({ kind: 'heard' }),
      firstFrame: (text) => this.#identity.firstFrame(text, first, (reason) => this.#complaints.add(reason)),
      onBinary: () => this.#complaints.add('not text'),
      onOpen: () => (first ? this.#join() : this.#recovered()),
      onTryFailed: (end) => (first ? this.#openFailed(end) : this.#recoveryFailed(end)),
      onLost: (end) => this.#lost(end),
    };
    return (this.#socket = new GatedSocket(url, owner));
  }

  #mayOpenInMs(first: boolean): number | undefined {
    if (this.#state.kind === 'over' || this.#suspended) return undefined;
    if (this.#settings.mayOpen()) return first ? 0 : this.#pace.waitMs(performance.now());
    if (first) this.#fail({ kind: 'failed', message: 'there is no internet' });
    // resume() pokes the socket; should the gate open without it, it is looked at again.
    return first ? undefined : Math.max(100, this.#settings.recoverySpacingMs);
  }

  #openLink(url: string, handlers: LinkHandlers): Link {
    this.#pace.opened(performance.now(), Math.random());
    const hasAsked = (nextMs: number): boolean => this.#liveness.idle(nextMs);
    const link = new Link(url, { ...this.#settings.link, hasAsked }, handlers);
    this.#links.add(link);
    void link.closed.then(() => this.#links.delete(link));
    return link;
  }

  #stranger(): boolean {
    if (!this.#identity.ungreeted) return false;
    this.#end(`the session cannot be recovered: ${describeEnd({ kind: 'wrong-greeting' })}`, { kind: 'own' });
    return true;
  }

  // Opening

  #join(): void {
    const { group, joinTimeoutMs } = this.#settings;
    this.#joinTimer = setTimeout(
      () =>
        this.#fail({
          kind: 'failed',
          message: `joining the group was not acknowledged within ${joinTimeoutMs / 1000} s`,
          step: 'join',
        }),
      joinTimeoutMs,
    );
    this.#client.joinGroup(group, { ackId: JOIN_ACK_ID }).then(
      () => this.#opened(),
      (error: unknown) => {
        const failure = joinFailure(error, group);
        if (failure.kind === 'refused') this.#settings.onRefused();
        this.#fail(failure);
      },
    );
  }

  #opened(): void {
    if (this.#state.kind !== 'opening') return;
    clearTimeout(this.#joinTimer);
    const { resolve } = this.#state;
    this.#state = { kind: 'open' };
    this.#liveness.start();
    this.#outbox.connected();
    this.#teller.begin();
    resolve();
  }

  #openFailed(end: TryEnd): Verdict {
    if (end.kind === 'swallowed' && !this.#isRepeated) {
      this.#isRepeated = true;
      this.#tellSwallowed(end.family);
      return { kind: 'retry' };
    }
    const failure = openFailure(end, this.#identity.lastWords);
    if (failure.kind === 'refused') this.#settings.onRefused();
    this.#fail(failure);
    return { kind: 'give-up' };
  }

  #fail(failure: OpenFailure): void {
    if (this.#state.kind !== 'opening') return;
    const { reject } = this.#state;
    this.#finish(failure.message);
    reject(new OpenError(failure));
  }

  // Open

  #lost(end: LinkEnd): void {
    const message = this.#inWords(end);
    if (this.#state.kind === 'opening') {
      this.#fail({ kind: 'failed', message });
      return;
    }
    if (this.#state.kind !== 'open') return;
    this.#liveness.stop();
    if (refusesToken(end)) this.#settings.onRefused();
    if (isFinal(end) || !this.#canRecover() || !dropCulprit(this.#outbox, end, message, this.#settings.log)) {
      this.#end(message, causeOf(end));
      return;
    }
    this.#pace.begin();
    this.#pace.pause(performance.now(), pauseAfter(end));
    const { recoveryWindowMs } = this.#settings;
    const window = setTimeout(
      () =>
        this.#end(
          `not recovered within ${recoveryWindowMs / 1000} s, and the service promises to keep a session for 30 s only`,
          { kind: 'silent' },
        ),
      recoveryWindowMs,
    );
    this.#state = { kind: 'interrupted', window };
    this.#replay.dropped();
    this.#outbox.interrupted();
    this.#emit({ kind: 'interrupted', message, cause: causeOf(end) });
    // Whoever heard the event may have disposed of the session, which retired the socket.
    this.#socket?.reportLoss(end.kind === 'closed' ? end.code : 1006, message);
  }

  #recovered(): void {
    if (this.#state.kind !== 'interrupted') return;
    clearTimeout(this.#state.window);
    this.#state = { kind: 'open' };
    this.#liveness.start();
    this.#emit({ kind: 'recovered', droppedForMs: this.#replay.begin() });
    if (this.#stateKind() === 'open') this.#outbox.connected();
  }

  #recoveryFailed(end: TryEnd): Verdict {
    if (this.#state.kind !== 'interrupted') return { kind: 'give-up' };
    if (end.kind === 'swallowed') this.#tellSwallowed(end.family);
    const final = endOfRecovery(end);
    if (final === undefined) {
      this.#pace.pause(performance.now(), pauseAfter(end));
      this.#settings.log.debug(
        { reason: this.#inWords(end) },
        'A recovery of the session failed; it will be tried again',
      );
      if (reachedNobody(end)) this.#emit({ kind: 'recovery-failed' });
      return { kind: 'retry' };
    }
    if (refusesToken(end)) this.#settings.onRefused();
    this.#end(`the session cannot be recovered: ${final}`, causeOf(end));
    return { kind: 'give-up' };
  }

  #end(message: string, cause: LossCause): void {
    const state = this.#finish(message);
    if (state.kind === 'over') return;
    if (state.kind === 'opening') {
      state.reject(new OpenError({ kind: 'failed', message }));
      return;
    }
    this.#teller.tell({ kind: 'ended', message, cause });
  }

  /** After this no socket is opened and no timer of ours runs. Returns the state that was. */
  #finish(message: string, how: 'cut' | 'farewell' = 'cut'): State {
    const state = this.#state;
    if (state.kind === 'over') return state;
    this.#state = { kind: 'over' };
    if (state.kind === 'interrupted') clearTimeout(state.window);
    clearTimeout(this.#joinTimer);
    this.#outbox.close(message);
    this.#liveness.stop();
    this.#socket?.retire(how);
    this.#client.stop();
    return state;
  }

  #emit(event: SessionEvent): void {
    if (this.#state.kind === 'over') return;
    this.#teller.tell(event);
    if (this.#teller.flooded) this.#end('the service sent more than could be taken', { kind: 'own' });
  }

  #tellSwallowed(family: 4 | 6): void {
    this.#settings.log.warn({ family }, swallowedNotice('the cloud', family));
  }

  #canRecover(): boolean {
    return this.#identity.recoverable && this.#protocol.isReliableSubProtocol;
  }

  #inWords(end: TryEnd): string {
    const { lastWords } = this.#identity;
    return lastWords === '' ? describeEnd(end) : `${describeEnd(end)}; it said: ${lastWords}`;
  }

  /** The state as it is now: a listener may have changed it behind the compiler's back. */
  #stateKind(): State['kind'] {
    return this.#state.kind;
  }
}
