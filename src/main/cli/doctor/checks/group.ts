/** Are we let into the group, and may we speak there? By what the token says: nothing is sent. */
import { fail, pass, skip, type Check, type Finding } from '../check.js';
import { cloudWord } from '../cloud-word.js';
import type { CloudTrial } from '../cloud-trial.js';
import type { Facts } from '../facts.js';

/** Of Microsoft's documentation ("Generate client access URL"): for all groups, or with `.GROUP` for one. */
const MAY_SEND = 'webpubsub.sendToGroup';

export class GroupCheck implements Check {
  readonly id = 'group';
  readonly area = 'cloud';
  readonly title = 'group and rights';

  async run(facts: Facts): Promise<Finding> {
    const word = await cloudWord(facts);
    switch (word.kind) {
      case 'skip':
        return word.finding;
      case 'connected':
        return pass(`in the group ${word.cloud.group ?? 'of the settings'}`);
      case 'told':
        return skip('not looked at: see the sign-in');
      case 'try':
        return judge(await facts.cloud(), (await facts.configuration()).settings.wsGroupName);
    }
  }
}

export function judge({ session, roles }: CloudTrial, group: string): Finding {
  if (session === undefined) return skip('not looked at: see the sign-in');
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
