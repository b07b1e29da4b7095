/** Stand-ins for the connection and the bus, moved by hand. */
import type { Sendable } from '../../src/main/base/json.js';
import type { GroupMessage, SendOutcome } from '../../src/main/connection/session.js';
import type { BusState, PublishOutcome } from '../../src/main/remote/bus.js';
import type { RemoteBus, RemoteConnection } from '../../src/main/remote/exchange.js';
import { jsonMessage, read, textMessage } from './json-text.js';

export interface Sent {
  readonly body: unknown;
  readonly subject: string;
  readonly source: string;
  readonly destination: string;
}

/** A connection whose sends are acknowledged at once, or as `answer` says. */
export class FakeConnection implements RemoteConnection {
  /** Everything handed to the connection, in order, whatever became of it. */
  readonly sent: Sent[] = [];
  /** Decides what becomes of a message. */
  answer: (message: Sent) => SendOutcome | Promise<SendOutcome> = () => 'sent';
  mostInFlight = 0;
  #inFlight = 0;
  #onMessage = new Set<(message: GroupMessage) => void>();
  #onJoined = new Set<(joined: { recovered: boolean }) => void>();
  #onState = new Set<(state: { kind: string }) => void>();

  async send(data: Sendable): Promise<{ outcome: SendOutcome }> {
    const message = read(data) as unknown as Sent;
    this.sent.push(message);
    this.#inFlight += 1;
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight);
    const outcome = await this.answer(message);
    this.#inFlight -= 1;
    return { outcome };
  }
  onMessage(listener: (message: GroupMessage) => void): () => void {
    this.#onMessage.add(listener);
    return () => this.#onMessage.delete(listener);
  }
  onJoined(listener: (joined: { recovered: boolean }) => void): () => void {
    this.#onJoined.add(listener);
    return () => this.#onJoined.delete(listener);
  }
  onStateChange(listener: (state: { kind: string }) => void): () => void {
    this.#onState.add(listener);
    return () => this.#onState.delete(listener);
  }

  get listeners(): number {
    return this.#onMessage.size + this.#onJoined.size + this.#onState.size;
  }

  /** The state `kind`; `connected` joins, afresh unless `recovered`. */
  become(kind: string, recovered = false): void {
    for (const listener of this.#onState) listener({ kind });
    if (kind === 'connected') for (const listener of this.#onJoined) listener({ recovered });
  }

  /** A message of the group arrives. */
  arrive(data: unknown, dataType: GroupMessage['dataType'] = 'json'): void {
    const message: GroupMessage = dataType === 'json' ? jsonMessage(data) : { group: 'g', dataType, data };
    for (const listener of this.#onMessage) listener(message);
  }

  /** One whose JSON is this very text. */
  arriveText(text: string): void {
    for (const listener of this.#onMessage) listener(textMessage(text));
  }

  /** One that waited while the connection was away. */
  arriveReplayed(data: unknown, droppedForMs: number): void {
    for (const listener of this.#onMessage) listener(jsonMessage(data, { replayed: true, droppedForMs }));
  }

  /** Subjects and bodies of what was sent from `from` on. */
  told(from = 0): readonly string[] {
    return this.sent.slice(from).map(({ subject, body }) => `${subject} ${JSON.stringify(body)}`);
  }
}

export class FakeBus implements RemoteBus {
  /** What was said to whoever listens to us. */
  readonly announced: { readonly subject: string; readonly payload: unknown }[] = [];
  readonly published: { readonly recipient: string; readonly subject: string; readonly payload: unknown }[] = [];
  outcome: PublishOutcome = 'published';
  closed = false;
  started = false;
  #onMessage = new Set<Parameters<RemoteBus['onMessage']>[0]>();
  #onState = new Set<(state: BusState) => void>();
  #onQuestion = new Set<(data: Uint8Array) => void>();

  start(): void {
    this.started = true;
  }
  publish(recipient: string, subject: string, payload: object): PublishOutcome {
    this.published.push({ recipient, subject, payload: read(payload) });
    return this.outcome;
  }
  announce(subject: string, payload: object): PublishOutcome {
    this.announced.push({ subject, payload: read(payload) });
    return this.outcome;
  }
  onMessage(listener: Parameters<RemoteBus['onMessage']>[0]): () => void {
    this.#onMessage.add(listener);
    return () => this.#onMessage.delete(listener);
  }
  onForeignQuestion(listener: (data: Uint8Array) => void): () => void {
    this.#onQuestion.add(listener);
    return () => this.#onQuestion.delete(listener);
  }
  onStateChange(listener: (state: BusState) => void): () => void {
    this.#onState.add(listener);
    return () => this.#onState.delete(listener);
  }
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  /** Somebody else asks core whether it is there. */
  askCore(question: string | object): void {
    const data = Buffer.from(typeof question === 'string' ? question : JSON.stringify(question));
    for (const listener of this.#onQuestion) listener(data);
  }

  become(state: BusState): void {
    for (const listener of this.#onState) listener(state);
  }

  /** Somebody asks, perhaps by a request of NATS. */
  ask(token: string, text: string, answer?: (payload: object) => void): void {
    for (const listener of this.#onMessage) listener(token, Buffer.from(text), ...(answer ? [answer] : []));
  }

  /** A component sends `body` as `subject`. */
  arrive(subject: string, body: unknown, rest: object = { source: 'core' }): void {
    const data = Buffer.from(JSON.stringify({ body, subject, ...rest }));
    for (const listener of this.#onMessage) listener(subject, data);
  }
}
