/** The client access URL from a negotiate endpoint: `GET` gives `{url}`. */

import type { LookupFunction } from 'node:net';
import type { OnSwallowed } from '../../../workers/net/connect.js';
import type { ProxySettings } from '../../../workers/protocol.js';
import { httpJson, type HttpJsonResponse } from '../../net/http-json.js';
import { parseClientUrl, urlGiven } from './client-url.js';
import { failedCall } from './failed-call.js';
import { SignInError, type ClientAccessUrl, type ClientAccessUrlSource } from './provider.js';
import { pauseAskedFor, retryAfterMs } from './throttle.js';

export interface NegotiateOptions {
  /** `https:`; plain `http:` only to loopback. May hold a secret in its path or query. */
  readonly negotiateUrl: string;
  readonly lookup: LookupFunction;
  readonly proxy?: ProxySettings | undefined;
  readonly ca?: string | undefined;
  /** Wall clock, milliseconds since 1970; undefined while it cannot be trusted. */
  readonly trustedWallMs: () => number | undefined;
  /** Deadline of the call, milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
  /** A request was swallowed over this family and is made once more over the other. */
  readonly onSwallowed?: OnSwallowed | undefined;
}

const SETTING = 'the negotiate URL';

/** Asks the endpoint at every `get`; wrap it in `cached`. */
export function negotiate(options: NegotiateOptions): ClientAccessUrlSource {
  const { negotiateUrl, lookup, proxy, ca, trustedWallMs, timeoutMs = 10_000, onSwallowed } = options;
  const host = URL.canParse(negotiateUrl) ? new URL(negotiateUrl).host : 'not a URL';
  return {
    description: `negotiate endpoint (${host})`,
    async get(signal) {
      const common = { timeoutMs, lookup, proxy, ca, signal, onSwallowed };
      const answer = await httpJson({ ...common, method: 'GET', url: negotiateUrl }).catch((error: unknown) => {
        throw failedCall('The negotiate endpoint', SETTING, error);
      });
      return read(answer, trustedWallMs());
    },
  };
}

function read({ status, headers, json }: HttpJsonResponse, trustedWallMs: number | undefined): ClientAccessUrl {
  if (status === 401 || status === 403) {
    const message = `The negotiate endpoint refused (${status}): look at ${SETTING} and the key in it.`;
    throw new SignInError('refused', message, undefined, { status });
  }
  if (status === 429) {
    throw new SignInError(
      'throttled',
      'The negotiate endpoint is asked too often (429).',
      retryAfterMs(headers, trustedWallMs),
      {
        status,
      },
    );
  }
  if (status < 200 || status > 299) {
    const pauseMs = pauseAskedFor(headers, trustedWallMs);
    if (pauseMs !== undefined) {
      throw new SignInError('throttled', `The negotiate endpoint asks for a pause (${status}).`, pauseMs, { status });
    }
    const advice = status < 500 ? `look at ${SETTING}` : 'it has trouble of its own';
    throw new SignInError('failed', `The negotiate endpoint answered ${status}: ${advice}.`, undefined, { status });
  }
  const url: unknown = typeof json === 'object' && json !== null && 'url' in json ? json.url : undefined;
  if (url === undefined) {
    throw new SignInError('failed', `The negotiate endpoint's answer has no "url": look at ${SETTING}.`, undefined, {
      status,
    });
  }
  const parsed = parseClientUrl(url);
  if (!parsed.ok) {
    throw new SignInError('failed', `The URL the negotiate endpoint gave ${parsed.problem}.`, undefined, { status });
  }
  return urlGiven(parsed, headers, trustedWallMs);
}
