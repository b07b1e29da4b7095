/** Tells the log of checks that this machine does not let us make: once when it begins, once when it is over. */
import type { CheckEvidence } from '../../workers/protocol.js';
import { refusalWords } from '../../workers/net/refusal.js';
import { humanDuration } from '../base/duration.js';
import type { Logger } from '../log.js';

export class RefusedChecks {
  /** When the first of them ended, on a clock that is never set. */
  #sinceMs: number | undefined;

  constructor(private readonly log: Logger) {}

  saw({ refused }: CheckEvidence): void {
    if (refused !== undefined && this.#sinceMs === undefined) {
      this.#sinceMs = performance.now();
      this.log.warn(
        { code: refused },
        `The system refuses what the internet checks need (${refusalWords(refused)}): no verdict comes of them, the last one stands, and the cloud connection is left alone`,
      );
    } else if (refused === undefined && this.#sinceMs !== undefined) {
      const lastedMs = performance.now() - this.#sinceMs;
      this.#sinceMs = undefined;
      this.log.info({}, `The internet checks can be made again, after ${humanDuration(lastedMs)}`);
    }
  }
}
