/** The proxy by which everything leaves, where there is one. */
import { adviceOn } from '../../../evidence-text.js';
import { proxyOf } from '../../../settings.js';
import { plain, PROXY_WORDS } from '../../../troubles.js';
import type { CheckEvidence } from '../../../../workers/protocol.js';
import { isBlamed, skipBehind } from '../blame.js';
import { fail, pass, skip, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

export class ProxyCheck implements Check {
  readonly id = 'proxy';
  readonly area = 'network';
  readonly title = 'proxy';

  async run({ configuration, internet }: Facts): Promise<Finding> {
    const { settings } = await configuration();
    const proxy = proxyOf(settings);
    if (proxy === undefined) return skip('none is set');
    return judge(await internet(), `${proxy.host}:${proxy.port}`);
  }
}

/** @param name of the proxy, without credentials */
export function judge(evidence: CheckEvidence | undefined, name: string): Finding {
  const behind = skipBehind('proxy', evidence);
  if (behind !== undefined) return behind;
  if (isBlamed('proxy', evidence) && evidence !== undefined) {
    const trouble = evidence.https.find(({ reason }) => reason === 'proxy')?.proxy;
    const words = trouble === undefined ? 'it opens no way' : plain(PROXY_WORDS[trouble].meaning);
    return fail('proxy', `${name}: ${words}`, adviceOn({ reason: 'proxy', lastEvidence: evidence }));
  }
  const opened = evidence?.https.find(({ proxyMs }) => proxyMs !== undefined);
  return opened === undefined
    ? skip(`${name} was not needed, or nothing is known of it`)
    : pass(`${name} opens a way in ${opened.proxyMs ?? 0} ms`);
}
