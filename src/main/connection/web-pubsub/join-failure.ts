import type { OpenFailure } from '../session.js';
import { refusalOf } from './outbox.js';
import { describeError, redact } from './redact.js';
import { missingRole } from './rights.js';

/** What it means that the group was not joined: a missing right is no passing trouble. */
export function joinFailure(error: unknown, group: string): OpenFailure {
  const refusal = refusalOf(error);
  const forbidden = refusal?.name === 'Forbidden';
  const said = refusal?.message ?? describeError(error);
  const why = forbidden ? `${said}; ${missingRole('join', redact(group))}` : said;
  const message = `joining the group ${redact(group)} failed: ${why}`;
  return forbidden
    ? { kind: 'refused', status: 403, message, step: 'join' }
    : { kind: 'failed', message, step: 'join' };
}
