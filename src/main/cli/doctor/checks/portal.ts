/** Does somebody else answer in place of the test site? */
import { adviceOn } from '../../../evidence-text.js';
import type { CheckEvidence } from '../../../../workers/protocol.js';
import { isBlamed, skipBehind } from '../blame.js';
import { fail, pass, skip, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

export class PortalCheck implements Check {
  readonly id = 'portal';
  readonly area = 'network';
  readonly title = 'captive portal';

  async run({ internet }: Facts): Promise<Finding> {
    return judge(await internet());
  }
}

function judge(evidence: CheckEvidence | undefined): Finding {
  const behind = skipBehind('portal', evidence);
  if (behind !== undefined) return behind;
  if (evidence === undefined) return skip('the check of the internet did not end in time');
  if (!isBlamed('portal', evidence)) return pass(evidence.ok ? 'none' : 'no sign of one');
  const login = evidence.portal?.login;
  const shown = evidence.https.findLast(({ detail }) => detail !== undefined)?.detail;
  const words = login === undefined ? (shown ?? 'somebody else answers') : `it wants somebody to log in at ${login}`;
  return fail('portal', words, adviceOn({ reason: 'portal', lastEvidence: evidence }));
}
