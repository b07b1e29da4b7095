/** Do both IPv4 and IPv6 carry, where the test site has both, or the proxy that leads there? */
import { isIPv6 } from 'node:net';
import { parseHostPort, proxyOfSite } from '../../../settings.js';
import { openAddress } from '../../../../workers/net/open-address.js';
import { skipBehind } from '../blame.js';
import { pass, skip, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

/** One connection, milliseconds. */
const TCP_MS = 2_000;

export class FamiliesCheck implements Check {
  readonly id = 'families';
  readonly area = 'network';
  readonly title = 'IPv4 and IPv6';

  async run({ internet, configuration, signal }: Facts): Promise<Finding> {
    const evidence = await internet();
    const behind = skipBehind('hosts', evidence);
    if (behind !== undefined) return behind;
    if (evidence?.dns?.ok !== true) return skip('the test site has no address now');
    const { settings } = await configuration();
    const site = proxyOfSite(settings) ?? parseHostPort(settings.testDomain.split(',')[0] ?? '');
    const firstOf = (v6: boolean): string | undefined =>
      evidence.dns?.addresses.find((address) => isIPv6(address) === v6);
    const port = site?.port ?? 443;
    const [v4, v6] = await Promise.all([opens(firstOf(false), port, signal), opens(firstOf(true), port, signal)]);
    return judge(v4, v6, evidence.siteReason !== undefined);
  }
}

/** Undefined: there is no address of that family to try. */
function judge(v4: boolean | undefined, v6: boolean | undefined, siteFails: boolean): Finding {
  if (siteFails) return skip('the test site is down');
  if (v4 === undefined || v6 === undefined) return pass(v6 === undefined ? 'IPv4 alone' : 'IPv6 alone');
  if (v4 && v6) return pass('both');
  if (!v4 && !v6) return skip('neither answers now');
  return warn('family-broken', `nothing comes back over ${v4 ? 'IPv6' : 'IPv4'}`);
}

async function opens(address: string | undefined, port: number, signal: AbortSignal): Promise<boolean | undefined> {
  if (address === undefined) return undefined;
  const opened = await openAddress({
    address,
    host: address,
    port,
    tls: undefined,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TCP_MS)]),
  });
  if (opened.ok) opened.socket.destroy();
  return opened.ok;
}
