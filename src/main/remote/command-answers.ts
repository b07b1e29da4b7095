/**
 * Whoever presses a button is told when nothing comes of it. The front end shows a `log` message as a pop-up of 5 s, so a burst is one message
 * that names the commands, not one each.
 */
import type { Clock } from '../base/clock.js';
import type { OutgoingMessage } from './messages.js';
import { outgoing } from './messages.js';

/** What comes within so long of the first is told with it, milliseconds: the replay of a recovery arrives in one go. */
export const GATHER_MS = 300;
/** From one message to a browser to the next, milliseconds: as long as the front end shows one. */
export const QUIET_MS = 5_000;
/** Browsers that are remembered at the same time; beyond that nobody is told. */
const MAX_BROWSERS = 64;
/** Commands named in a message; the rest is counted. */
const MAX_NAMED = 5;
const MAX_NAME_LENGTH = 60;

/** Why nothing comes of a command, in the words of the message. */
export type WhyNot = string;

interface Burst {
  /** By reason, the commands in order of arrival. */
  readonly commands: Map<WhyNot, { readonly named: string[]; count: number }>;
  readonly saidAtMs: number | undefined;
  cancel: () => void;
}

export class CommandAnswers {
  readonly #bursts = new Map<string, Burst>();

  constructor(
    private readonly say: (message: OutgoingMessage) => void,
    private readonly clock: Clock,
  ) {}

  /** @param connectionId the browser that sent it; undefined: all are told */
  notDone(command: string, why: WhyNot, connectionId: string | undefined): void {
    const destination = connectionId ?? 'broadcast';
    let burst = this.#bursts.get(destination);
    if (burst === undefined) {
      if (this.#bursts.size >= MAX_BROWSERS) return;
      burst = this.#begin(destination, undefined, GATHER_MS);
    }
    const of = burst.commands.get(why) ?? { named: [], count: 0 };
    burst.commands.set(why, of);
    of.count += 1;
    const name = command.slice(0, MAX_NAME_LENGTH);
    if (of.named.length < MAX_NAMED && !of.named.includes(name)) of.named.push(name);
  }

  stop(): void {
    for (const { cancel } of this.#bursts.values()) cancel();
    this.#bursts.clear();
  }

  #begin(destination: string, saidAtMs: number | undefined, ms: number): Burst {
    const burst: Burst = {
      commands: new Map(),
      saidAtMs,
      cancel: this.clock.setTimer(() => this.#due(destination), ms),
    };
    this.#bursts.set(destination, burst);
    return burst;
  }

  #due(destination: string): void {
    const burst = this.#bursts.get(destination);
    this.#bursts.delete(destination);
    if (burst === undefined || burst.commands.size === 0) return;
    for (const [why, { named, count }] of burst.commands) {
      const subject = count === 1 ? 'A command was' : `${count} commands were`;
      const more = count > named.length && named.length === MAX_NAMED ? ', …' : '';
      const message = `${subject} not carried out: ${why}. (${named.join(', ')}${more})`;
      this.say(outgoing('log', { success: false, level: 'error', message }, destination));
    }
    // What comes while this one is being shown is gathered until it is gone.
    this.#begin(destination, this.clock.nowMs(), QUIET_MS);
  }
}

/** A command as the person who pressed the button may know it: what it is, and what it says if that is short text. */
export function nameOfCommand(recipient: string, subject: string, body: unknown): string {
  return typeof body === 'string' && body !== '' && body !== 'null'
    ? `${recipient} ${subject} ${body}`
    : `${recipient} ${subject}`;
}
