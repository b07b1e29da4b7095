/**
 * What can come of a proxy, and what is made of it. Pure.
 *
 * | what comes | then | source |
 * | --- | --- | --- |
 * | the connection is refused | `refuses-connections` | RFC 9293, 3.10.7.1 |
 * | no connection comes about | `unreachable` | RFC 1122, 4.2.3.5 |
 * | a certificate that is not the proxy's, or of nobody that is trusted | `bad-certificate` | RFC 9110, 4.3.4 |
 * | no TLS where TLS is wanted | `no-tls` | RFC 8446, 6 |
 * | 1xx | it is waited for what follows | RFC 9110, 15.2 |
 * | 2xx, whatever it says of a body | the way is open: what follows the head is the host's | RFC 9110, 9.3.6 |
 * | 407, nobody had logged in | `wants-login` if Basic is offered, otherwise `wants-other-login` | RFC 9110, 11.7.1; RFC 7617 |
 * | 407 all the same | `refuses-login` if Basic is offered, otherwise `wants-other-login` | RFC 9110, 15.5.8 |
 * | 401 | as 407: tinyproxy says so of a login that is wrong | RFC 9110, 15.5.2 |
 * | 403 and every other 4xx | `forbids` | RFC 9110, 15.5 |
 * | 502, 503, 504 and every other 5xx | `has-no-way` | RFC 9110, 15.6 |
 * | 3xx, and what is no status | `answers-oddly` | RFC 9110, 15: a client treats what it does not know by its class |
 * | the connection ends | `closes` | RFC 9112, 9.5 |
 * | nothing | `silent` | RFC 9110, 15.5.9 |
 * | bytes that are no HTTP, or no end of the head within 16 KiB | `no-proxy` | RFC 9112, 2.1; 2.3 of RFC 9110 on limits |
 */
import type { ProxyTrouble } from '../protocol.js';
import type { HttpHead } from './http-head.js';

/** A proxy opens no way. `code` is the system's own, or `PROXY_` and the status. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  constructor(
    readonly code: string,
    readonly trouble: ProxyTrouble,
    message: string,
  ) {
    super(message);
  }
}

/** Of `Proxy-Authenticate`, in lower case: the schemes that are offered. */
export function schemesOf({ fields }: HttpHead): readonly string[] {
  return fields.flatMap(schemesIn);
}

/** Undefined: the way is open. */
export function troubleOfStatus(
  status: number,
  schemes: readonly string[],
  hasLogin: boolean,
): ProxyTrouble | undefined {
  if (status >= 200 && status < 300) return undefined;
  if (status === 407 || status === 401) {
    // One that names no scheme is taken for one that would take the one that there is.
    if (schemes.length > 0 && !schemes.includes('basic')) return 'wants-other-login';
    return hasLogin ? 'refuses-login' : 'wants-login';
  }
  if (status >= 400 && status < 500) return 'forbids';
  return status >= 500 && status < 600 ? 'has-no-way' : 'answers-oddly';
}

/** What a failure before the tunnel says of the proxy; undefined: nothing, such as where this machine has no route at all. */
export function troubleOfFailure(at: 'tcp' | 'proxy', code: string): ProxyTrouble | undefined {
  switch (code) {
    case 'ECANCELLED':
    case 'ENETUNREACH':
    case 'ENETDOWN':
    case 'EADDRNOTAVAIL':
      return undefined;
    case 'ETIMEDOUT':
      return at === 'tcp' ? 'unreachable' : 'silent';
    case 'ECONNREFUSED':
      return 'refuses-connections';
    case 'ECONNRESET':
    case 'EPIPE':
      return at === 'tcp' ? 'refuses-connections' : 'closes';
    default:
      return at === 'tcp' ? 'unreachable' : 'closes';
  }
}

/** A code of the system, of OpenSSL's handshake, or of a certificate that it or Node refused. */
export function troubleOfTls(code: string): ProxyTrouble {
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return 'no-tls';
  return /^E[A-Z0-9]+$/.test(code) ? 'closes' : 'bad-certificate';
}

/** A field may hold several challenges, and parameters of one are separated by commas as well (RFC 9110, 11.6.1). */
function schemesIn(field: string): readonly string[] {
  const value = /^proxy-authenticate:(.*)$/i.exec(field)?.[1];
  if (value === undefined) return [];
  const unquoted = value.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  return unquoted
    .split(',')
    .map((part) => /^\s*([!#$%&'*+.^_`|~\w-]+)(?!\s*=)(?:\s|$)/.exec(part)?.[1])
    .filter((scheme) => scheme !== undefined)
    .map((scheme) => scheme.toLowerCase());
}
