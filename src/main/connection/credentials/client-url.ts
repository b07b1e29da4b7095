/** What a client access URL must look like before a socket is opened to it. */

import { answeredAtMs, type DatedHeaders } from '../../../workers/net/site-clock.js';
import { isLoopback } from '../../net/http-json.js';
import { jwtExpiryMs } from './jwt.js';
import type { ClientAccessUrl } from './provider.js';

/** Longest URL that is accepted, characters: HTTP servers refuse a request line of 16 KiB and more. */
const MAX_LENGTH = 16 * 1024;

export type ParsedClientUrl =
  | { readonly ok: true; readonly url: string; readonly host: string; readonly expiresAtMs: number | undefined }
  /** `problem` continues the sentence "the URL …" and holds nothing of the URL. */
  | { readonly ok: false; readonly problem: string };

/** Checks what a setting, a negotiate endpoint or a sign-in gave as the client access URL. Never throws. */
export function parseClientUrl(value: unknown): ParsedClientUrl {
  if (typeof value !== 'string') return { ok: false, problem: 'is not text' };
  if (value.length > MAX_LENGTH) return { ok: false, problem: `is longer than ${MAX_LENGTH} characters` };
  if (!URL.canParse(value)) return { ok: false, problem: 'is not a URL' };
  const url = new URL(value);
  if (url.protocol === 'ws:' && !isLoopback(url.hostname)) {
    return { ok: false, problem: 'is not encrypted (ws: instead of wss:)' };
  }
  if (url.protocol !== 'wss:' && url.protocol !== 'ws:') return { ok: false, problem: 'does not begin with wss://' };
  if (url.username !== '' || url.password !== '') return { ok: false, problem: 'holds a user name or a password' };
  if (!/^\/client\/hubs\/[^/]+$/.test(url.pathname)) {
    return { ok: false, problem: 'is not that of a Web PubSub client (its path is not /client/hubs/HUB)' };
  }
  url.hash = '';
  const token = url.searchParams.get('access_token');
  return { ok: true, url: url.href, host: url.host, expiresAtMs: token === null ? undefined : jwtExpiryMs(token) };
}

/**
 * A URL that was just given. How long it is good for is counted by the clock of whoever gave it, in the answer's `Date`; by this machine's
 * only where that is missing, and only if it can be trusted.
 */
export function urlGiven(
  { url, expiresAtMs }: Extract<ParsedClientUrl, { ok: true }>,
  headers: DatedHeaders,
  trustedWallMs: number | undefined,
): ClientAccessUrl {
  const from = answeredAtMs(headers) ?? trustedWallMs;
  return {
    url,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(expiresAtMs === undefined || from === undefined ? {} : { lifeMs: expiresAtMs - from }),
    cached: false,
  };
}
