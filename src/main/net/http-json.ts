/**
 * One HTTPS call that carries JSON, bounded in time, size and side effects: made for signing in, a few times a day. Where the line swallows the request,
 * so that the server has not seen all of it, it is made once more over the other family.
 *
 * Not `fetch`: that resolves names by getaddrinfo, which no deadline reaches. Every call has its own connection, which is
 * gone when the call has settled; redirects are not followed; no message of an error holds a header, body or query.
 */

import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { connect, type OnSwallowed, type Opened } from '../../workers/net/connect.js';
import { ProxyError } from '../../workers/net/proxy-answers.js';
import type { ProxySettings } from '../../workers/protocol.js';

/** Largest answer that is read, bytes. A userinfo with a client access URL has about 2 KiB. */
const DEFAULT_MAX_BYTES = 256 * 1024;

export interface HttpJsonRequest {
  readonly method: 'GET' | 'POST';
  /** `https:`; plain `http:` only to this machine's loopback. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Deadline over everything: look-up, connect, TLS, request and the whole answer, milliseconds. */
  readonly timeoutMs: number;
  /** Resolves names; must be bounded itself, as a pending look-up cannot be cancelled from here. */
  readonly lookup: LookupFunction;
  /** Undefined: straight to its address. */
  readonly proxy?: ProxySettings | undefined;
  /** PEM certificates to trust instead of Node's bundled ones; undefined: Node's and NODE_EXTRA_CA_CERTS. */
  readonly ca?: string | undefined;
  /** Default 256 KiB. */
  readonly maxBytes?: number;
  /** Gives the call up at once. */
  readonly signal?: AbortSignal;
  /** The request is swallowed over this family, and made once more over the other. */
  readonly onSwallowed?: OnSwallowed | undefined;
}

export interface HttpJsonResponse {
  readonly status: number;
  readonly headers: Readonly<http.IncomingHttpHeaders>;
  /** What the answer's body says, whatever its content type; undefined if it is not JSON. Untrusted. */
  readonly json: unknown;
}

/** How far a call got. Up to `tls`, the server has seen nothing of the request. */
export type HttpPhase = 'request' | 'dns' | 'tcp' | 'proxy' | 'tls' | 'http' | 'body';

const PHASE_WORDS: Readonly<Record<HttpPhase, string>> = {
  request: 'preparing the request',
  dns: 'looking up the name',
  tcp: 'connecting',
  proxy: 'asking the proxy for the way',
  tls: 'the TLS handshake',
  http: 'waiting for the answer',
  body: 'reading the answer',
};

/** No answer. `code` is the system's own (`ENOTFOUND`, `CERT_HAS_EXPIRED`), or `ETIMEDOUT`, `ABORT_ERR`, `ERR_BODY_TOO_LARGE`, `ERR_BAD_REQUEST`. */
export class HttpJsonError extends Error {
  constructor(
    readonly code: string,
    readonly phase: HttpPhase,
    /** Host and port, for the log. */
    readonly host: string,
    detail: string,
    options?: { cause?: unknown },
  ) {
    super(`${host}: ${detail} (${code}, while ${PHASE_WORDS[phase]})`, options);
    this.name = 'HttpJsonError';
  }
}

/** True for names and addresses of this machine's loopback, as `URL.hostname` writes them. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
}

/** Resolves with any HTTP answer, whatever its status; rejects with {@link HttpJsonError}. */
export function httpJson(request: HttpJsonRequest): Promise<HttpJsonResponse> {
  const url = URL.canParse(request.url) ? new URL(request.url) : undefined;
  const host = url === undefined || url.host === '' ? 'the URL' : url.host;
  if (url === undefined || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)))) {
    return Promise.reject(new HttpJsonError('ERR_BAD_REQUEST', 'request', host, 'not an https:// URL'));
  }
  return new Promise((resolve, reject) => {
    const maxBytes = request.maxBytes ?? DEFAULT_MAX_BYTES;
    const { signal } = request;
    let phase: HttpPhase = isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0 ? 'dns' : 'tcp';
    let outgoing: http.ClientRequest | undefined;
    let settled = false;
    let opened: Opened | undefined;
    let endWatch = (): void => undefined;
    let isRepeated = false;
    const opening = new AbortController();

    const settle = (finish: () => void): void => {
      if (settled) return;
      settled = true;
      clearTimeout(deadline);
      signal?.removeEventListener('abort', onAbort);
      opening.abort();
      endWatch();
      outgoing?.destroy();
      finish();
    };
    const fail = (code: string, detail: string, cause?: unknown): void =>
      settle(() => reject(new HttpJsonError(code, phase, host, detail, cause === undefined ? undefined : { cause })));
    const onAbort = (): void => fail('ABORT_ERR', 'given up', signal?.reason);
    const onError = (error: Error & { code?: unknown }): void =>
      fail(
        typeof error.code === 'string' ? error.code : 'ERR_CONNECTION',
        error instanceof ProxyError ? error.message : 'no answer',
        error,
      );

    const deadline = setTimeout(() => {
      if (phase === 'http') opened?.stalled();
      fail('ETIMEDOUT', `no complete answer within ${request.timeoutMs} ms`);
    }, request.timeoutMs);
    if (signal?.aborted === true) {
      onAbort();
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });

    const send = (): void => {
      const secure = url.protocol === 'https:';
      const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
      const one = (secure ? https : http).request(url, {
        method: request.method,
        createConnection: (_options, oncreate) => {
          void connect({
            host: url.hostname.replace(/^\[|\]$/g, ''),
            port: Number(url.port || (secure ? 443 : 80)),
            lookup: request.lookup,
            proxy: request.proxy,
            use: 'sign-in',
            ...(secure
              ? { tls: { ALPNProtocols: ['http/1.1'], ...(request.ca === undefined ? {} : { ca: request.ca }) } }
              : {}),
            signal: opening.signal,
            onPhase: (reached) => (phase = reached),
          }).then((connected) => {
            phase = connected.ok ? 'http' : connected.at;
            if (connected.ok && settled) connected.socket.destroy();
            oncreate(connected.ok ? null : connected.error, connected.ok ? connected.socket : (undefined as never));
            if (!connected.ok || settled) return;
            opened = connected;
            if (!isRepeated) endWatch = connected.watch(sendAgain);
          });
          return undefined;
        },
        headers: {
          ...request.headers,
          accept: 'application/json',
          'accept-encoding': 'identity',
          ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.byteLength }),
        },
      });
      outgoing = one;
      // What becomes of one that was swallowed is no matter.
      const isCurrent = (): boolean => outgoing === one;
      one.on('error', (error) => isCurrent() && onError(error));
      one.on('close', () => isCurrent() && fail('ECONNRESET', 'closed the connection without an answer'));
      one.on('response', (response) => {
        if (!isCurrent()) return;
        phase = 'body';
        endWatch();
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('error', onError);
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.byteLength;
          if (bytes > maxBytes) fail('ERR_BODY_TOO_LARGE', `the answer has more than ${maxBytes} bytes`);
          else chunks.push(chunk);
        });
        response.on('end', () => {
          const { statusCode: status = 0, headers } = response;
          settle(() => resolve({ status, headers, json: parse(Buffer.concat(chunks).toString('utf8')) }));
        });
      });
      one.end(body);
    };
    const sendAgain: OnSwallowed = (family) => {
      isRepeated = true;
      const swallowed = outgoing;
      request.onSwallowed?.(family);
      begin();
      swallowed?.destroy();
    };
    const begin = (): void => {
      try {
        send();
      } catch (error) {
        // Node refuses a header it cannot send; its message names the header and not the value.
        phase = 'request';
        fail('ERR_BAD_REQUEST', 'the request cannot be sent', error);
      }
    };
    begin();
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
