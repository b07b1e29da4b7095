import type { AckedFrame, AckErrorName } from './frames.js';

/** A refusal in HTTP, before or instead of a WebSocket. */
export interface HttpRefusal {
  readonly kind: 'status';
  readonly status: number;
  /** Seconds of the Retry-After header. */
  readonly retryAfterSecs?: number;
  /** Only this many times; then normal again. Default: until changed. */
  readonly times?: number;
}

/** What happens to an upgrade request. */
export type HandshakeBehaviour =
  | { readonly kind: 'normal' }
  /** Accepted by TCP (and TLS), never answered. */
  | { readonly kind: 'hang' }
  /** Upgraded, but no `connected` frame follows and nothing sent is handled. */
  | { readonly kind: 'hang-after' }
  | HttpRefusal;

/** What happens to a frame that wants an ack. */
export type AckBehaviour =
  | { readonly kind: 'normal' }
  /** Handled, but the ack is not sent. */
  | { readonly kind: 'withhold'; readonly types?: readonly AckedFrame['type'][]; readonly times?: number }
  /** Not handled, and acknowledged with this error. */
  | {
      readonly kind: 'fail';
      readonly error: Exclude<AckErrorName, 'Duplicate'>;
      readonly types?: readonly AckedFrame['type'][];
      readonly times?: number;
    };

/** What `GET /negotiate` answers. */
export type NegotiateBehaviour =
  | { readonly kind: 'normal' }
  | { readonly kind: 'hang' }
  /** 200 with this body instead of `{"url":…}`. */
  | { readonly kind: 'body'; readonly body: string }
  | HttpRefusal;
