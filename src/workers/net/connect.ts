/**
 * Opens one connection to a host: its names, then its addresses raced through TCP and, if `tls` is given, through TLS. Never rejects. Its only
 * deadline is the caller's signal, since what the caller waits for goes on behind the opening.
 */
import { connect as connectTcp, isIP, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { raceAddresses } from './address-race.js';

export type ConnectPhase = 'dns' | 'tcp' | 'tls';

export interface ConnectOptions {
  /** Name or IP literal (without brackets). */
  readonly host: string;
  readonly port: number;
  /** Finds the addresses of a name; must be bounded itself. */
  readonly lookup: LookupFunction;
  /** Undefined: no TLS. A certificate that is not the host's is refused by Node itself, before a byte is sent. */
  readonly tls?: Pick<ConnectionOptions, 'ca' | 'ALPNProtocols'>;
  readonly signal: AbortSignal;
  /** The furthest phase that any address has reached, whenever it rises. */
  readonly onPhase?: (phase: ConnectPhase) => void;
}

export type Connected =
  | { readonly ok: true; readonly socket: Socket }
  | { readonly ok: false; readonly at: ConnectPhase; readonly error: Error };

export async function connect(options: ConnectOptions): Promise<Connected> {
  const { host, signal, onPhase } = options;
  let addresses: readonly string[];
  try {
    addresses = isIP(host) === 0 ? await addressesOf(options) : [host];
  } catch (error) {
    return { ok: false, at: 'dns', error: error instanceof Error ? error : new Error(String(error)) };
  }
  onPhase?.('tcp');
  const { opened } = await raceAddresses<Connected>({
    addresses,
    open: (address, either) => open(options, address, either),
    close: ({ socket }) => socket.destroy(),
    tells: ({ at }) => (at === 'tls' ? 1 : 0),
    signal,
  });
  return opened;
}

function addressesOf({ host, lookup, signal }: ConnectOptions): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(givenUp());
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    lookup(host, { all: true }, (error, found) => {
      signal.removeEventListener('abort', onAbort);
      const all = typeof found === 'string' ? [found] : (found ?? []).map(({ address }) => address);
      if (error !== null) reject(error);
      else if (all.length === 0) reject(Object.assign(new Error(`${host} has no address`), { code: 'ENODATA' }));
      else resolve(all);
    });
  });
}

function open(options: ConnectOptions, address: string, signal: AbortSignal): Promise<Connected> {
  const { host, port, tls, onPhase } = options;
  return new Promise((resolve) => {
    let at: ConnectPhase = 'tcp';
    const tcp = connectTcp({ host: address, port, noDelay: true });
    let socket: Socket = tcp;
    const settle = (connected: Connected): void => {
      signal.removeEventListener('abort', onAbort);
      if (!connected.ok) {
        socket.destroy();
        tcp.destroy();
      }
      resolve(connected);
    };
    const fail = (error: Error): void => settle({ ok: false, at, error });
    const onAbort = (): void => fail(givenUp());
    tcp.on('error', fail);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    tcp.on('connect', () => {
      if (tls === undefined) return settle({ ok: true, socket });
      at = 'tls';
      onPhase?.('tls');
      const secured = connectTls({ ...tls, socket: tcp, host, ...(isIP(host) === 0 ? { servername: host } : {}) });
      socket = secured;
      secured.on('error', fail);
      secured.on('secureConnect', () => settle({ ok: true, socket: secured }));
    });
  });
}

function givenUp(): Error {
  return Object.assign(new Error('given up'), { code: 'ECANCELLED' });
}
