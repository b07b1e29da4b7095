/**
 * One connection to the test site: TCP, TLS, and requests over it for as long as it lives. Bounded by the caller's
 * signals; never throws.
 *
 * Not `fetch`: that resolves names by getaddrinfo, tells no phases, and cannot be handed an address.
 */
import { isIP, type Socket } from 'node:net';
import type { OfflineReason, Proxy } from '../protocol.js';
import { readCertificateFailure, type CertificateFailure } from '../net/certificate-failure.js';
import { isRefusal } from '../net/refusal.js';
import { openAddress, type Steps } from '../net/open-address.js';
import { ProxyError } from '../net/proxy-answers.js';
import { type Answer, type Exchange, type Failure, type RequestSize } from './answer.js';
import { connectionCodeOf } from '../net/error-code.js';
import { Http1 } from './http1.js';
import { Http2 } from './http2.js';
import { OFFERED, type Manner } from './manner.js';

/**
 * A check carries no secret, so it does without the key shares of a post-quantum handshake: they are 2 kB of a metered line, and more than one packet, which
 * a line that loses large ones never brings.
 */
const CURVES = 'X25519:P-256:P-384:P-521';

/** Whose answer is wanted. */
export interface Site {
  /** Host name, IP literal (without brackets) or `localhost`: what the certificate must be for. */
  readonly host: string;
  readonly port: number;
  /** By which it is reached; undefined: straight. */
  readonly proxy?: Proxy | undefined;
  /** PEM certificates to trust instead of Node's bundled ones; undefined: Node's and NODE_EXTRA_CA_CERTS. */
  readonly ca?: string | undefined;
  /** False: this system has no store of certificates. Default true. */
  readonly hasCaStore?: boolean | undefined;
}

export type Opened =
  | { readonly ok: true; readonly connection: Connection; readonly steps: Steps; readonly resumed: boolean }
  | { readonly ok: false; readonly failure: Failure; readonly steps: Steps };

export interface OpenOptions {
  readonly site: Site;
  /** IP literal: the proxy's, if there is one. */
  readonly address: string;
  readonly manner: Manner;
  /** A TLS session of an earlier connection, to be resumed. */
  readonly session: Buffer | undefined;
  /** Aborting gives the attempt up; a reason that is a {@link DeadlineError} counts as a time-out. */
  readonly signal: AbortSignal;
  /** TCP is open, and that step begins. */
  readonly onPhase: (phase: 'proxy' | 'tls') => void;
  /** A session that can be resumed, whenever the site sends one. */
  readonly onSession: (session: Buffer) => void;
}

/** A TLS connection whose certificate was verified. */
export class Connection {
  readonly address: string;
  readonly localAddress: string;
  readonly isHttp2: boolean;
  readonly #exchange: Exchange;

  constructor(socket: Socket, site: Site, address: string, localAddress: string) {
    this.address = address;
    this.localAddress = localAddress;
    const host = isIP(site.host) === 6 ? `[${site.host}]` : site.host;
    const hostHeader = site.port === 443 ? host : `${host}:${site.port}`;
    this.isHttp2 = 'alpnProtocol' in socket && socket.alpnProtocol === 'h2';
    this.#exchange = this.isHttp2 ? new Http2(socket, hostHeader) : new Http1(socket, hostHeader);
    // Between two requests nobody else listens.
    socket.on('error', () => undefined);
  }

  /** False once either side has closed it, or while a request is under way. */
  get usable(): boolean {
    return this.#exchange.usable;
  }

  /** Any well-formed answer counts; what it says is for the evidence. An aborted or failed request ends the connection. */
  ask(method: Manner['method'], signal: AbortSignal, size?: RequestSize): Promise<Answer> {
    return this.#exchange.ask(method, signal, size);
  }

  /** Ends it at once. */
  close(): void {
    this.#exchange.close();
  }
}

/** Connects and verifies. */
export async function openConnection(options: OpenOptions): Promise<Opened> {
  const { site, address, manner, session, signal, onPhase, onSession } = options;
  const opened = await openAddress<CertificateFailure>({
    address,
    host: site.host,
    port: site.port,
    proxy: site.proxy,
    tls: {
      ALPNProtocols: [...OFFERED[manner.protocol]],
      ecdhCurve: CURVES,
      ...(site.ca === undefined ? {} : { ca: site.ca }),
      ...(session === undefined ? {} : { session }),
    },
    signal,
    onPhase,
    onSession,
    onRefused: async (socket) => {
      const connection = new Connection(socket, site, address, '');
      const failure = await readCertificateFailure(socket, {
        host: site.host,
        ca: site.ca,
        hasCaStore: site.hasCaStore ?? true,
        askDate: async () => {
          const answer = await connection.ask('HEAD', signal);
          return answer.ok ? answer.date : undefined;
        },
      });
      connection.close();
      return failure;
    },
  });
  const { steps } = opened;
  if (opened.ok) {
    const connection = new Connection(opened.socket, site, address, opened.localAddress);
    return { ok: true, connection, steps, resumed: opened.resumed };
  }
  const { at, error, refused } = opened;
  if (refused !== undefined) return { ok: false, failure: { at, ...refused }, steps };
  const code = connectionCodeOf(error);
  if (error instanceof ProxyError)
    return {
      ok: false,
      failure: { at, error: code, reason: 'proxy', proxy: error.trouble, detail: error.message },
      steps,
    };
  const detail = at === 'tls' ? tlsWords(error) : undefined;
  return {
    ok: false,
    failure: { at, error: code, reason: reasonAt(at, code), ...(detail === undefined ? {} : { detail }) },
    steps,
  };
}

function reasonAt(at: Failure['at'], error: string): OfflineReason | undefined {
  if (isRefusal(error)) return undefined;
  if (at === 'tcp') return tcpReason(error);
  return at === 'tls' ? 'tls-failed' : 'http-timeout';
}

function tcpReason(error: string): OfflineReason {
  switch (error) {
    case 'ECONNREFUSED':
    case 'ECONNRESET':
      return 'tcp-refused';
    case 'ENETUNREACH':
    case 'ENETDOWN':
    case 'EADDRNOTAVAIL':
      return 'no-route';
    default:
      return 'tcp-timeout';
  }
}

function tlsWords(error: Error & { code?: unknown }): string | undefined {
  if (error.code === 'ECONNRESET') return 'closed during the TLS handshake';
  return error.code === 'ERR_SSL_WRONG_VERSION_NUMBER' || error.code === 'EPROTO'
    ? 'what answers on that port does not speak TLS'
    : undefined;
}
