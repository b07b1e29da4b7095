/**
 * The name look-up for what is on the local network, such as the bus: as every other program of this machine finds it (`system-names.ts`), and
 * where the system cannot be asked or finds nothing in time, by its name servers, whichever ones the checks of the internet are told to ask,
 * with the search domains of resolv.conf for a name without a dot, as getaddrinfo does it and c-ares does not.
 */
import { open } from 'node:fs/promises';
import { isIP, isIPv6, type LookupFunction } from 'node:net';
import { lookInHostsFile } from '../../workers/net/hosts-file.js';
import { resolveHost, type ResolveOptions } from '../../workers/net/resolve.js';
import type { DnsEvidence } from '../../workers/protocol.js';
import { createLookup, LookupError, type LookupSettings } from './lookup.js';
import type { SystemNames } from './system-names.js';

export interface LocalLookupSettings extends LookupSettings {
  /** Default `/etc/resolv.conf`, read at each look-up. */
  readonly resolvConf?: string;
  /** The system's own resolver. Default: it is not asked. */
  readonly system?: Pick<SystemNames, 'addressesOf'>;
}

/** Domains that are tried at most; the C library takes more, and nobody has them. */
const MAX_DOMAINS = 6;
const MAX_BYTES = 16 * 1024;

/** Always calls back: within `timeoutMs` of the system, and as long again of the name servers for the name as it is and for each search domain. */
export function createLocalLookup(settings: LocalLookupSettings): LookupFunction {
  const { system } = settings;
  const lookup = createLookup(
    system === undefined ? settings : { ...settings, resolve: (options) => resolveInHouse(system, options) },
  );
  const resolvConf = settings.resolvConf ?? '/etc/resolv.conf';
  return (hostname, options, callback) => {
    const tryNext = (names: readonly string[], failure: NodeJS.ErrnoException): void => {
      const [name, ...rest] = names;
      if (name === undefined) {
        // The first failure is that of the name which the operator knows.
        callback(failure, '');
        return;
      }
      lookup(name, options, (error, address, family) => {
        if (error === null) callback(null, address, family);
        else tryNext(rest, failure);
      });
    };
    lookup(hostname, options, (error, address, family) => {
      if (error === null) callback(null, address, family);
      // A name server that is silent now is no less so for another name.
      else if (hostname.includes('.') || (error instanceof LookupError && error.code === 'ETIMEDOUT'))
        callback(error, '');
      else {
        void searchDomains(resolvConf).then((domains) =>
          tryNext(
            domains.map((domain) => `${hostname}.${domain}`),
            error,
          ),
        );
      }
    });
  };
}

/** Never rejects. */
async function resolveInHouse(system: Pick<SystemNames, 'addressesOf'>, options: ResolveOptions): Promise<DnsEvidence> {
  const { host, families, timeoutMs, hostsFile = '/etc/hosts' } = options;
  // The usual name of the bus stands there, and needs no process.
  if (isIP(host) !== 0 || (await lookInHostsFile(hostsFile, host)).length > 0) return resolveHost(options);
  const startedAt = performance.now();
  const isMulticast = /\.local\.?$/i.test(host);
  const answer = await system.addressesOf(host, isMulticast ? 2 * timeoutMs : timeoutMs);
  const evidence = { phase: 'dns', ms: Math.round(performance.now() - startedAt), servers: [] } as const;
  if (answer.kind === 'found') {
    const addresses = answer.addresses.filter((address) => (isIPv6(address) ? families?.v6 : families?.v4) ?? true);
    if (addresses.length > 0) return { ...evidence, ok: true, addresses };
  }
  // Names in .local are not for name servers (RFC 6762, section 22.1), unless nobody else can be asked.
  if (isMulticast && answer.kind !== 'unavailable') {
    return { ...evidence, ok: false, addresses: [], error: 'ENOTFOUND', trouble: 'not-in-the-house' };
  }
  return resolveHost(options);
}

/** None if the file cannot be read. Of several lines the last counts, as resolv.conf(5) has it. */
async function searchDomains(resolvConf: string): Promise<readonly string[]> {
  let file;
  try {
    file = await open(resolvConf, 'r');
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0);
    const lines = [...buffer.toString('utf8', 0, bytesRead).matchAll(/^\s*(?:search|domain)[ \t]+(.+)$/gm)];
    const domains = (lines.at(-1)?.[1] ?? '').trim().split(/\s+/);
    return domains.filter((domain) => /^[A-Za-z0-9_.-]{1,253}$/.test(domain) && domain !== '.').slice(0, MAX_DOMAINS);
  } catch {
    return [];
  } finally {
    await file?.close().catch(() => undefined);
  }
}
