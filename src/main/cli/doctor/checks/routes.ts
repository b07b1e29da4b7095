/** An address, and a way out. */
import { betterUplink, betterWords } from '../../../evidence-text.js';
import { TROUBLES, uplinkAdvice } from '../../../troubles.js';
import { isBlamed, skipBehind } from '../blame.js';
import { fail, pass, skip, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

export class RoutesCheck implements Check {
  readonly id = 'routes';
  readonly area = 'network';
  readonly title = 'routes';

  async run({ internet, machine }: Facts): Promise<Finding> {
    const [evidence, { interface: carrying, router }] = await Promise.all([internet(), machine()]);
    const better = evidence?.ok === false ? betterUplink(evidence.link) : undefined;
    if (better !== undefined) return fail('wrong-uplink', betterWords(better), uplinkAdvice(better.carrying));
    if (isBlamed('routes', evidence)) return fail('no-route', evidence?.link?.detail ?? TROUBLES['no-route'].title);
    const behind = skipBehind('routes', evidence);
    if (behind !== undefined) return behind;
    if (carrying === null) return skip('no default route; the internet is reached otherwise');
    return pass(`over ${carrying.name}${router === null ? '' : ` by ${router}`}`);
  }
}
