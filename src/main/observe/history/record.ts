/**
 * The lines of the history: one JSON object each, as short as a year in 1 MB asks for. Pure.
 *
 * Every line has `at`, the wall clock in milliseconds since 1970, and `up`, the kernel's monotonic clock in milliseconds since the
 * machine's start, by which durations are taken and wrong wall clocks put right. The boot's id is in the lines `segment` (the
 * first of each file) and `start`; it holds for the lines behind them.
 */

/** `internet`: the verdict was offline. `cloud`: the internet was there, but the cloud connection was not. */
export type Scope = 'internet' | 'cloud';

interface Moment {
  readonly at: number;
  readonly up: number;
}

export type HistoryRecord = Moment &
  (
    | { readonly k: 'segment'; readonly v: 1; readonly boot: string }
    /** `after`: how the run before ended. `was`: its version, if it was another one. */
    | {
        readonly k: 'start';
        readonly boot: string;
        readonly version: string;
        readonly after: 'nothing' | 'stop' | 'crash' | 'power-cut';
        readonly was?: string;
      }
    | { readonly k: 'stop' }
    /** An outage begins. `why`: a code of the table of troubles. */
    | { readonly k: 'down'; readonly scope: Scope; readonly why: string; readonly evidence?: string }
    /** It ends, after `ms`. `why`: the reason at its end, if it was another one. */
    | { readonly k: 'up'; readonly scope: Scope; readonly ms: number; readonly why?: string }
    /** It still lasts. */
    | { readonly k: 'still' }
    /** The cloud connection is there again, `ms` after it went. */
    | { readonly k: 'cloud'; readonly how: 'resumed' | 'reconnected'; readonly ms: number }
    /** The wall clock was set, by so much. */
    | { readonly k: 'clock'; readonly by: number }
    /**
     * The hour that ends: checks, failed ones; latency mean, jitter, maximum in milliseconds; kB received and sent by this machine. Null
     * where it is not known. Without names, since there are 8,760 of these a year.
     */
    | { readonly k: 'hour'; readonly v: readonly (number | null)[] }
    /** More outages than are written one by one: so many, `ms` together, since `from`. */
    | { readonly k: 'many'; readonly scope: Scope; readonly n: number; readonly ms: number; readonly from: number }
  );

/** More of the evidence helps nobody. */
const MAX_EVIDENCE = 160;

/** With its line end. */
export function toLine(record: HistoryRecord): string {
  const short =
    record.k === 'down' && record.evidence !== undefined
      ? { ...record, evidence: record.evidence.slice(0, MAX_EVIDENCE) }
      : record;
  return `${JSON.stringify(short)}\n`;
}

/** Undefined for what is no whole line of ours, such as one that was torn. */
export function fromLine(line: string): HistoryRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { k, at, up } = value as Record<string, unknown>;
  if (!isNumber(at) || !isNumber(up) || typeof k !== 'string') return undefined;
  const fits = SHAPES[k as HistoryRecord['k']] as ((record: Record<string, unknown>) => boolean) | undefined;
  return Object.hasOwn(SHAPES, k) && fits?.(value as Record<string, unknown>) === true
    ? (value as HistoryRecord)
    : undefined;
}

type Fits = (record: Readonly<Record<string, unknown>>) => boolean;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isScope: Fits = ({ scope }) => scope === 'internet' || scope === 'cloud';

/** What somebody may have written into the file by hand must not be believed either. */
const SHAPES: Readonly<Record<HistoryRecord['k'], Fits>> = {
  segment: ({ v, boot }) => v === 1 && isText(boot),
  start: ({ boot, version, after }) => isText(boot) && isText(version) && isText(after),
  stop: () => true,
  down: (record) => isScope(record) && isText(record['why']),
  up: (record) => isScope(record) && isNumber(record['ms']),
  still: () => true,
  cloud: ({ how, ms }) => (how === 'resumed' || how === 'reconnected') && isNumber(ms),
  clock: ({ by }) => isNumber(by),
  hour: ({ v }) => Array.isArray(v) && v.length === 7 && v.every((one) => one === null || isNumber(one)),
  many: (record) => isScope(record) && [record['n'], record['ms'], record['from']].every(isNumber),
};
