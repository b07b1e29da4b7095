/**
 * The client access URL from Auth0: a password grant gives an access token, and the userinfo it opens has the URL as `wss_url`.
 * Two calls, of which Auth0 allows few: wrap it in `cached`.
 */

import type { LookupFunction } from 'node:net';
import type { OnSwallowed } from '../../../workers/net/connect.js';
import type { ProxySettings } from '../../../workers/protocol.js';
import { httpJson, type HttpJsonResponse } from '../../net/http-json.js';
import { explainToken, explainUserinfo } from './auth0-errors.js';
import { parseClientUrl, urlGiven } from './client-url.js';
import { failedCall } from './failed-call.js';
import { SignInError, type ClientAccessUrl, type ClientAccessUrlSource } from './provider.js';

export interface Auth0Secrets {
  /** AUTH0_CLIENT_ID */
  readonly clientId: string;
  /** AUTH0_CLIENT_SECRET */
  readonly clientSecret: string;
  /** AUTH0_USERNAME */
  readonly username: string;
  /** AUTH0_PASSWORD */
  readonly password: string;
}

export interface Auth0Options extends Auth0Secrets {
  /** Host name, with a port if need be, such as `dunebugger.eu.auth0.com`. A leading `https://` is forgiven. */
  readonly authUrl: string;
  readonly lookup: LookupFunction;
  readonly proxy?: ProxySettings | undefined;
  readonly ca?: string | undefined;
  /** Wall clock, milliseconds since 1970; undefined while it cannot be trusted. */
  readonly trustedWallMs: () => number | undefined;
  /** Deadline of each of the two calls, milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /** A request was swallowed over this family and is made once more over the other. */
  readonly onSwallowed?: OnSwallowed | undefined;
}

const SETTING = 'authURL in [Auth]';
/** An opaque token or a JWT: what may stand in an Authorization header. */
const TOKEN = /^[A-Za-z0-9._~+/=-]{1,16384}$/;

/** Signs in at every `get`. */
export function auth0(options: Auth0Options): ClientAccessUrlSource {
  const { lookup, proxy, ca, trustedWallMs, timeoutMs = 10_000, onSwallowed } = options;
  const origin = originOf(options.authUrl);
  const common = { timeoutMs, lookup, proxy, ca, onSwallowed };
  const secrets = [options.clientSecret, options.password, options.username, options.clientId];

  return {
    description: `Auth0 (${origin?.host ?? 'authURL is not a host name'})`,
    async get(signal) {
      if (origin === undefined) {
        throw new SignInError('refused', `${SETTING} is not a host name, such as dunebugger.eu.auth0.com.`);
      }
      const tokenAnswer = await httpJson({
        ...common,
        signal,
        method: 'POST',
        url: `${origin.href}oauth/token`,
        body: {
          client_id: options.clientId,
          client_secret: options.clientSecret,
          grant_type: 'password',
          username: options.username,
          password: options.password,
          scope: 'openid profile email',
        },
      }).catch((error: unknown) => {
        throw failedCall('Auth0', SETTING, error);
      });
      const token = tokenOf(tokenAnswer, secrets, trustedWallMs());

      const userinfo = await httpJson({
        ...common,
        signal,
        method: 'GET',
        url: `${origin.href}userinfo`,
        headers: { authorization: `Bearer ${token}` },
      }).catch((error: unknown) => {
        // Never "unreachable": Auth0 has counted the first call.
        throw new SignInError('failed', failedCall('Auth0 (userinfo)', SETTING, error).message, undefined, {
          cause: error,
          unanswered: true,
        });
      });
      return urlOf(userinfo, [...secrets, token], trustedWallMs());
    },
  };
}

function originOf(authUrl: string): URL | undefined {
  const text = `https://${authUrl.trim().replace(/^https:\/\//i, '')}`;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const plain =
    url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  return plain ? url : undefined;
}

function tokenOf(answer: HttpJsonResponse, secrets: readonly string[], trustedWallMs: number | undefined): string {
  const { status } = answer;
  if (status !== 200) throw explainToken(answer, secrets, trustedWallMs);
  const token = field(answer.json, 'access_token');
  if (typeof token === 'string' && TOKEN.test(token)) return token;
  throw new SignInError(
    'failed',
    `What answered is not Auth0: there is no access token. Look at ${SETTING}.`,
    undefined,
    {
      status,
    },
  );
}

function urlOf(
  answer: HttpJsonResponse,
  secrets: readonly string[],
  trustedWallMs: number | undefined,
): ClientAccessUrl {
  const { status } = answer;
  if (status !== 200) throw explainUserinfo(answer, secrets, trustedWallMs);
  const wssUrl = field(answer.json, 'wss_url');
  if (wssUrl === undefined || wssUrl === null) {
    throw new SignInError(
      'failed',
      'Auth0 accepted the sign-in, but its userinfo has no wss_url: is AUTH0_USERNAME the user of an installation, and does the Action (or Rule) of the tenant add wss_url?',
      undefined,
      { status },
    );
  }
  const parsed = parseClientUrl(wssUrl);
  if (!parsed.ok) {
    const message = `The wss_url in Auth0's userinfo ${parsed.problem}: look at the tenant's Action (or Rule) that adds it.`;
    throw new SignInError('failed', message, undefined, { status });
  }
  return urlGiven(parsed, answer.headers, trustedWallMs);
}

function field(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null ? (json as Readonly<Record<string, unknown>>)[name] : undefined;
}
