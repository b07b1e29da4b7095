/** What the running service says of itself. */
import { TROUBLES } from '../../../troubles.js';
import { fail, pass, skip, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

export class ServiceCheck implements Check {
  readonly id = 'service';
  readonly area = 'service';
  readonly title = 'service';
  readonly withinMs = 4_000;

  async run({ service }: Facts): Promise<Finding> {
    const answer = await service();
    if (answer.kind === 'none') return silent(answer.why);
    const { sentence, daemon } = answer.snapshot;
    if (daemon.problem !== null) return fail('not-healthy', daemon.problem);
    // What is wrong elsewhere has checks of its own.
    return pass(`answers: ${sentence}`);
  }
}

function silent(why: keyof typeof TROUBLES): Finding {
  const { title, remedy, severity } = TROUBLES[why];
  if (why === 'service-not-allowed') return skip(title, remedy.replaceAll('`', ''));
  return severity === 'error' ? fail(why, title) : warn(why, title);
}
