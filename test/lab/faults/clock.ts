/** The clock of the machine. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CLOCK_CACHE_MS } from '../lab.js';
import type { Fault } from './make.js';

/** The clock of the process under test is off; see `Lab.setClock` for the form. */
export function clockOff(offset: string): Fault {
  return {
    name: `clock${offset}`,
    says: `the clock is off by ${offset}`,
    needsClock: true,
    apply: (lab) => {
      lab.setClock(offset);
      return Promise.resolve();
    },
    repair: async (lab) => {
      lab.setClock('+0');
      // Only then every process knows.
      await sleep(CLOCK_CACHE_MS);
    },
  };
}
