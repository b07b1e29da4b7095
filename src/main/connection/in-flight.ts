/** Messages handed to a session and not acknowledged yet: bounded in number and in time, whatever the session does. */
import type { Clock } from '../base/clock.js';
import type { Sendable } from '../base/json.js';
import type { SendOutcome, Session } from './session.js';

export interface SendResult {
  readonly outcome: SendOutcome;
  /** Why it was not sent. */
  readonly message?: string;
}

/** Longer waits for an acknowledgement are cut to this. */
const MAX_TIMEOUT_MS = 600_000;
/** A session answers within its timeout; this much later it is answered in its place. */
const GRACE_MS = 250;

type Answer = (result: SendResult) => void;

export class InFlight {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #answers = new Map<Session, Set<Answer>>();
  #count = 0;

  constructor(clock: Clock, max: number) {
    this.#clock = clock;
    this.#max = max;
  }

  /** Never rejects. */
  send(session: Session, data: Sendable, askedTimeoutMs: number): Promise<SendResult> {
    if (this.#count >= this.#max) {
      const message = `${this.#max} messages already wait for their acknowledgement`;
      return Promise.resolve({ outcome: 'failed', message });
    }
    // NaN and the like become the shortest wait: a caller's slip must not wait for ever.
    const timeoutMs = askedTimeoutMs >= 1 ? Math.min(askedTimeoutMs, MAX_TIMEOUT_MS) : 1;
    return new Promise((resolve) => {
      const answer: Answer = (result) => {
        if (!this.#remove(session, answer)) return;
        clearTimer();
        resolve(result);
      };
      this.#add(session, answer);
      const clearTimer = this.#clock.setTimer(
        () => answer({ outcome: 'failed', message: `not acknowledged within ${timeoutMs} ms` }),
        timeoutMs + GRACE_MS,
      );
      // The constructor's function turns what `send` throws into a rejection.
      new Promise<SendResult>((sent) => {
        sent(session.send(data, timeoutMs));
      }).then(answer, (error: unknown) =>
        answer({ outcome: 'failed', message: error instanceof Error ? error.message : String(error) }),
      );
    });
  }

  /** The session is given up: what it has not acknowledged is answered now. */
  giveUp(session: Session): void {
    for (const answer of [...(this.#answers.get(session) ?? [])]) {
      answer({ outcome: 'failed', message: 'the connection was given up before the message was acknowledged' });
    }
  }

  #add(session: Session, answer: Answer): void {
    const answers = this.#answers.get(session) ?? new Set();
    this.#answers.set(session, answers.add(answer));
    this.#count += 1;
  }

  #remove(session: Session, answer: Answer): boolean {
    const answers = this.#answers.get(session);
    if (!answers?.delete(answer)) return false;
    if (answers.size === 0) this.#answers.delete(session);
    this.#count -= 1;
    return true;
  }
}
