/** How a proxy is written, and what is understood of it. Pure but for the alphabet of Base64. */
import type { Proxy, ProxySettings } from '../../workers/protocol.js';
import { isUnderstood, proxyFor } from '../../workers/net/proxy.js';
import { parseHostPort, type ValueType } from './values.js';

/** Words that mean no proxy, also against an environment that names one. */
const NONE: readonly string[] = ['', 'off', 'none', 'direct'];
/** Longer ones are nobody's. */
const MAX_EXCEPTIONS = 64;

const IS_OF_ANOTHER_KIND = /^(?!https?:)[a-z][a-z0-9+.-]*:\/\//i;

/** `http://user:password@host:port`, or empty. `off` gives the empty text. */
export const proxyUrl: ValueType<string> = {
  allowed:
    'http://host:port or https://host:port, with user:password@ before the host if need be (%40 for an @, %3A for a colon), or off; proxies of another kind (SOCKS) are not known here',
  parse: (text) => {
    const written = text.trim();
    if (NONE.includes(written.toLowerCase())) return '';
    return parseProxy(written) === undefined ? undefined : written;
  },
};

/** Entries of NO_PROXY, separated by commas or blanks. */
export const proxyExceptions: ValueType<readonly string[]> = {
  allowed: `names, addresses and networks (example.org, 192.0.2.0/24) separated by commas, at most ${MAX_EXCEPTIONS}, or nothing`,
  parse: (text) => {
    const entries = text.split(/[\s,]+/).filter((entry) => entry !== '');
    return entries.length <= MAX_EXCEPTIONS && entries.every((entry) => /^[\u0021-\u007e]{1,255}$/.test(entry))
      ? Object.freeze(entries)
      : undefined;
  },
};

/** What is said of entries that can match nothing. */
export function uselessExceptions(entries: readonly string[]): readonly string[] {
  return entries.filter((entry) => !isUnderstood(entry));
}

/** The proxy of the settings; undefined: there is none. */
export function proxyOf({
  httpsProxy,
  noProxy,
}: {
  readonly httpsProxy: string;
  readonly noProxy: readonly string[];
}): ProxySettings | undefined {
  const proxy = parseProxy(httpsProxy);
  return proxy === undefined ? undefined : { ...proxy, except: noProxy };
}

/** The proxy that leads to the test site, or to the first of several; undefined: it is reached without. */
export function proxyOfSite(settings: {
  readonly httpsProxy: string;
  readonly noProxy: readonly string[];
  readonly testDomain: string;
}): Proxy | undefined {
  const site = parseHostPort(settings.testDomain.split(',')[0]?.trim() ?? '');
  return site === undefined ? undefined : proxyFor(proxyOf(settings), site.host, site.port ?? 443);
}

/** Undefined for what is no proxy we can use. Without a scheme it is `http://`, without a port that of the scheme. */
export function parseProxy(text: string): Proxy | undefined {
  const match = /^(?:(https?):\/\/)?(?:(.*)@)?([^@/]+)\/?$/i.exec(text);
  if (match === null || text.length > 2_048 || IS_OF_ANOTHER_KIND.test(text)) return undefined;
  const [, scheme = 'http', login, address = ''] = match;
  const where = parseHostPort(address);
  if (where === undefined) return undefined;
  const secure = scheme.toLowerCase() === 'https';
  const proxy = { host: where.host, port: where.port ?? (secure ? 443 : 80), secure };
  if (login === undefined) return proxy;
  const authorization = basic(login);
  return authorization === undefined ? undefined : { ...proxy, authorization };
}

/** RFC 7617: in UTF-8, no control characters, no colon in the user's name. */
function basic(login: string): string | undefined {
  const [, name = '', password = ''] = /^([^:]*):?(.*)$/.exec(login) ?? [];
  const pair = [name, password].map(decoded);
  if (pair.some((part) => /\p{Cc}/u.test(part)) || pair[0]?.includes(':') === true) return undefined;
  return `Basic ${Buffer.from(pair.join(':')).toString('base64')}`;
}

/** Of a proxy's URL, what no log may show: the password (or the name that stands alone), as written and as meant, and both as they travel. */
export function secretsOfProxy(httpsProxy: string): readonly string[] {
  const login = /^(?:https?:\/\/)?(.*)@/i.exec(httpsProxy)?.[1];
  if (login === undefined) return [];
  const [, name = '', password = ''] = /^([^:]*):?(.*)$/.exec(login) ?? [];
  const telling = password === '' ? name : password;
  const travelling = basic(login)?.slice('Basic '.length) ?? '';
  return [telling, decoded(telling), travelling].filter((secret) => secret !== '');
}

/** `%` that begins no code is one itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
