/**
 * A request over verified TLS to one of several addresses: happy eyeballs between them (RFC 8305), one answer wanted. Bounded by a
 * deadline; never throws.
 */
import { raceAddresses } from '../net/address-race.js';
import type { Agenda } from '../net/agenda.js';
import type { LinkedAbort } from '../net/linked-abort.js';
import type { Interfaces } from '../net/interfaces.js';
import { isRefusal } from '../net/refusal.js';
import type { HttpsEvidence } from '../protocol.js';
import { DeadlineError, type Steps } from '../net/open-address.js';
import type { Answer, Failure } from './answer.js';
import { Connection, openConnection, type Opened, type Site } from './connection.js';
import { Deadline } from './deadline.js';
import type { Manner } from './manner.js';
import { extended } from './patience.js';

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
  /** The most it may become where each step shows that the line is slow, milliseconds from now. */
  readonly boundMs: number;
  /** Gives up at once. */
  readonly signal: AbortSignal;
}

/** A try over a fresh connection. */
export async function tryFresh(options: TryOptions): Promise<Tried> {
  const startedAt = performance.now();
  const { addressesFrom, manner } = options;
  const boundMs = startedAt + Math.max(options.timeoutMs, options.boundMs);
  const deadline = new Deadline(startedAt + options.timeoutMs, options.signal);
  const putOff = (step: 'proxy' | 'tls' | 'http', roundTripMs: number): void => {
    const nowMs = performance.now();
    deadline.putOff(extended(step, { nowMs, roundTripMs, deadlineMs: deadline.atMs, boundMs }));
  };
  try {
    const { address, opened } = await race(options, deadline.signal, putOff);
    const common = { phase: 'https', addressesFrom, address, reused: false, ...opened.steps } as const;
    if (!opened.ok) {
      return {
        evidence: { ...common, ok: false, ms: since(startedAt), ...failed(opened.failure) },
        connection: undefined,
      };
    }
    const { connection, resumed, steps } = opened;
    putOff('http', Math.max(steps.tcpMs ?? 0, steps.proxyMs ?? 0));
    const answer = await connection.ask(manner.method, deadline.signal);
    const ms = since(startedAt);
    if (!answer.ok) {
      return { evidence: { ...common, resumed, ok: false, ms, ...failed(answer.failure) }, connection: undefined };
    }
    return { evidence: { ...common, resumed, ok: true, ms, ...said(answer) }, connection };
  } finally {
    deadline.clear();
  }
}

/** A try over the connection of an earlier check. @param agenda what is due in this check */
export async function tryKept(
  kept: Connection,
  { method }: Manner,
  abort: LinkedAbort,
  timeoutMs: number,
  agenda: Agenda,
): Promise<Tried> {
  const startedAt = performance.now();
  const inTime = agenda.after(timeoutMs, () => abort.abort(new DeadlineError('time is up')));
  const answer = await kept.ask(method, abort.signal);
  inTime();
  const ms = since(startedAt);
  const common = { phase: 'https', addressesFrom: 'last-good', address: kept.address, reused: true, ms } as const;
  if (!answer.ok) return { evidence: { ...common, ok: false, ...failed(answer.failure) }, connection: undefined };
  return { evidence: { ...common, ok: true, ...said(answer) }, connection: kept };
}

/** False for a connection that has ended, or whose own address this machine no longer has (another network, another lease). */
export function stillServes(kept: Connection, interfaces: Interfaces | undefined): boolean {
  if (!kept.usable) return false;
  // Nobody knows; a connection from an address that is gone is silent, and a fresh one is tried beside it.
  if (interfaces === undefined) return true;
  const mine = kept.localAddress.replace(/^::ffff:/, '');
  return Object.values(interfaces).some((list) => list?.some(({ address }) => address === mine));
}

function race(
  options: TryOptions,
  signal: AbortSignal,
  onPhase: (phase: 'proxy' | 'tls', roundTripMs: number) => void,
): Promise<{ address: string; opened: Opened }> {
  return raceAddresses<Opened>({
    addresses: options.addresses.slice(0, MAX_TRIED),
    open: (address, either) => {
      let begunAt = performance.now();
      return openConnection({
        ...options,
        address,
        signal: either,
        // What the step before took has a round trip in it: to the proxy, or to whom it leads.
        onPhase: (phase) => {
          onPhase(phase, performance.now() - begunAt);
          begunAt = performance.now();
        },
      });
    },
    close: (opened) => opened.connection.close(),
    tells: (opened) => depth(opened.failure),
    signal,
  });
}

/** The failure that tells most: the one that got furthest. */
function depth({ at, reason, error }: Failure): number {
  if (isRefusal(error)) return -1;
  const layer = { tcp: 0, proxy: 10, tls: 20, http: 30 }[at];
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
  proxy,
}: Failure): Pick<HttpsEvidence, 'failedAt' | 'error' | 'detail' | 'reason' | 'proxy'> {
  return {
    failedAt: at,
    error,
    ...(reason === undefined ? {} : { reason }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(detail === undefined ? {} : { detail }),
  };
}

function since(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}

export type { Connection, Site, Steps };
