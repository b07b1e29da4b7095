/** Do we get a client access URL? */
import { fail, firstSentence, pass, warn, type Check, type Finding } from '../check.js';
import { cloudFinding } from '../cloud-word.js';
import type { SignInOutcome } from '../cloud-trial.js';
import type { Facts } from '../facts.js';

export class SignInCheck implements Check {
  readonly id = 'sign-in';
  readonly area = 'cloud';
  readonly title = 'sign-in';

  run(facts: Facts): Promise<Finding> {
    return cloudFinding(facts, {
      connected: () => pass('the service is signed in'),
      told: ({ kind, status, message }) =>
        kind === 'refused'
          ? fail('sign-in-refused', `the service was told so: ${message}`)
          : warn(status === null || status === 429 ? 'cloud-throttled' : 'cloud-busy', message),
      tried: ({ signIn }) => judge(signIn),
    });
  }
}

export function judge(outcome: SignInOutcome): Finding {
  switch (outcome.kind) {
    case 'signed-in':
      return pass(outcome.kept ? `by the URL that the service keeps, of ${outcome.how}` : `by ${outcome.how}`);
    case 'missing':
      return fail('configuration-wrong', firstSentence(outcome.message));
    case 'refused':
      return fail('sign-in-refused', firstSentence(outcome.message));
    case 'throttled':
      return fail('cloud-throttled', firstSentence(outcome.message));
    case 'failed':
      return fail(outcome.unanswered ? 'sign-in-unanswered' : 'cloud-failed', firstSentence(outcome.message));
  }
}
