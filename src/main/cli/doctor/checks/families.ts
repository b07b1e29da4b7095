/** Do both IPv4 and IPv6 carry, to the end of a TLS handshake, where the test site has both? Of a proxy that leads there: do both open? */
import { isIPv6 } from 'node:net';
import { parseHostPort, proxyOfSite } from '../../../settings.js';
import { openAddress, type OpenAddressOptions } from '../../../../workers/net/open-address.js';
import { skipBehind } from '../blame.js';
import { pass, skip, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

/** One connection, milliseconds. */
const OPEN_MS = 2_500;

export class FamiliesCheck implements Check {
  readonly id = 'families';
  readonly area = 'network';
  readonly title = 'IPv4 and IPv6';

  async run({ internet, configuration, trust, signal }: Facts): Promise<Finding> {
    const evidence = await internet();
    const behind = skipBehind('hosts', evidence);
    if (behind !== undefined) return behind;
    if (evidence?.dns?.ok !== true) return skip('the test site has no address now');
    const { settings } = await configuration();
    const proxy = proxyOfSite(settings);
    const site = proxy ?? parseHostPort(settings.testDomain.split(',')[0] ?? '');
    const firstOf = (v6: boolean): string | undefined =>
      evidence.dns?.addresses.find((address) => isIPv6(address) === v6);
    const where = { host: site?.host ?? '', port: site?.port ?? 443 };
    const tls = proxy === undefined ? { ca: (await trust()).pem } : undefined;
    const [v4, v6] = await Promise.all([
      opens(firstOf(false), { ...where, tls }, signal),
      opens(firstOf(true), { ...where, tls }, signal),
    ]);
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

async function opens(
  address: string | undefined,
  where: Pick<OpenAddressOptions<never>, 'host' | 'port' | 'tls'>,
  outer: AbortSignal,
): Promise<boolean | undefined> {
  if (address === undefined) return undefined;
  const signal = AbortSignal.any([outer, AbortSignal.timeout(OPEN_MS)]);
  const opened = await openAddress({ ...where, address, signal });
  if (opened.ok) opened.socket.destroy();
  return opened.ok;
}
