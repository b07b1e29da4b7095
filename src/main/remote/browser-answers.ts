/**
 * Whoever presses a button is told when nothing comes of it, whether it was refused here or could not be delivered: its page would say that it
 * went well. The front end shows a `log` message as a pop-up of 5 s, so a burst is one message that names the commands, not one each.
 */
import type { Clock } from '../base/clock.js';
import type { OutgoingMessage } from './messages.js';
import { outgoing } from './messages.js';
import type { Asker, Refusal } from './router.js';

/** What comes within so long of the first is told with it, milliseconds: the replay of a recovery arrives in one go. */
export const GATHER_MS = 300;
/** From one message to a browser to the next, milliseconds: as long as the front end shows one. */
export const QUIET_MS = 5_000;
/** Browsers that are remembered at the same time; beyond that nobody is told. */
const MAX_BROWSERS = 64;
/** Commands named in a message; the rest is counted. */
const MAX_NAMED = 5;
const MAX_NAME_LENGTH = 60;

/** Why a message is not let through, in the words of the message. */
const REFUSED: Readonly<Record<Refusal | 'unknown-recipient' | 'unknown-subject', WhyNot>> = {
  'not-an-object': 'it is not a JSON object',
  'no-subject': 'it has no subject',
  'bad-subject': 'its subject may have one dot, and letters, digits, - and _',
  'bad-connection-id': 'its connectionId is none',
  'no-body': 'it has no body',
  'not-utf8': 'it is not UTF-8',
  'too-large': 'it is larger than this device lets through',
  'too-deep': 'it is nested too deeply',
  'not-json': 'it is not JSON',
  'unknown-recipient': 'this device has no such component',
  'unknown-subject': 'this device does not know it',
};

/** Why nothing comes of a command, in the words of the message. */
export type WhyNot = string;

interface Burst {
  /** By reason, the commands in order of arrival. */
  readonly commands: Map<WhyNot, { readonly named: string[]; count: number }>;
  readonly saidAtMs: number | undefined;
  cancel: () => void;
}

export class BrowserAnswers {
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
    if (name !== '' && of.named.length < MAX_NAMED && !of.named.includes(name)) of.named.push(name);
  }

  /** A message was refused; nobody is told of what neither says who sent it nor what it is. */
  refused(reason: keyof typeof REFUSED, { connectionId, subject }: Asker): void {
    if (connectionId === undefined && subject === undefined) return;
    this.notDone(subject ?? '', REFUSED[reason], connectionId);
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
      const names = named.length === 0 ? '' : ` (${named.join(', ')}${more})`;
      const message = `${subject} not carried out: ${why}.${names}`;
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
