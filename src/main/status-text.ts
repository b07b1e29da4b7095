/** One line that says how the daemon is, for `systemctl status`. Pure. */
import type { CheckEvidence, VerdictState } from '../workers/protocol.js';
import { refusalWords } from '../workers/net/refusal.js';
import { betterUplink, betterWords } from './evidence-text.js';
import { farOffWords } from './clock/site.js';
import { reasonWords, TROUBLES } from './troubles.js';

/** What of the connection the line needs. */
export interface ConnectionGlance {
  readonly kind: string;
  readonly sinceMs: number;
  readonly group: string | undefined;
  readonly nextAttemptAtMs: number | undefined;
  readonly lastFailure: { readonly message: string } | undefined;
}

/** What of the clock the line needs. */
export interface ClockGlance {
  /** Undefined before the first check. */
  readonly trusted: boolean | undefined;
  /** Our clock minus the test site's, where that is more than a day, milliseconds. */
  readonly farOffMs: number | undefined;
}

/** What of the internet the line needs. */
export interface InternetGlance extends VerdictState {
  readonly lastEvidence?: CheckEvidence;
}

export interface StatusOptions {
  readonly clock: ClockGlance;
  /** Seconds between two looks while offline. */
  readonly offlineIntervalSecs: number;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
}

/**
 * Such as `Online, connected since 14:02, group velasquez` or `Offline since 14:02: no name server answers; next look in 2 s`, with
 * `; the clock cannot be trusted` behind it while that is so.
 */
export function statusText(internet: InternetGlance, connection: ConnectionGlance, options: StatusOptions): string {
  return `${internetText(internet, connection, options)}${refusedText(internet)}${clockText(options.clock)}`;
}

/** The same where the cloud is switched off. */
export function idleText(clock: ClockGlance): string {
  return `Idle: websocketEnabled is False${clockText(clock)}`;
}

function refusedText({ lastEvidence }: InternetGlance): string {
  const refused = lastEvidence?.refused;
  return refused === undefined ? '' : `; the system refuses the internet checks (${refusalWords(refused)})`;
}

function clockText({ trusted, farOffMs }: ClockGlance): string {
  if (farOffMs !== undefined) return `; the clock is ${farOffWords(farOffMs)}`;
  return trusted === false ? '; the clock cannot be trusted' : '';
}

function internetText(internet: InternetGlance, connection: ConnectionGlance, options: StatusOptions): string {
  switch (internet.verdict) {
    case 'unknown':
      return 'Looking for the internet for the first time';
    case 'offline': {
      const why = internet.reason === undefined ? TROUBLES['no-internet'].title : reasonWords(internet.reason);
      const login = internet.reason === 'portal' ? internet.lastEvidence?.portal?.login : undefined;
      const where = login === undefined ? '' : `, log in at ${login}`;
      const better = betterUplink(internet.lastEvidence?.link);
      const round = better === undefined ? '' : `; ${betterWords(better)}`;
      return `Offline since ${clockTime(internet.sinceMs, options.nowMs)}: ${why}${where}${round}; next look in ${options.offlineIntervalSecs} s`;
    }
    case 'online':
      return `Online, ${connectionText(connection, options.nowMs)}`;
  }
}

function connectionText(connection: ConnectionGlance, nowMs: number): string {
  const group = connection.group === undefined ? '' : `, group ${connection.group}`;
  const failure = connection.lastFailure === undefined ? '' : `: ${connection.lastFailure.message}`;
  switch (connection.kind) {
    case 'connected':
      return `connected since ${clockTime(connection.sinceMs, nowMs)}${group}`;
    case 'backing-off': {
      const at = connection.nextAttemptAtMs;
      const next = at === undefined ? '' : `; next attempt at ${clockTime(at, nowMs, true)}`;
      return `not connected${failure}${next}`;
    }
    case 'spreading': {
      const at = connection.nextAttemptAtMs;
      return `waiting its turn, so that not all devices come at once${at === undefined ? '' : `; connecting at ${clockTime(at, nowMs, true)}`}`;
    }
    case 'stabilising':
      return 'waiting for it to settle, then connecting';
    case 'recovering':
      return `resuming the cloud connection${group}`;
    case 'connecting':
      return `connecting to the cloud${group}`;
    default:
      return 'not connected';
  }
}

/** Local time; with the date where it is not today's. */
function clockTime(atMs: number, nowMs: number, seconds = false): string {
  const at = new Date(atMs);
  const two = (n: number): string => String(n).padStart(2, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}${seconds ? `:${two(at.getSeconds())}` : ''}`;
  const today = new Date(nowMs).toDateString() === at.toDateString();
  return today ? time : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`;
}
