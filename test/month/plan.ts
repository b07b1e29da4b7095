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
  /** So many times as fast goes the daemon's clock. */
  readonly speed: number;
  /** How much each heap may grow over the half that is judged, kB: code is compiled and caches are filled for some thousand happenings. */
  readonly allowedHeapKb: number;
  readonly counts: Counts;
}

/** 720 hours; 10,000 reconnections, those after the outages included. */
export const MONTH: Plan = {
  cycles: 60,
  speed: 25,
  allowedHeapKb: 256,
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

/** Two days. */
export const SHORT: Plan = {
  cycles: 20,
  speed: 10,
  allowedHeapKb: 1_024,
  counts: {
    outage: 20,
    recovery: 40,
    anew: 40,
    busRestart: 20,
    reload: 20,
    quarterOfAnHour: 200,
    question: 20,
    message: 40,
  },
};

/** For what leaks on purpose, with each quarter of an hour: nothing else need happen. */
export const LEAKING: Plan = {
  cycles: 24,
  speed: 10,
  allowedHeapKb: 1_024,
  counts: {
    outage: 0,
    recovery: 24,
    anew: 0,
    busRestart: 0,
    reload: 24,
    quarterOfAnHour: 192,
    question: 0,
    message: 0,
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
