/** What the exchange needs of the world: the connection with the cloud, the bus. */
import type { JsonText, Sendable } from '../base/json.js';
import type { GroupMessage, SendOutcome } from '../connection/session.js';
import type { BusState, PublishOutcome } from './bus.js';
import type { Component, JsonObject } from './messages.js';

export type Unsubscribe = () => void;

/** The connection with the cloud, as much of it as is needed here. */
export interface RemoteConnection {
  /** Resolves within `timeoutMs` and never rejects. Calls made in a row go out in that order. */
  send(
    data: Sendable,
    options: { readonly timeoutMs: number },
  ): Promise<{ readonly outcome: SendOutcome; readonly message?: string }>;
  onMessage(listener: (message: GroupMessage) => void): Unsubscribe;
  /** The group is joined. `recovered`: the same session goes on and nothing was lost. */
  onJoined(listener: (joined: { readonly recovered: boolean }) => void): Unsubscribe;
  /** `connected` and `recovering` are told apart; everything else is away. */
  onStateChange(listener: (state: { readonly kind: string }) => void): Unsubscribe;
}

/** The bus, as much of it as is needed here; `bus.ts` makes one. */
export interface RemoteBus {
  start(): void;
  publish(recipient: Component, subject: string, payload: JsonObject | JsonText): PublishOutcome;
  /** To whoever listens to us: `ROOT.CLIENTID.subject`. */
  announce(subject: string, payload: JsonObject): PublishOutcome;
  /** `token`: the last token of the NATS subject. `answer`: to the one who asked by a request of NATS. */
  onMessage(listener: (token: string, data: Uint8Array, answer?: (payload: JsonObject) => void) => void): Unsubscribe;
  /** Somebody else asks core whether it is there. */
  onForeignQuestion(listener: (data: Uint8Array) => void): Unsubscribe;
  onStateChange(listener: (state: BusState) => void): Unsubscribe;
  close(): Promise<void>;
}
