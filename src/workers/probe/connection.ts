/**
 * One connection to the test site: TCP, TLS, and HEAD requests over it for as long as it lives. Bounded by the caller's
 * signals; never throws.
 *
 * Not `fetch`: that resolves names by getaddrinfo, tells no phases, and cannot be handed an address.
 */
import { Agent, request, type ClientRequest } from 'node:http';
import { isIP, type Socket } from 'node:net';
import type { OfflineReason } from '../protocol.js';
import { readCertificateFailure, type CertificateFailure } from '../net/certificate-failure.js';
import { isRefusal } from '../net/refusal.js';
import { codeOfAbort, openAddress, type Steps } from '../net/open-address.js';
import { clockAheadMs } from '../net/site-clock.js';

/** Whose answer is wanted. */
export interface Site {
  /** Host name, IP literal (without brackets) or `localhost`: what the certificate must be for. */
  readonly host: string;
  readonly port: number;
  /** PEM certificates to trust instead of Node's bundled ones; undefined: Node's and NODE_EXTRA_CA_CERTS. */
  readonly ca?: string | undefined;
  /** False: this system has no store of certificates. Default true. */
  readonly hasCaStore?: boolean | undefined;
}

/** Why a step failed. */
export interface Failure {
  readonly at: 'tcp' | 'tls' | 'http';
  /** The system's own code, `ETIMEDOUT` at the deadline, `ECANCELLED` when given up. */
  readonly error: string;
  readonly detail?: string;
  /** Undefined if this machine itself refused a call, which says nothing about the internet. */
  readonly reason: OfflineReason | undefined;
}

export type Opened =
  | { readonly ok: true; readonly connection: Connection; readonly steps: Steps; readonly resumed: boolean }
  | { readonly ok: false; readonly failure: Failure; readonly steps: Steps };

export type Answer =
  | {
      readonly ok: true;
      readonly status: number;
      readonly ms: number;
      readonly date: string | undefined;
      readonly clockAheadMs: number | undefined;
    }
  | { readonly ok: false; readonly failure: Failure };

export interface OpenOptions {
  readonly site: Site;
  /** IP literal. */
  readonly address: string;
  /** A TLS session of an earlier connection, to be resumed. */
  readonly session: Buffer | undefined;
  /** Aborting gives the attempt up; a reason that is a {@link DeadlineError} counts as a time-out. */
  readonly signal: AbortSignal;
  /** A session that can be resumed, whenever the site sends one. */
  readonly onSession: (session: Buffer) => void;
}

/** Longer than any connection is kept. */
const NO_KEEPALIVE_PACKETS_MS = 4 * 3_600_000;

/** Hands its one socket to each request in turn, and heeds the site's `Keep-Alive` and `Connection: close`. */
class OneSocketAgent extends Agent {
  #socket: Socket | undefined;
  constructor(socket: Socket) {
    // An agent asks the kernel for keep-alive packets after a second of silence; on a metered line they would cost more than the checks.
    super({ keepAlive: true, maxSockets: 1, keepAliveMsecs: NO_KEEPALIVE_PACKETS_MS });
    this.#socket = socket;
  }
  override createConnection(): Socket {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) throw Object.assign(new Error('the connection is gone'), { code: 'ECONNRESET' });
    return socket;
  }
}

/** A TLS connection whose certificate was verified. */
export class Connection {
  readonly address: string;
  readonly localAddress: string;
  readonly #socket: Socket;
  readonly #agent: OneSocketAgent;
  readonly #hostHeader: string;
  #busy = false;

  constructor(socket: Socket, site: Site, address: string) {
    this.address = address;
    this.localAddress = socket.localAddress ?? '';
    this.#socket = socket;
    this.#agent = new OneSocketAgent(socket);
    const host = isIP(site.host) === 6 ? `[${site.host}]` : site.host;
    this.#hostHeader = site.port === 443 ? host : `${host}:${site.port}`;
    // Between two requests nobody else listens.
    socket.on('error', () => undefined);
  }

  /** False once either side has closed it, or while a request is under way. */
  get usable(): boolean {
    return !this.#busy && !this.#socket.destroyed && this.#socket.writable && this.#socket.readable;
  }

  /** Any well-formed answer counts; what it says is for the evidence. An aborted or failed request ends the connection. */
  head(signal: AbortSignal): Promise<Answer> {
    const startedAt = performance.now();
    this.#busy = true;
    return new Promise((resolve) => {
      let outgoing: ClientRequest | undefined;
      let settled = false;
      const settle = (answer: Answer): void => {
        if (settled) return;
        settled = true;
        signal.removeEventListener('abort', onAbort);
        this.#busy = false;
        if (!answer.ok) {
          outgoing?.destroy();
          this.close();
        }
        resolve(answer);
      };
      const fail = (error: string, detail?: string): void =>
        settle({
          ok: false,
          failure: { at: 'http', error, reason: reasonAt('http', error), ...(detail === undefined ? {} : { detail }) },
        });
      const onAbort = (): void => fail(codeOfAbort(signal));
      if (signal.aborted) {
        onAbort();
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        outgoing = request({ method: 'HEAD', path: '/', agent: this.#agent, headers: { host: this.#hostHeader } });
        // HTTP/1.1 keeps a connection open without being asked to; each byte is paid for some 370,000 times a month.
        outgoing.removeHeader('connection');
        outgoing.on('error', (error) => fail(codeOf(error), httpWords(error)));
        outgoing.on('response', (response) => {
          const { statusCode: status = 0 } = response;
          const { date } = response.headers;
          const aheadMs = clockAheadMs(response.headers, Date.now());
          response.on('error', () => undefined);
          response.resume();
          settle({ ok: true, status, ms: Math.round(performance.now() - startedAt), date, clockAheadMs: aheadMs });
        });
        outgoing.on('close', () => fail('ECONNRESET', 'closed without an answer'));
        outgoing.end();
      } catch (error) {
        fail(codeOf(error));
      }
    });
  }

  /** Ends it at once. */
  close(): void {
    this.#agent.destroy();
    this.#socket.destroy();
  }
}

/** Connects and verifies. */
export async function openConnection(options: OpenOptions): Promise<Opened> {
  const { site, address, session, signal, onSession } = options;
  const opened = await openAddress<CertificateFailure>({
    address,
    host: site.host,
    port: site.port,
    tls: {
      ALPNProtocols: ['http/1.1'],
      ...(site.ca === undefined ? {} : { ca: site.ca }),
      ...(session === undefined ? {} : { session }),
    },
    signal,
    onSession,
    onRefused: async (socket) => {
      const connection = new Connection(socket, site, address);
      const failure = await readCertificateFailure(socket, {
        host: site.host,
        ca: site.ca,
        hasCaStore: site.hasCaStore ?? true,
        askDate: async () => {
          const answer = await connection.head(signal);
          return answer.ok ? answer.date : undefined;
        },
      });
      connection.close();
      return failure;
    },
  });
  const { steps } = opened;
  if (opened.ok) {
    return { ok: true, connection: new Connection(opened.socket, site, address), steps, resumed: opened.resumed };
  }
  const { at, error, refused } = opened;
  if (refused !== undefined) return { ok: false, failure: { at, ...refused }, steps };
  const code = codeOf(error);
  const detail = at === 'tls' ? tlsWords(error) : undefined;
  return {
    ok: false,
    failure: { at, error: code, reason: reasonAt(at, code), ...(detail === undefined ? {} : { detail }) },
    steps,
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'ECONNECTION';
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

function httpWords(error: Error & { code?: unknown }): string | undefined {
  return typeof error.code === 'string' && error.code.startsWith('HPE_') ? 'the answer is not HTTP' : undefined;
}
