/** Carries the commands of browsers to the components; whoever sent one that goes nowhere is told. */
import type { Clock } from '../base/clock.js';
import type { Logger } from '../log.js';
import type { PublishOutcome } from './bus.js';
import { nameOfCommand, type BrowserAnswers } from './browser-answers.js';
import type { Arrival } from './late-commands.js';
import { isTooLate } from './late-commands.js';
import type { JsonText } from '../base/json.js';
import type { Component } from './messages.js';
import type { Asker, GroupDecision } from './router.js';
import { RepeatedWarning } from './repeated-warning.js';

const WHY_DROPPED = {
  off: 'mQueueEnabled is False',
  down: 'the bus is not there',
  full: 'the bus does not keep up',
  refused: 'the bus takes no message so large',
} as const;

export type CommandFate = 'published' | 'too-late' | keyof typeof WHY_DROPPED;

export class BrowserCommands {
  readonly #undelivered: RepeatedWarning;

  constructor(
    private readonly publish: (recipient: Component, subject: string, payload: JsonText) => PublishOutcome | 'off',
    private readonly answers: BrowserAnswers,
    private readonly log: Logger,
    clock: Clock,
  ) {
    this.#undelivered = new RepeatedWarning(log, clock);
  }

  /** @param staleCommandSecs see {@link isTooLate} */
  handle(
    arrival: Arrival,
    command: Extract<GroupDecision, { kind: 'forward' }>,
    staleCommandSecs: number,
  ): CommandFate {
    const { recipient, subject, payload, body, connectionId: from } = command;
    const name = nameOfCommand(recipient, subject, body);
    const asker = { subject: `${recipient}.${subject}`, ...(from !== undefined && { connectionId: from }) };
    if (this.tooLate(arrival, asker, staleCommandSecs, name)) return 'too-late';
    const outcome = this.publish(recipient, subject, payload);
    if (outcome === 'published') {
      this.log.debug({ recipient, subject }, 'Handed to the bus.');
      return outcome;
    }
    // Never kept for later: a command that is minutes old must not move anything.
    const why = WHY_DROPPED[outcome];
    this.#undelivered.warn({ recipient, subject, outcome }, `A command from a browser was dropped: ${why}.`);
    this.answers.notDone(name, why, from);
    return outcome;
  }

  /** True: it is not to be carried out, and whoever sent it is told. */
  tooLate(arrival: Arrival, { subject, connectionId }: Asker, staleCommandSecs: number, name = subject ?? ''): boolean {
    if (!isTooLate(arrival, staleCommandSecs)) return false;
    const droppedSecs = Math.round((arrival.droppedForMs ?? 0) / 1_000);
    this.#undelivered.warn(
      { subject: subject?.slice(0, 64), droppedSecs },
      'A command from a browser came too late to be carried out: it was sent while the connection was away.',
    );
    this.answers.notDone(
      name,
      `the connection was away for ${droppedSecs} s, so it came too late; try again`,
      connectionId,
    );
    return true;
  }
}
