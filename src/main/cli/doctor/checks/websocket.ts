/** Does the cloud take a WebSocket from us? */
import { fail, pass, warn, type Check, type Finding } from '../check.js';
import { cloudFinding, SEE_SIGN_IN } from '../cloud-word.js';
import type { CloudTrial } from '../cloud-trial.js';
import type { Facts } from '../facts.js';
import type { Snapshot } from '../../../observe/snapshot.js';

export class WebSocketCheck implements Check {
  readonly id = 'websocket';
  readonly area = 'cloud';
  readonly title = 'WebSocket';

  run(facts: Facts): Promise<Finding> {
    return cloudFinding(facts, { connected: () => pass('the one of the service is open'), tried: judge });
  }
}

export function judge({ session }: CloudTrial, ofService: Snapshot['cloud']): Finding {
  if (session === undefined) return SEE_SIGN_IN;
  if (session.kind === 'joined' || 'step' in session) {
    const waits = ofService !== null && ofService.state === 'backing-off';
    return waits
      ? warn('cloud-failed', 'one of our own opens now; the service tries again by itself, soon')
      : pass('one of our own opens');
  }
  switch (session.kind) {
    case 'refused':
      return fail('url-refused', session.message);
    case 'throttled':
      return fail(
        session.status === undefined || session.status === 429 ? 'cloud-throttled' : 'cloud-busy',
        session.message,
      );
    case 'failed':
      return fail('cloud-failed', session.message);
  }
}
