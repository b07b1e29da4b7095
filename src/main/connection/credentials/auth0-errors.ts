/** Auth0's refusals in words that say which of the four secrets, or which setting, to look at. Pure. */

import type { HttpJsonResponse } from '../../net/http-json.js';
import { SignInError } from './provider.js';
import { pauseAskedFor, retryAfterMs } from './throttle.js';

/** What of the server's own text goes into a message, characters. */
const MAX_TEXT = 120;
/** Without a word of the server on when to ask again after 429, milliseconds. */
const DEFAULT_THROTTLE_MS = 5 * 60_000;

type Explanation = readonly [kind: SignInError['kind'], advice: string];

const CLIENT = 'look at AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET';

/** An answer of `/oauth/token` other than 200. */
export function explainToken(
  answer: HttpJsonResponse,
  secrets: readonly string[],
  trustedWallMs: number | undefined,
): SignInError {
  const { error, said } = wordsOf(answer.json, secrets);
  return explain('Auth0', answer, said, trustedWallMs, error === undefined ? undefined : byError(error));
}

/** An answer of `/userinfo` other than 200. */
export function explainUserinfo(
  answer: HttpJsonResponse,
  secrets: readonly string[],
  trustedWallMs: number | undefined,
): SignInError {
  const { status } = answer;
  const { said } = wordsOf(answer.json, secrets);
  const refused: Explanation = [
    'refused',
    'it did not accept its own access token: look at the API permissions of the application of AUTH0_CLIENT_ID',
  ];
  return explain(
    'Auth0 (userinfo)',
    answer,
    said,
    trustedWallMs,
    status === 401 || status === 403 ? refused : undefined,
  );
}

function byError(error: string): Explanation | undefined {
  switch (error) {
    case 'invalid_grant':
    case 'invalid_user_password':
      return ['refused', 'look at AUTH0_USERNAME and AUTH0_PASSWORD'];
    case 'invalid_client':
    case 'access_denied':
      return ['refused', CLIENT];
    case 'unauthorized_client':
      return ['refused', 'look at AUTH0_CLIENT_ID: its application must have the Password grant enabled'];
    case 'mfa_required':
      return ['refused', 'the user of AUTH0_USERNAME must not need a second factor'];
    case 'password_leaked':
      return ['refused', 'the password of AUTH0_PASSWORD is known to have leaked and must be changed'];
    case 'invalid_request':
    case 'unsupported_grant_type':
      return [
        'refused',
        'look at AUTH0_CLIENT_ID, AUTH0_CLIENT_SECRET, AUTH0_USERNAME and AUTH0_PASSWORD: is one of them empty?',
      ];
    default:
      return undefined;
  }
}

function explain(
  who: string,
  { status, headers }: HttpJsonResponse,
  said: string,
  trustedWallMs: number | undefined,
  explained: Explanation | undefined,
): SignInError {
  if (status === 429) {
    const wait = retryAfterMs(headers, trustedWallMs) ?? DEFAULT_THROTTLE_MS;
    const message = `${who} is asked too often (429)${said}; it is asked again in ${Math.ceil(wait / 1_000)} s.`;
    return new SignInError('throttled', message, wait, { status });
  }
  const [kind, advice] = (status < 500 ? explained : undefined) ?? byStatus(status);
  const pauseMs = kind === 'failed' ? pauseAskedFor(headers, trustedWallMs) : undefined;
  if (pauseMs !== undefined) {
    return new SignInError('throttled', `${who} asks for a pause (${status})${said}.`, pauseMs, { status });
  }
  const verb = kind === 'refused' ? 'refused' : 'answered';
  return new SignInError(kind, `${who} ${verb} (${status})${said}: ${advice}.`, undefined, { status });
}

function byStatus(status: number): Explanation {
  if (status === 401 || status === 403) return ['refused', `${CLIENT}, AUTH0_USERNAME and AUTH0_PASSWORD`];
  if (status >= 500) return ['failed', 'it has trouble of its own'];
  if (status === 404 || (status >= 300 && status < 400)) return ['failed', 'look at authURL in [Auth]'];
  return ['failed', 'look at authURL in [Auth], AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET'];
}

/** Auth0's `error`, and its texts made fit for a log: printable, short, and gone altogether if they repeat a secret. */
function wordsOf(json: unknown, secrets: readonly string[]): { error: string | undefined; said: string } {
  const fields = typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>) : {};
  const error =
    typeof fields['error'] === 'string' && /^[a-z_]{1,40}$/.test(fields['error']) ? fields['error'] : undefined;
  const texts = [error, fields['error_description']].filter((text) => typeof text === 'string');
  const raw = texts.join(': ');
  const text = raw.replace(/[^\x20-\x7e]+/g, ' ').trim();
  const shape = /eyJ[\w-]{8,}|\w+:\/\//;
  if (text === '' || shape.test(raw) || secrets.some((secret) => secret !== '' && repeats(raw, secret))) {
    return { error, said: '' };
  }
  return { error, said: ` ${text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text}`.replace(/\.$/, '') };
}

function repeats(text: string, secret: string): boolean {
  return text.includes(secret) || text.includes(encodeURIComponent(secret));
}
