/**
 * Opens one connection to a host: its names, then its addresses raced through TCP and, if `tls` is given, through TLS. Where a proxy leads there, it
 * is the proxy's addresses that are raced, and the host's name is left to the proxy. Never rejects. Its only deadline is the caller's signal, since
 * what the caller waits for goes on behind the opening.
 */
import { isIP, type LookupFunction, type Socket } from 'node:net';
import {
  NOTHING_FAILED,
  failedLast,
  learn,
  stalled,
  swallowed,
  swallows,
  type AddressMemory,
} from './address-memory.js';
import { raceAddresses } from './address-race.js';
import type { Proxy, ProxySettings } from '../protocol.js';
import type { Use } from './meter.js';
import { openAddress, type OpenPhase, type TlsChoice } from './open-address.js';
import { proxyFor } from './proxy.js';
import { refusalOf } from './refusal.js';
import { lookAtSending, watchSending } from './swallowed.js';

export type ConnectPhase = 'dns' | OpenPhase;

const ORDER: readonly ConnectPhase[] = ['dns', 'tcp', 'proxy', 'tls'];

/** What a look-up is asked with: one that knows what to do with the signal gives the question up with it. */
export interface CancellableLookup {
  readonly all: true;
  readonly signal?: AbortSignal;
}

export interface ConnectOptions {
  /** Name or IP literal (without brackets). */
  readonly host: string;
  readonly port: number;
  /** Finds the addresses of a name; must be bounded itself. */
  readonly lookup: LookupFunction;
  /** Undefined: none. */
  readonly proxy?: ProxySettings | undefined;
  /** Undefined: no TLS. A certificate that is not the host's is refused by Node itself, before a byte is sent. */
  readonly tls?: Omit<TlsChoice, 'session'>;
  /** Whose bytes they are. Default: the checks'. */
  readonly use?: Use;
  readonly signal: AbortSignal;
  /** The furthest phase that any address has reached, whenever it rises. */
  readonly onPhase?: (phase: ConnectPhase) => void;
}

/** What a connection can be told to have become once it was open. */
export interface Opened {
  /** Nothing came back over it, although it opened: its address is tried last for a while. */
  readonly stalled: () => void;
  /**
   * To be called when a request is written that may be repeated. `onSwallowed` is called once at the most: nothing of it is acknowledged (a line that loses
   * large packets of one family), and over the other family the host can be reached, which is tried first for a while. Returns what ends the watch; the
   * end of the socket does, too.
   */
  readonly watch: (onSwallowed: OnSwallowed) => () => void;
}

/** @param family over which it was lost */
export type OnSwallowed = (family: 4 | 6) => void;

export type Connected =
  | ({ readonly ok: true; readonly socket: Socket } & Opened)
  | { readonly ok: false; readonly at: ConnectPhase; readonly error: Error };

/** What failed lately, with the look-up that finds the addresses: the two live and go together. */
const memories = new WeakMap<LookupFunction, AddressMemory>();

export async function connect(options: ConnectOptions): Promise<Connected> {
  const { lookup, signal } = options;
  const proxy = proxyFor(options.proxy, options.host, options.port);
  const { host, port } = proxy ?? options;
  let addresses: readonly string[];
  try {
    addresses = isIP(host) === 0 ? await addressesOf(host, lookup, signal) : [host];
  } catch (error) {
    return { ok: false, at: 'dns', error: error instanceof Error ? error : new Error(String(error)) };
  }
  let furthest: ConnectPhase = 'tcp';
  const onPhase = (phase: ConnectPhase): void => {
    if (ORDER.indexOf(phase) > ORDER.indexOf(furthest)) options.onPhase?.((furthest = phase));
  };
  options.onPhase?.(furthest);
  const remembered = (): AddressMemory => memories.get(lookup) ?? NOTHING_FAILED;
  const tried: string[] = [];
  const { address: winner, opened } = await raceAddresses<Raced>({
    addresses: failedLast(remembered(), addresses, port, performance.now()),
    open: (address, either) => {
      tried.push(address);
      return open({ ...options, onPhase }, proxy, address, either);
    },
    close: ({ socket }) => socket.destroy(),
    tells: ({ at, error }) => (at !== 'tcp' ? 2 : refusalOf(error) === undefined ? 1 : 0),
    signal,
  });
  if (!opened.ok) return opened;
  memories.set(lookup, learn(remembered(), { port, tried, winner }, performance.now()));
  const family = familyOf(winner);
  const { socket, localPort } = opened;
  return {
    ok: true,
    socket,
    stalled: () => memories.set(lookup, stalled(remembered(), winner, port, performance.now())),
    watch: (onSwallowed) => {
      const now = performance.now();
      const other = addresses.some((address) => familyOf(address) !== family && !swallows(remembered(), address, now));
      if (!other) return () => undefined;
      return watchSending({
        look: () => lookAtSending({ family, localPort, remotePort: port }),
        socket,
        onSwallowed: () => {
          memories.set(lookup, swallowed(remembered(), winner, performance.now()));
          onSwallowed(family);
        },
      });
    },
  };
}

type Raced =
  { readonly ok: true; readonly socket: Socket; readonly localPort: number } | Extract<Connected, { ok: false }>;

function familyOf(address: string): 4 | 6 {
  return isIP(address) === 6 ? 6 : 4;
}

function addressesOf(host: string, lookup: LookupFunction, signal: AbortSignal): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(givenUp());
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    const asked: CancellableLookup = { all: true, signal };
    lookup(host, asked, (error, found) => {
      signal.removeEventListener('abort', onAbort);
      if (error !== null) {
        reject(error);
        return;
      }
      const all = typeof found === 'string' ? [found] : found.map(({ address }) => address);
      if (all.length === 0) reject(Object.assign(new Error(`${host} has no address`), { code: 'ENODATA' }));
      else resolve(all);
    });
  });
}

async function open(
  { host, port, tls, use, onPhase }: ConnectOptions,
  proxy: Proxy | undefined,
  address: string,
  signal: AbortSignal,
): Promise<Raced> {
  const opened = await openAddress({ address, host, port, proxy, tls, use, signal, ...(onPhase && { onPhase }) });
  return opened.ok ? opened : { ok: false, at: opened.at, error: opened.error };
}

function givenUp(): Error {
  return Object.assign(new Error('given up'), { code: 'ECANCELLED' });
}
