/** Tells the log what goes on while the verdict stands: an outage has another reason; the test site fails although the internet is there. */
import type { CheckEvidence, OfflineReason } from '../../workers/protocol.js';
import { betterUplink, evidenceFields, packetAdvice, packetWords, uplinkWords } from '../evidence-text.js';
import type { Logger } from '../log.js';
import { plain, reasonWords, TROUBLES, uplinkAdvice } from '../troubles.js';
import { provedBy, siteFaultWords } from './site-fault.js';

export class Teller {
  /** Of the last failed check, and the one the log told last. */
  #lastReason: OfflineReason | undefined;
  #saidReason: OfflineReason | undefined;
  /** That the site fails has been told: once a fault, as it may last for days. */
  #saidSite = false;
  /** What has been told of large packets that are lost. */
  #saidPackets: string | undefined;

  /** Of the better interface that was told in this outage. */
  #saidUplink: string | undefined;

  constructor(private readonly log: Logger) {}

  checked(evidence: CheckEvidence): void {
    this.#packets(evidence);
    if (!evidence.ok) {
      this.#uplink(evidence);
      return;
    }
    this.#saidUplink = undefined;
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

  /** Once, as it may last for years; and anew when other sizes get through. */
  #packets({ packets }: CheckEvidence): void {
    if (packets === undefined) return;
    const words = packets.ok ? undefined : packetWords(packets);
    if (words === this.#saidPackets) return;
    this.#saidPackets = words;
    if (words === undefined) this.log.info({}, 'Large packets get through again on the way out');
    else
      this.log.warn(
        { packets: words, address: packets.address },
        `Large packets are lost on the way out (${words}), and nobody says so: what is larger never reaches the cloud, and the connection is lost over it again and again. ${packetAdvice(packets)}`,
      );
  }

  /** Where another interface has a way out, that is all an operator needs to know. */
  #uplink({ link }: CheckEvidence): void {
    const better = betterUplink(link);
    if (better === undefined || this.#saidUplink === better.name) return;
    this.#saidUplink = better.name;
    this.log.warn(
      { link: uplinkWords(link?.uplinks ?? []) },
      `${better.name} has internet, and ${better.carrying}, which carries, has none: ${uplinkAdvice(better.carrying)}`,
    );
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
    this.#saidPackets = undefined;
  }
}
