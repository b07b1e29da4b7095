/** Does the router answer? Asked by a ping or a connection; the kernel's own question for its hardware address counts, too. */
import { skipBehind } from '../blame.js';
import { fail, pass, skip, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

const IP_MS = 1_000;

export class RouterCheck implements Check {
  readonly id = 'router';
  readonly area = 'network';
  readonly title = 'router';

  async run({ system, internet, router: ask }: Facts): Promise<Finding> {
    const [{ address: router, ms }, evidence] = await Promise.all([ask(), internet()]);
    const behind = skipBehind('router', evidence);
    if (behind !== undefined) return behind;
    if (router === undefined) return skip('the way out needs none');
    if (ms !== undefined) return pass(`${router} answers in ${ms} ms`);
    const neighbour = await system.run('ip', ['neigh', 'show', 'to', router.replace(/%.*$/, '')], IP_MS);
    return judge(router, stateOf(neighbour ?? ''), evidence?.ok === true);
  }
}

/** NUD_* of ip-neighbour(8). */
function stateOf(said: string): string {
  return /\b(REACHABLE|STALE|DELAY|PROBE|PERMANENT|NOARP|FAILED|INCOMPLETE)\b/.exec(said)?.[1] ?? '';
}

function judge(router: string, state: string, online: boolean): Finding {
  if (online) return pass(`${router} leads on, and answers nobody itself`);
  switch (state) {
    case 'FAILED':
    case 'INCOMPLETE':
      return fail('router-silent', `nobody has the address ${router} in this network`);
    case '':
      return skip(`${router} answers neither a ping nor a connection, and the kernel does not say`);
    default:
      return pass(`${router} is there, but answers neither a ping nor a connection`);
  }
}
