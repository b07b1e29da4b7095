/** How a link can end, what that is called, and what it means for a session. Pure. */
import type { OpenFailure } from '../session.js';

/** Why a link came to its end. */
export type LinkEnd =
  /** The handshake was answered with an HTTP status. */
  | { readonly kind: 'http'; readonly status: number; readonly retryAfterMs?: number }
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  /** The peer broke the rules of WebSocket, such as a frame over the limit: it would do so again. */
  | { readonly kind: 'violation'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'timeout'; readonly stage: 'handshake' | 'greeting'; readonly afterMs: number }
  | { readonly kind: 'half-open'; readonly afterMs: number }
  /** We ended it because the internet is gone. */
  | { readonly kind: 'suspended' };

/** Why a try to get a link came to nothing. */
export type TryEnd =
  | LinkEnd
  /** The service greeted, but as another connection than the one to be recovered. */
  | { readonly kind: 'wrong-greeting' };

/** Close code by which the service says that a session is gone. */
const SESSION_GONE = 1008;
/** No close frame was seen (RFC 6455, 7.4.1). */
const ABNORMAL = 1006;

/** Whether an open link that ended so takes its session with it: a broken frame would be sent again after a recovery. */
export function isFinal(end: LinkEnd): boolean {
  return end.kind === 'violation' || (end.kind === 'closed' && end.code === SESSION_GONE);
}

/** Why a failed try of a recovery was the last; undefined if the next may succeed. */
export function endOfRecovery(end: TryEnd): string | undefined {
  switch (end.kind) {
    case 'wrong-greeting':
      return describeEnd(end);
    case 'violation':
    case 'closed':
      return isFinal(end) ? describeEnd(end) : undefined;
    case 'http':
      // 408 and 429 pass, and so does a failure of the service; every other refusal stays.
      return end.status >= 500 || end.status === 408 || end.status === 429 ? undefined : describeEnd(end);
    default:
      return undefined;
  }
}

/** What the failure of a first try means to whoever opens a session. */
export function openFailure(end: TryEnd, lastWords: string): OpenFailure {
  const message = describeEnd(end) + (lastWords && `; it said: ${lastWords}`);
  if (end.kind !== 'http') return { kind: 'failed', message };
  switch (end.status) {
    case 401:
    case 403:
      return { kind: 'refused', status: end.status, message };
    case 429:
      return {
        kind: 'throttled',
        message,
        ...(end.retryAfterMs !== undefined && { retryAfterMs: end.retryAfterMs }),
      };
    case 404:
      return { kind: 'failed', message: `${message}: look at the hub in the client access URL` };
    default:
      return { kind: 'failed', message };
  }
}

/** In plain words, for a message. */
export function describeEnd(end: TryEnd): string {
  switch (end.kind) {
    case 'http':
      return `the service answered the handshake with HTTP ${end.status}`;
    case 'closed':
      // What a WebSocket reports when no farewell came: a reset by whoever was in between, more often than the service.
      if (end.code === ABNORMAL) return `the connection broke off without a farewell (${ABNORMAL})`;
      return `the service closed the connection (${end.code}${end.reason && `, ${end.reason}`})`;
    case 'violation':
      return `the service broke the WebSocket protocol (${end.message})`;
    case 'failed':
      return `the connection failed (${end.message})`;
    case 'timeout':
      return end.stage === 'handshake'
        ? `no WebSocket handshake within ${end.afterMs / 1000} s`
        : `no connected frame within ${end.afterMs / 1000} s`;
    case 'half-open':
      return `nothing was heard for ${end.afterMs / 1000} s, not even the answer to a ping`;
    case 'suspended':
      return 'there is no internet';
    case 'wrong-greeting':
      return 'the service answered with another connection';
  }
}
