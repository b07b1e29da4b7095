/** The certificates by which everything else is trusted. */
import { DEBIAN_STORE } from '../../../../workers/net/trust.js';
import { fail, pass, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

export class CertificatesCheck implements Check {
  readonly id = 'certificates';
  readonly area = 'machine';
  readonly title = 'certificates';

  async run({ trust, internet }: Facts): Promise<Finding> {
    const { hasStore, problems } = await trust();
    if (problems.length > 0) return { ...fail('ca-file-unusable', problems[0] ?? ''), lines: problems.slice(1) };
    if (!hasStore) {
      const needed = (await internet())?.reason === 'no-ca-store';
      return needed
        ? fail('no-ca-store', `${DEBIAN_STORE} is not there, and nobody else vouches for the test site`)
        : warn('no-ca-store', `${DEBIAN_STORE} is not there; those of Node itself do so far`);
    }
    return pass('the store of this system is there');
  }
}
