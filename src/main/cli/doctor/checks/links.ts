/** Interfaces: is one up, with a carrier, and heard well enough? */
import { gatherInterfaces, type InterfaceInfo } from '../../../remote/system-info/interfaces.js';
import { betterUplink, betterWords } from '../../../evidence-text.js';
import { TROUBLES, uplinkAdvice } from '../../../troubles.js';
import type { CheckEvidence } from '../../../../workers/protocol.js';
import { isBlamed } from '../blame.js';
import { fail, pass, skip, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

/** A field of an interface, milliseconds. */
const FIELD_MS = 1_500;
/** Below it a Wi-Fi loses packets, dBm. */
const WEAK_DBM = -75;

export class LinksCheck implements Check {
  readonly id = 'links';
  readonly area = 'network';
  readonly title = 'links';

  async run({ system, internet, machine, service }: Facts): Promise<Finding> {
    const [evidence, answer, interfaces, { interface: carrying }] = await Promise.all([
      internet(),
      service(),
      gatherInterfaces(system, FIELD_MS),
      machine(),
    ]);
    // What stands by is tried while there is no internet: the service has had the time for it.
    const told = answer.kind === 'snapshot' ? answer.snapshot.troubles.first : null;
    if (told?.code === 'wrong-uplink' && evidence?.ok !== true) return fail('wrong-uplink', told.title, told.remedy);
    return judge(evidence, interfaces, carrying?.name);
  }
}

function judge(
  evidence: CheckEvidence | undefined,
  interfaces: readonly InterfaceInfo[],
  carrying: string | undefined,
): Finding {
  const better = betterUplink(evidence?.link);
  if (better !== undefined && evidence?.ok !== true)
    return fail('wrong-uplink', betterWords(better), uplinkAdvice(better.carrying));
  if (isBlamed('links', evidence)) return fail('no-link', evidence?.link?.detail ?? TROUBLES['no-link'].title);
  const up = interfaces.filter(({ state }) => state === 'up');
  if (up.length === 0) return skip('the kernel shows no interface');
  const words = up.map(wordsOf).join('; ');
  const weak = up.find(({ name, signal_strength_dbm: dbm }) => name === carrying && (dbm ?? 0) < WEAK_DBM);
  return weak === undefined ? pass(words) : warn('wifi-weak', wordsOf(weak));
}

function wordsOf({ name, ip_v4, ip_v6, signal_strength_dbm: dbm }: InterfaceInfo): string {
  const address = ip_v4 ?? ip_v6;
  return [name, ...(address === null ? [] : [address]), ...(typeof dbm === 'number' ? [`Wi-Fi ${dbm} dBm`] : [])].join(
    ', ',
  );
}
