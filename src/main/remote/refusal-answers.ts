/** A browser whose message is refused is told so: its page would say that it went well. One answer for a burst. */
import type { Clock } from '../base/clock.js';
import type { OutgoingMessage } from './messages.js';
import { outgoing } from './messages.js';
import type { Refusal } from './router.js';

/** From one answer to the next, milliseconds, at least; the front end shows each for 5 s, and a flood must not be amplified. */
export const ANSWER_EVERY_MS = 5_000;

/** Only what a page may send in good faith; the rest is malformed, and nobody waits for an answer. */
const WORDS: Partial<Record<Refusal, string>> = {
  'too-large': 'it is larger than this device lets through',
};

export class RefusalAnswers {
  #quietUntilMs = -Infinity;

  constructor(
    private readonly say: (message: OutgoingMessage) => void,
    private readonly clock: Clock,
  ) {}

  refused(reason: Refusal): void {
    const words = WORDS[reason];
    const now = this.clock.nowMs();
    if (words === undefined || now < this.#quietUntilMs) return;
    this.#quietUntilMs = now + ANSWER_EVERY_MS;
    this.say(outgoing('log', { success: false, level: 'error', message: `A message was not delivered: ${words}` }));
  }
}
