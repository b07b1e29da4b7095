/** What waits to be written, bounded: of a day of flapping not every outage is kept, but every one is counted. Pure. */
import type { HistoryRecord, Scope } from './record.js';

/** Some 50 kB. */
export const MAX_PENDING = 400;
/** The latest stay as they are. */
const KEPT = 100;

/** Too many: the older ones become one line for each scope; starts, stops and the last hours stay. */
export function bounded(pending: readonly HistoryRecord[]): readonly HistoryRecord[] {
  if (pending.length <= MAX_PENDING) return pending;
  const old = pending.slice(0, -KEPT);
  const kept = old.filter(({ k }) => k === 'start' || k === 'stop' || k === 'hour' || k === 'segment').slice(-KEPT);
  const scopes = ['internet', 'cloud'] as const;
  const counted = scopes.flatMap((scope) => counting(old, scope));
  const open = scopes.flatMap((scope) => stillOpen(old, scope));
  return [...kept, ...counted, ...open, ...pending.slice(-KEPT)];
}

/** The beginning of an outage whose end is not among the old ones. */
function stillOpen(records: readonly HistoryRecord[], scope: Scope): HistoryRecord[] {
  const last = records.findLast((record) => (record.k === 'down' || record.k === 'up') && record.scope === scope);
  return last?.k === 'down' ? [last] : [];
}

function counting(records: readonly HistoryRecord[], scope: Scope): HistoryRecord[] {
  let n = 0;
  let ms = 0;
  let from = Infinity;
  let last: HistoryRecord | undefined;
  for (const record of records) {
    if (record.k === 'up' && record.scope === scope) {
      n += 1;
      ms += record.ms;
      from = Math.min(from, record.at - record.ms);
    } else if (record.k === 'many' && record.scope === scope) {
      n += record.n;
      ms += record.ms;
      from = Math.min(from, record.from);
    } else continue;
    last = record;
  }
  return last === undefined ? [] : [{ k: 'many', at: last.at, up: last.up, scope, n, ms, from }];
}
