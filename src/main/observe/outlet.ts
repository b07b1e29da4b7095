/** What the outlets answer to programs, made when it is asked. Every text in it is redacted as a line of the log is. */
import { STOPPED } from './http/answers.js';
import type { Answer, Question, Routes } from './http/server.js';
import type { Looks } from './looks.js';
import type { Pages } from './page/routes.js';
import type { RunningSettings } from './running-settings.js';
import type { Snapshot } from './snapshot.js';

export interface OutletOptions {
  /** How everything is now; undefined while nothing runs. */
  readonly snapshot: () => Promise<Snapshot | undefined>;
  /** The outages and their sums. */
  readonly outages: () => Promise<unknown>;
  /** The metrics, in the format that is liked best. */
  readonly metrics: (accept: string | undefined) => Promise<Answer>;
  readonly looks: Looks;
  /** The settings that are in force, without secrets. */
  readonly settings: () => RunningSettings;
  /** Takes what must not be read out of a text. */
  readonly redact: (text: string) => string;
}

/** The page, of which the code is loaded when somebody asks for it. */
export function createPageRoutes(pages: () => Promise<Pages>): Routes {
  return {
    'GET /': async (question) => (await pages()).page(question),
    'GET /events': async (question) => (await pages()).events(question),
    'GET /look': async (question) => (await pages()).look(question),
    'GET /outages.csv': async () => (await pages()).csv(),
  };
}

/** What may be read by whoever can open the outlet. */
export function createReadings({
  snapshot,
  outages,
  metrics,
  redact,
}: Omit<OutletOptions, 'looks' | 'settings'>): Routes {
  return {
    'GET /snapshot': () => snapshotNow(snapshot, redact),
    'GET /outages': async () => json(await outages(), redact),
    'GET /metrics': ({ headers }: Question) => metrics(headers.accept),
  };
}

/** The same with what only the control socket takes. */
export function createRoutes(options: OutletOptions): Routes {
  return {
    ...createReadings(options),
    'GET /settings': () => json(options.settings(), options.redact),
    'POST /look': async () => {
      await options.looks.look('control');
      return snapshotNow(options.snapshot, options.redact);
    },
  };
}

async function snapshotNow(snapshot: OutletOptions['snapshot'], redact: OutletOptions['redact']): Promise<Answer> {
  const taken = await snapshot();
  return taken === undefined ? STOPPED : json(taken, redact);
}

function json(value: unknown, redact: OutletOptions['redact']): Answer {
  return { contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(value, redacting(redact))}\n` };
}

/** For `JSON.stringify`. */
function redacting(redact: OutletOptions['redact']): (key: string, member: unknown) => unknown {
  return (_key, member) => (typeof member === 'string' ? redact(member) : member);
}

/** The same value with every text in it redacted. It must be JSON. */
export function redacted<T>(value: T, redact: OutletOptions['redact']): T {
  return JSON.parse(JSON.stringify(value, redacting(redact))) as T;
}
