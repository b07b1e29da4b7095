/** What the worker wants to know of a live connection. */
import type { LiveAnswer } from '../../workers/protocol.js';
import { describeError } from '../base/guard.js';
import type { Logger } from '../log.js';

/** Resolves with whether the connection answers within the time; undefined: none lives. */
export type AskLiveConnection = (withinMs: number) => Promise<boolean> | undefined;

/** Never rejects. */
export async function liveAnswer(
  ask: AskLiveConnection | undefined,
  withinMs: number,
  log: Logger,
): Promise<LiveAnswer> {
  try {
    const asked = ask?.(withinMs);
    if (asked === undefined) return 'none';
    return (await asked) ? 'answered' : 'silent';
  } catch (error) {
    log.debug({ error: describeError(error) }, 'The live connection could not be asked');
    return 'silent';
  }
}
