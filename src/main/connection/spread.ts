/**
 * How long a device puts off what others do in the same moment: the return of a region, a restart of the service, a boot after a power
 * cut. Pure. Milliseconds.
 *
 * A random wait in [0, bound) turns a hundred thousand arrivals in one second into `100,000 / bound` a second. It costs the single device
 * half the bound, so the bounds follow what it has waited already: nothing after a short outage, a tenth of a longer one.
 */
import type { OfflineReason } from '../../workers/protocol.js';
import type { LossCause } from './session.js';

export interface SpreadPolicy {
  /** Most that a return from an outage is put off. Default 60,000. */
  readonly returnMs: number;
  /** A new session after the service ended the old one. Default 30,000. */
  readonly closeMs: number;
  /** The recovery of a session: what waits in the service until then comes that much later, and must not be lost. Default 5,000. */
  readonly recoveryMs: number;
  /** The first session after a boot. Default 15,000. */
  readonly bootMs: number;
}

export const DEFAULT_SPREAD: SpreadPolicy = { returnMs: 60_000, closeMs: 30_000, recoveryMs: 5_000, bootMs: 15_000 };

/** The defaults, none longer than `mostMs`; 0 spreads nothing. */
export function spreadOfAtMost(mostMs: number): SpreadPolicy {
  return {
    returnMs: mostMs,
    closeMs: Math.min(DEFAULT_SPREAD.closeMs, mostMs),
    recoveryMs: Math.min(DEFAULT_SPREAD.recoveryMs, mostMs),
    bootMs: Math.min(DEFAULT_SPREAD.bootMs, mostMs),
  };
}

/** An outage as the verdicts tell it. */
export interface Outage {
  readonly sinceMs: number;
  /** Of the verdict that began it. */
  readonly reason: OfflineReason | undefined;
}

/** A shorter outage is spread by nothing but the phases of the checks: whoever is gone for seconds wants to be back. */
const SHORT_MS = 20_000;
/** A return is put off by a tenth of the outage at most. */
const SHARES = 10;

/** Whose fault an outage of this reason is: this device's own, or perhaps that of everybody around it. */
const OF_THIS_DEVICE: Readonly<Record<OfflineReason, boolean>> = {
  'no-link': true,
  'no-route': true,
  'dns-timeout': false,
  'dns-failed': false,
  proxy: false,
  'tcp-timeout': false,
  'tcp-refused': false,
  portal: false,
  'no-ca-store': true,
  clock: false,
  'tls-failed': false,
  'http-timeout': false,
};

/** In [0, the policy's `returnMs`]: how far a return from the outage at `nowMs` is spread. */
export function returnBoundMs({ sinceMs, reason }: Outage, policy: SpreadPolicy, nowMs: number): number {
  const lastedMs = nowMs - sinceMs;
  if (lastedMs < SHORT_MS || (reason !== undefined && OF_THIS_DEVICE[reason])) return 0;
  return Math.min(policy.returnMs, lastedMs / SHARES);
}

/** Whether what took this session may have taken those of many others at the same time. */
export function mayBeEverybodys(cause: LossCause): boolean {
  return cause.kind === 'service' || cause.kind === 'broken';
}

/** A wait in [0, bound), whole milliseconds. `random` is in [0, 1). */
export function drawn(boundMs: number, random: number): number {
  return Math.floor(Math.max(0, boundMs) * random);
}

/** What bounds the recovery of a session. */
export interface Recoverable {
  readonly downSinceMs: number;
  readonly expiresAtMs: number;
}

/**
 * Most that the recovery may be put off from `fromMs` on: half of what is left of the time the service promises, or, once that is over, of
 * the time it is worth a try at all; the other half is for the recovery itself.
 */
export function recoveryRoomMs(session: Recoverable, promisedMs: number, fromMs: number): number {
  const promisedUntilMs = Math.min(session.expiresAtMs, session.downSinceMs + promisedMs);
  const untilMs = fromMs < promisedUntilMs ? promisedUntilMs : session.expiresAtMs;
  return Math.max(0, (untilMs - fromMs) / 2);
}
