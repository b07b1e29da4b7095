/**
 * Which connections go by the proxy. Pure.
 *
 * `NO_PROXY` has no specification; this is what curl and Go have in common: a name stands for itself and all below it, with or without a dot or
 * `*.` before it; an address for itself, `address/bits` for a network, `*` for everything; a port behind a colon narrows either.
 */
import { BlockList, isIP } from 'node:net';
import type { Proxy, ProxySettings } from '../protocol.js';

/** The proxy for a host (name, or IP literal without brackets); undefined: straight there. This machine itself is always straight there. */
export function proxyFor(settings: ProxySettings | undefined, host: string, port: number): Proxy | undefined {
  if (settings === undefined || isThisMachine(host)) return undefined;
  return settings.except.some((entry) => covers(entry, host, port)) ? undefined : settings;
}

/** True if an entry of NO_PROXY can match anything. */
export function isUnderstood(entry: string): boolean {
  return ruleOf(entry) !== undefined;
}

interface Rule {
  readonly port: number | undefined;
  readonly matches: (host: string) => boolean;
}

function covers(entry: string, host: string, port: number): boolean {
  const rule = ruleOf(entry);
  return rule !== undefined && (rule.port === undefined || rule.port === port) && rule.matches(host);
}

function ruleOf(entry: string): Rule | undefined {
  if (entry === '*') return { port: undefined, matches: () => true };
  const match = /^(?:\[([^[\]]+)\]|([^[\]:]+))(?::(\d{1,5}))?$/.exec(entry);
  // What does not fit may be an IPv6 address without brackets.
  const [, bracketed, plain = entry, digits] = match ?? [];
  const what = bracketed ?? plain;
  const port = digits === undefined ? undefined : Number(digits);
  const [address = '', bits] = what.split('/');
  const family = isIP(address);
  if (family !== 0) {
    const list = listOf(address, bits, family === 6 ? 'ipv6' : 'ipv4');
    return (
      list && { port, matches: (host) => isIP(host) !== 0 && list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4') }
    );
  }
  const name = nameOf(what.replace(/^\*?\./, ''));
  // A name whose last label is digits is a piece of an address, such as 192.168.
  if (!/^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/.test(name) || /(?:^|\.)\d+$/.test(name)) return undefined;
  return {
    port,
    matches: (host) => {
      const asked = nameOf(host);
      return asked === name || asked.endsWith(`.${name}`);
    },
  };
}

function listOf(address: string, bits: string | undefined, family: 'ipv4' | 'ipv6'): BlockList | undefined {
  const list = new BlockList();
  const most = family === 'ipv6' ? 128 : 32;
  if (bits === undefined) list.addAddress(address, family);
  else if (/^\d{1,3}$/.test(bits) && Number(bits) <= most) list.addSubnet(address, Number(bits), family);
  else return undefined;
  return list;
}

function nameOf(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

/** RFC 6761, 6.3; RFC 1122, 3.2.1.3; RFC 4291, 2.5.3. */
export function isThisMachine(host: string): boolean {
  const name = nameOf(host);
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    (isIP(name) === 4 && name.startsWith('127.'))
  );
}
