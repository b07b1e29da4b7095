/**
 * The certificates that are trusted: Node's own, Debian's store, those of NODE_EXTRA_CA_CERTS and those of a file of the house. Together, whichever of
 * the first two this Node takes by itself: Debian's Node knows only Debian's store, everybody else's only its own.
 */
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';

/** What `update-ca-certificates` (Debian: ca-certificates) writes, a house's own in `/usr/local/share/ca-certificates` included. */
export const DEBIAN_STORE = '/etc/ssl/certs/ca-certificates.crt';
/** A file of certificates is no larger. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface Trust {
  /** PEM, each certificate once. */
  readonly pem: string;
  /** False: this system has no store, and Node's own certificates are all there are. */
  readonly hasStore: boolean;
  /** What could not be read, in words; the rest serves. */
  readonly problems: readonly string[];
}

export interface TrustSources {
  readonly env: NodeJS.ProcessEnv;
  /** PEM file of a house's own authorities. Empty or undefined: none. */
  readonly caFile?: string | undefined;
  /** Default {@link DEBIAN_STORE}; SSL_CERT_FILE, which OpenSSL obeys, comes before it. */
  readonly store?: string;
}

/** Reads them all, at once and synchronously: made for the start. */
export function loadTrust({ env, caFile, store }: TrustSources): Trust {
  const problems: string[] = [];
  const read = (path: string | undefined, name: string): readonly string[] => {
    if (path === undefined || path === '') return [];
    try {
      const found = certificatesIn(readFileSync(path, 'utf8').slice(0, MAX_BYTES));
      if (found.length === 0) problems.push(`${name} ${path} has no certificate in it (PEM is wanted)`);
      return found;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'it is unreadable';
      problems.push(`${name} ${path} cannot be read (${code})`);
      return [];
    }
  };
  const own = read(caFile, 'caFile');
  const extra = read(env['NODE_EXTRA_CA_CERTS'], 'NODE_EXTRA_CA_CERTS');
  const told = problems.length;
  const system = read(env['SSL_CERT_FILE'] ?? store ?? DEBIAN_STORE, 'the store');
  const all = [...own, ...extra, ...system, ...rootCertificates];
  const unique = new Map(all.map((pem) => [pem.replace(/\s+/g, ''), pem.trim()]));
  return {
    pem: `${[...unique.values()].join('\n')}\n`,
    hasStore: system.length > 0,
    // Whoever has no store is told that by `hasStore`.
    problems: problems.slice(0, told),
  };
}

export function certificatesIn(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}
