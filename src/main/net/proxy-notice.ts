/** What the journal says at the start of a proxy that is used: never its password. Pure. */
import type { ProxySettings } from '../../workers/protocol.js';

export function proxyNotice({ host, port, secure, authorization, except }: ProxySettings): string {
  const where = `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const login = authorization === undefined ? 'without a login' : 'with a login';
  const others = except.length === 0 ? '' : `, except to ${except.join(', ')}`;
  return `All connections to the internet go by the proxy ${where} (${login})${others}; the bus and this machine's clock do without`;
}
