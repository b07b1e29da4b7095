/**
 * What each WebSocket close code means for a session. Pure; the table is the decision. Azure says only that 1008 ends a session and that
 * after every other close a recovery is tried (client-spec.md, 1.4.2), so that is the default; what RFC 6455 and the IANA registry say
 * of a code decides where trying again the same way could not help.
 */

export interface ClosePolicy {
  /** `gone`: no recovery is tried. */
  readonly session: 'resumable' | 'gone';
  /** A message of ours is to blame and would be sent again with each recovery: this one of the unacknowledged is dropped. */
  readonly culprit?: 'oldest' | 'largest';
  /** `ours`: what we said or who we are; `theirs`: the service; `nobody`: the line, or life. */
  readonly fault: 'ours' | 'theirs' | 'nobody';
  /** The token is refused: it is not to be used again. */
  readonly refused?: true;
  /** Least pause before the recovery, milliseconds, where the code asks for one. */
  readonly pauseMs?: number;
  /** What the code says, for a message. */
  readonly meaning: string;
}

type Row = readonly [code: number, policy: ClosePolicy];

const resumable = (fault: ClosePolicy['fault'], meaning: string, pauseMs?: number): ClosePolicy => ({
  session: 'resumable',
  fault,
  meaning,
  ...(pauseMs !== undefined && { pauseMs }),
});
const culprit = (which: 'oldest' | 'largest', meaning: string): ClosePolicy => ({
  session: 'resumable',
  culprit: which,
  fault: 'ours',
  meaning,
});
const gone = (fault: ClosePolicy['fault'], meaning: string): ClosePolicy => ({ session: 'gone', fault, meaning });

/** Asked to come back later without saying when. */
const LATER_MS = 5_000;

const ROWS: readonly Row[] = [
  // RFC 6455, 7.4.1.
  [1000, resumable('theirs', 'normal closure')],
  [1001, resumable('theirs', 'going away')],
  [1002, culprit('oldest', 'protocol error')],
  [1003, culprit('oldest', 'unsupported data')],
  [1004, resumable('nobody', 'reserved')],
  // Never in a frame: none was seen, or it had no code.
  [1005, resumable('theirs', 'no code')],
  [1006, resumable('nobody', 'no farewell')],
  [1007, culprit('oldest', 'invalid payload')],
  // client-spec.md, 1.4.2: the session is gone.
  [1008, gone('theirs', 'policy violation')],
  [1009, culprit('largest', 'message too big')],
  // Only a client says so.
  [1010, gone('ours', 'extension missing')],
  [1011, resumable('theirs', 'internal error')],
  // IANA WebSocket Close Code Number Registry.
  [1012, resumable('theirs', 'service restart')],
  [1013, resumable('theirs', 'try again later', LATER_MS)],
  [1014, resumable('theirs', 'bad gateway')],
  // Never in a frame: the TLS handshake failed.
  [1015, resumable('nobody', 'TLS handshake')],
  [3000, { ...gone('ours', 'unauthorised'), refused: true }],
  [3003, { ...gone('ours', 'forbidden'), refused: true }],
  [3008, resumable('theirs', 'timeout')],
];

const TABLE: ReadonlyMap<number, ClosePolicy> = new Map(ROWS);

/** Every code decided by a row of its own. */
export const KNOWN_CLOSE_CODES: readonly number[] = ROWS.map(([code]) => code);

/** The row of the code, or what its class is worth. */
export function closePolicy(code: number): ClosePolicy {
  const row = TABLE.get(code);
  if (row !== undefined) return row;
  // RFC 6455, 7.4.2: 1000-2999 the protocol's, 3000-3999 registered, 4000-4999 private; no meaning known, so no reason to give up.
  if (code < 3_000) return resumable('nobody', 'reserved');
  return resumable('theirs', code < 4_000 ? 'registered' : 'private');
}
