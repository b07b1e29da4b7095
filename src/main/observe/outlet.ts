/** What the control socket answers, made when it is asked. Every text in it is redacted as a line of the log is. */
import { settledWithin } from '../base/deadline.js';
import type { Answer, Routes } from './control-server.js';
import type { RunningSettings } from './running-settings.js';
import type { Snapshot } from './snapshot.js';

export interface OutletOptions {
  /** How everything is now; undefined while nothing runs. */
  readonly snapshot: () => Promise<Snapshot | undefined>;
  /** The outages and their sums. */
  readonly outages: () => Promise<unknown>;
  /** The settings that are in force, without secrets. */
  readonly settings: () => RunningSettings;
  /** Looks at the internet now. */
  readonly lookNow: () => Promise<unknown>;
  /** Takes what must not be read out of a text. */
  readonly redact: (text: string) => string;
  /** A clock that never goes back, milliseconds. Default: `performance.now`. */
  readonly nowMs?: () => number;
}

/** However often it is asked, it is looked no more often than this, milliseconds: each look costs bytes of a metered line. */
const LOOK_EVERY_MS = 3_000;
/** Whoever waits for a look gets what is known by then, milliseconds. */
const LOOK_DEADLINE_MS = 10_000;

const STOPPED: Answer = { status: 503, contentType: 'text/plain; charset=utf-8', body: 'Starting or stopping\n' };

export function createRoutes({
  snapshot,
  outages,
  settings,
  lookNow,
  redact,
  nowMs = () => performance.now(),
}: OutletOptions): Routes {
  const json = (value: unknown): Answer => ({
    contentType: 'application/json; charset=utf-8',
    body: `${JSON.stringify(value, (_key, member: unknown) => (typeof member === 'string' ? redact(member) : member))}\n`,
  });
  let lookedAtMs = -Infinity;
  let looking: Promise<unknown> | undefined;
  const now = async (): Promise<Answer> => {
    const taken = await snapshot();
    return taken === undefined ? STOPPED : json(taken);
  };
  return {
    'GET /snapshot': now,
    'GET /outages': async () => json(await outages()),
    'GET /settings': () => json(settings()),
    'POST /look': async () => {
      if (nowMs() - lookedAtMs >= LOOK_EVERY_MS) {
        lookedAtMs = nowMs();
        looking = lookNow();
      }
      if (looking !== undefined) await settledWithin(looking, LOOK_DEADLINE_MS);
      return now();
    },
  };
}
