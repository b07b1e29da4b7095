/** Would the service start with its settings? */
import { fail, pass, skip, warn, AS_ROOT, type Check, type Finding } from '../check.js';
import type { Configuration, Facts } from '../facts.js';

export class ConfigurationCheck implements Check {
  readonly id = 'configuration';
  readonly area = 'service';
  readonly title = 'configuration';
  readonly withinMs = 4_000;

  async run({ configuration }: Facts): Promise<Finding> {
    return judge(await configuration());
  }
}

function judge({ problems, warnings, hidden, confFile }: Configuration): Finding {
  const where = confFile ?? 'no conf file, so the defaults';
  if (problems.length > 0) return { ...fail('configuration-wrong', counted(problems, 'problem')), lines: problems };
  if (warnings.length > 0) {
    const unknown = warnings.some((text) => / is unknown and ignored/.test(text));
    const trouble = unknown ? 'setting-unknown' : 'setting-doubtful';
    return { ...warn(trouble, counted(warnings, 'warning')), lines: warnings };
  }
  if (hidden.length > 0) {
    const files = hidden.length > 2 ? `${hidden[0] ?? ''} and ${hidden.length - 1} more` : hidden.join(' and ');
    return skip(`nothing wrong in ${where}; this user may not read ${files}`, AS_ROOT);
  }
  return pass(where);
}

function counted(texts: readonly string[], what: string): string {
  return texts.length === 1 ? `one ${what}` : `${texts.length} ${what}s`;
}
