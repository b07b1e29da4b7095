/** A message of ours that the service ended the connection over: sent again after the recovery, it would end that, too. */
import type { Logger } from '../../base/logger.js';
import { culpritOf, type LinkEnd } from './endings.js';
import type { Outbox } from './outbox.js';

/** Drops the culprit, if the end names one, and says so; false: nothing of ours could be left out, so a recovery would end the same way. */
export function dropCulprit(outbox: Outbox, end: LinkEnd, message: string, log: Logger): boolean {
  const which = culpritOf(end);
  if (which === undefined) return true;
  const dropped = outbox.dropCulprit(which, `${message} over it`);
  if (dropped === undefined) return false;
  log.warn(
    { ...dropped, cause: message },
    'The service ended the connection over a message of ours; it was dropped and will not be sent again',
  );
  return true;
}
