/** The local bus. */
import { fail, firstSentence, pass, skip, warn, type Check, type Finding } from '../check.js';
import type { BusTrial } from '../bus-trial.js';
import type { Facts } from '../facts.js';

export class BusCheck implements Check {
  readonly id = 'bus';
  readonly area = 'components';
  readonly title = 'bus';
  readonly withinMs = 7_000;

  async run({ configuration, service, bus, deep }: Facts): Promise<Finding> {
    const [{ settings }, answer] = await Promise.all([configuration(), service()]);
    if (!settings.mQueueEnabled) return skip('mQueueEnabled is False');
    const ofService = answer.kind === 'snapshot' ? answer.snapshot.bus : undefined;
    if (ofService === 'up' && !deep) return pass('the service is connected to it');
    return judge(await bus(), ofService);
  }
}

export function judge({ outcome, server, message }: BusTrial, ofService: 'off' | 'down' | 'up' | undefined): Finding {
  switch (outcome) {
    case 'misconfigured':
      return fail('bus-misconfigured', message);
    case 'away':
      return fail('bus-away', `${server}: ${firstSentence(message)}`);
    case 'denied':
      return fail('bus-denied', `${server}: ${message}`);
    case 'up':
      return ofService === 'down'
        ? warn('bus-away', `${server} answers this command, but the service has not got through yet`)
        : pass(`${server} answers`);
  }
}
