/** Do we get a client access URL? */
import { fail, firstSentence, pass, warn, type Check, type Finding } from '../check.js';
import { cloudWord } from '../cloud-word.js';
import type { SignInOutcome } from '../cloud-trial.js';
import type { Facts } from '../facts.js';

export class SignInCheck implements Check {
  readonly id = 'sign-in';
  readonly area = 'cloud';
  readonly title = 'sign-in';

  async run(facts: Facts): Promise<Finding> {
    const word = await cloudWord(facts);
    switch (word.kind) {
      case 'skip':
        return word.finding;
      case 'connected':
        return pass('the service is signed in');
      case 'told': {
        const { kind, status, message } = word.failure;
        if (kind === 'refused') return fail('sign-in-refused', `the service was told so: ${message}`);
        return warn(status === null || status === 429 ? 'cloud-throttled' : 'cloud-busy', message);
      }
      case 'try':
        return judge((await facts.cloud()).signIn);
    }
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
