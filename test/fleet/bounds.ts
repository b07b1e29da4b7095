/** What the fleet must keep to, whatever is changed: of the daemon's own figures. */
import type { Figures } from './figures.js';

export interface Bound {
  readonly scenario: string;
  readonly what: string;
  /** At most. */
  readonly most: number;
  /** Grows with the number of devices; otherwise it is a time or a ratio. */
  readonly perDevice: boolean;
  readonly of: (figures: Figures) => number;
}

const FLOOR_SECS = 2_000;

export const BOUNDS: readonly Bound[] = [
  peak('region-20-min-over-0-s', 2_000),
  peak('region-2-min-over-0-s', 10_000),
  secs('region-2-min-over-0-s', '90 % in, seconds', 20, ({ ninetyInSecs }) => ninetyInSecs ?? Infinity),
  peak('restart', 4_000),
  secs('sign-ins-50', 'attempts a device', 6, ({ attempts }) => attempts),
  secs('sign-ins-50', 'last in, times the floor', 1.35, ({ lastInSecs }) => (lastInSecs ?? Infinity) / FLOOR_SECS),
  secs('power-cut-no-url', 'attempts a device', 6, ({ attempts }) => attempts),
  secs('power-cut-no-url', 'last in, times the floor', 1.35, ({ lastInSecs }) => (lastInSecs ?? Infinity) / FLOOR_SECS),
  peak('power-cut-urls-kept', 8_000),
  secs('power-cut-urls-kept', 'sign-ins', 0, ({ signIns }) => signIns),
];

function peak(scenario: string, most: number): Bound {
  return { scenario, what: 'peak a second', most, perDevice: true, of: ({ peakPerSec }) => peakPerSec };
}

function secs(scenario: string, what: string, most: number, of: Bound['of']): Bound {
  return { scenario, what, most, perDevice: false, of };
}
