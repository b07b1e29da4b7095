/** What the connection machine says, and the words for it. Pure: a note becomes a level, a sentence and fields. */
import { refusalWords } from '../../workers/net/refusal.js';
import type { OfflineReason } from '../../workers/protocol.js';
import { reasonWords } from '../troubles.js';
import { humanDuration } from '../base/duration.js';
import type { OpenFailure } from './session.js';

/** Something that happened to the connection, as the machine notes it. Durations are milliseconds. */
export type Note =
  | { readonly kind: 'waiting-for-first-verdict' }
  /** The first verdict is offline: a warning, and the promise that follows it. */
  | { readonly kind: 'offline-at-start'; readonly reason?: OfflineReason | undefined }
  | { readonly kind: 'will-connect' }
  /** The first verdict after a boot is online. */
  | { readonly kind: 'booted'; readonly spreadMs: number }
  | {
      readonly kind: 'internet-lost';
      readonly reason?: OfflineReason | undefined;
      /** What the machine was doing. */
      readonly was: 'stabilising' | 'spreading' | 'connecting' | 'connected' | 'recovering' | 'backing-off';
      /** How long recovering the session is worth trying; undefined if there is none. */
      readonly recoverableForMs?: number | undefined;
    }
  | {
      readonly kind: 'internet-back';
      readonly stabilizationMs: number;
      /** Drawn; 0: none. */
      readonly spreadMs: number;
      readonly recoverable: boolean;
    }
  | { readonly kind: 'attempt'; readonly attempt: number; readonly number: number }
  | {
      readonly kind: 'connected';
      readonly attempt: number;
      readonly number: number;
      /** Messages of ours that were given up unacknowledged while there was no connection. Default 0. */
      readonly givenUp?: number | undefined;
    }
  | {
      readonly kind: 'attempt-failed';
      readonly number: number;
      readonly failure: OpenFailure;
      readonly delayMs: number;
      /** This machine refused it just as it refused the one before. Default false. */
      readonly asBefore?: boolean;
    }
  | {
      readonly kind: 'interrupted';
      readonly message: string;
      readonly withinMs: number;
      /** Drawn; 0: it is resumed at once. */
      readonly spreadMs: number;
    }
  | { readonly kind: 'resuming'; readonly withinMs: number }
  | { readonly kind: 'recovered'; readonly downMs: number; readonly givenUp?: number | undefined }
  /**
   * The session is gone and cannot be recovered. With `delayMs` that is a failure; without, a new connection is opened as soon as it may
   * be, after `spreadMs` if the service ended the old one.
   */
  | {
      readonly kind: 'session-lost';
      readonly message: string;
      readonly delayMs?: number | undefined;
      readonly spreadMs?: number | undefined;
    }
  /** The internet is back, but the service asked for more patience than the outage took. */
  | { readonly kind: 'still-held-off'; readonly why: HeldOff; readonly delayMs: number }
  | { readonly kind: 'retrying-now' }
  | { readonly kind: 'retry-not-allowed'; readonly delayMs: number }
  | { readonly kind: 'reconfigured' }
  | { readonly kind: 'stopped' };

/** Why no attempt may be made before a certain time. */
export type HeldOff = 'failed' | 'refused' | 'throttled';

export interface Narration {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

/** Why a wait is as long as it is. */
const SPREAD = 'spread, so that not all devices of a region come in one second';
const spreadField = (ms: number): { spreadSecs?: number } => (ms > 0 ? { spreadSecs: toSecs(ms) } : {});

const toSecs = (ms: number): number => Math.round(ms / 100) / 10;
const because = (reason: OfflineReason | undefined): string => (reason ? ` (${reasonWords(reason)})` : '');
const reasonField = (reason: OfflineReason | undefined): { reason?: string } => (reason ? { reason } : {});

const givenUpField = (count: number | undefined): { givenUp?: number } => (count ? { givenUp: count } : {});
const givenUpWords = (count: number): string =>
  `${count} ${count === 1 ? 'message' : 'messages'} of ours ${count === 1 ? 'was' : 'were'} given up unacknowledged`;

/** The level, the words and the fields for one note. */
export function narrate(note: Note): Narration {
  switch (note.kind) {
    case 'waiting-for-first-verdict':
      return say('debug', 'Waiting for the first internet check before connecting to the cloud');
    case 'offline-at-start':
      return say(
        'warn',
        `No internet at start${because(note.reason)}: the cloud connection is not tried`,
        reasonField(note.reason),
      );
    case 'will-connect':
      return say('info', 'The cloud connection will be opened as soon as the internet is there');
    case 'internet-lost':
      return internetLost(note);
    case 'booted':
      return say(
        'info',
        `Internet is there: connecting in ${humanDuration(note.spreadMs)} (${SPREAD} after a power cut)`,
        {
          spreadSecs: toSecs(note.spreadMs),
        },
      );
    case 'internet-back': {
      const more = note.spreadMs > 0 ? ` and ${humanDuration(note.spreadMs)} more (${SPREAD})` : '';
      return say(
        'info',
        `Internet is back: waiting ${humanDuration(note.stabilizationMs)} for it to settle${more}, then ${note.recoverable ? 'resuming the cloud connection' : 'connecting'}`,
        {
          stabilizationSecs: toSecs(note.stabilizationMs),
          ...spreadField(note.spreadMs),
          recoverable: note.recoverable,
        },
      );
    }
    case 'attempt':
      return say('debug', `Connecting to the cloud (attempt ${note.number})`, {
        attempt: note.number,
        attemptId: note.attempt,
      });
    case 'connected':
      return say(
        'info',
        `Connected to the cloud${note.number > 1 ? `, at attempt ${note.number}` : ''}${note.givenUp ? `; ${givenUpWords(note.givenUp)}` : ''}`,
        { attempt: note.number, attemptId: note.attempt, ...givenUpField(note.givenUp) },
      );
    case 'attempt-failed':
      return attemptFailed(note);
    case 'interrupted': {
      const from = note.spreadMs > 0 ? `, ${humanDuration(note.spreadMs)} from now (${SPREAD})` : '';
      return say(
        'warn',
        `Cloud connection interrupted (${note.message}) although the internet is there: trying to resume it for ${humanDuration(note.withinMs)}${from}, and checking the internet`,
        { cause: note.message, recoverSecs: toSecs(note.withinMs), ...spreadField(note.spreadMs) },
      );
    }
    case 'resuming':
      return say('debug', `Resuming the cloud connection, for at most ${humanDuration(note.withinMs)}`, {
        recoverSecs: toSecs(note.withinMs),
      });
    case 'recovered':
      return say(
        'info',
        `Cloud connection resumed after ${humanDuration(note.downMs)}; ${note.givenUp ? givenUpWords(note.givenUp) : 'no message was lost'}`,
        { downSecs: toSecs(note.downMs), ...givenUpField(note.givenUp) },
      );
    case 'session-lost':
      return note.delayMs === undefined
        ? say(
            'info',
            `The old cloud connection cannot be resumed (${note.message}); a new one will be opened${note.spreadMs ? ` in ${humanDuration(note.spreadMs)} (${SPREAD})` : ''}, and what was sent to us meanwhile is lost`,
            { cause: note.message, ...spreadField(note.spreadMs ?? 0) },
          )
        : say(
            'warn',
            `Cloud connection lost (${note.message}) although the internet is there; next attempt in ${humanDuration(note.delayMs)}`,
            { cause: note.message, retrySecs: toSecs(note.delayMs) },
          );
    case 'still-held-off':
      return say(
        'info',
        `Internet is there, but the cloud ${note.why === 'refused' ? 'refused the last sign-in' : 'asked for a pause'}; next attempt in ${humanDuration(note.delayMs)}`,
        { why: note.why, retrySecs: toSecs(note.delayMs) },
      );
    case 'retrying-now':
      return say('info', 'Asked to try again: connecting to the cloud now');
    case 'retry-not-allowed':
      return say(
        'info',
        `Asked to try again, but the cloud asked for a pause; next attempt in ${humanDuration(note.delayMs)}`,
        { retrySecs: toSecs(note.delayMs) },
      );
    case 'reconfigured':
      return say('debug', 'New connection timings are in force from the next wait on');
    case 'stopped':
      return say('info', 'Cloud connection closed: stopping');
  }
}

function say(level: Narration['level'], message: string, fields: Narration['fields'] = {}): Narration {
  return { level, message, fields };
}

function internetLost(note: Extract<Note, { kind: 'internet-lost' }>): Narration {
  const lost = `Internet lost${because(note.reason)}`;
  const fields = { ...reasonField(note.reason), was: note.was };
  switch (note.was) {
    case 'connected':
    case 'recovering':
      return note.recoverableForMs === undefined
        ? say('warn', `${lost}: closed the cloud connection; reconnecting when it is back`, fields)
        : say(
            'warn',
            `${lost}: closed the cloud connection; resuming it when it is back, if the service still keeps it (for 30 s at least)`,
            { ...fields, recoverableSecs: toSecs(note.recoverableForMs) },
          );
    case 'connecting':
      return say('warn', `${lost}: gave up the cloud connection attempt; connecting when it is back`, fields);
    case 'stabilising':
    case 'spreading':
      return say('warn', `${lost} again before it settled; connecting when it is back`, fields);
    case 'backing-off':
      return say('warn', `${lost}: retries of the cloud connection are paused until it is back`, fields);
  }
}

function attemptFailed({
  number,
  failure,
  delayMs,
  asBefore = false,
}: Extract<Note, { kind: 'attempt-failed' }>): Narration {
  const fields = { attempt: number, failure: failure.kind, cause: failure.message, retrySecs: toSecs(delayMs) };
  const next = `next attempt in ${humanDuration(delayMs)}`;
  switch (failure.kind) {
    case 'failed':
      if (failure.refusal !== undefined) {
        return say(
          asBefore ? 'debug' : 'warn',
          `The system refuses what the cloud connection needs (${refusalWords(failure.refusal)}); nobody was asked, and it is tried again until it can be opened`,
          { ...fields, code: failure.refusal },
        );
      }
      return say(
        'warn',
        `Cloud connection attempt ${number} failed (${failure.message}) although the internet is there; ${next}`,
        fields,
      );
    case 'throttled':
      if (failure.status !== undefined && failure.status !== 429) {
        return say('warn', `The cloud asked for a pause (${failure.status}: ${failure.message}); ${next}`, {
          ...fields,
          status: failure.status,
        });
      }
      return say(
        'warn',
        `The cloud has too many connections, messages or sign-ins from us (429: ${failure.message}); ${next}`,
        { ...fields, status: 429 },
      );
    case 'refused':
      return say(
        'error',
        `The cloud refused the sign-in (${failure.status}: ${failure.message}): check the AUTH0_… settings or WEBPUBSUB_CLIENT_URL, whichever you use; ${next}`,
        { ...fields, status: failure.status },
      );
  }
}
