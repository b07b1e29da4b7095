/**
 * Whose certificate it is, whatever the time: OpenSSL says only the last thing that is wrong with one, and to a portal's own that has expired it
 * says that it has expired. So before a date is blamed on a clock, name and issuer are looked at by ourselves.
 */
import { X509Certificate } from 'node:crypto';
import { checkServerIdentity, type DetailedPeerCertificate, type PeerCertificate } from 'node:tls';
import { certificatesIn, loadTrust } from './trust.js';

/** Longest chain that is followed; OpenSSL itself takes 100. */
const MAX_CHAIN = 10;

/**
 * True if the certificate is for `host` and comes down from one of `roots` (PEM; undefined: those of this system), dates aside. `certificate` is
 * what `getPeerCertificate(true)` gives.
 */
export function isOwnedBy(host: string, certificate: PeerCertificate, roots: string | undefined): boolean {
  try {
    return isNamed(host, certificate) && comesFrom(certificate, trusted(roots));
  } catch {
    // A certificate that cannot be read is nobody's.
    return false;
  }
}

/** True if it has that name, whoever issued it. */
export function isNamed(host: string, certificate: PeerCertificate): boolean {
  try {
    return checkServerIdentity(host, certificate) === undefined;
  } catch {
    return false;
  }
}

/** Its type promises an issuer, and at the end of what was sent there is none. */
type Link = Omit<DetailedPeerCertificate, 'issuerCertificate'> & { readonly issuerCertificate?: Link };

function comesFrom(leaf: Link, roots: readonly X509Certificate[]): boolean {
  let link = leaf;
  for (let depth = 0; depth < MAX_CHAIN; depth += 1) {
    const certificate = new X509Certificate(link.raw);
    if (roots.some((root) => root.raw.equals(certificate.raw) || isIssuer(root, certificate))) return true;
    const issuer = link.issuerCertificate;
    if (issuer === undefined || issuer === link || !isIssuer(new X509Certificate(issuer.raw), certificate))
      return false;
    link = issuer;
  }
  return false;
}

function isIssuer(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.issuer === issuer.subject && issuer.ca && certificate.verify(issuer.publicKey);
}

/** Of one set, since a thread trusts one. They are read when a certificate is out of its time for the first time. */
let read: { readonly from: string | undefined; readonly roots: readonly X509Certificate[] } | undefined;

function trusted(from: string | undefined): readonly X509Certificate[] {
  if (read === undefined || read.from !== from) {
    const pems = certificatesIn(from ?? loadTrust({ env: process.env }).pem);
    read = { from, roots: pems.map((pem) => new X509Certificate(pem)) };
  }
  return read.roots;
}
