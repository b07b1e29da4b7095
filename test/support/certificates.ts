import { webcrypto } from 'node:crypto';
import net from 'node:net';
import './reflect-metadata.js';
import * as x509 from '@peculiar/x509';

/** What a TLS server needs. */
export interface KeyAndChain {
  /** Private key, PEM (PKCS #8). */
  readonly key: string;
  /** The leaf and, if there is one, the intermediate certificate, PEM. */
  readonly cert: string;
}

/** `good`: of this CA and valid now. The others each have exactly one fault. */
export type CertificateKind = 'good' | 'foreign' | 'expired' | 'not-yet-valid';

export interface CertificateAuthorityOptions {
  /** Common name of the root. */
  readonly name?: string;
  /**
   * `ecdsa-p256` (default) is quick to make. `rsa-2048` with an intermediate makes a handshake as heavy as that of an
   * ordinary site, for measurements of traffic.
   */
  readonly algorithm?: 'ecdsa-p256' | 'rsa-2048';
  /** Sign leaves by an intermediate that the server sends along. Default: only with `rsa-2048`. */
  readonly intermediate?: boolean;
}

export interface LeafOptions {
  /** DNS names and IP addresses the certificate is for. */
  readonly names: readonly string[];
  /** Default: an hour ago. */
  readonly notBefore?: Date;
  /** Default: in 90 days. */
  readonly notAfter?: Date;
}

interface Signer {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const KEY_ALGORITHMS = {
  'ecdsa-p256': { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'rsa-2048': {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: 'SHA-256',
  },
} as const;

/** A throw-away certification authority. It lives in memory only. */
export class CertificateAuthority {
  /** The root certificate, PEM: what a client has to trust (`ca`, NODE_EXTRA_CA_CERTS). */
  readonly certificatePem: string;
  readonly #algorithm: keyof typeof KEY_ALGORITHMS;
  readonly #issuer: Signer;
  readonly #intermediate: x509.X509Certificate | undefined;

  private constructor(algorithm: keyof typeof KEY_ALGORITHMS, root: Signer, intermediate: Signer | undefined) {
    this.#algorithm = algorithm;
    this.#issuer = intermediate ?? root;
    this.#intermediate = intermediate?.certificate;
    this.certificatePem = `${root.certificate.toString('pem')}\n`;
  }

  static async create(options: CertificateAuthorityOptions = {}): Promise<CertificateAuthority> {
    const algorithm = options.algorithm ?? 'ecdsa-p256';
    const name = options.name ?? 'Local cloud test CA';
    const root = await makeAuthority(algorithm, name);
    const wanted = options.intermediate ?? algorithm === 'rsa-2048';
    return new CertificateAuthority(
      algorithm,
      root,
      wanted ? await makeAuthority(algorithm, `${name}, intermediate`, root) : undefined,
    );
  }

  /** A key and a certificate for a TLS server. */
  async issue(options: LeafOptions): Promise<KeyAndChain> {
    const now = Date.now();
    const keys = await makeKeys(this.#algorithm);
    const leaf = await x509.X509CertificateGenerator.create({
      subject: [{ CN: [options.names[0] ?? 'nameless'] }],
      issuer: this.#issuer.certificate.subject,
      notBefore: options.notBefore ?? new Date(now - HOUR_MS),
      notAfter: options.notAfter ?? new Date(now + 90 * DAY_MS),
      publicKey: keys.publicKey,
      signingKey: this.#issuer.keys.privateKey,
      signingAlgorithm: KEY_ALGORITHMS[this.#algorithm],
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          options.names.map((value) => ({ type: net.isIP(value) === 0 ? 'dns' : 'ip', value })),
        ),
        await x509.AuthorityKeyIdentifierExtension.create(this.#issuer.certificate.publicKey),
      ],
    });
    const chain = this.#intermediate === undefined ? [leaf] : [leaf, this.#intermediate];
    const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
    return {
      key: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
      cert: chain.map((certificate) => `${certificate.toString('pem')}\n`).join(''),
    };
  }

  /** One certificate for the same names in each of the kinds a test site can show. */
  async issueAllKinds(names: readonly string[]): Promise<Record<CertificateKind, KeyAndChain>> {
    const now = Date.now();
    const foreignAuthority = await CertificateAuthority.create({ name: 'Somebody else', algorithm: this.#algorithm });
    const [good, foreign, expired, notYetValid] = await Promise.all([
      this.issue({ names }),
      foreignAuthority.issue({ names }),
      this.issue({ names, notBefore: new Date(now - 90 * DAY_MS), notAfter: new Date(now - DAY_MS) }),
      this.issue({ names, notBefore: new Date(now + DAY_MS), notAfter: new Date(now + 90 * DAY_MS) }),
    ]);
    return { good, foreign, expired, 'not-yet-valid': notYetValid };
  }
}

async function makeKeys(algorithm: keyof typeof KEY_ALGORITHMS): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(KEY_ALGORITHMS[algorithm], true, ['sign', 'verify']);
}

async function makeAuthority(algorithm: keyof typeof KEY_ALGORITHMS, name: string, parent?: Signer): Promise<Signer> {
  const keys = await makeKeys(algorithm);
  const now = Date.now();
  const certificate = await x509.X509CertificateGenerator.create({
    subject: [{ CN: [name] }],
    issuer: parent?.certificate.subject ?? [{ CN: [name] }],
    // Longer than any leaf, so that an expired or future leaf is the only fault in its chain.
    notBefore: new Date(now - 365 * DAY_MS),
    notAfter: new Date(now + 365 * DAY_MS),
    publicKey: keys.publicKey,
    signingKey: (parent?.keys ?? keys).privateKey,
    signingAlgorithm: KEY_ALGORITHMS[algorithm],
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys };
}
