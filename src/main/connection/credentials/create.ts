/** Chooses where the client access URL comes from. */

import type { LookupFunction } from 'node:net';
import type { ProxySettings } from '../../../workers/protocol.js';
import { systemClock } from '../../base/clock.js';
import type { Logger } from '../../log.js';
import { swallowedNotice } from '../../net/swallowed-notice.js';
import { auth0, type Auth0Secrets } from './auth0.js';
import { cached } from './cached.js';
import { fixedUrl } from './fixed-url.js';
import { negotiate } from './negotiate.js';
import { AUTH0_LIMITS, NEGOTIATE_LIMITS } from './pacing.js';
import { NO_KEEPER, type UrlKeeper } from './kept-url.js';
import type { ClientAccessUrlProvider } from './provider.js';
import { UrlFile } from './url-file.js';

/** Auth0's four secrets, as far as they are set, and the host to sign in at. */
export type Auth0Settings = { readonly [Name in keyof Auth0Secrets]?: string | undefined } & {
  readonly authUrl: string;
};

export interface CredentialsOptions {
  /** WEBPUBSUB_CLIENT_URL; wins over all others. */
  readonly clientUrl?: string | undefined;
  /** A negotiate endpoint; wins over Auth0. */
  readonly negotiateUrl?: string | undefined;
  readonly auth0?: Auth0Settings | undefined;
  /** Resolves names within its own deadline. */
  readonly lookup: LookupFunction;
  /** By which all is reached; undefined: straight. */
  readonly proxy?: ProxySettings | undefined;
  /** PEM certificates to trust instead of Node's bundled ones; undefined: Node's and NODE_EXTRA_CA_CERTS. */
  readonly ca?: string | undefined;
  readonly log: Logger;
  /** A clock that is never set, milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
  /** Wall clock, milliseconds since 1970; undefined while it cannot be trusted. */
  readonly trustedWallMs: () => number | undefined;
  /** Wall clock, however wrong. Default: the system's. */
  readonly wallMs?: () => number;
  /** Where the URL can be kept for the next process; undefined: nowhere. */
  readonly stateDirectory?: string | undefined;
  /** Default true. If false, what was kept goes, too. */
  readonly keepUrl?: boolean;
  /** What another process keeps there serves, and stays as it is. Default false. */
  readonly keepsNothing?: boolean;
  /** Deadline of each call, milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

/** Nothing says where the client access URL comes from, or not all of it. */
export class MissingCredentialsError extends Error {
  readonly code = 'ERR_MISSING_CREDENTIALS';
  constructor(
    /** Names of the environment variables that are missing. */
    readonly missing: readonly string[],
  ) {
    super(`Nothing to sign in with: set ${missing.join(', ')}, or WEBPUBSUB_CLIENT_URL, or a negotiate URL instead.`);
    this.name = 'MissingCredentialsError';
  }
}

const NAMES = {
  clientId: 'AUTH0_CLIENT_ID',
  clientSecret: 'AUTH0_CLIENT_SECRET',
  username: 'AUTH0_USERNAME',
  password: 'AUTH0_PASSWORD',
} as const satisfies Record<keyof Auth0Secrets, string>;

/** WEBPUBSUB_CLIENT_URL if set, else the negotiate endpoint, else Auth0. Throws {@link MissingCredentialsError}. */
export function createCredentials(options: CredentialsOptions): ClientAccessUrlProvider {
  const { clientUrl, negotiateUrl, lookup, proxy, ca, log, trustedWallMs, now = () => performance.now() } = options;
  const keeper = (...boundTo: readonly string[]): UrlKeeper => {
    if (options.stateDirectory === undefined) return NO_KEEPER;
    const file = new UrlFile({ directory: options.stateDirectory, boundTo, log });
    if (options.keepsNothing === true) return { ...NO_KEEPER, found: file.found };
    if (options.keepUrl !== false) return file;
    file.forget();
    return NO_KEEPER;
  };
  const wallMs = (): number => trustedWallMs() ?? (options.wallMs ?? systemClock.wallMs)();
  const common = {
    lookup,
    proxy,
    ca,
    trustedWallMs,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    onSwallowed: (family: 4 | 6) => log.warn({ family }, swallowedNotice('the sign-in', family)),
  };
  if (isSet(clientUrl)) return fixedUrl({ clientUrl, trustedWallMs });
  if (isSet(negotiateUrl)) {
    return cached(negotiate({ ...common, negotiateUrl }), {
      limits: NEGOTIATE_LIMITS,
      log,
      now,
      wallMs,
      keeper: keeper('negotiate', negotiateUrl),
    });
  }
  const { clientId, clientSecret, username, password, authUrl } = options.auth0 ?? { authUrl: '' };
  if (isSet(clientId) && isSet(clientSecret) && isSet(username) && isSet(password)) {
    const source = auth0({ ...common, clientId, clientSecret, username, password, authUrl });
    return cached(source, {
      limits: AUTH0_LIMITS,
      log,
      now,
      wallMs,
      keeper: keeper('auth0', authUrl, clientId, clientSecret, username, password),
    });
  }
  const given: Readonly<Record<keyof Auth0Secrets, string | undefined>> = {
    clientId,
    clientSecret,
    username,
    password,
  };
  const keys = Object.keys(NAMES) as (keyof Auth0Secrets)[];
  throw new MissingCredentialsError(keys.filter((key) => !isSet(given[key])).map((key) => NAMES[key]));
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value.trim() !== '';
}
