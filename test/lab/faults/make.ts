/** What a fault is, and how most of them are made. */
import type { Lab } from '../lab.js';
import { PORTS, type Place } from '../topology.js';

export interface Fault {
  readonly name: string;
  /** What it does, in words. */
  readonly says: string;
  /** True if the processes under test must be started with the lab's `clockEnv()`. */
  readonly needsClock?: true;
  apply(lab: Lab): Promise<void>;
  repair(lab: Lab): Promise<void>;
}

/** Repairs whatever the lab's own configuration says. */
export const reconfigure = (lab: Lab): Promise<void> => lab.configure();

/** Lines of `ip` in one place; repaired by configuring everything again. */
export function links(name: string, says: string, place: Place, lines: (lab: Lab) => readonly string[]): Fault {
  return { name, says, apply: (lab) => lab.ip(place, ...lines(lab)), repair: reconfigure };
}

/** Rules in the router: `rules` stand in its forward chain. */
export function filter(name: string, says: string, rules: string): Fault {
  const table = `fault_${name.replaceAll('-', '_')}`;
  return {
    name,
    says,
    apply: (lab) =>
      lab.addRules(
        'router',
        table,
        `chain forward { type filter hook forward priority filter; policy accept;\n${rules}\n}`,
      ),
    repair: (lab) => lab.removeRules('router', table),
  };
}

/** HTTPS is the cloud's port as well: they differ only because the two share an address here. */
export const HTTPS = `tcp dport { ${PORTS.site}, ${PORTS.cloud} }`;
