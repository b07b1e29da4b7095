/** What a certificate that was refused means: somebody else's, a wrong clock, or a site that let its own expire. */
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { OfflineReason } from '../protocol.js';
import { isNamed, isOwnedBy } from './certificate-owner.js';
import { DEBIAN_STORE } from './trust.js';

export interface CertificateFailure {
  readonly error: string;
  readonly detail: string;
  readonly reason: OfflineReason;
}

/** A clock that is off by less is not what made a certificate invalid. */
const CLOCK_TOLERANCE_MS = 3_600_000;
/** Longest name of an issuer that is put into a sentence. */
const MAX_NAME = 80;

export interface Expected {
  /** Whose certificate it should be. */
  readonly host: string;
  /** PEM certificates that are trusted; undefined: Node's. */
  readonly ca: string | undefined;
  /** False: this system has no store of certificates. */
  readonly hasCaStore: boolean;
  /** The `Date` header of an answer over the connection: not to be trusted, but nothing hangs on it except the words of the log. */
  readonly askDate: () => Promise<string | undefined>;
}

/** Reads the certificate of an unverified connection: whose it is first, and only then whether it is valid. Never rejects. */
export async function readCertificateFailure(
  socket: TLSSocket,
  { host, ca, hasCaStore, askDate }: Expected,
): Promise<CertificateFailure> {
  // A code although its type says Error.
  const error = String(socket.authorizationError);
  const certificate: PeerCertificate = socket.getPeerCertificate(true);
  if (!isOwnedBy(host, certificate, ca)) {
    if (!hasCaStore && isNamed(host, certificate)) {
      return {
        error,
        reason: 'no-ca-store',
        detail: `nobody vouches for the certificate, issued by ${nameOf(certificate.issuer)}: there is no ${DEBIAN_STORE}`,
      };
    }
    return {
      error,
      reason: 'portal',
      detail: `the certificate is for ${nameOf(certificate.subject)}, issued by ${nameOf(certificate.issuer)}`,
    };
  }
  switch (error) {
    case 'CERT_NOT_YET_VALID':
      return {
        error,
        reason: 'clock',
        detail: `the certificate is valid from ${dateOf(certificate.valid_from)}, and this machine's clock says ${dateOf(Date.now())}`,
      };
    case 'CERT_HAS_EXPIRED': {
      const said = Date.parse((await askDate()) ?? '');
      if (isClockAhead(said, Date.now(), Date.parse(certificate.valid_to))) {
        return {
          error,
          reason: 'clock',
          detail: `the certificate is valid until ${dateOf(certificate.valid_to)}, the site says it is ${dateOf(said)}, and this machine's clock says ${dateOf(Date.now())}`,
        };
      }
      return {
        error,
        reason: 'tls-failed',
        detail: `the site's certificate expired on ${dateOf(certificate.valid_to)}`,
      };
    }
    default:
      return {
        error,
        reason: 'tls-failed',
        detail: "the certificate is the site's own, and is refused all the same",
      };
  }
}

/** True if the site's time would make the certificate valid, and this machine's clock is far from that. All in ms since 1970. */
export function isClockAhead(siteMs: number, clockMs: number, validToMs: number): boolean {
  return clockMs - siteMs > CLOCK_TOLERANCE_MS && siteMs <= validToMs;
}

function nameOf(name: PeerCertificate['subject'] | undefined): string {
  const text = [name?.CN ?? name?.O ?? 'nobody in particular'].flat().join(', ');
  // Anybody can put anything into a certificate.
  return `"${text.replace(/[\u0000-\u001f\u007f-\u009f"]/g, ' ').slice(0, MAX_NAME)}"`;
}

function dateOf(value: string | number | undefined): string {
  const date = new Date(value ?? NaN);
  return Number.isNaN(date.getTime()) ? 'an unknown time' : `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
