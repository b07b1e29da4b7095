import { isIP, isIPv4, isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { isSubjectToken } from '../base/subject-token.js';

/** How a setting is written: `parse` gives undefined for what is not allowed, `allowed` says in words what is. */
export interface ValueType<T> {
  readonly allowed: string;
  parse(text: string): T | undefined;
}

/** `host[:port]`; an IPv6 address stands without its brackets in `host`. */
export interface HostPort {
  readonly host: string;
  readonly port?: number;
}

const TRUE = new Set(['true', 'yes', 'on', '1']);
const FALSE = new Set(['false', 'no', 'off', '0']);

/** Python's configparser booleans, in any case. */
export const yesNo: ValueType<boolean> = {
  allowed: 'True or False (yes/no, on/off and 1/0 also work)',
  parse: (text) => {
    const word = text.toLowerCase();
    return TRUE.has(word) ? true : FALSE.has(word) ? false : undefined;
  },
};

/** The same, or that it is to be found out. */
export const autoOrYesNo: ValueType<'auto' | boolean> = {
  allowed: 'auto, True or False',
  parse: (text) => (text.toLowerCase() === 'auto' ? 'auto' : yesNo.parse(text)),
};

/** A number within a range, both ends included. */
export interface NumberType extends ValueType<number> {
  readonly min: number;
  readonly max: number;
}

/** A decimal number within a range, both ends included. No exponent or unit. */
export function decimal(min: number, max: number, unit: string): NumberType {
  return {
    min,
    max,
    allowed: `a number of ${unit} from ${min} to ${max}`,
    parse: (text) => within(numberIn(text), min, max),
  };
}

/** A whole number within a range, both ends included. */
export function whole(min: number, max: number, unit: string): NumberType {
  return {
    min,
    max,
    allowed: `a whole number of ${unit} from ${min} to ${max}`,
    parse: (text) => (text.includes('.') ? undefined : within(numberIn(text), min, max)),
  };
}

/** A decimal number of any size; with a sign, and `_` between digits, as Python's `int()` takes it. */
export function numberIn(text: string): number | undefined {
  return /^[+-]?(?:\d+(?:_\d+)*(?:\.\d{0,9})?|\.\d{1,9})$/.test(text) ? Number(text.replaceAll('_', '')) : undefined;
}

function within(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}

/** One line of text without control characters, at most 1,024 characters; may be empty. */
export const line: ValueType<string> = {
  allowed: 'one line of text, at most 1024 characters, without control characters',
  parse: (text) => (text.length <= 1024 && !/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(text) ? text : undefined),
};

/** The absolute path of a folder or file; may be empty. */
export const optionalPath: ValueType<string> = {
  allowed: 'an absolute path, such as /opt/dunebugger, or empty',
  parse: (text) => (text === '' || text.startsWith('/') ? line.parse(text) : undefined),
};

/** Any text: a password may contain anything. */
export const anything: ValueType<string> = {
  allowed: 'at most 16384 characters',
  parse: (text) => (text.length <= 16_384 ? text : undefined),
};

/** One of several words, in any case; the answer is the word as listed. */
export function oneOf<const T extends string>(...words: readonly T[]): ValueType<T> {
  return {
    allowed: `one of ${words.join(', ')}`,
    parse: (text) => words.find((word) => word.toLowerCase() === text.toLowerCase()),
  };
}

/** Names of Python's `logging`, and what each is here. */
const LEVELS = {
  NOTSET: 'DEBUG',
  DEBUG: 'DEBUG',
  INFO: 'INFO',
  WARN: 'WARNING',
  WARNING: 'WARNING',
  ERROR: 'ERROR',
  FATAL: 'CRITICAL',
  CRITICAL: 'CRITICAL',
} as const;

/** Any level of Python's `logging`, in any case. */
export const logLevel: ValueType<'DEBUG' | 'INFO' | 'WARNING' | 'ERROR' | 'CRITICAL'> = {
  allowed: 'one of DEBUG, INFO, WARNING, ERROR, CRITICAL (WARN, FATAL and NOTSET also work)',
  parse: (text) => Object.entries(LEVELS).find(([name]) => name === text.toUpperCase())?.[1],
};

/** A file's whole path, or empty. */
export const absolutePath: ValueType<string> = {
  allowed: 'the whole path of a file, beginning with /, or nothing',
  parse: (text) => (text === '' || /^\/[^\p{Cc}]{1,1023}$/u.test(text) ? text : undefined),
};

/** Hosts, each with or without a port, at most 8; empty: none. */
export const hostList: ValueType<readonly string[]> = {
  allowed: 'host names or IP addresses separated by commas, each with a port if need be, at most 8, or nothing',
  parse: (text) => listOf(text, 8, (item) => (parseHostPort(item) === undefined ? undefined : item)),
};

/** A part of a NATS subject: nothing in it can be a wildcard or a separator. */
export const subjectToken: ValueType<string> = {
  allowed: 'at most 64 letters, digits, - or _ (no blank, no dot, no * and no >)',
  parse: (text) => (isSubjectToken(text) ? text : undefined),
};

/** A host, an IP literal or `localhost`, each with or without a port; no scheme, no path. Kept as written. */
export const site: ValueType<string> = {
  allowed:
    'a host name or IP address, with a port if need be (example.org, 192.0.2.1:8443, [2001:db8::1]:443), without https:// and without a path',
  parse: (text) => (parseHostPort(text) === undefined ? undefined : text),
};

/** One {@link site} or several, at most 4, separated by commas. Kept as written. */
export const siteList: ValueType<string> = {
  allowed: `${site.allowed}; several are separated by commas, at most 4`,
  parse: (text) => {
    const sites = listOf(text, 4, (item) => site.parse(item));
    return sites === undefined || sites.length === 0 ? undefined : text;
  },
};

/** Like {@link site}, or empty. */
export const optionalSite: ValueType<string> = {
  allowed: `${site.allowed}, or nothing`,
  parse: (text) => (text === '' ? text : site.parse(text)),
};

/** IP addresses with or without a port, as `Resolver.setServers` takes them; empty: none. */
export const nameServerList: ValueType<readonly string[]> = {
  allowed:
    'IP addresses separated by commas, each with a port if need be (192.0.2.53, [2001:db8::53]:5353), at most 8, or nothing for those of the system',
  parse: (text) =>
    listOf(text, 8, (item) => {
      const server = parseHostPort(item);
      if (server === undefined || isIP(server.host) === 0) return undefined;
      const { host, port } = server;
      return port === undefined ? host : isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
    }),
};

/** NATS servers as `nats://host:port` or `tls://host:port`, at least one; a user and password, or a token, may stand before `@`. */
export const natsServerList: ValueType<readonly string[]> = {
  allowed:
    'one or several NATS servers separated by commas (nats://host:port, tls://host:port or host:port; nats://user:password@host:port), at most 16',
  parse: (text) => {
    const servers = listOf(text, 16, (item) => {
      const match = /^(?:(nats|tls):\/\/([^\s@/,]+@)?)?([^/@]+)\/?$/i.exec(item);
      const [, scheme = 'nats', login = '', address = ''] = match ?? [];
      const server = parseHostPort(address);
      if (server === undefined) return undefined;
      const host = isIPv6(server.host) ? `[${server.host}]` : server.host;
      return `${scheme.toLowerCase()}://${login}${host}:${server.port ?? 4222}`;
    });
    return servers === undefined || servers.length === 0 ? undefined : servers;
  },
};

/** `auto`, `off`, or an absolute path that fits into a socket address (unix(7): 107 bytes). */
export const socketPath: ValueType<string> = {
  allowed: 'auto, off, or an absolute path of at most 100 bytes',
  parse: (text) => {
    const word = text.toLowerCase();
    if (word === 'auto' || word === 'off') return word;
    return text.startsWith('/') && Buffer.byteLength(text) <= 100 && !/[\p{Cc}\p{Cs}]/u.test(text) ? text : undefined;
  },
};

/** A URL of one of two schemes, the second (not encrypted) only to this machine; empty: not set. */
export function urlOf(secure: 'wss' | 'https', plain: 'ws' | 'http'): ValueType<string> {
  return {
    allowed: `a ${secure}:// URL (${plain}:// only to localhost, 127.0.0.0/8 or [::1])`,
    parse: (text) => {
      if (text === '') return text;
      if (text.length > 16_384 || /[\p{Cc}\p{Z}]/u.test(text) || !URL.canParse(text)) return undefined;
      const { protocol, hostname } = new URL(text);
      if (hostname === '') return undefined;
      return protocol === `${secure}:` || (protocol === `${plain}:` && isLoopback(hostname)) ? text : undefined;
    },
  };
}

/** True of a URL's host name that can only be this machine. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'));
}

/**
 * Takes `host`, `host:port`, `1.2.3.4:port`, `::1`, `[::1]` and `[::1]:port` apart.
 * Undefined for anything else: schemes, paths, blanks, ports outside 1..65535, names that no name server would take.
 */
export function parseHostPort(text: string): HostPort | undefined {
  if (isIPv6(text) && !text.includes('%')) return { host: text };
  const match = /^(?:\[([^[\]%]+)\]|([^[\]:]+))(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [, v6, written = '', digits] = match;
  // A name with foreign letters goes to name servers and into certificates as its ASCII form (RFC 5891).
  const name = /^[\u0020-\u007e]*$/.test(written) ? written : domainToASCII(written);
  if (v6 !== undefined ? !isIPv6(v6) : !isIPv4(name) && !isHostName(name)) return undefined;
  const host = v6 ?? name;
  if (digits === undefined) return { host };
  const port = Number(digits);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

/** Letters, digits, `-` and `_` in labels of 63, 253 in all (RFC 1035 2.3.4); a name whose last label is digits is a botched IPv4 address. */
function isHostName(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  const labels = name.split('.');
  return (
    name.length <= 253 &&
    labels.every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  );
}

function listOf(text: string, max: number, each: (item: string) => string | undefined): readonly string[] | undefined {
  const items = text.trim() === '' ? [] : text.split(',').map((item) => item.trim());
  if (items.length > max) return undefined;
  const values: string[] = [];
  for (const item of items) {
    const value = each(item);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return Object.freeze(values);
}
