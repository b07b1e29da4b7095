/** A sign-in, a connection and a join of our own, closed again: only where the service cannot tell. Nothing is sent to the group. */
import { systemClock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import { describeError } from '../../base/guard.js';
import { createCredentials, MissingCredentialsError } from '../../connection/credentials/create.js';
import { jwtRoles } from '../../connection/credentials/jwt.js';
import {
  SignInError,
  type ClientAccessUrl,
  type ClientAccessUrlProvider,
} from '../../connection/credentials/provider.js';
import { credentialsOf } from '../../connection/policy.js';
import { OpenError, type OpenFailure } from '../../connection/session.js';
import { createOpenSession } from '../../connection/web-pubsub.js';
import { createLookup } from '../../net/lookup.js';
import { proxyOf, type Settings } from '../../settings.js';

export interface TrialOptions {
  readonly settings: Settings;
  readonly ca: string;
  /** Of the service: a URL that it keeps serves without a sign-in, and stays there. */
  readonly stateDirectory: string;
  /** Gives it up. */
  readonly signal: AbortSignal;
}

export type SignInOutcome =
  | { readonly kind: 'signed-in'; readonly how: string; readonly kept: boolean }
  /** Nothing to sign in with. */
  | { readonly kind: 'missing'; readonly message: string }
  | { readonly kind: SignInError['kind']; readonly message: string; readonly unanswered: boolean };

export interface CloudTrial {
  readonly signIn: SignInOutcome;
  /** Undefined: not tried, as the sign-in failed. */
  readonly session: { readonly kind: 'joined' } | OpenFailure | undefined;
  /** Of the token; undefined: it does not say. */
  readonly roles: readonly string[] | undefined;
}

/** Deadlines, milliseconds: shorter than those of the service, as somebody waits. */
const SIGN_IN_MS = 3_000;
const STEP_MS = 2_500;
const LOOKUP_MS = 2_000;

const SILENT: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** Never rejects; leaves no connection behind. */
export async function tryCloud({ settings, ca, stateDirectory, signal }: TrialOptions): Promise<CloudTrial> {
  const lookup = createLookup({ timeoutMs: LOOKUP_MS, nameServers: settings.nameServers });
  const proxy = proxyOf(settings);
  let provider: ClientAccessUrlProvider;
  try {
    provider = createCredentials({
      ...credentialsOf(settings),
      lookup,
      proxy,
      ca,
      log: SILENT,
      trustedWallMs: () => systemClock.wallMs(),
      stateDirectory,
      keepsNothing: true,
      timeoutMs: SIGN_IN_MS,
    });
  } catch (error) {
    if (!(error instanceof MissingCredentialsError)) throw error;
    return { signIn: { kind: 'missing', message: error.message }, session: undefined, roles: undefined };
  }
  const watched = new Watched(provider);
  const open = createOpenSession({
    credentials: watched,
    group: settings.wsGroupName,
    lookup,
    proxy,
    ca,
    mayOpen: () => !signal.aborted,
    handshakeTimeoutMs: STEP_MS,
    connectedFrameTimeoutMs: STEP_MS,
    joinTimeoutMs: STEP_MS,
    credentialsTimeoutMs: 2 * SIGN_IN_MS,
    log: SILENT,
  });
  let session: CloudTrial['session'];
  try {
    const opened = await open({ onEvent: () => undefined, signal });
    session = { kind: 'joined' };
    await opened.dispose();
  } catch (error) {
    session = error instanceof OpenError ? error.failure : { kind: 'failed', message: describeError(error) };
  }
  const { signIn } = watched;
  return { signIn, session: signIn.kind === 'signed-in' ? session : undefined, roles: watched.roles };
}

/** Notes what became of the sign-in. */
class Watched implements ClientAccessUrlProvider {
  signIn: SignInOutcome = { kind: 'failed', message: 'it was given up', unanswered: true };
  roles: readonly string[] | undefined;

  constructor(private readonly provider: ClientAccessUrlProvider) {}

  get description(): string {
    return this.provider.description;
  }

  get signInAllowedInMs(): number {
    return this.provider.signInAllowedInMs;
  }

  async get(signal: AbortSignal): Promise<ClientAccessUrl> {
    try {
      const access = await this.provider.get(signal);
      this.signIn = { kind: 'signed-in', how: this.description, kept: access.cached };
      const token = URL.canParse(access.url) ? new URL(access.url).searchParams.get('access_token') : null;
      this.roles = token === null ? undefined : jwtRoles(token);
      return access;
    } catch (error) {
      this.signIn =
        error instanceof SignInError
          ? { kind: error.kind, message: error.message, unanswered: error.unanswered }
          : { kind: 'failed', message: describeError(error), unanswered: false };
      throw error;
    }
  }

  refused(url: ClientAccessUrl): void {
    this.provider.refused(url);
  }

  served(url: ClientAccessUrl): void {
    this.provider.served(url);
  }

  mended(): void {
    this.provider.mended();
  }
}
