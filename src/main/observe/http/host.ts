/**
 * Who may be meant by the `Host` of a request. A page of a stranger can have its own name lead to this machine (DNS rebinding) and would
 * then read what we answer; but its name is in the `Host` then. So only names are taken that no stranger can own. Pure.
 */

/** Endings that nobody can register: RFC 6762, RFC 8375, ICANN's `.internal`, and what routers use for the house. */
const HOUSE = ['local', 'lan', 'home', 'home.arpa', 'internal', 'localdomain'];

/** `host` as in the request, with or without a port; `ownName` is the machine's. */
export function isOwnHost(host: string | undefined, ownName: string): boolean {
  if (host === undefined) return false;
  const bracketed = /^\[([0-9a-f:.]+)\](?::\d{1,5})?$/i.test(host);
  if (bracketed) return true;
  const name = host
    .replace(/:\d{1,5}$/, '')
    .replace(/\.$/, '')
    .toLowerCase();
  // An address is nobody's name.
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(name)) return true;
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  const [own = ''] = ownName.toLowerCase().split('.');
  if (own === '') return false;
  return name === own || HOUSE.some((ending) => name === `${own}.${ending}`);
}
