/**
 * How large a packet may be on the way out. A line whose largest packet is smaller than this machine believes (PPPoE, WireGuard, LTE) ought to say so
 * by ICMP; where that is swallowed, what is larger is lost for ever while small packets arrive.
 *
 * The site is asked with requests of growing size, each in one packet. Never rejects; bounded by a few time-outs.
 */
import { interfacesNow } from '../net/interfaces.js';
import { DeadlineError } from '../net/open-address.js';
import type { PacketEvidence } from '../protocol.js';
import { openConnection, type Connection, type Site } from './connection.js';
import type { Manner } from './manner.js';

export interface PacketSizesOptions {
  readonly site: Site;
  /** IP literal. */
  readonly address: string;
  readonly manner: Manner;
  /** Deadline of connect and TLS, milliseconds. An answer has twice that, which holds four retransmissions. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What lines of that kind carry: IPv4's least (RFC 791), IPv6's (RFC 8200), WireGuard (1,420), PPPoE (1,492, RFC 2516), and what lies between. */
const SIZES: readonly number[] = [576, 1_000, 1_280, 1_400, 1_420, 1_492];
/** The largest packet of Ethernet, of which a request holds one that is more than enough for it. */
const FULL_SIZE = 1_500;
const FULL_REQUEST_BYTES = 1_600;
/** IP, TCP with timestamps (RFC 7323), a record of TLS 1.3 (RFC 8446, 5.2). */
const HEADERS = { 4: 20 + 32 + 22, 6: 40 + 32 + 22 } as const;

/** Undefined: nothing can be said. */
export async function tryPacketSizes(options: PacketSizesOptions): Promise<PacketEvidence | undefined> {
  const first = await climb(options, []);
  if (first === undefined) return undefined;
  if (first.lost === undefined) return evidenceOf(options, first);
  // Once more, beginning with small ones: it may have been chance, or the site.
  const second = await climb(options, SIZES);
  return second === undefined ? undefined : evidenceOf(options, second);
}

function evidenceOf({ address }: PacketSizesOptions, { passes, lost, device }: Climbed): PacketEvidence {
  return {
    phase: 'packets',
    ok: lost === undefined,
    address,
    passes,
    ...(lost === undefined ? {} : { lost }),
    ...(device === undefined ? {} : { device }),
  };
}

interface Climbed {
  /** 0: none of those that were tried, only a small one. */
  readonly passes: number;
  /** Undefined: every one of them was answered. */
  readonly lost: number | undefined;
  readonly device: string | undefined;
}

/** Over one connection: a small request, then those of `sizes`, then the largest. Undefined: it says nothing, as even a small one is not answered. */
async function climb(options: PacketSizesOptions, sizes: readonly number[]): Promise<Climbed | undefined> {
  const { address, timeoutMs } = options;
  const connection = await open(options);
  if (connection === undefined) return undefined;
  const device = deviceOf(connection.localAddress);
  try {
    if ((await ask(connection, options, timeoutMs, 0)) !== 'answered') return undefined;
    let passes = 0;
    for (const size of [...sizes, FULL_SIZE]) {
      const bytes = size === FULL_SIZE ? FULL_REQUEST_BYTES : size - HEADERS[address.includes(':') ? 6 : 4];
      const became = await ask(connection, options, 2 * timeoutMs, bytes);
      if (became === 'failed') return undefined;
      if (became === 'lost') return { passes, lost: size, device };
      passes = size;
    }
    return { passes, lost: undefined, device };
  } finally {
    connection.close();
  }
}

async function open({ site, address, manner, timeoutMs, signal }: PacketSizesOptions): Promise<Connection | undefined> {
  const opened = await within(2 * timeoutMs, signal, (either) =>
    openConnection({
      site,
      address,
      // Only of HTTP/1.1 is the size of a request known; a site that does not speak it says nothing here.
      manner: { ...manner, protocol: 'http/1.1' },
      // What resumes a session is a larger packet.
      session: undefined,
      signal: either,
      onPhase: () => undefined,
      onSession: () => undefined,
    }),
  );
  return opened.ok ? opened.connection : undefined;
}

/** `lost`: silence until the deadline. */
async function ask(
  connection: Connection,
  { manner, signal }: PacketSizesOptions,
  withinMs: number,
  bytes: number,
): Promise<'answered' | 'lost' | 'failed'> {
  const answer = await within(withinMs, signal, (either) => connection.ask(manner.method, either, bytes));
  if (answer.ok) return 'answered';
  return answer.failure.error === new DeadlineError().code ? 'lost' : 'failed';
}

async function within<T>(ms: number, signal: AbortSignal, work: (either: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new DeadlineError('time is up')), ms);
  try {
    return await work(AbortSignal.any([signal, late.signal]));
  } finally {
    clearTimeout(timer);
  }
}

function deviceOf(localAddress: string): string | undefined {
  const mine = localAddress.replace(/^::ffff:/, '');
  const found = Object.entries(interfacesNow() ?? {}).find(([, list]) => list?.some(({ address }) => address === mine));
  return found?.[0];
}
