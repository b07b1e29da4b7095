/** How a link can end, what that is called, and what it means for a session. Pure. */
import type { LossCause, OpenFailure } from '../session.js';
import { closePolicy, type ClosePolicy } from './close-codes.js';
import { httpPolicy } from './http-statuses.js';

/** Why a link came to its end. */
export type LinkEnd =
  /** The handshake was answered with an HTTP status. */
  | { readonly kind: 'http'; readonly status: number; readonly retryAfterMs?: number }
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  /** The peer broke the rules of WebSocket, such as a frame over the limit: it would do so again. */
  | { readonly kind: 'violation'; readonly message: string }
  /** `refusal`: the code of a call that this machine refused. */
  | { readonly kind: 'failed'; readonly message: string; readonly refusal?: string }
  | { readonly kind: 'timeout'; readonly stage: 'handshake' | 'greeting'; readonly afterMs: number }
  /** Nothing of our request is acknowledged over this family; the other is tried first from now on. */
  | { readonly kind: 'swallowed'; readonly family: 4 | 6 }
  | { readonly kind: 'half-open'; readonly afterMs: number }
  /** The same, once this machine's way out was another one. */
  | { readonly kind: 'left-behind'; readonly afterMs: number }
  /** We ended it because the internet is gone. */
  | { readonly kind: 'suspended' };

/** Why a try to get a link came to nothing. */
export type TryEnd =
  | LinkEnd
  /** The service greeted, but as another connection than the one to be recovered. */
  | { readonly kind: 'wrong-greeting' };

/** No close frame was seen (RFC 6455, 7.4.1). */
const ABNORMAL = 1006;

/** Whether an open link that ended so takes its session with it: a broken frame would be sent again after a recovery. */
export function isFinal(end: LinkEnd): boolean {
  return end.kind === 'violation' || (end.kind === 'closed' && closePolicy(end.code).session === 'gone');
}

/** Which of our unacknowledged messages is to blame for the end and must not be sent again, if one is. */
export function culpritOf(end: LinkEnd): ClosePolicy['culprit'] {
  return end.kind === 'closed' ? closePolicy(end.code).culprit : undefined;
}

/** Who may be behind the end, and whether others met it, too. */
export function causeOf(end: TryEnd): LossCause {
  switch (end.kind) {
    case 'closed':
      if (end.code === ABNORMAL) return { kind: 'broken' };
      return closePolicy(end.code).culprit === undefined ? { kind: 'service', code: end.code } : { kind: 'own' };
    case 'http':
      return { kind: 'service', code: end.status };
    case 'failed':
      return { kind: end.refusal === undefined ? 'broken' : 'own' };
    case 'timeout':
    case 'swallowed':
    case 'half-open':
    case 'left-behind':
      return { kind: 'silent' };
    case 'violation':
    case 'suspended':
    case 'wrong-greeting':
      return { kind: 'own' };
  }
}

/**
 * True if the connection that was tried brought no answer: an HTTP status, a close frame or a greeting would be one, and what this machine refused
 * was no try.
 */
export function reachedNobody(end: TryEnd): boolean {
  return end.kind === 'timeout' || (end.kind === 'failed' && end.refusal === undefined);
}

/** Least wait before the next socket that the end asks for, milliseconds. */
export function pauseAfter(end: TryEnd): number {
  if (end.kind === 'http') return end.retryAfterMs ?? 0;
  return end.kind === 'closed' ? (closePolicy(end.code).pauseMs ?? 0) : 0;
}

/** Whether the service will have nothing to do with our token any more. */
export function refusesToken(end: TryEnd): boolean {
  if (end.kind === 'http') return httpPolicy(end.status).opening === 'refused';
  return end.kind === 'closed' && closePolicy(end.code).refused === true;
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
      return httpPolicy(end.status).recovery === 'retry' ? undefined : describeEnd(end);
    default:
      return undefined;
  }
}

/** What the failure of a first try means to whoever opens a session. */
export function openFailure(end: TryEnd, lastWords: string): OpenFailure {
  const message = describeEnd(end) + (lastWords && `; it said: ${lastWords}`);
  if (end.kind === 'closed' && refusesToken(end)) return { kind: 'refused', status: end.code, message };
  if (end.kind === 'failed' && end.refusal !== undefined) return { kind: 'failed', message, refusal: end.refusal };
  if (end.kind !== 'http') return { kind: 'failed', message };
  const { status, retryAfterMs } = end;
  const { opening, hint } = httpPolicy(status);
  if (opening === 'refused') return { kind: 'refused', status, message };
  // Whoever says when to come back is taken at their word, whatever the status (RFC 9110, 10.2.3).
  if (opening === 'throttled' || retryAfterMs !== undefined) {
    return { kind: 'throttled', status, message, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  }
  return { kind: 'failed', message: hint === undefined ? message : `${message}: ${hint}` };
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
    case 'swallowed':
      return `the request was swallowed over IPv${end.family}`;
    case 'half-open':
      return `nothing was heard for ${end.afterMs / 1000} s, not even the answer to a ping`;
    case 'left-behind':
      return `the way out of this machine has changed, and over the old connection no ping was answered within ${end.afterMs / 1000} s`;
    case 'suspended':
      return 'there is no internet';
    case 'wrong-greeting':
      return 'the service answered with another connection';
  }
}
