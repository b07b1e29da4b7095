/** What comes of a request to the site. */
import { isRefusal } from '../net/refusal.js';
import type { OfflineReason, ProxyTrouble } from '../protocol.js';
import type { Manner } from './manner.js';

/** Why a step failed. */
export interface Failure {
  readonly at: 'tcp' | 'proxy' | 'tls' | 'http';
  /** The system's own code, `ETIMEDOUT` at the deadline, `ECANCELLED` when given up. */
  readonly error: string;
  readonly detail?: string;
  /** What is wrong with the proxy, where that is the reason. */
  readonly proxy?: ProxyTrouble;
  /** Undefined if this machine itself refused a call, which says nothing about the internet. */
  readonly reason: OfflineReason | undefined;
}

export type Answer =
  | {
      readonly ok: true;
      readonly status: number;
      readonly ms: number;
      readonly date: string | undefined;
      readonly clockAheadMs: number | undefined;
    }
  | { readonly ok: false; readonly failure: Failure };

/** Bytes of a request, headers included, at least; only HTTP/1.1 heeds it. */
export type RequestSize = number;

/** One connection's way of asking, again and again. */
export interface Exchange {
  /** False once either side has closed it, or while a request is under way. */
  readonly usable: boolean;
  /** Any well-formed answer counts; what it says is for the evidence. An aborted or failed request ends the connection. */
  ask(method: Manner['method'], signal: AbortSignal, size?: RequestSize): Promise<Answer>;
  /** Ends it at once. */
  close(): void;
}

/** A larger answer to GET is not read: the connection (or the stream of HTTP/2) is given up behind its headers. */
export const MAX_BODY_BYTES = 4_096;

export function httpFailure(error: string, detail?: string): Answer {
  const reason = isRefusal(error) ? undefined : 'http-timeout';
  return { ok: false, failure: { at: 'http', error, reason, ...(detail === undefined ? {} : { detail }) } };
}
