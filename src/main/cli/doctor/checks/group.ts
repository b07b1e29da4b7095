/** Are we let into the group, and may we speak there? By what the token says: nothing is sent. */
import { fail, pass, skip, type Check, type Finding } from '../check.js';
import { cloudFinding, SEE_SIGN_IN } from '../cloud-word.js';
import type { CloudTrial } from '../cloud-trial.js';
import type { Facts } from '../facts.js';

/** Of Microsoft's documentation ("Generate client access URL"): for all groups, or with `.GROUP` for one. */
const MAY_SEND = 'webpubsub.sendToGroup';

export class GroupCheck implements Check {
  readonly id = 'group';
  readonly area = 'cloud';
  readonly title = 'group and rights';

  run(facts: Facts): Promise<Finding> {
    return cloudFinding(facts, {
      connected: ({ group }) => pass(`in the group ${group ?? 'of the settings'}`),
      tried: async (trial) => judge(trial, (await facts.configuration()).settings.wsGroupName),
    });
  }
}

export function judge({ session, roles }: CloudTrial, group: string): Finding {
  if (session === undefined) return SEE_SIGN_IN;
  if (session.kind !== 'joined') {
    if (!('step' in session)) return skip('not looked at: see the WebSocket');
    return fail(session.kind === 'refused' ? 'cloud-right-missing' : 'cloud-failed', session.message);
  }
  if (roles === undefined) return pass(`let into the group ${group}; what it may do there its token does not say`);
  const may = roles.includes(MAY_SEND) || roles.includes(`${MAY_SEND}.${group}`);
  return may
    ? pass(`let into the group ${group}, and may speak there`)
    : fail('cloud-right-missing', `the token lacks the role ${MAY_SEND} (or ${MAY_SEND}.${group})`);
}
