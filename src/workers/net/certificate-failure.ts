/** What a certificate that was refused means: somebody else's, a wrong clock, or a site that let its own expire. */
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { OfflineReason } from '../protocol.js';

export interface CertificateFailure {
  readonly error: string;
  readonly detail: string;
  readonly reason: OfflineReason;
}

/** A clock that is off by less is not what made a certificate invalid. */
const CLOCK_TOLERANCE_MS = 3_600_000;
/** Longest name of an issuer that is put into a sentence. */
const MAX_NAME = 80;

/**
 * Reads the certificate of an unverified connection. For one that has expired the site is asked for its time by `askDate`, the
 * `Date` header of an answer: that is not to be trusted, but nothing hangs on it except the words of the log. Never rejects.
 */
export async function readCertificateFailure(
  socket: TLSSocket,
  askDate: () => Promise<string | undefined>,
): Promise<CertificateFailure> {
  // A code although its type says Error.
  const error = String(socket.authorizationError);
  const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
  switch (error) {
    case 'CERT_NOT_YET_VALID':
      return {
        error,
        reason: 'clock',
        detail: `the certificate is valid from ${dateOf(certificate.valid_from)}, and this machine's clock says ${dateOf(Date.now())}`,
      };
    case 'CERT_HAS_EXPIRED': {
      const said = Date.parse((await askDate()) ?? '');
      if (isClockAhead(said, Date.now(), Date.parse(certificate.valid_to ?? ''))) {
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
        reason: 'portal',
        detail: `the certificate is for ${nameOf(certificate.subject)}, issued by ${nameOf(certificate.issuer)}`,
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
