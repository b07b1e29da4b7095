/** A question about the clock that this machine did not let us ask, which is no answer to it. */
import { refusalOf } from '../../workers/net/refusal.js';

export class Refused {
  constructor(
    /** Of the call that was refused, such as `EMFILE`. */
    readonly code: string,
  ) {}
}

/** Undefined for an error that is an answer, or the lack of one. */
export function refusedBy(error: unknown): Refused | undefined {
  const code = refusalOf(error);
  return code === undefined ? undefined : new Refused(code);
}
