/** Asks whoever may speak for the internet beside a check. `proof.ts` decides who and what it is worth. */
import type { LookupFunction } from 'node:net';
import { LinkedAbort } from './net/linked-abort.js';
import { LiveConnection } from './live-connection.js';
import { askWitnesses, lookupOf } from './probe/witnesses.js';
import {
  NOTHING_PROVED,
  isFinal,
  needsNewConnection,
  onOutage,
  onSiteAnswered,
  onWitnessesAsked,
  planAfter,
  planOf,
  testimonyOf,
  weigh,
  type Plan,
  type ProofMemory,
  type Situation,
  type Weight,
} from './proof.js';
import { ANSWER_AT_LEAST_MS } from './saver.js';
import type {
  CheckEvidence,
  FromWorker,
  LiveAnswer,
  OfflineReason,
  WitnessEvidence,
  WorkerSettings,
} from './protocol.js';

/** What it adds to the evidence of a check. */
export type ProofEvidence = Pick<CheckEvidence, 'live' | 'witnesses'> & {
  readonly weight: Weight;
  /** Which call was refused, if that made the check void. */
  readonly refused?: string;
};

const NOT_NEEDED: ProofEvidence = { weight: 'failed' };

export class Proofs {
  #memory: ProofMemory = NOTHING_PROVED;
  readonly #live: LiveConnection;
  #settings: WorkerSettings;
  #lookup: LookupFunction;

  constructor(settings: WorkerSettings, post: (message: FromWorker) => void) {
    this.#settings = settings;
    this.#lookup = lookupOf(settings.timeoutMs, settings.nameServers);
    this.#live = new LiveConnection(post);
  }

  configure(settings: WorkerSettings): void {
    this.#settings = settings;
    this.#lookup = lookupOf(settings.timeoutMs, settings.nameServers);
  }

  /** The main thread's word on the live connection. */
  told(id: number, answer: LiveAnswer): void {
    this.#live.told(id, answer);
  }

  /** Begins to ask, beside a check that begins. */
  begin(situation: Situation, signal: AbortSignal): Beside {
    return new Beside(this, situation, planOf(this.#memory, situation, performance.now()), signal);
  }

  /** Who is to be asked once a check has failed beside which nobody was. */
  planAfter(situation: Situation, reason: OfflineReason): Plan {
    // There may be no confirming check beside which to ask.
    const isLastWord = situation.failures + 1 >= this.#settings.failuresToOffline;
    return planAfter(this.#memory, situation, reason, isLastWord, performance.now());
  }

  askLive(): void {
    this.#live.ask(2 * this.#settings.timeoutMs);
  }

  liveSince(sinceMs: number): Promise<LiveAnswer> {
    return this.#live.answerSince(sinceMs, this.#settings.timeoutMs);
  }

  /** Asks the live connection and nobody else. */
  askLiveOnly(signal: AbortSignal): Promise<LiveAnswer> {
    return this.#live.answersNow(Math.max(ANSWER_AT_LEAST_MS, 2 * this.#settings.timeoutMs), signal);
  }

  askWitnesses(lastReason: OfflineReason | undefined, signal: AbortSignal): Promise<readonly WitnessEvidence[]> {
    const { witnesses, proxy, ca, timeoutMs } = this.#settings;
    this.#memory = onWitnessesAsked(this.#memory, lastReason, performance.now());
    return askWitnesses({ witnesses, lookup: this.#lookup, proxy, ca, timeoutMs, signal });
  }

  weigh(reason: OfflineReason, live: LiveAnswer, witnesses: readonly WitnessEvidence[] | undefined): Weight {
    const testimony = { reason, live, witnesses: testimonyOf(witnesses) };
    const { weight, memory } = weigh(this.#memory, testimony, performance.now());
    this.#memory = memory;
    return weight;
  }

  siteAnswered(): void {
    this.#memory = onSiteAnswered(this.#memory);
  }

  /** The verdict is offline since now, or the kernel says why it is. */
  outage(reason: OfflineReason): void {
    this.#memory = onOutage(this.#memory, reason);
  }
}

/** What is asked beside one check. */
class Beside {
  readonly #startedAt = performance.now();
  readonly #outer: AbortSignal;
  /** Of the witnesses. */
  #abort: LinkedAbort | undefined;
  #witnesses: Promise<readonly WitnessEvidence[]> | undefined;
  #askedLive = false;

  constructor(
    private readonly proofs: Proofs,
    private readonly situation: Situation,
    plan: Plan,
    outer: AbortSignal,
  ) {
    this.#outer = outer;
    this.#ask(plan, situation.lastReason);
  }

  /** The site's check says nothing: nobody else is asked because of it. */
  giveUp(): void {
    this.#abort?.abort();
  }

  /** The site's check has ended. Resolves when it is known whether the internet is proved otherwise; at once if nobody need be asked. */
  async settle(reason: OfflineReason | undefined): Promise<ProofEvidence> {
    if (reason === undefined || this.#outer.aborted) {
      this.#abort?.abort();
      // Given up is not answered.
      if (reason === undefined && !this.#outer.aborted) this.proofs.siteAnswered();
      return NOT_NEEDED;
    }
    if (this.#witnesses === undefined && !this.#askedLive) {
      this.#ask(this.proofs.planAfter(this.situation, reason), reason);
      // Its answer is only worth something beside the next check, but whether it keeps silent shows sooner.
      if (this.situation.verdict !== 'offline' && !isFinal(reason)) this.proofs.askLive();
    }
    if (isFinal(reason)) this.#abort?.abort();
    const witnesses = await this.#witnesses;
    // Asked last, as by now it has had all the time that the others took.
    const live =
      this.#askedLive && mayMatter(reason, witnesses) ? await this.proofs.liveSince(this.#startedAt) : undefined;
    const weight = this.proofs.weigh(reason, live ?? 'none', witnesses);
    const refused = weight === 'void' ? witnesses?.find(({ error }) => error !== undefined)?.error : undefined;
    return {
      weight,
      ...(refused === undefined ? {} : { refused }),
      ...(live === undefined ? {} : { live }),
      ...(witnesses === undefined ? {} : { witnesses }),
    };
  }

  #ask({ live, witnesses }: Plan, lastReason: OfflineReason | undefined): void {
    if (live) this.proofs.askLive();
    this.#askedLive ||= live;
    if (!witnesses || this.#witnesses !== undefined) return;
    this.#abort = new LinkedAbort(this.#outer);
    this.#witnesses = this.proofs.askWitnesses(lastReason, this.#abort.signal);
  }
}

/** Where only a new connection counts and none came about, an old one changes nothing: no need to wait for it. */
function mayMatter(reason: OfflineReason, witnesses: readonly WitnessEvidence[] | undefined): boolean {
  return !needsNewConnection(reason) || witnesses === undefined || witnesses.some(({ ok }) => ok);
}
