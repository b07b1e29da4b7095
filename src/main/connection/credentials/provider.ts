/** Where the client access URL comes from: the interface, and the error every implementation rejects with. */

/** A URL with its token; it is a secret and never logged. */
export interface ClientAccessUrl {
  readonly url: string;
  /** When its token expires (the JWT's `exp`), milliseconds since 1970 by the issuer's clock; undefined if it does not say. */
  readonly expiresAtMs?: number;
  /** How long it is good for from the answer that gave it on, milliseconds; undefined if nobody can tell. */
  readonly lifeMs?: number;
  /** True if it was fetched for an earlier call, and a refusal may bring a fresher one. */
  readonly cached: boolean;
}

/** Asks for a URL whenever it is told to; `cached.ts` makes a provider of it. */
export interface ClientAccessUrlSource {
  /** For the log: where the URL comes from, without any secret, such as `Auth0 (dunebugger.eu.auth0.com)`. */
  readonly description: string;
  /** Resolves within its own deadline or rejects with {@link SignInError}. */
  get(signal: AbortSignal): Promise<ClientAccessUrl>;
}

export interface ClientAccessUrlProvider extends ClientAccessUrlSource {
  /** The service refused this URL: it is not to be handed out again. */
  refused(url: ClientAccessUrl): void;
  /** The URL opened a session: should it be refused later, it was good until then, and a fresh one is fetched at once. */
  served(url: ClientAccessUrl): void;
  /** Time until {@link get} may ask its source again, milliseconds; 0: now. Waiting for longer than this is of no use. */
  readonly signInAllowedInMs: number;
  /** Somebody says that what was refused is mended: ask at once, unless the server itself wants to be left alone. */
  mended(): void;
}

/** Signing in did not give a URL. The message says what to look at and holds no secret. */
export class SignInError extends Error {
  readonly code = 'ERR_SIGN_IN';
  constructor(
    /** `refused`: wrong or forbidden (401, 403); `throttled`: 429; `failed`: no or no useful answer. */
    readonly kind: 'refused' | 'throttled' | 'failed',
    message: string,
    readonly retryAfterMs?: number,
    options?: { cause?: unknown; status?: number; unanswered?: boolean },
  ) {
    super(message, options);
    this.name = 'SignInError';
    this.status = options?.status;
    this.unanswered = options?.unanswered ?? false;
  }
  /** HTTP status of the refusal, where there was one. */
  readonly status: number | undefined;
  /** Nobody answered at all, or not in time. */
  readonly unanswered: boolean;
}
