/** In which way a site is asked, learnt from how it took the last one. Pure. */
import type { HttpsEvidence } from '../protocol.js';

export interface Manner {
  /** `GET` is bounded: its answer is read as far as a small page goes. */
  readonly method: 'HEAD' | 'GET';
  /** What is offered; a site that speaks both takes the first, which is the lighter to have loaded. */
  readonly protocol: 'http/1.1' | 'h2';
}

export const FIRST_MANNER: Manner = { method: 'HEAD', protocol: 'http/1.1' };

/** RFC 9110: 405, the method is known and not allowed; 501, it is not known. Either answer proves the internet, but may cost the connection. */
const REFUSES_HEAD: readonly (number | undefined)[] = [405, 501];
/** OpenSSL's word where the site shares no protocol with us (RFC 7301, 3.2: `no_application_protocol`). */
const NO_COMMON_PROTOCOL = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';

/** The manner of the next check. `tries`: those of the check, in the order in which they ended. */
export function learnManner(manner: Manner, tries: readonly HttpsEvidence[]): Manner {
  const { method, protocol } = manner;
  const other: Manner = { ...manner, method: method === 'HEAD' ? 'GET' : 'HEAD' };
  const answered = tries.find(({ ok }) => ok);
  if (answered !== undefined) return method === 'HEAD' && REFUSES_HEAD.includes(answered.status) ? other : manner;
  const fresh = tries.findLast(({ reused }) => !reused);
  if (fresh?.error === NO_COMMON_PROTOCOL) return { ...manner, protocol: protocol === 'h2' ? 'http/1.1' : 'h2' };
  // A site that hangs on one may answer the other; where it is the line, the change costs nothing.
  return fresh?.failedAt === 'http' ? other : manner;
}
