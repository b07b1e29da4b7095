/**
 * Commands that come too late. Pure.
 *
 * What browsers sent while the connection was away is replayed when the session is recovered. A click that is half a minute old must not move
 * anything: nobody stands there expecting it any more. A replayed message may be as old as the drop, so the drop's length is its age.
 */

/** Default of `staleCommandSecs`, seconds. */
export const STALE_COMMAND_SECS = 30;

/** What is known of a message's age. */
export interface Arrival {
  /** It came on a recovered socket before the answer to our first ping. */
  readonly replayed?: boolean;
  /** How long the connection was away then, milliseconds. */
  readonly droppedForMs?: number;
}

/**
 * True if a command is not to be forwarded. `staleCommandSecs`: replayed commands of a longer drop are stale; 0: every replayed one is;
 * negative: none is.
 */
export function isTooLate({ replayed, droppedForMs }: Arrival, staleCommandSecs: number): boolean {
  if (replayed !== true || staleCommandSecs < 0) return false;
  return staleCommandSecs === 0 || (droppedForMs ?? 0) > staleCommandSecs * 1_000;
}
