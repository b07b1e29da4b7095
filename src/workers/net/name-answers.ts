/**
 * What a name server can answer, and what is made of it. Pure.
 *
 * | what comes | the code | then | source |
 * | --- | --- | --- | --- |
 * | addresses | | they are tried | RFC 1035, 3.4.1; RFC 3596 |
 * | nothing | `ETIMEOUT` | the next server beside it, the first once more | RFC 1035, 4.2.1 |
 * | the port is closed, the machine unreachable | `ECONNREFUSED` | the next server at once | RFC 1122, 4.1.3.3 |
 * | NXDOMAIN | `ENOTFOUND` | the end, once the other family has had its time: some servers say it of AAAA alone | RFC 8020; RFC 4074, 4.2 |
 * | an empty answer, a CNAME that leads to none | `ENODATA` | the end if both families say so | RFC 2308, 2.2; RFC 1034, 3.6.2 |
 * | SERVFAIL | `ESERVFAIL` | the next server at once | RFC 1035, 4.1.1; RFC 8914 |
 * | REFUSED | `EREFUSED` | the next server at once | RFC 1035, 4.1.1 |
 * | FORMERR | `EFORMERR` | c-ares asks without EDNS; then the next server | RFC 6891, 7 |
 * | NOTIMP, any other code | `ENOTIMP`, `ESERVFAIL` | the next server at once | RFC 1035, 4.1.1 |
 * | a truncated answer | | c-ares asks over TCP | RFC 7766, 5 |
 * | bytes that are no answer, or one to something else | `EBADRESP` | it is waited for a better one, then the next server | RFC 5452, 9.1 |
 * | one family early, the other late | | 50 ms of waiting | RFC 8305, 3 |
 * | an address that no site can have | | it is tried, since a certificate may prove it; if none does, this is the reason | RFC 6890 |
 * | a private address where it was a public one | | the same | RFC 1918, RFC 4193 |
 */
import type { DnsEvidence, NameTrouble } from '../protocol.js';

/** Codes of c-ares, and ours for a resolv.conf that is not read at all. */
const BY_CODE: Readonly<Record<string, NameTrouble>> = {
  ETIMEOUT: 'silent',
  ENOTFOUND: 'no-such-name',
  ENODATA: 'no-address',
  ESERVFAIL: 'cannot-find-out',
  EREFUSED: 'refuses-us',
  EFORMERR: 'does-not-understand',
  ENOTIMP: 'does-not-understand',
  EBADRESP: 'makes-no-sense',
  EBADNAME: 'bad-name',
};

/** State of `/etc/resolv.conf`, where it is not as it should be. */
export type ResolvConfTrouble = Extract<NameTrouble, `resolv-conf-${string}`>;

/** Why a look-up failed; undefined if it did not, or was given up. */
export function troubleOf(
  { ok, error, servers }: Pick<DnsEvidence, 'ok' | 'error' | 'servers'>,
  resolvConf: ResolvConfTrouble | undefined,
): NameTrouble | undefined {
  if (ok || error === undefined || error === 'ECANCELLED') return undefined;
  if (resolvConf === 'resolv-conf-endless' || resolvConf === 'resolv-conf-unreadable') return resolvConf;
  if (error === 'ECONNREFUSED') {
    // Without a server in it, the C library and c-ares ask this machine itself.
    if (resolvConf !== undefined) return resolvConf;
    if (servers.some((server) => /^127\.0\.0\.5[34](:|$)/.test(server))) return 'resolved-away';
    return servers.length > 0 && servers.every(isLoopbackServer) ? 'own-server-away' : 'server-away';
  }
  return BY_CODE[error] ?? 'fails-otherwise';
}

/**
 * Why an answer with addresses is suspect once none of them has proved to be the site. `lastGood`: the address that did before. A site with a
 * port of its own is somebody's own affair: there a loopback address is no surprise.
 */
export function suspicionOf(
  addresses: readonly string[],
  site: { readonly host: string; readonly port: number },
  lastGood: string | undefined,
): NameTrouble | undefined {
  if (addresses.length === 0 || site.port !== 443 || addresses.includes(site.host)) return undefined;
  if (site.host === 'localhost' || site.host.endsWith('.localhost')) return undefined;
  if (addresses.every((address) => scopeOf(address) === 'nowhere')) return 'impossible-address';
  const wasPublic = lastGood !== undefined && scopeOf(lastGood) === 'public';
  return wasPublic && addresses.every((address) => scopeOf(address) !== 'public') ? 'private-address' : undefined;
}

export type Scope = 'public' | 'private' | 'nowhere';

/** RFC 6890, as far as a name server says such things: `nowhere` is this machine, this link, everybody, or nobody. */
export function scopeOf(address: string): Scope {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const v4 = mapped ?? (address.includes(':') ? undefined : address);
  if (v4 !== undefined) {
    const [a = 0, b = 0] = v4.split('.').map(Number);
    if (a === 0 || a === 127 || a >= 224 || (a === 169 && b === 254)) return 'nowhere';
    if (a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 100 && b >= 64 && b < 128))
      return 'private';
    return 'public';
  }
  if (/^::1?$/.test(address) || /^fe[89ab]/i.test(address) || /^ff/i.test(address)) return 'nowhere';
  return /^f[cd]/i.test(address) ? 'private' : 'public';
}

function isLoopbackServer(server: string): boolean {
  return server.startsWith('127.') || /^\[?::1(\]|$)/.test(server);
}
