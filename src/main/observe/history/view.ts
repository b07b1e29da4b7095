/** The recent history for whoever shows it: read again only when something has happened. */
import type { History } from './history.js';
import { storyOf, type Story } from './outages.js';

/** Newest files that are read: half a year where little happens, and never more than 512 kB. */
const NEWEST = 2;
const DAY_MS = 86_400_000;
/** What is shown goes no further back. */
const KEPT_MS = 31 * DAY_MS;

/** What was read is kept as long as nobody needs its memory: on most machines somebody looks once in months. */
export class RecentHistory {
  readonly #history: Pick<History, 'revision' | 'read'>;
  #known: { readonly revision: number; readonly story: WeakRef<Story> } | undefined;
  #reading: { readonly revision: number; readonly story: Promise<Story> } | undefined;

  constructor(history: Pick<History, 'revision' | 'read'>) {
    this.#history = history;
  }

  /** As far as it is in the newest files, 31 days at most. Never rejects. */
  async story(nowMs: number): Promise<Story> {
    const { revision } = this.#history;
    const known = this.#known?.revision === revision ? this.#known.story.deref() : undefined;
    return goingOn(known ?? (await this.#readOnce(revision, nowMs)), nowMs);
  }

  /** Whoever asks while it is being read gets the same. */
  #readOnce(revision: number, nowMs: number): Promise<Story> {
    if (this.#reading?.revision === revision) return this.#reading.story;
    const story = this.#read(nowMs);
    const reading = { revision, story };
    this.#reading = reading;
    void story.then((read) => {
      this.#known = { revision, story: new WeakRef(read) };
      if (this.#reading === reading) this.#reading = undefined;
    });
    return story;
  }

  async #read(nowMs: number): Promise<Story> {
    const { outages, runs, hours } = storyOf((await this.#history.read(NEWEST)).records, { at: nowMs });
    const from = nowMs - KEPT_MS;
    return {
      outages: outages.filter(({ toMs }) => toMs === null || toMs > from),
      runs: runs.filter(({ toMs }) => toMs > from),
      hours: hours.filter(({ atMs }) => atMs > from),
    };
  }
}

/** What lasted when it was read, and the run that is this one, last until now. */
function goingOn({ outages, runs, hours }: Story, nowMs: number): Story {
  const last = runs.at(-1);
  return {
    outages: outages.map((outage) =>
      outage.toMs === null ? { ...outage, ms: Math.max(0, nowMs - outage.fromMs) } : outage,
    ),
    runs: last === undefined ? [] : [...runs.slice(0, -1), { ...last, toMs: Math.max(last.toMs, nowMs) }],
    hours,
  };
}
