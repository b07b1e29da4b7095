/** Opens sessions with Azure Web PubSub: an access URL, a connection, a group; each step with its deadline. */
import type { LookupFunction } from 'node:net';
import { refusalOf } from '../../workers/net/refusal.js';
import type { ProxySettings } from '../../workers/protocol.js';
import type { Logger } from '../log.js';
import { SignInError, type ClientAccessUrl, type ClientAccessUrlProvider } from './credentials/provider.js';
import { OpenError, type OpenFailure, type OpenSession, type OpenSessionOptions } from './session.js';
import type { SilencePolicy } from './web-pubsub/silence.js';
import { DEFAULT_LIVENESS, SPARING_LIVENESS, type LivenessPolicy } from './web-pubsub/liveness.js';
import { describeError, redact } from './web-pubsub/redact.js';
import type { SubprotocolName } from './web-pubsub/safe-protocol.js';
import { WebPubSubSession } from './web-pubsub/session.js';

export interface WebPubSubOptions {
  readonly credentials: ClientAccessUrlProvider;
  readonly group: string;
  /** Default `json.reliable.webpubsub.azure.v1`; with the other one every drop ends the session. */
  readonly subprotocol?: SubprotocolName;
  /** Looks names up with a deadline; default: the system's, which has none but our own handshake's. */
  readonly lookup?: LookupFunction;
  /** By which the service is reached; only with `lookup`. Default: straight. */
  readonly proxy?: ProxySettings | undefined;
  /** Certificates to trust instead of the system's, for a local service. */
  readonly ca?: string;
  /** From the name look-up to the end of the WebSocket handshake. Default 10 s. */
  readonly handshakeTimeoutMs?: number;
  /** From there to the service's `connected` frame. Default 10 s. */
  readonly connectedFrameTimeoutMs?: number;
  /** Until the service has acknowledged the join. Default 10 s. */
  readonly joinTimeoutMs?: number;
  /** For one client access URL, whatever the provider's own deadline is. Default 20 s. */
  readonly credentialsTimeoutMs?: number;
  /**
   * Silence after which the service is asked for a sign of life. Default 10 s, or two thirds of the half-open timeout if that is shorter; up to 12 s where it
   * answers quickly and has at least 3 s left to do so.
   */
  readonly idlePingMs?: number;
  /** Silence after which the connection is given up as half-open. Default 15 s. */
  readonly halfOpenTimeoutMs?: number;
  /** How long a lost session is worth recovering: the service promises 30 s and often keeps one for a minute. Default 60 s. */
  readonly recoveryWindowMs?: number;
  /** Most time between the first two sockets of a recovery; it grows from one to the next. The first is opened at once. Default 1 s. */
  readonly recoverySpacingMs?: number;
  /** When a service that says nothing is asked, and given up. Default {@link DEFAULT_LIVENESS}: within 60 s. */
  readonly liveness?: Partial<LivenessPolicy>;
  /**
   * The line is paid by the byte, and whoever says so asks the connection every 75 s (`answers`): no ping is sent before 80 s of silence, half-open and
   * dead are noticed that much later. Asked again and again. Default: it is not.
   */
  readonly sparing?: () => boolean;
  /** The gate: no socket is opened, for signing in or for the WebSocket, while it says no. Asked before each. */
  readonly mayOpen: () => boolean;
  /** Told of the service's `host` or `host:port` whenever a session has opened over TLS. */
  readonly onHost?: (host: string) => void;
  readonly log: Logger;
}

const IDLE_PING_MS = 10_000;
const QUICK_IDLE_PING_MS = 12_000;
const LEAST_TO_ANSWER_MS = 3_000;

/** Longer than the 75 s between two questions of the internet checks, whose answers are signs of life. */
const SPARING_PING_MS = 80_000;

export function createOpenSession(options: WebPubSubOptions): OpenSession {
  return (opening) => openSession(options, opening);
}

async function openSession(options: WebPubSubOptions, opening: OpenSessionOptions): Promise<WebPubSubSession> {
  const { log } = options;
  for (let tries = 1; ; tries += 1) {
    const access = await signIn(options, opening.signal);
    log.debug({ host: hostOf(access.url), group: options.group, cachedUrl: access.cached }, 'Opening the WebSocket');
    try {
      const session = await connect(options, opening, access);
      options.credentials.served(access);
      if (access.url.startsWith('wss:')) options.onHost?.(hostOf(access.url));
      return session;
    } catch (error) {
      if (!(error instanceof OpenError) || error.failure.kind !== 'refused') throw error;
      // A token can be revoked, or its hub's key changed, long before its time is over: only a fresh one that is refused is news.
      if (!access.cached || tries > 1 || opening.signal.aborted) throw withSignIn(error.failure, options, error);
      log.info({ status: error.failure.status }, 'The service refused the stored access URL; asking for a new one');
    }
  }
}

async function connect(
  options: WebPubSubOptions,
  { onEvent, signal }: OpenSessionOptions,
  access: ClientAccessUrl,
): Promise<WebPubSubSession> {
  const { subprotocol = 'json.reliable.webpubsub.azure.v1', lookup, proxy, ca } = options;
  const halfOpenTimeoutMs = options.halfOpenTimeoutMs ?? 15_000;
  const { sparing = () => false } = options;
  // A link that is given up before it is asked would be given up whenever nobody talks.
  const idlePingMs = options.idlePingMs ?? Math.min(IDLE_PING_MS, (halfOpenTimeoutMs * 2) / 3);
  const quickIdlePingMs =
    options.idlePingMs ?? Math.max(idlePingMs, Math.min(QUICK_IDLE_PING_MS, halfOpenTimeoutMs - LEAST_TO_ANSWER_MS));
  const silence: SilencePolicy = { idlePingMs, quickIdlePingMs, halfOpenTimeoutMs };
  const sparingSilence = { idlePingMs: SPARING_PING_MS, halfOpenTimeoutMs: SPARING_PING_MS + halfOpenTimeoutMs };
  const liveness = { ...DEFAULT_LIVENESS, ...options.liveness };
  const sparingLiveness = { ...liveness, ...SPARING_LIVENESS };
  const session = new WebPubSubSession(access.url, {
    group: options.group,
    link: {
      subprotocol,
      ...(lookup && { lookup }),
      ...(proxy && { proxy }),
      ...(ca && { ca }),
      handshakeTimeoutMs: options.handshakeTimeoutMs ?? 10_000,
      greetingTimeoutMs: options.connectedFrameTimeoutMs ?? 10_000,
      silence: () => (sparing() ? sparingSilence : silence),
    },
    joinTimeoutMs: options.joinTimeoutMs ?? 10_000,
    recoveryWindowMs: options.recoveryWindowMs ?? 60_000,
    recoverySpacingMs: options.recoverySpacingMs ?? 1_000,
    liveness: () => (sparing() ? sparingLiveness : liveness),
    mayOpen: options.mayOpen,
    onEvent,
    onRefused: () => options.credentials.refused(access),
    log: options.log,
  });
  const giveUp = (): void => void session.dispose();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    await session.open();
    // Aborted in the very moment it succeeded: the session is disposed of already, and nobody is to get it.
    if (signal.aborted) throw givenUp();
    return session;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/** A URL that can be opened, within a deadline that holds even if the provider ignores its own. */
async function signIn(options: WebPubSubOptions, signal: AbortSignal): Promise<ClientAccessUrl> {
  const { credentials, credentialsTimeoutMs = 20_000, mayOpen } = options;
  if (signal.aborted) throw givenUp();
  if (!mayOpen()) throw new OpenError({ kind: 'failed', message: 'there is no internet' });
  const abort = new AbortController();
  let stop: (error: OpenError) => void = () => undefined;
  const stopped = new Promise<never>((_, reject) => (stop = reject));
  const onAbort = (): void => stop(givenUp());
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => {
    const message = `no client access URL from ${credentials.description} within ${credentialsTimeoutMs / 1000} s`;
    stop(new OpenError({ kind: 'failed', message, signInUnanswered: true }));
  }, credentialsTimeoutMs);
  try {
    const access = await Promise.race([credentials.get(abort.signal), stopped]);
    if (!isWebSocketUrl(access.url)) throw failed(`what came from ${credentials.description} is not a WebSocket URL`);
    return access;
  } catch (error) {
    const failure = signInFailure(error);
    throw failure.failure.kind === 'refused' ? withSignIn(failure.failure, options, error) : failure;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    abort.abort();
  }
}

/** A refusal waits no longer than until a fresh sign-in is allowed: the pacing and the machine must not wait for one another. */
function withSignIn(
  failure: Extract<OpenFailure, { kind: 'refused' }>,
  { credentials: { signInAllowedInMs } }: WebPubSubOptions,
  cause: unknown,
): OpenError {
  return new OpenError(signInAllowedInMs > 0 ? { ...failure, signInAllowedInMs } : failure, { cause });
}

function signInFailure(error: unknown): OpenError {
  if (error instanceof OpenError) return error;
  if (!(error instanceof SignInError)) return failed(`signing in failed: ${describeError(error)}`, error);
  const message = redact(error.message);
  switch (error.kind) {
    case 'refused':
      return new OpenError({ kind: 'refused', status: error.status ?? 401, message }, { cause: error });
    case 'throttled':
      return new OpenError(
        {
          kind: 'throttled',
          message,
          ...(error.status !== undefined && { status: error.status }),
          ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
        },
        { cause: error },
      );
    case 'failed': {
      const refusal = refusalOf(error.cause);
      if (refusal !== undefined) return new OpenError({ kind: 'failed', message, refusal });
      return new OpenError(
        { kind: 'failed', message, ...(error.unanswered && { signInUnanswered: true }) },
        { cause: error },
      );
    }
  }
}

function failed(message: string, cause?: unknown): OpenError {
  return new OpenError({ kind: 'failed', message }, cause === undefined ? undefined : { cause });
}

function givenUp(): OpenError {
  return failed('the attempt was given up');
}

function isWebSocketUrl(url: string): boolean {
  return URL.canParse(url) && /^wss?:$/.test(new URL(url).protocol);
}

function hostOf(url: string): string {
  return new URL(url).host;
}
