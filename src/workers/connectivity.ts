/**
 * The task of the worker thread: checks the internet, again and again, and tells the main thread what it finds. Every name look-up and every
 * HTTPS request of the checks happens here, so that nothing a broken network does can delay the WebSocket.
 *
 * Ends when told to, when the port closes, or by an error of its own, which the main thread answers with a new worker.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { MessagePort } from 'node:worker_threads';
import { Checker } from './checker.js';
import { kernelsWord, Links } from './links.js';
import { carriedFor } from './net/meter.js';
import { proxyFor } from './net/proxy.js';
import type { LinkEvent, LinkState } from './probe/link-follower.js';
import {
  PROTOCOL_VERSION,
  type CheckEvidence,
  type CheckTrigger,
  type FromWorker,
  type LinkEvidence,
  type ToWorker,
  type WorkerSettings,
  type WorkerTask,
} from './protocol.js';
import { QuietChecksWriter } from './quiet-checks.js';
import { isEnough, lookAgainAfterMs, mayAskOnly } from './saver.js';
import { Schedule } from './schedule.js';
import { initialMemory, onChecked, onLinkBack, onLinkHeld, type Outcome, type VerdictMemory } from './verdict.js';

/** Between the end of a check and the start of the next, at least: a check that fails at once must not spin. */
const MIN_PAUSE_MS = 50;
/**
 * Without any link a packet reaches nobody, but the kernel goes on asking for its neighbour, once a second for 3 s, and the first packet
 * after the link's return waits for the next of these questions. So packets are sent that rarely, to notice tables that are wrong.
 */
const PROBE_WITHOUT_LINK_MS = 30_000;

/** What {@link WorkerTask.port} is here. */
export type Task = WorkerTask<MessagePort>;

export default function run(task: Task): Promise<void> {
  if (task.version !== PROTOCOL_VERSION) {
    throw new Error(`The two threads are of different versions (${task.version}, ${PROTOCOL_VERSION}): reinstall`);
  }
  return new Connectivity(task).run();
}

class Connectivity {
  readonly #port: MessagePort;
  readonly #quiet: QuietChecksWriter;
  #settings: WorkerSettings;
  readonly #checker: Checker;
  #memory: VerdictMemory;
  readonly #links: Links;
  #checkId = 0;
  /** Ids of the check-now messages that no check has answered yet. */
  #asked: number[] = [];
  /** One of them follows an attempt to connect that failed. */
  #askedFresh = false;
  /** Set while a check runs. */
  #running: { readonly abort: AbortController } | undefined;
  /** The last check was given up because of a link change. The next is not, so that a flapping link starves nothing. */
  #gaveUp = false;
  /** When packets were last sent. */
  #lastProbeAt = -Infinity;
  /** When a check last began that said something about the internet. */
  #lastCheckAt = -Infinity;
  #offlineSince = 0;
  readonly #schedule = new Schedule();
  #stopped = false;

  constructor({ port, settings, verdict, quiet }: Task) {
    this.#quiet = new QuietChecksWriter(quiet);
    this.#port = port;
    this.#settings = settings;
    this.#memory = initialMemory(verdict);
    this.#links = new Links({
      host: () => this.#settings.host,
      proxy: () => proxyFor(this.#settings.proxy, this.#settings.host, this.#settings.port)?.host,
      lastGood: () => this.#checker.lastGood,
      onEvent: (event) => {
        this.#linkEvent(event);
      },
      post: (message) => {
        this.#post(message);
      },
    });
    this.#checker = new Checker(
      settings,
      () => this.#links.interfaces(),
      (message) => {
        this.#post(message);
      },
    );
  }

  async run(): Promise<void> {
    this.#port.on('message', (message: ToWorker) => this.#told(message));
    this.#port.on('close', () => this.#stop());
    this.#post({ kind: 'begun' });
    if (this.#settings.followLinks) this.#links.follow();
    try {
      await this.#loop();
    } finally {
      this.#checker.close();
      await this.#links.stop();
      this.#port.close();
      // What was given up is told by c-ares in the next turn; a thread that is terminated in that moment aborts the whole process (Node 20).
      await nextTurn();
    }
  }

  async #loop(): Promise<void> {
    let trigger: CheckTrigger = 'start';
    while (!this.#stopped) {
      const startedAt = performance.now();
      const outcome = await this.#look(trigger, startedAt);
      const { confirmAfterMs } = this.#settings;
      const everyMs = this.#everyMs();
      const afterMs = outcome?.confirm === true ? Math.min(confirmAfterMs, everyMs) : everyMs;
      const nextAt = Math.max(startedAt + afterMs, performance.now() + MIN_PAUSE_MS);
      const early = await this.#schedule.next(nextAt, startedAt, outcome?.confirm === true);
      trigger = early ?? (outcome?.confirm === true ? 'confirming' : 'interval');
    }
  }

  #everyMs(): number {
    const { dataSaver: saver, intervalMs, offlineIntervalMs } = this.#settings;
    const { verdict } = this.#memory.state;
    const offlineForMs = performance.now() - this.#offlineSince;
    return lookAgainAfterMs({ saver, verdict, intervalMs, offlineIntervalMs, offlineForMs });
  }

  /** A check, unless the live connection makes one unnecessary. */
  async #look(trigger: CheckTrigger, startedAt: number): Promise<Outcome | undefined> {
    const { failures, state } = this.#memory;
    const { dataSaver: saver } = this.#settings;
    const sinceCheckMs = startedAt - this.#lastCheckAt;
    const { verdict } = state;
    if (saver === undefined || !mayAskOnly({ saver, trigger, verdict, failures, sinceCheckMs }))
      return this.#checkOnce(trigger);
    const abort = new AbortController();
    this.#running = { abort };
    const answer = await this.#checker.askLive(abort.signal);
    this.#running = undefined;
    if (abort.signal.aborted) return undefined;
    this.#gaveUp = false;
    this.#post({ kind: 'looked' });
    if (isEnough(answer, sinceCheckMs, saver)) return undefined;
    return this.#checkOnce(answer === 'silent' ? 'doubted' : trigger);
  }

  async #checkOnce(trigger: CheckTrigger): Promise<Outcome | undefined> {
    const answers = this.#asked;
    const fresh = this.#askedFresh;
    this.#asked = [];
    this.#askedFresh = false;
    const startedAtMs = Date.now();
    const startedAt = performance.now();
    const linkBefore = this.#links.state();
    if (this.#isPointless(linkBefore, startedAt)) {
      const word = this.#kernelsWord(linkBefore.evidence, trigger);
      const outcome = onChecked(this.#memory, word, this.#settings, Date.now());
      this.#take(outcome, word, answers);
      return outcome;
    }
    const abort = new AbortController();
    this.#running = { abort };
    this.#checkId += 1;
    const checkId = this.#checkId;
    this.#lastProbeAt = startedAt;
    const { failures, state } = this.#memory;
    const situation = { trigger, verdict: state.verdict, failures, fresh };
    const lookAtLink = async (): Promise<LinkEvidence | undefined> =>
      this.#links.state()?.evidence ?? (await this.#links.look());
    const look = await this.#checker.check(situation, lookAtLink, abort.signal);
    this.#running = undefined;
    if (look === undefined) {
      // Given up for a fresh one, which answers instead.
      this.#asked = [...answers, ...this.#asked];
      this.#askedFresh ||= fresh;
      return undefined;
    }
    this.#gaveUp = false;
    const { siteAnswered, ...seen } = look;
    if (seen.refused === undefined) this.#lastCheckAt = startedAt;
    const ms = Math.round(performance.now() - startedAt);
    const evidence: CheckEvidence = { checkId, trigger, startedAtMs, ms, ...seen };
    const contradictsLink = siteAnswered && this.#links.contradicts(linkBefore, startedAt);
    if (contradictsLink && this.#memory.linkTrusted) {
      this.#post({
        kind: 'note',
        level: 'info',
        message: `The kernel's tables show no way out (${seen.link?.detail ?? 'unknown'}), yet the test site answers: from now on they are not taken as proof of an outage`,
      });
    }
    const outcome = onChecked(this.#memory, { ...evidence, contradictsLink }, this.#settings, Date.now());
    this.#take(outcome, evidence, answers);
    return outcome;
  }

  /** The verdict stands on the kernel's word that there is no link, and packets would change nothing about it. */
  #isPointless(link: LinkState | undefined, now: number): link is LinkState {
    const { state, linkTrusted } = this.#memory;
    return (
      link?.evidence.reason === 'no-link' &&
      state.verdict === 'offline' &&
      linkTrusted &&
      now - this.#lastProbeAt < PROBE_WITHOUT_LINK_MS
    );
  }

  #take(outcome: Outcome, evidence: CheckEvidence, answers: readonly number[]): void {
    this.#memory = outcome.memory;
    const { state } = outcome.memory;
    if (outcome.changed && state.verdict === 'offline') this.#offlineSince = performance.now();
    if (evidence.reason !== undefined)
      this.#checker.failed(evidence.reason, outcome.changed && state.verdict === 'offline');
    const carried = carriedFor('checks');
    const isQuiet = !outcome.changed && state.verdict === 'online' && answers.length === 0;
    if (isQuiet && this.#settings.tellsEach !== true && this.#quiet.write(evidence, carried)) return;
    this.#post({ kind: 'checked', evidence, state, answers, carried, lookAgainMs: this.#everyMs() });
    this.#quiet.told(evidence);
    if (outcome.changed) this.#post({ kind: 'changed', state, evidence });
  }

  // Links.

  #linkEvent(event: LinkEvent): void {
    if (this.#stopped) return;
    this.#links.tell(event);
    const { kind, state } = event;
    const { evidence } = state;
    if (evidence.ok) {
      this.#memory = onLinkBack(this.#memory);
      this.#checker.elsewhere();
      this.#post({ kind: 'way-out-changed' });
      this.#checkAfresh();
    } else if (kind === 'held' && evidence.reason !== undefined) {
      const outcome = onLinkHeld(this.#memory, evidence.reason, Date.now());
      // What a running check still hears comes from before the loss.
      if (outcome.changed) this.#running?.abort.abort();
      if (!outcome.confirm) this.#take(outcome, this.#kernelsWord(evidence, 'link'), []);
      // From now on at the times of an outage.
      this.#schedule.want('link');
    } else if (!this.#memory.linkTrusted) this.#schedule.want('link');
  }

  #checkAfresh(): void {
    if (this.#running !== undefined && !this.#gaveUp) {
      this.#gaveUp = true;
      this.#running.abort.abort();
    }
    this.#schedule.want('link');
  }

  #kernelsWord(link: LinkEvidence, trigger: CheckTrigger): CheckEvidence {
    this.#checkId += 1;
    return kernelsWord(this.#checkId, link, trigger);
  }

  // The main thread.

  #told(message: ToWorker): void {
    switch (message.kind) {
      case 'check-now':
        this.#asked.push(message.id);
        this.#askedFresh ||= message.fresh;
        this.#schedule.want('asked');
        break;
      case 'configure':
        this.#configure(message.settings);
        break;
      case 'live':
        this.#checker.told(message.id, message.answer);
        break;
      case 'monitor-sign':
      case 'monitor-ended':
        this.#links.heard(message);
        break;
      case 'stop':
        this.#stop();
        break;
    }
  }

  #configure(settings: WorkerSettings): void {
    this.#settings = settings;
    if (!this.#checker.configure(settings)) return;
    this.#running?.abort.abort();
    this.#schedule.want('asked');
  }

  #stop(): void {
    this.#stopped = true;
    this.#running?.abort.abort();
    this.#schedule.stop();
  }

  #post(message: FromWorker): void {
    this.#port.postMessage(message);
  }
}
