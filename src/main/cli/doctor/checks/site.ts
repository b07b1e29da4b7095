/** The test site, and who else speaks for the internet where it fails. */
import { adviceOn } from '../../../evidence-text.js';
import { provedBy, siteFaultWords } from '../../../internet-monitor/site-fault.js';
import { refusalWords } from '../../../../workers/net/refusal.js';
import type { CheckEvidence, OfflineReason } from '../../../../workers/protocol.js';
import { isBlamed, skipBehind } from '../blame.js';
import { fail, pass, skip, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

export class SiteCheck implements Check {
  readonly id = 'site';
  readonly area = 'network';
  readonly title = 'internet';

  async run({ internet, configuration }: Facts): Promise<Finding> {
    const [evidence, { settings }] = await Promise.all([internet(), configuration()]);
    return judge(evidence, settings.testDomain);
  }
}

export function judge(evidence: CheckEvidence | undefined, testDomain: string): Finding {
  if (evidence === undefined)
    return warn('checks-failed', 'the check did not end in time: is this machine overloaded?');
  if (evidence.refused !== undefined) return fail('system-refuses', refusalWords(evidence.refused));
  const behind = skipBehind('site', evidence);
  if (behind !== undefined) return behind;
  if (evidence.siteReason !== undefined)
    return warn('test-site-down', `${siteFaultWords(evidence)}; ${provedBy(evidence)}`);
  const answered = evidence.https.find(({ ok }) => ok);
  if (evidence.ok) {
    const status = answered?.status === undefined ? '' : ` with status ${answered.status}`;
    return pass(`${testDomain} answers${status} in ${evidence.ms} ms, its certificate is verified`);
  }
  const { reason } = evidence;
  if (reason === undefined || !isBlamed('site', evidence)) return skip('nothing is known of it');
  return TOLD_ELSEWHERE.includes(reason)
    ? skip('its certificate cannot be judged, see above')
    : fail(reason, siteWords(evidence, testDomain), adviceOn({ reason, lastEvidence: evidence }));
}

/** By the checks of the clock and of the certificates. */
const TOLD_ELSEWHERE: readonly OfflineReason[] = ['clock', 'no-ca-store'];

function siteWords({ https, witnesses = [] }: CheckEvidence, testDomain: string): string {
  const last = https.at(-1);
  const problem = [last?.error, last?.detail].filter((part) => part !== undefined).join(': ');
  const others = witnesses.length === 0 ? '' : `; no better: ${witnesses.map(({ host }) => host).join(', ')}`;
  return `${testDomain} at ${last?.address ?? 'no address'}${problem === '' ? '' : `: ${problem}`}${others}`;
}
