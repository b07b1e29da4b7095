/** What the connection needs of the settings. Pure. */
import type { CredentialsOptions } from './credentials/create.js';
import { spreadOfAtMost } from './spread.js';
import { DEFAULT_POLICY, type ConnectionPolicy } from './state.js';

/** Of `[Websocket]`, in seconds. */
export interface ConnectionTimings {
  readonly stabilizationSecs: number;
  readonly returnSpreadSecs: number;
  readonly backoffBaseSecs: number;
  readonly backoffCapSecs: number;
  readonly stableAfterSecs: number;
}

export function policyOf(timings: ConnectionTimings): ConnectionPolicy {
  return {
    ...DEFAULT_POLICY,
    stabilizationMs: timings.stabilizationSecs * 1_000,
    stableMs: timings.stableAfterSecs * 1_000,
    spread: spreadOfAtMost(timings.returnSpreadSecs * 1_000),
    backoff: {
      ...DEFAULT_POLICY.backoff,
      baseMs: timings.backoffBaseSecs * 1_000,
      capMs: timings.backoffCapSecs * 1_000,
    },
  };
}

/** Where the client access URL comes from, by the settings' names. */
export interface CredentialSettings {
  readonly clientUrl?: string | undefined;
  readonly negotiateUrl?: string | undefined;
  readonly authURL: string;
  readonly auth0ClientId?: string | undefined;
  readonly auth0ClientSecret?: string | undefined;
  readonly auth0Username?: string | undefined;
  readonly auth0Password?: string | undefined;
}

export function credentialsOf(
  settings: CredentialSettings,
): Pick<CredentialsOptions, 'clientUrl' | 'negotiateUrl' | 'auth0'> {
  return {
    clientUrl: settings.clientUrl,
    negotiateUrl: settings.negotiateUrl,
    auth0: {
      authUrl: settings.authURL,
      clientId: settings.auth0ClientId,
      clientSecret: settings.auth0ClientSecret,
      username: settings.auth0Username,
      password: settings.auth0Password,
    },
  };
}
