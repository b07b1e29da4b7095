/** The connection machine's policy, from the settings. Pure. */
import { spreadOfAtMost } from './spread.js';
import { DEFAULT_POLICY, type ConnectionPolicy } from './state.js';

/** Of `[Websocket]`, in seconds. */
export interface ConnectionTimings {
  readonly stabilizationSecs: number;
  readonly returnSpreadSecs: number;
  readonly backoffBaseSecs: number;
  readonly backoffCapSecs: number;
  readonly stableAfterSecs: number;
}

export function policyOf(timings: ConnectionTimings): ConnectionPolicy {
  return {
    ...DEFAULT_POLICY,
    stabilizationMs: timings.stabilizationSecs * 1_000,
    stableMs: timings.stableAfterSecs * 1_000,
    spread: spreadOfAtMost(timings.returnSpreadSecs * 1_000),
    backoff: {
      ...DEFAULT_POLICY.backoff,
      baseMs: timings.backoffBaseSecs * 1_000,
      capMs: timings.backoffCapSecs * 1_000,
    },
  };
}
