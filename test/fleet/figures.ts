/** What one run came to. */
import type { Scenario } from './scenario.js';
import type { Service } from './service.js';

export interface Figures {
  readonly client: string;
  /** Most attempts in one second that reached the cloud, and most recoveries. */
  readonly peakPerSec: number;
  readonly peakRecoveriesPerSec: number;
  /** Seconds after the return until a device was in: of half, of nine in ten, of the last. `null`: not within the run. */
  readonly halfInSecs: number | null;
  readonly ninetyInSecs: number | null;
  readonly lastInSecs: number | null;
  /** Of 0 to 1, within the run. */
  readonly shareIn: number;
  /** Attempts that reached the cloud, a device. */
  readonly attempts: number;
  readonly signIns: number;
  /** By second from the return on. */
  readonly arrivals: readonly number[];
}

export function figuresOf(scenario: Scenario, client: string, service: Service): Figures {
  const from = scenario.countedFromSecs;
  const back = scenario.backFromSecs ?? from;
  const arrivals = [...service.arrivals.subarray(from)];
  const sorted = service.inAtMs.slice().sort();
  const at = (share: number): number | null => {
    const ms = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Infinity;
    return Number.isFinite(ms) ? Math.round(Math.max(0, ms - back * 1_000) / 10) / 100 : null;
  };
  const total = (values: Iterable<number>): number => [...values].reduce((sum, value) => sum + value, 0);
  const peak = (values: Iterable<number>): number => [...values].reduce((most, value) => Math.max(most, value), 0);
  return {
    client,
    peakPerSec: peak(arrivals),
    peakRecoveriesPerSec: peak(service.recoveries.subarray(from)),
    halfInSecs: at(0.5),
    ninetyInSecs: at(0.9),
    lastInSecs: at(1),
    shareIn: sorted.filter(Number.isFinite).length / sorted.length,
    attempts: Math.round((total(service.attempts) / sorted.length) * 100) / 100,
    signIns: total(service.signIns.subarray(from)),
    arrivals,
  };
}
