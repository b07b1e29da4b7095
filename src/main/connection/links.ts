/**
 * The attempts and sessions that the supervisor has begun: a session that has been given up reports nothing any more
 * and is closed, even if its attempt succeeds only later. `transition.ts` decides which; here each id stands for the real thing.
 */
import { describeError, guard } from '../base/guard.js';
import type { Logger } from '../log.js';
import {
  OpenError,
  type GroupMessage,
  type OpenFailure,
  type OpenSession,
  type Session,
  type SessionEvent,
} from './session.js';
import type { ConnectionEvent } from './state.js';

/** Group messages kept of a session that is open before its attempt has been seen to succeed. */
const MAX_EARLY_MESSAGES = 1_000;

/** An attempt, and the session that came of it. */
interface Link {
  readonly id: number;
  readonly abort: AbortController;
  session: Session | undefined;
  /** What the session reported before its attempt had been seen to succeed; undefined from then on. */
  early: SessionEvent[] | undefined;
}

export interface LinksDependencies {
  readonly openSession: OpenSession;
  /** How every attempt ends, and what sessions report that have not been given up. */
  readonly onEvent: (event: ConnectionEvent) => void;
  readonly onMessage: (message: GroupMessage) => void;
  /** The session is being closed. */
  readonly onGivenUp: (session: Session) => void;
  readonly log: Logger;
}

export class Links {
  readonly #log: Logger;
  /** What has not been given up: one at most. */
  readonly #links = new Map<number, Link>();
  /** Attempts and disposals that have not ended. */
  readonly #unfinished = new Set<Promise<void>>();

  constructor(private readonly deps: LinksDependencies) {
    this.#log = deps.log;
  }

  /** Attempts and disposals that have not ended; none rejects. */
  get unfinished(): readonly Promise<void>[] {
    return [...this.#unfinished];
  }

  /** The session of this id, unless it has been given up or is not open yet. */
  session(id: number): Session | undefined {
    return this.#links.get(id)?.session;
  }

  /** Begins an attempt; how it ends is told by `onEvent`. */
  open(id: number): void {
    const link: Link = { id, abort: new AbortController(), session: undefined, early: [] };
    this.#links.set(id, link);
    const onEvent = (event: SessionEvent): void => {
      this.#sessionEvent(link, event);
    };
    // The constructor's function turns what `openSession` throws into a rejection.
    const attempt = new Promise<Session>((resolve) => {
      resolve(this.deps.openSession({ signal: link.abort.signal, onEvent }));
    });
    this.#follow(
      attempt.then(
        (session) => {
          link.session = session;
          // Given up meanwhile: it must not live on beside another. The attempt ends when this session is gone.
          if (!this.#isCurrent(link)) return this.#dispose(session);
          this.deps.onEvent({ kind: 'opened', attempt: id });
          return undefined;
        },
        (error: unknown) => {
          if (this.#isCurrent(link)) this.#links.delete(id);
          this.deps.onEvent({ kind: 'open-failed', attempt: id, failure: toFailure(error) });
        },
      ),
    );
  }

  /** Abandons the attempt, or disposes of the session if it came to one. */
  giveUp(id: number): void {
    const link = this.#links.get(id);
    if (!link) return;
    this.#links.delete(id);
    const { session } = link;
    if (session) {
      this.#follow(this.#dispose(session));
      this.deps.onGivenUp(session);
    }
    guard(this.#log, 'abandon an attempt', () => {
      link.abort.abort();
    });
  }

  async #dispose(session: Session): Promise<void> {
    try {
      await session.dispose();
    } catch (error) {
      this.#log.warn({ error: describeError(error) }, 'Closing an old cloud connection failed; going on without it');
    }
  }

  #follow(work: Promise<void>): void {
    const guarded = work.catch((error: unknown) => {
      this.#log.error({ error: describeError(error) }, 'Unexpected error in the cloud connection');
    });
    this.#unfinished.add(guarded);
    void guarded.then(() => this.#unfinished.delete(guarded));
  }

  #isCurrent(link: Link): boolean {
    return this.#links.get(link.id) === link;
  }

  #sessionEvent(link: Link, event: SessionEvent): void {
    if (!this.#isCurrent(link)) return;
    if (link.early) {
      // Changes of state are few and always kept; messages are bounded.
      if (event.kind !== 'message' || link.early.length < MAX_EARLY_MESSAGES) link.early.push(event);
      return;
    }
    switch (event.kind) {
      case 'interrupted':
        this.deps.onEvent({
          kind: 'session-interrupted',
          session: link.id,
          message: event.message,
          cause: event.cause,
        });
        break;
      case 'recovery-failed':
        this.deps.onEvent({ kind: 'recovery-failed', session: link.id });
        break;
      case 'recovered':
        this.deps.onEvent({ kind: 'session-recovered', session: link.id });
        break;
      case 'ended':
        this.deps.onEvent({ kind: 'session-ended', session: link.id, message: event.message, cause: event.cause });
        break;
      case 'message':
        this.deps.onMessage(event.message);
        break;
    }
  }

  /** Its attempt has been seen to succeed: what the session reported before is told now. */
  releaseEarly(id: number): void {
    const link = this.#links.get(id);
    if (!link?.early) return;
    const { early } = link;
    link.early = undefined;
    for (const event of early) this.#sessionEvent(link, event);
  }
}

function toFailure(error: unknown): OpenFailure {
  return error instanceof OpenError ? error.failure : { kind: 'failed', message: describeError(error) };
}
