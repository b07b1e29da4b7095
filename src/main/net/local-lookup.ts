/**
 * The name look-up for what is on the local network, such as the bus: by the system's name servers, whichever ones the checks of the internet
 * are told to ask, and with the search domains of resolv.conf for a name without a dot, as getaddrinfo does it and c-ares does not.
 */
import { open } from 'node:fs/promises';
import type { LookupFunction } from 'node:net';
import { createLookup, LookupError, type LookupSettings } from './lookup.js';

export interface LocalLookupSettings extends LookupSettings {
  /** Default `/etc/resolv.conf`, read at each look-up. */
  readonly resolvConf?: string;
}

/** Domains that are tried at most; the C library takes more, and nobody has them. */
const MAX_DOMAINS = 6;
const MAX_BYTES = 16 * 1024;

/** Always calls back, within `timeoutMs` for the name as it is and for each search domain. */
export function createLocalLookup(settings: LocalLookupSettings): LookupFunction {
  const lookup = createLookup(settings);
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
