/** In which way a site is asked, learnt from how it took the last one. Pure. */
import type { HttpsEvidence } from '../protocol.js';

export interface Manner {
  /** `GET` is bounded: its answer is read as far as a small page goes. */
  readonly method: 'HEAD' | 'GET';
  /** The best that is offered. A site that speaks both takes HTTP/2: what it says in its headers is then paid for once, and not with every check. */
  readonly protocol: 'h2' | 'http/1.1';
  /**
   * Silence has taught it, once or again: `once`, nothing has been answered in this manner so far; `works`, it has, but the silence may have been the line's;
   * `again`, the first manner has met silence twice, or is being tried a second time.
   */
  readonly silence?: 'once' | 'works' | 'again';
}

export const FIRST_MANNER: Manner = { method: 'HEAD', protocol: 'h2' };

/** For RFC 7301. */
export const OFFERED: Readonly<Record<Manner['protocol'], readonly string[]>> = {
  h2: ['h2', 'http/1.1'],
  'http/1.1': ['http/1.1'],
};

/** RFC 9110: 405, the method is known and not allowed; 501, it is not known. Either answer proves the internet, but may cost the connection; not one of HTTP/2, where it ends a stream. */
const REFUSES_HEAD: readonly (number | undefined)[] = [405, 501];
/** OpenSSL's word where the site shares no protocol with us (RFC 7301, 3.2: `no_application_protocol`). */
const NO_COMMON_PROTOCOL = 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL';

/** The manner of the next check. `tries`: those of the check, in the order in which they ended; `isHttp2`: what answered speaks that. */
export function learnManner(manner: Manner, tries: readonly HttpsEvidence[], isHttp2 = false): Manner {
  const { method, protocol } = manner;
  const answered = tries.find(({ ok }) => ok);
  if (answered !== undefined) {
    if (method === 'HEAD' && !isHttp2 && REFUSES_HEAD.includes(answered.status)) return { method: 'GET', protocol };
    if (manner.silence === 'once') return { ...manner, silence: 'works' };
    return method === 'HEAD' && manner.silence !== undefined ? { method, protocol } : manner;
  }
  const fresh = tries.findLast(({ reused }) => !reused);
  if (fresh?.error === NO_COMMON_PROTOCOL) return { ...manner, protocol: protocol === 'h2' ? 'http/1.1' : 'h2' };
  if (fresh?.failedAt !== 'http') return manner;
  // A site that hangs on one may answer the other, be it the method or the protocol: the next check decides.
  if (method === 'HEAD') return { method: 'GET', protocol: 'http/1.1', silence: manner.silence ?? 'once' };
  return FIRST_MANNER;
}

/** The manner of a new connection: where one silence taught another than the first, which is dearer, the first is tried once more. */
export function mannerOfNew(manner: Manner): Manner {
  return manner.silence === 'works' ? { ...FIRST_MANNER, silence: 'again' } : manner;
}
