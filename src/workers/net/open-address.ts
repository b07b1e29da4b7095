/**
 * Opens one address of a host, or of the proxy that leads to it: TCP, the proxy's tunnel and, if `tls` is given, TLS. The one place that does: checks,
 * sign-in and the WebSocket go through here. Never rejects; its only deadline is the caller's signal.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import {
  connect as connectTls,
  createSecureContext,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { Proxy } from '../protocol.js';
import { countSocket, type Use } from './meter.js';
import type { Dial } from './over-interface.js';
import { ProxyError, troubleOfFailure } from './proxy-answers.js';
import { refusalOf } from './refusal.js';
import { openTunnel } from './tunnel.js';

/** The reason of a signal that aborts because time is up. */
export class DeadlineError extends Error {
  readonly code = 'ETIMEDOUT';
}

/** Milliseconds of the steps that were completed. */
export interface Steps {
  readonly tcpMs?: number;
  /** Until the proxy had opened the way. */
  readonly proxyMs?: number;
  readonly tlsMs?: number;
}

/** The step that failed. */
export type OpenPhase = 'tcp' | 'proxy' | 'tls';

/** What of TLS a caller may choose; that the certificate is verified is not among it. */
export interface TlsChoice extends Pick<ConnectionOptions, 'ALPNProtocols' | 'session' | 'ecdhCurve'> {
  /** PEM certificates to trust instead of Node's own; undefined: Node's. */
  readonly ca?: string | undefined;
}

export interface OpenAddressOptions<Refused> {
  /** IP literal: the proxy's, if there is one. */
  readonly address: string;
  /** Name or IP literal (without brackets): what the certificate must be for. */
  readonly host: string;
  readonly port: number;
  /** Undefined: straight to the address. */
  readonly proxy?: Proxy | undefined;
  /** Undefined: no TLS. `session`: one of an earlier connection, to be resumed. */
  readonly tls?: TlsChoice | undefined;
  /** Makes the socket, which says 'connect'. Default: where the routes lead. */
  readonly dial?: Dial | undefined;
  /** Whose bytes they are. Default: the checks'. */
  readonly use?: Use | undefined;
  /** Aborting gives the attempt up; a reason that is a {@link DeadlineError} counts as a time-out. */
  readonly signal: AbortSignal;
  /** TCP is open, and that step begins. */
  readonly onPhase?: (phase: Exclude<OpenPhase, 'tcp'>) => void;
  /** A session that can be resumed, whenever a verified host sends one. */
  readonly onSession?: (session: Buffer) => void;
  /**
   * Reads what a certificate says that was refused, over the socket that showed it, which is closed then; must not reject.
   * Undefined: Node refuses it itself, before a byte is sent.
   */
  readonly onRefused?: (socket: TLSSocket) => Promise<Refused>;
}

export type OpenedAddress<Refused> =
  | {
      readonly ok: true;
      readonly socket: Socket;
      /** Of this machine. */
      readonly localAddress: string;
      readonly localPort: number;
      readonly steps: Steps;
      readonly resumed: boolean;
    }
  | {
      readonly ok: false;
      readonly at: OpenPhase;
      /** Its `code` is the system's own, `ETIMEDOUT` at the deadline, `ECANCELLED` when given up. A {@link ProxyError}: the proxy's trouble. */
      readonly error: Error & { readonly code?: unknown };
      readonly steps: Steps;
      /** What `onRefused` read. */
      readonly refused?: Refused;
    };

export function openAddress<Refused = never>(options: OpenAddressOptions<Refused>): Promise<OpenedAddress<Refused>> {
  const { address, host, port, proxy, tls, dial = straight, use = 'checks', signal, onPhase } = options;
  return new Promise((resolve) => {
    let at: OpenPhase = 'tcp';
    let begunAt = performance.now();
    let steps: Steps = {};
    let localAddress = '';
    let localPort = 0;
    let settled = false;
    const settle = (opened: OpenedAddress<Refused>): void => {
      if (settled) return;
      settled = true;
      signal.removeEventListener('abort', onAbort);
      if (!opened.ok) for (const socket of sockets.reverse()) socket.destroy();
      resolve(opened);
    };
    const open = (socket: Socket, resumed: boolean): void =>
      settle({ ok: true, socket, localAddress, localPort, steps, resumed });
    const fail = (error: Error, refused?: Refused): void => {
      const why = proxy === undefined || at === 'tls' ? error : blameProxy(at, error);
      settle({ ok: false, at, error: why, steps, ...(refused === undefined ? {} : { refused }) });
    };
    const onAbort = (): void => fail(coded(codeOfAbort(signal), 'given up'));
    const begin = (phase: 'proxy' | 'tls'): void => {
      at = phase;
      begunAt = performance.now();
      onPhase?.(phase);
    };
    const secureOver = (socket: Socket): void => {
      if (tls === undefined) {
        open(socket, false);
        return;
      }
      begin('tls');
      const secured = secure(options, socket, {
        fail,
        verified: (one) => {
          steps = { ...steps, tlsMs: since(begunAt) };
          open(one, one.isSessionReused());
        },
        refused: (one, read) => {
          if (settled) return;
          const error = coded(String(one.authorizationError), 'the certificate was refused');
          void read(one).then((refused) => fail(error, refused));
        },
      });
      sockets.push(secured);
    };

    const tcp = dial(address, proxy?.port ?? port);
    const sockets: Socket[] = [tcp];
    countSocket(use, tcp);
    // Also for what comes after the end: without a listener it would end the process.
    tcp.on('error', (error) => fail(error));
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    tcp.on('connect', () => {
      if (settled) return;
      steps = { tcpMs: since(begunAt) };
      ({ localAddress = '', localPort = 0 } = tcp);
      if (proxy === undefined) {
        secureOver(tcp);
        return;
      }
      begin('proxy');
      const context = tls?.ca === undefined ? undefined : contextOf(tls.ca);
      void openTunnel({ tcp, proxy, host, port, context }).then((tunnel) => {
        if (settled) return;
        if (!tunnel.ok) {
          fail(tunnel.error);
          return;
        }
        steps = { ...steps, proxyMs: since(begunAt) };
        sockets.push(tunnel.socket);
        secureOver(tunnel.socket);
      });
    });
  });
}

function straight(address: string, port: number): Socket {
  return connectTcp({ host: address, port, noDelay: true });
}

/** The error as the proxy's, if it is: neither this machine's own refusal nor a giving up is. */
function blameProxy(at: 'tcp' | 'proxy', error: Error & { readonly code?: unknown }): Error {
  if (error instanceof ProxyError || refusalOf(error) !== undefined) return error;
  const code = typeof error.code === 'string' ? error.code : 'ECONNECTION';
  const trouble = troubleOfFailure(at, code);
  if (trouble === undefined) return error;
  return new ProxyError(
    code,
    trouble,
    `${at === 'tcp' ? 'the proxy cannot be reached' : 'the proxy opens no way'} (${code})`,
  );
}

/** How a TLS handshake ended. */
interface Ends<Refused> {
  readonly fail: (error: Error) => void;
  readonly verified: (socket: TLSSocket) => void;
  readonly refused: (socket: TLSSocket, read: (socket: TLSSocket) => Promise<Refused>) => void;
}

function secure<Refused>(options: OpenAddressOptions<Refused>, below: Socket, ends: Ends<Refused>): TLSSocket {
  const { host, tls: { ca, ...tls } = {}, onSession, onRefused } = options;
  const socket = connectTls({
    ...tls,
    ...(ca === undefined ? {} : { secureContext: contextOf(ca, tls.ecdhCurve) }),
    socket: below,
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    // Said by ourselves, since NODE_TLS_REJECT_UNAUTHORIZED would change the default. False only so that a certificate that is refused can be
    // named: nothing but `authorized` makes a connection count then.
    rejectUnauthorized: onRefused === undefined,
  });
  /** TLS 1.2 hands its session out before the certificate was looked at. */
  let early: Buffer | undefined;
  let verdict: 'open' | 'verified' | 'refused' = 'open';
  socket.on('session', (session) => {
    if (verdict === 'verified') onSession?.(session);
    else early = session;
  });
  socket.on('error', (error: Error) => {
    if (verdict === 'open') ends.fail(error);
  });
  // A peer that leaves in the middle need not cause an error.
  socket.on('close', () => {
    if (verdict === 'open') ends.fail(coded('ECONNRESET', 'closed during the TLS handshake'));
  });
  socket.on('secureConnect', () => {
    if (onRefused !== undefined && !socket.authorized) {
      verdict = 'refused';
      ends.refused(socket, onRefused);
      return;
    }
    verdict = 'verified';
    if (early !== undefined) onSession?.(early);
    ends.verified(socket);
  });
  return socket;
}

/** Some 170 certificates take 20 ms to read on a desktop, so it is done once for each set; a process knows one, a test a few. */
const contexts: { readonly ca: string; readonly ecdhCurve: string | undefined; readonly context: SecureContext }[] = [];
const MAX_CONTEXTS = 8;

export function contextOf(ca: string, ecdhCurve?: string): SecureContext {
  // Compared as they are: a key made of both would keep the certificates, 230 kB, once more.
  const known = contexts.find((one) => one.ecdhCurve === ecdhCurve && one.ca === ca);
  if (known !== undefined) return known.context;
  if (contexts.length >= MAX_CONTEXTS) contexts.shift();
  const context = createSecureContext({ ca, ...(ecdhCurve === undefined ? {} : { ecdhCurve }) });
  contexts.push({ ca, ecdhCurve, context });
  return context;
}

export function codeOfAbort(signal: AbortSignal): string {
  return signal.reason instanceof DeadlineError ? signal.reason.code : 'ECANCELLED';
}

function coded(code: string, message: string): Error & { code: string } {
  return Object.assign(new Error(message), { code });
}

function since(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}
