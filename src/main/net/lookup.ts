/**
 * The name look-up of every connection of the main thread, in place of `dns.lookup`: that one has no deadline, and hung
 * look-ups fill the thread pool of the whole process (10 s for one name with one silent server).
 */
import type { LookupFunction } from 'node:net';
import { isIPv6 } from 'node:net';
import { nameAdvice } from '../troubles.js';
import type { DnsEvidence } from '../../workers/protocol.js';
import { resolveHost, within } from '../../workers/net/resolve.js';
import type { Families, ResolveOptions } from '../../workers/net/resolve.js';

export interface LookupSettings {
  /** Deadline of one look-up, milliseconds. */
  readonly timeoutMs: number;
  /** `address` or `address:port`; empty or undefined: the system's, read at each look-up. */
  readonly nameServers?: readonly string[];
  /**
   * A look-up that takes longer is answered with the addresses of the last one that succeeded for this host, if there is one,
   * milliseconds. Default 500: a healthy name server answers well before.
   */
  readonly lateAfterMs?: number;
  /** Default `/etc/hosts`. */
  readonly hostsFile?: string;
  /** Who resolves; never rejects, and has a deadline. Default: the name servers, by {@link resolveHost}. */
  readonly resolve?: (options: ResolveOptions) => Promise<DnsEvidence>;
}

/** A name could not be resolved. `code` is the resolver's own, `ETIMEDOUT` if no name server answered. */
export class LookupError extends Error {
  readonly syscall = 'lookup';
  constructor(
    readonly hostname: string,
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'LookupError';
  }
}

/** Hosts whose last addresses are remembered; a daemon talks to three or four. */
const MAX_HOSTS = 32;

/**
 * Makes a look-up for `net.connect`, `https.request` and `ws`. It honours `all`, `family` and the order
 * (`verbatim`, `order`), always calls back within `timeoutMs`, and falls back to the last addresses of that host when DNS is
 * late or fails: whether they are still the right ones is for the certificate to say. Settings given as a function are read at each look-up.
 */
export function createLookup(given: LookupSettings | (() => LookupSettings)): LookupFunction {
  const current = typeof given === 'function' ? given : () => given;
  const lastGood = new Map<string, readonly string[]>();

  const addressesOf = async (host: string, families: Families | undefined): Promise<readonly string[]> => {
    const settings = current();
    const key = `${host} ${families?.v4 ?? 'any'} ${families?.v6 ?? 'any'}`;
    const fresh = (settings.resolve ?? resolveHost)({
      host,
      timeoutMs: settings.timeoutMs,
      ...(settings.nameServers && { nameServers: settings.nameServers }),
      ...(settings.hostsFile !== undefined && { hostsFile: settings.hostsFile }),
      ...(families && { families }),
    }).then((evidence) => {
      if (evidence.ok) remember(lastGood, key, evidence.addresses);
      return evidence;
    });
    const remembered = lastGood.get(key);
    if (remembered === undefined) return addressesIn(host, await fresh, settings.timeoutMs);

    const evidence = await within(settings.lateAfterMs ?? 500, fresh);
    return evidence?.ok === true ? evidence.addresses : remembered;
  };

  return (hostname, options, callback) => {
    addressesOf(hostname, familiesOf(options.family)).then(
      (found) => {
        const all = inOrder(found, options).map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
        const [first] = all;
        if (first === undefined) callback(new LookupError(hostname, 'ENODATA', `${hostname} has no such address`), '');
        else if (options.all === true) callback(null, all);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), ''),
    );
  };
}

function addressesIn(host: string, evidence: DnsEvidence, timeoutMs: number): readonly string[] {
  if (evidence.ok) return evidence.addresses;
  const { error = 'ENOTFOUND', trouble = 'fails-otherwise' } = evidence;
  const asked = evidence.servers.join(', ') || 'nobody';
  const code = evidence.servers.length === 0 ? error : `${error} from ${asked}`;
  throw trouble === 'silent'
    ? new LookupError(
        host,
        'ETIMEDOUT',
        `No name server (${asked}) answered for ${host} within ${timeoutMs / 1000} s: look at the network and at /etc/resolv.conf`,
      )
    : new LookupError(host, error, `${host} could not be resolved (${code}). ${nameAdvice(trouble)}`);
}

type LookupOptions = Parameters<LookupFunction>[1];

function familiesOf(family: LookupOptions['family']): Families | undefined {
  if (family === 4 || family === 'IPv4') return { v4: true, v6: false };
  if (family === 6 || family === 'IPv6') return { v4: false, v6: true };
  return undefined;
}

function inOrder(addresses: readonly string[], options: LookupOptions): readonly string[] {
  const wanted = familiesOf(options.family);
  const fit = addresses.filter((address) => wanted === undefined || (isIPv6(address) ? wanted.v6 : wanted.v4));
  const order = 'order' in options ? options.order : options.verbatim === false ? 'ipv4first' : 'verbatim';
  if (order !== 'ipv4first' && order !== 'ipv6first') return fit;
  const first = (address: string): boolean => isIPv6(address) === (order === 'ipv6first');
  return [...fit.filter(first), ...fit.filter((address) => !first(address))];
}

function remember(memory: Map<string, readonly string[]>, key: string, addresses: readonly string[]): void {
  memory.delete(key);
  memory.set(key, addresses);
  const [oldest] = memory.keys();
  if (memory.size > MAX_HOSTS && oldest !== undefined) memory.delete(oldest);
}
