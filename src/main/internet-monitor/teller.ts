/** Tells the log what goes on while the verdict stands: an outage has another reason; the test site fails although the internet is there. */
import type { CheckEvidence, OfflineReason } from '../../workers/protocol.js';
import { evidenceFields } from '../evidence-text.js';
import type { Logger } from '../log.js';
import { plain, reasonWords, TROUBLES } from '../troubles.js';
import { provedBy, siteFaultWords } from './site-fault.js';

export class Teller {
  /** Of the last failed check, and the one the log told last. */
  #lastReason: OfflineReason | undefined;
  #saidReason: OfflineReason | undefined;
  /** That the site fails has been told: once a fault, as it may last for days. */
  #saidSite = false;

  constructor(private readonly log: Logger) {}

  checked(evidence: CheckEvidence): void {
    if (!evidence.ok) return;
    if (evidence.siteReason !== undefined && !this.#saidSite) {
      this.#saidSite = true;
      this.log.warn(
        { siteReason: evidence.siteReason, ...evidenceFields(evidence) },
        `The internet is there; the test site is not: ${siteFaultWords(evidence)}. The verdict stays, as ${provedBy(evidence)}; the site is asked with every check. ${plain(TROUBLES['test-site-down'].remedy)}`,
      );
    } else if (evidence.siteReason === undefined && this.#saidSite) {
      this.#saidSite = false;
      this.log.info({}, 'The test site answers again');
    }
  }

  /** An outage begins, and its reason is told by whoever sees it; what comes after it is told anew. */
  offline(reason: OfflineReason): void {
    this.#saidReason = reason;
    this.#saidSite = false;
  }

  online(): void {
    this.#saidReason = undefined;
  }

  /** Once two checks in a row agree on it: what is half repaired or half broken has a different reason each time. */
  stillOffline(reason: OfflineReason, advice: string | undefined): void {
    const again = reason === this.#lastReason;
    this.#lastReason = reason;
    if (!again || reason === this.#saidReason) return;
    this.#saidReason = reason;
    this.log.info({ reason }, `Still offline, now because: ${reasonWords(reason)}. ${advice ?? ''}`);
  }

  /** The monitor ends. */
  reset(): void {
    this.online();
    this.#saidSite = false;
  }
}
