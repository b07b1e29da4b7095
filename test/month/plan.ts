/** What happens in a month, and in which order. Pure. */

/** How often each thing happens over the whole run. */
export interface Counts {
  /** All refused, or now and then a portal; half of the sessions are forgotten by the cloud meanwhile. */
  readonly outage: number;
  /** The connection is cut and the session goes on. */
  readonly recovery: number;
  /** The connection is cut and the session is gone. */
  readonly anew: number;
  readonly busRestart: number;
  readonly reload: number;
  readonly quarterOfAnHour: number;
  /** By the control socket and by the page. */
  readonly question: number;
  /** A command of a browser, and a line of core's. */
  readonly message: number;
}

export type Happening = keyof Counts;

export interface Plan {
  readonly cycles: number;
  readonly counts: Counts;
}

/** 720 hours; 10,000 reconnections, those after the outages included. */
export const MONTH: Plan = {
  cycles: 60,
  counts: {
    outage: 3_000,
    recovery: 3_480,
    anew: 3_520,
    busRestart: 300,
    reload: 300,
    quarterOfAnHour: 2_880,
    question: 1_800,
    message: 3_000,
  },
};

/** A day and a half. */
export const SHORT: Plan = {
  cycles: 18,
  counts: {
    outage: 18,
    recovery: 36,
    anew: 36,
    busRestart: 18,
    reload: 18,
    quarterOfAnHour: 144,
    question: 36,
    message: 36,
  },
};

/** Of one cycle, each kind spread evenly over it, so that all cycles are alike. @param cycle from 0 on */
export function happenings({ cycles, counts }: Plan, cycle: number): readonly Happening[] {
  const kinds = Object.keys(counts) as Happening[];
  return kinds
    .flatMap((kind) => {
      const upTo = (end: number): number => Math.floor((counts[kind] * end) / cycles);
      const count = upTo(cycle + 1) - upTo(cycle);
      return Array.from({ length: count }, (_, index) => ({ kind, at: (index + 0.5) / count }));
    })
    .sort((one, other) => one.at - other.at)
    .map(({ kind }) => kind);
}
