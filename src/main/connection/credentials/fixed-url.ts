/** The client access URL as a setting: WEBPUBSUB_CLIENT_URL. */

import { parseClientUrl } from './client-url.js';
import { SignInError, type ClientAccessUrl, type ClientAccessUrlProvider } from './provider.js';

const ADVICE =
  'make a new one in the Azure portal (Web PubSub, Keys, Client URL Generator) and set WEBPUBSUB_CLIENT_URL';

export interface FixedUrlOptions {
  readonly clientUrl: string;
  /** Wall clock, milliseconds since 1970; undefined while it cannot be trusted. */
  readonly trustedWallMs: () => number | undefined;
}

/**
 * Gives out the one URL until its token has expired by a clock that can be trusted; by any other the service itself decides. A refusal does not stop that: there is no other URL, a service that
 * refuses today may accept tomorrow, and whoever asks has its own long schedule after a refusal.
 */
export function fixedUrl({ clientUrl, trustedWallMs }: FixedUrlOptions): ClientAccessUrlProvider {
  const parsed = parseClientUrl(clientUrl);
  const get = (): ClientAccessUrl => {
    if (!parsed.ok) throw new SignInError('refused', `WEBPUBSUB_CLIENT_URL ${parsed.problem}: ${ADVICE}.`);
    const { url, expiresAtMs } = parsed;
    if (expiresAtMs === undefined) return { url, cached: false };
    const nowMs = trustedWallMs();
    if (nowMs !== undefined && expiresAtMs <= nowMs) {
      const when = new Date(expiresAtMs).toISOString();
      throw new SignInError('refused', `The token of WEBPUBSUB_CLIENT_URL expired at ${when}: ${ADVICE}.`);
    }
    // Not cached: nothing fresher is to be had.
    return { url, expiresAtMs, cached: false };
  };
  return {
    description: parsed.ok ? `WEBPUBSUB_CLIENT_URL (${parsed.host})` : 'WEBPUBSUB_CLIENT_URL',
    // The executor turns a throw into a rejection.
    get: () => new Promise((resolve) => resolve(get())),
    refused: () => undefined,
    served: () => undefined,
    // Nobody is ever asked: the machine's own schedule is all there is.
    signInAllowedInMs: 0,
    mended: () => undefined,
  };
}
