import type { Settings } from './table.js';

/**
 * The hosts that signing in and the cloud connection need anyway, as `host` or `host:port`: of the way to sign in that wins. Only where TLS is spoken; that
 * of the cloud is known only where the URL is fixed.
 */
export function hostsOf({ authURL, clientUrl, negotiateUrl }: Settings): readonly string[] {
  const url = clientUrl !== '' ? clientUrl : negotiateUrl;
  if (url === '') return authURL === '' ? [] : [authURL];
  const { protocol, host } = new URL(url);
  return protocol === 'https:' || protocol === 'wss:' ? [host] : [];
}
