/** All that the page says, in each language it speaks. The technical words of checks and refusals stay English: they are what one searches for. */
import type { Snapshot } from '../snapshot.js';
import type { Station, StationState } from '../chain.js';

export type Language = 'en' | 'it';

export interface TroubleWords {
  readonly title: string;
  readonly meaning: string;
  readonly remedy: string;
}

export interface Words {
  readonly language: Language;
  /** How it is, in one sentence without a full stop. */
  readonly sentence: (snapshot: Snapshot) => string;
  /** What comes next, without a full stop. */
  readonly next: (snapshot: Snapshot) => string | null;
  /** Of a code of the table of troubles; undefined where this language has none, and the English ones stand. */
  readonly trouble: (code: string) => TroubleWords | undefined;
  readonly stations: Readonly<Record<Station, string>>;
  readonly states: Readonly<Record<StationState, string>>;
  readonly behind: string;
  readonly off: string;
  readonly connecting: string;
  readonly group: (name: string) => string;
  readonly memoryFree: (megabytes: number) => string;
  readonly weakSupply: string;
  readonly headings: {
    readonly chain: string;
    readonly day: string;
    readonly month: string;
    readonly latency: string;
    readonly outages: string;
  };
  readonly wrong: string;
  readonly means: string;
  readonly todo: string;
  readonly besides: string;
  readonly nextIs: string;
  readonly lookNow: string;
  /** Said where the page is no longer kept up to date. */
  readonly gone: string;
  /** Of a strip: how often, and for how long. `days`: 1 or 30. */
  readonly summary: (outages: number, ms: number, percent: number | null) => string;
  readonly bucket: Readonly<Record<'fine' | 'away' | 'cloud' | 'unseen', string>>;
  readonly latencyOf: (mean: number, max: number) => string;
  readonly failed: (percent: number) => string;
  readonly noLatency: string;
  readonly mean: string;
  readonly most: string;
  readonly columns: { readonly from: string; readonly long: string; readonly why: string; readonly cloud: string };
  readonly noOutages: string;
  readonly asTable: string;
  readonly scope: Readonly<Record<'internet' | 'cloud', string>>;
  readonly atLeast: (duration: string) => string;
  readonly soFar: (duration: string) => string;
  readonly several: (count: number) => string;
  readonly back: (how: 'resumed' | 'reconnected', duration: string) => string;
  readonly clock: (trusted: boolean | null) => string;
  readonly traffic: (since: string, received: string, sent: string) => string;
  readonly data: (since: string, checks: string, signIn: string, cloud: string, saving: boolean) => string;
  readonly running: (version: string, duration: string) => string;
  readonly asOf: (time: string) => string;
  readonly duration: (ms: number) => string;
  /** With a decimal point or comma. */
  readonly number: (value: number) => string;
  /** Day and time; the time alone where it is today. */
  readonly time: (atMs: number, nowMs: number) => string;
}
