/** The groups of tests: what `npm test` runs, in which order, what side by side, and for how long at most. */

import type { Needs } from './debian.js';

export interface Group {
  /** What one calls it: `npm test -- NAME`. */
  readonly name: string;
  /** Folder of its files, beside this one. */
  readonly folder: string;
  /** Of the folder's files `*.test.ts` only those that fit. Default: all. */
  readonly files?: RegExp;
  /**
   * Groups of one stage run side by side, stages one after the other. What keeps the processors busy comes first and is over
   * when the groups begin that measure times.
   */
  readonly stage: number;
  /** How many of its files run at once. More than one only if most of the time is spent waiting. */
  readonly filesAtOnce: number;
  /** The group is ended and has failed when it takes longer. */
  readonly deadlineSecs: number;
  /** Why it needs root; undefined: it does not. */
  readonly needsRoot?: string;
  /** Debian packages it needs, see debian.ts. Default: none. */
  readonly needs?: readonly Needs[];
  /** The daemon, or parts of it with a log, run in it: it must have gathered lines and secrets (test/support/everything-logged.ts). */
  readonly logs: boolean;
}

export const GROUPS: readonly Group[] = [
  { name: 'unit', folder: 'unit', stage: 1, filesAtOnce: 2, deadlineSecs: 180, logs: true },
  {
    name: 'integration',
    folder: 'integration',
    stage: 1,
    filesAtOnce: 3,
    deadlineSecs: 480,
    needs: ['bus', 'refusals', 'metrics'],
    logs: true,
  },
  {
    name: 'browser',
    folder: 'browser',
    stage: 1,
    filesAtOnce: 1,
    deadlineSecs: 180,
    needs: ['bus', 'browser'],
    logs: true,
  },
  {
    name: 'lab',
    folder: 'lab',
    files: /^(?!soak|idle|cost)/,
    stage: 2,
    filesAtOnce: 2,
    deadlineSecs: 900,
    needsRoot: 'it makes network namespaces',
    needs: ['bus', 'lab'],
    logs: true,
  },
  {
    name: 'system',
    folder: 'system',
    // After the lab: booting machines and building packages would disturb what it measures.
    stage: 3,
    filesAtOnce: 2,
    // Four minutes, and on a new machine three more for the roots of the containers.
    deadlineSecs: 900,
    needsRoot: 'it boots a systemd in a container',
    needs: ['bus', 'lab', 'cards', 'machines', 'refusals'],
    logs: true,
  },
  {
    name: 'idle',
    folder: 'lab',
    // It counts bytes of some quiet minutes, which the others do not disturb.
    files: /^(idle|cost)/,
    stage: 3,
    filesAtOnce: 3,
    deadlineSecs: 600,
    needsRoot: 'it makes network namespaces',
    needs: ['bus', 'lab'],
    logs: true,
  },
  {
    name: 'soak',
    folder: 'lab',
    files: /^soak/,
    stage: 3,
    filesAtOnce: 1,
    // Three minutes and a half; at its end the daemon may be in the longest of its pauses.
    deadlineSecs: 600,
    needsRoot: 'it makes network namespaces',
    needs: ['bus', 'lab'],
    logs: true,
  },
];

/** Runs after all others, over what they have logged. */
export const SECRETS: Group = {
  name: 'secrets',
  folder: 'secrets',
  stage: Number.POSITIVE_INFINITY,
  filesAtOnce: 1,
  deadlineSecs: 120,
  logs: false,
};
