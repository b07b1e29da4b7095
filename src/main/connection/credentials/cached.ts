/**
 * Keeps a client access URL until its token is about to expire or the service refuses it, and makes a sign-in storm impossible:
 * one sign-in at a time, however many ask, and never sooner than `pacing.ts` allows. Until then a URL that was refused is
 * rather offered again than fetched anew: it costs the cloud one handshake and the sign-in nothing.
 */

import type { Logger } from '../../log.js';
import { UnreachableError } from './failed-call.js';
import { lifeLeft, NO_KEEPER, type UrlKeeper } from './kept-url.js';
import {
  begun,
  failed,
  lifted,
  newPacing,
  servedUrlRefused,
  succeeded,
  unreached,
  urlRefused,
  waitMs,
  type PacingLimits,
} from './pacing.js';
import {
  SignInError,
  type ClientAccessUrl,
  type ClientAccessUrlProvider,
  type ClientAccessUrlSource,
} from './provider.js';

export interface CachedOptions {
  readonly limits: PacingLimits;
  readonly log: Logger;
  /** A clock that is never set, milliseconds. */
  readonly now: () => number;
  /** Keeps the URL for the next process. Default: nobody does. */
  readonly keeper?: UrlKeeper;
  /** Wall clock, milliseconds since 1970, however wrong; for what the last process kept. */
  readonly wallMs?: () => number;
}

/** A new URL is fetched this long before the token expires, milliseconds, or in the last tenth of its life if that is shorter. */
const MAX_MARGIN_MS = 5 * 60_000;

interface Held {
  readonly given: ClientAccessUrl;
  /** On the clock that is never set, as all moments here. */
  readonly endsAtMs: number | undefined;
  readonly marginMs: number;
  readonly fetchedAtMs: number;
  readonly refused: boolean;
  /** It opened a session at least once. */
  readonly served: boolean;
}

interface Flight {
  readonly promise: Promise<ClientAccessUrl>;
  readonly controller: AbortController;
  waiting: number;
}

/** @param source Asks at every `get`, within its own deadline. */
export function cached(source: ClientAccessUrlSource, options: CachedOptions): ClientAccessUrlProvider {
  const { limits, log, now, keeper = NO_KEEPER, wallMs } = options;
  const from = source.description;
  let pacing = newPacing(limits, now());
  let held: Held | undefined;
  /** Of the last process, not used yet. */
  let found = wallMs === undefined ? undefined : keeper.found;
  let lastError: SignInError | undefined;
  let flight: Flight | undefined;

  async function get(signal: AbortSignal): Promise<ClientAccessUrl> {
    if (isAborted(signal)) throw givenUp(signal);
    held ??= restored();
    if (held !== undefined && !held.refused && !isDue(held, now())) return offer(held);
    if (flight === undefined) {
      const [blockedMs, next] = waitMs(pacing, limits, now());
      pacing = next;
      if (blockedMs > 0) return offerAgain(blockedMs);
    }
    try {
      return await share(signal);
    } catch (error) {
      // A URL whose time is nearly up still serves while the sign-in is in trouble.
      const spare = isAborted(signal) ? undefined : unrefused();
      if (spare === undefined) throw error;
      return offer(spare);
    }
  }

  /** What the last process kept, as soon as the clock can be believed and while the token is valid by it. */
  function restored(): Held | undefined {
    if (found === undefined || wallMs === undefined) return undefined;
    const { url, expiresAtMs, lifeMs } = found;
    const left = lifeLeft(found, wallMs());
    if (left.kind === 'too-early') return undefined;
    found = undefined;
    if (left.kind === 'over') {
      keeper.forget();
      return undefined;
    }
    const at = now();
    log.info(
      { from, validSecs: Math.floor(left.ms / 1_000) },
      'The client access URL of the last start is still good: no sign-in is needed.',
    );
    return {
      given: { url, expiresAtMs, lifeMs: left.ms, cached: false },
      endsAtMs: at + left.ms,
      marginMs: Math.min(MAX_MARGIN_MS, lifeMs / 10),
      fetchedAtMs: at,
      refused: false,
      // It was kept when it had; should it be refused, a fresh one is fetched at once.
      served: true,
    };
  }

  function unrefused(): Held | undefined {
    return held === undefined || held.refused || hasExpired(held, now()) ? undefined : held;
  }

  function offerAgain(blockedMs: number): ClientAccessUrl {
    const retrySecs = Math.ceil(blockedMs / 1_000);
    if (held !== undefined && !hasExpired(held, now())) {
      log.debug(
        { from, retrySecs },
        'Trying the client access URL at hand once more: it is too soon for a new sign-in.',
      );
      return offer(held);
    }
    const why = lastError?.message ?? `The last client access URL of ${from} did not serve.`;
    throw new SignInError(
      lastError?.kind ?? 'throttled',
      `${why} Not asking again for ${retrySecs} s.`,
      blockedMs,
      lastError === undefined ? {} : { cause: lastError, ...(lastError.status && { status: lastError.status }) },
    );
  }

  /** Joins the sign-in under way or begins one; it is given up when nobody waits for it any more. */
  function share(signal: AbortSignal): Promise<ClientAccessUrl> {
    flight ??= begin();
    const mine = flight;
    mine.waiting += 1;
    return new Promise((resolve, reject) => {
      let left = false;
      const leave = (): void => {
        if (left) return;
        left = true;
        signal.removeEventListener('abort', onAbort);
        mine.waiting -= 1;
      };
      const onAbort = (): void => {
        leave();
        if (mine.waiting === 0) {
          if (flight === mine) flight = undefined;
          mine.controller.abort(signal.reason);
        }
        reject(givenUp(signal));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      mine.promise.then(resolve, reject).finally(leave);
    });
  }

  function begin(): Flight {
    const controller = new AbortController();
    pacing = begun(pacing, limits, now());
    const promise = source
      .get(controller.signal)
      .then(keep, (error: unknown) => giveBack(error, controller.signal.aborted));
    const mine: Flight = { promise, controller, waiting: 0 };
    const land = (): void => {
      if (flight === mine) flight = undefined;
    };
    promise.then(land, land);
    return mine;
  }

  function keep(fetched: ClientAccessUrl): ClientAccessUrl {
    const at = now();
    pacing = succeeded(pacing, held?.refused !== true);
    lastError = undefined;
    const { lifeMs } = fetched;
    if (lifeMs !== undefined && lifeMs <= 0) {
      const agoSecs = Math.ceil(-lifeMs / 1_000);
      log.warn(
        { from, agoSecs },
        'The new client access URL has already expired by the clock of whoever gave it; it is used until the service refuses it.',
      );
    }
    const dated = lifeMs !== undefined && lifeMs > 0;
    held = {
      given: fetched,
      endsAtMs: dated ? at + lifeMs : undefined,
      marginMs: dated ? Math.min(MAX_MARGIN_MS, lifeMs / 10) : 0,
      fetchedAtMs: at,
      refused: false,
      served: false,
    };
    found = undefined;
    const validSecs = dated ? Math.floor(lifeMs / 1_000) : undefined;
    log.info({ from, validSecs }, 'Signed in: there is a new client access URL.');
    return { ...offer(held), cached: false };
  }

  function giveBack(error: unknown, abandoned: boolean): never {
    const failure =
      error instanceof SignInError
        ? error
        : new SignInError('failed', `${from}: the sign-in failed.`, undefined, { cause: error });
    if (failure instanceof UnreachableError) {
      pacing = unreached(pacing, limits);
    } else if (!abandoned) {
      const serverTrouble = failure.kind === 'failed' && (failure.status === undefined || failure.status >= 500);
      const retryAfterMs = failure.retryAfterMs ?? (serverTrouble ? 0 : undefined);
      pacing = failed(pacing, limits, now(), retryAfterMs);
      lastError = failure;
    }
    throw failure;
  }

  function refused(url: ClientAccessUrl): void {
    if (held?.given.url !== url.url || held.refused) return;
    held = { ...held, refused: true };
    keeper.forget();
    const [, before] = waitMs(pacing, limits, now());
    pacing = held.served
      ? servedUrlRefused(before, limits, now())
      : urlRefused(before, limits, now(), now() - held.fetchedAtMs);
    const [blockedMs, next] = waitMs(pacing, limits, now());
    pacing = next;
    const retrySecs = Math.ceil(blockedMs / 1_000);
    log.warn(
      { from, retrySecs },
      retrySecs === 0
        ? 'The service refused the client access URL; the next attempt signs in anew.'
        : 'The service refused a new client access URL; the next sign-in waits, and until then the same URL is tried again.',
    );
  }

  function served(url: ClientAccessUrl): void {
    if (held?.given.url !== url.url || held.served) return;
    held = { ...held, served: true };
    const { expiresAtMs, lifeMs } = held.given;
    // Of one that does not say when it ends nobody could know whether it is still good.
    if (expiresAtMs !== undefined && lifeMs !== undefined && lifeMs > 0) {
      keeper.keep({ url: held.given.url, expiresAtMs, lifeMs });
    }
  }

  function mended(): void {
    pacing = lifted(pacing, limits, now());
  }

  return {
    description: from,
    get,
    refused,
    served,
    mended,
    get signInAllowedInMs() {
      return waitMs(pacing, limits, now())[0];
    },
  };
}

function offer({ given, refused }: Held): ClientAccessUrl {
  // One that was refused is offered again only because no fresher one is to be had yet.
  return { ...given, cached: !refused };
}

function isDue({ endsAtMs, marginMs }: Held, now: number): boolean {
  return endsAtMs !== undefined && now >= endsAtMs - marginMs;
}

function hasExpired({ endsAtMs }: Held, now: number): boolean {
  return endsAtMs !== undefined && now >= endsAtMs;
}

/** A function, since it changes while the compiler believes it constant. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function givenUp(signal: AbortSignal): SignInError {
  return new SignInError('failed', 'Signing in was given up.', undefined, { cause: signal.reason });
}
