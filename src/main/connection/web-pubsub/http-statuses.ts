/**
 * What an HTTP status in answer to a WebSocket handshake means. Pure; the table is the decision. The only good answer is 101. Azure uses
 * 401 and 403 (token), 404 (hub), 429 (quota) and 5xx; everything else is by RFC 9110 (the section is beside the row), or comes from
 * something in between.
 */

export interface HttpPolicy {
  /** Whether the next try of a recovery within its window may succeed. */
  readonly recovery: 'retry' | 'end';
  /** What it is for whoever opens a session. Any that is not `refused` becomes `throttled` by Retry-After. */
  readonly opening: 'refused' | 'throttled' | 'failed';
  /** `ours`: sign-in or settings; `theirs`: the service; `between`: a proxy or a portal. */
  readonly fault: 'ours' | 'theirs' | 'between';
  /** What to do, for a message. */
  readonly hint?: string;
}

type Row = readonly [status: number, policy: HttpPolicy];

const passes = (fault: HttpPolicy['fault'], hint?: string): HttpPolicy => ({
  recovery: 'retry',
  opening: 'failed',
  fault,
  ...(hint !== undefined && { hint }),
});
const stays = (fault: HttpPolicy['fault'], hint?: string): HttpPolicy => ({
  recovery: 'end',
  opening: 'failed',
  fault,
  ...(hint !== undefined && { hint }),
});
const refused: HttpPolicy = { recovery: 'end', opening: 'refused', fault: 'ours' };

const URL_HINT = 'look at the client access URL';
const BETWEEN_HINT = 'something between here and the service answered in its place';

const ROWS: readonly Row[] = [
  // 15.5.1: the request as such is wrong.
  [400, stays('ours', URL_HINT)],
  [401, refused], // 15.5.2
  [403, refused], // 15.5.4
  [404, stays('ours', 'look at the hub in the client access URL')], // 15.5.5
  [405, stays('ours', URL_HINT)], // 15.5.6
  [407, stays('between', 'a proxy wants to be signed in to')], // 15.5.8
  [408, passes('theirs')], // 15.5.9: may be repeated
  [410, stays('ours', 'the hub of the client access URL is gone')], // 15.5.11
  [414, stays('ours', URL_HINT)], // 15.5.15
  [421, passes('theirs')], // 15.5.20: another connection may do
  [425, passes('theirs')], // RFC 8470, 5.2
  [426, stays('ours', URL_HINT)], // 15.5.22
  [429, { recovery: 'retry', opening: 'throttled', fault: 'theirs' }], // RFC 6585, 4
  [451, stays('between', BETWEEN_HINT)], // RFC 7725, 3
  [501, stays('theirs')], // 15.6.2: it cannot, and will not in a minute
  [505, stays('theirs')], // 15.6.6
  [511, passes('between', 'a login page is in the way')], // RFC 6585, 6
];

const TABLE: ReadonlyMap<number, HttpPolicy> = new Map(ROWS);

/** Every status decided by a row of its own. */
export const KNOWN_STATUSES: readonly number[] = ROWS.map(([status]) => status);

/** The row of the status, or what its class is worth (RFC 9110, 15: an unknown one is as the x00 of its class). */
export function httpPolicy(status: number): HttpPolicy {
  const row = TABLE.get(status);
  if (row !== undefined) return row;
  // A failure of the service passes (15.6).
  if (status >= 500) return passes('theirs');
  // The next request would be just as wrong (15.5).
  if (status >= 400) return stays('ours');
  // No redirect is followed, and success without 101 is none: not the service.
  return passes('between', BETWEEN_HINT);
}
