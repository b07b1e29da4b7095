/** Is the clock right, and who keeps it so? */
import { Kernel } from '../../../clock/kernel.js';
import { MAX_OFFSET_MS, type KernelClock } from '../../../clock/decision.js';
import { Refused } from '../../../clock/refused.js';
import { FAR_OFF_MS, farOffWords } from '../../../clock/site.js';
import { askSntp } from '../../../clock/sntp.js';
import { createLocalLookup } from '../../../net/local-lookup.js';
import { parseHostPort } from '../../../settings.js';
import type { CheckEvidence } from '../../../../workers/protocol.js';
import { fail, pass, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

/** Of the time servers only the first ones are asked, each for so long, milliseconds. */
const MAX_SERVERS = 2;
const SERVER_MS = 1_500;
/** Only for a cadence that a single question has not. */
const EVERY_MS = 30_000;

export class ClockCheck implements Check {
  readonly id = 'clock';
  readonly area = 'machine';
  readonly title = 'clock';

  async run({ service, configuration, internet, signal }: Facts): Promise<Finding> {
    const word = await new Kernel({ everyMs: EVERY_MS }).ask({ setSinceMs: undefined, anew: true });
    const kernel = word instanceof Refused ? 'unknown' : word;
    const answer = await service();
    const trusted = answer.kind === 'snapshot' ? answer.snapshot.clock.trusted : null;
    const offsetMs = kernel === 'synchronised' || trusted === true ? undefined : await askServers();
    return judge({ kernel, trusted, offsetMs, evidence: await internet() });

    async function askServers(): Promise<number | undefined> {
      const { ntpServers } = (await configuration()).settings;
      const servers = ntpServers.flatMap((text) => parseHostPort(text) ?? []).slice(0, MAX_SERVERS);
      const lookup = createLocalLookup({ timeoutMs: SERVER_MS });
      const offset = await askSntp({ servers, timeoutMs: SERVER_MS, lookup, signal });
      return offset instanceof Refused ? undefined : offset;
    }
  }
}

export interface ClockFacts {
  readonly kernel: KernelClock;
  /** The service's own word; null: unknown. */
  readonly trusted: boolean | null;
  /** By a time server, milliseconds. */
  readonly offsetMs: number | undefined;
  readonly evidence: CheckEvidence | undefined;
}

export function judge({ kernel, trusted, offsetMs, evidence }: ClockFacts): Finding {
  const aheadMs = evidence?.https.findLast(({ clockAheadMs }) => clockAheadMs !== undefined)?.clockAheadMs;
  const farOff = aheadMs !== undefined && Math.abs(aheadMs) > FAR_OFF_MS ? farOffWords(aheadMs) : undefined;
  if (evidence?.reason === 'clock') {
    const detail = evidence.https.findLast((attempt) => attempt.detail !== undefined)?.detail;
    return fail('clock', farOff ?? detail ?? 'the certificate of the test site is not valid at its time');
  }
  if (farOff !== undefined) return fail('clock-far-off', farOff);
  if (kernel === 'synchronised') return pass('kept right by this system');
  if (offsetMs !== undefined) {
    const words = `${Math.abs(Math.round(offsetMs))} ms ${offsetMs > 0 ? 'behind' : 'ahead of'} a time server`;
    return Math.abs(offsetMs) <= MAX_OFFSET_MS ? pass(words) : warn('clock-untrusted', words);
  }
  if (trusted === true) return pass('a time server has proved it right');
  return warn('clock-untrusted', 'nobody keeps it right, and no time server answers');
}
