/** Runs all checks side by side, each within its own deadline and all within one. */
import { describeError } from '../../base/guard.js';
import { skip, warn, type Check, type Finding } from './check.js';
import type { Found } from './diagnosis.js';
import type { Facts } from './facts.js';

/** Resolves by `endsAtMs` (of `performance.now`), in the order of the checks. Never rejects. */
export async function runChecks(checks: readonly Check[], facts: Facts, endsAtMs: number): Promise<readonly Found[]> {
  return Promise.all(
    checks.map(async (check) => {
      const { id, area, title } = check;
      const leftMs = Math.max(0, endsAtMs - performance.now());
      const finding = await inTime(check, facts, Math.min(check.withinMs ?? Infinity, leftMs));
      return { id, area, title, ...finding };
    }),
  );
}

async function inTime(check: Check, facts: Facts, ms: number): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    timer = setTimeout(() => resolve({ ...skip(`no answer within ${Math.round(ms / 100) / 10} s`), late: true }), ms);
  });
  try {
    return await Promise.race([check.run(facts), late]);
  } catch (error) {
    return warn('bug', `this check failed: ${describeError(error)}`);
  } finally {
    clearTimeout(timer);
  }
}
