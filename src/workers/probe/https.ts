/**
 * A request over verified TLS to one of several addresses: happy eyeballs between them (RFC 8305), one answer wanted. Bounded by a
 * deadline; never throws.
 */
import { raceAddresses } from '../net/address-race.js';
import type { Interfaces } from '../net/interfaces.js';
import { isRefusal } from '../net/refusal.js';
import type { HttpsEvidence } from '../protocol.js';
import { DeadlineError, type Steps } from '../net/open-address.js';
import type { Answer, Failure } from './answer.js';
import { Connection, openConnection, type Opened, type Site } from './connection.js';
import type { Manner } from './manner.js';

/** Addresses tried at the most: four families or data centres tell what there is to tell. */
const MAX_TRIED = 4;

/** What a try saw and, if it got an answer, the connection that can be kept. */
export interface Tried {
  readonly evidence: HttpsEvidence;
  readonly connection: Connection | undefined;
}

export interface TryOptions {
  readonly site: Site;
  /** IP literals in the order of preference; at least one. */
  readonly addresses: readonly string[];
  readonly addressesFrom: HttpsEvidence['addressesFrom'];
  readonly manner: Manner;
  readonly session: Buffer | undefined;
  readonly onSession: (session: Buffer) => void;
  /** Over connect, TLS and headers, milliseconds from now. */
  readonly timeoutMs: number;
  /** Gives up at once. */
  readonly signal: AbortSignal;
}

/** A try over a fresh connection. */
export async function tryFresh(options: TryOptions): Promise<Tried> {
  const startedAt = performance.now();
  const { addressesFrom } = options;
  return withDeadline(options.timeoutMs, options.signal, async (signal) => {
    const { address, opened } = await race(options, signal);
    const common = { phase: 'https', addressesFrom, address, reused: false, ...opened.steps } as const;
    if (!opened.ok) {
      return {
        evidence: { ...common, ok: false, ms: since(startedAt), ...failed(opened.failure) },
        connection: undefined,
      };
    }
    const { connection, resumed } = opened;
    const answer = await connection.ask(options.manner.method, signal);
    const ms = since(startedAt);
    if (!answer.ok) {
      return { evidence: { ...common, resumed, ok: false, ms, ...failed(answer.failure) }, connection: undefined };
    }
    return { evidence: { ...common, resumed, ok: true, ms, ...said(answer) }, connection };
  });
}

/** A try over the connection of an earlier check. */
export async function tryKept(
  kept: Connection,
  { method }: Manner,
  timeoutMs: number,
  outer: AbortSignal,
): Promise<Tried> {
  return withDeadline(timeoutMs, outer, async (signal) => {
    const startedAt = performance.now();
    const answer = await kept.ask(method, signal);
    const ms = since(startedAt);
    const common = { phase: 'https', addressesFrom: 'last-good', address: kept.address, reused: true, ms } as const;
    if (!answer.ok) return { evidence: { ...common, ok: false, ...failed(answer.failure) }, connection: undefined };
    return { evidence: { ...common, ok: true, ...said(answer) }, connection: kept };
  });
}

/** False for a connection that has ended, or whose own address this machine no longer has (another network, another lease). */
export function stillServes(kept: Connection, interfaces: Interfaces | undefined): boolean {
  if (!kept.usable) return false;
  // Nobody knows; a connection from an address that is gone is silent, and a fresh one is tried beside it.
  if (interfaces === undefined) return true;
  const mine = kept.localAddress.replace(/^::ffff:/, '');
  return Object.values(interfaces).some((list) => list?.some(({ address }) => address === mine));
}

function race(options: TryOptions, signal: AbortSignal): Promise<{ address: string; opened: Opened }> {
  return raceAddresses<Opened>({
    addresses: options.addresses.slice(0, MAX_TRIED),
    open: (address, either) => openConnection({ ...options, address, signal: either }),
    close: (opened) => opened.connection.close(),
    tells: (opened) => depth(opened.failure),
    signal,
  });
}

/** The failure that tells most: the one that got furthest. */
function depth({ at, reason, error }: Failure): number {
  if (isRefusal(error)) return -1;
  const layer = { tcp: 0, tls: 10, http: 20 }[at];
  const telling =
    reason === 'portal' || reason === 'no-ca-store' || reason === 'clock' ? 5 : reason === 'tcp-refused' ? 1 : 0;
  return layer + telling;
}

function said({ ms, status, clockAheadMs }: Extract<Answer, { ok: true }>): Partial<HttpsEvidence> {
  return { httpMs: ms, status, ...(clockAheadMs === undefined ? {} : { clockAheadMs }) };
}

function failed({
  at,
  error,
  detail,
  reason,
}: Failure): Pick<HttpsEvidence, 'failedAt' | 'error' | 'detail' | 'reason'> {
  return {
    failedAt: at,
    error,
    ...(reason === undefined ? {} : { reason }),
    ...(detail === undefined ? {} : { detail }),
  };
}

async function withDeadline<T>(ms: number, outer: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new DeadlineError('time is up')), ms);
  try {
    return await work(AbortSignal.any([outer, deadline.signal]));
  } finally {
    clearTimeout(timer);
  }
}

function since(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}

export type { Connection, Site, Steps };
