/**
 * Notices a second remote: the Python container that came back by itself, or another Pi with the same group or bus. Each takes every command, so
 * core gets it twice. Neither sending nor publishing comes back to ourselves (noEcho), so what a controller says is somebody else's:
 *
 * | seen | said |
 * | --- | --- |
 * | a message of `source:"controller"` in our group | at once |
 * | "are you there?" of a controller to core, {@link TIMES} times on one connection of ours, as regularly as a remote asks | then |
 *
 * One may be our own: what an earlier connection, or the process before a restart, had written is read by a server that was frozen when that
 * connection is long gone. Another may be somebody's test. Only a remote asks on and on.
 */
import { systemClock, type Clock } from '../base/clock.js';
import type { Logger } from '../base/logger.js';
import { plain, TROUBLES } from '../troubles.js';
import { isPlainObject } from './json-bounds.js';

/** Every version of the remote asks each 30 s, and sooner while an answer is missing. What follows sooner than this is of the same round; milliseconds. */
export const APART_MS = 10_000;
/** Two rounds, and some time; what comes later is not the next. Milliseconds. */
export const NEXT_WITHIN_MS = 65_000;
export const TIMES = 3;
/** It asks each 30 s, and speaks each minute while somebody looks; whoever is not heard for so long is gone. Milliseconds. */
const FORGOTTEN_AFTER_MS = 600_000;
/** A question has some 70 bytes. */
const MAX_QUESTION_BYTES = 4_096;

const WHAT_TO_DO = plain(TROUBLES['second-remote'].remedy);

/** Rounds of questions in a row, and when the last began, milliseconds of the clock; undefined: none yet on this connection. */
export type HeardAsking = { readonly times: number; readonly lastMs: number } | undefined;

/** A question is heard. Pure. */
export function heardAsking(before: HeardAsking, nowMs: number): HeardAsking {
  const sinceMs = before === undefined ? Infinity : nowMs - before.lastMs;
  if (before === undefined || sinceMs > NEXT_WITHIN_MS) return { times: 1, lastMs: nowMs };
  return sinceMs < APART_MS ? before : { times: before.times + 1, lastMs: nowMs };
}

export class ForeignController {
  #inGroup = false;
  #onBus = false;
  #asking: HeardAsking;
  /** Where it was seen last, and when, milliseconds of the clock. */
  #last: { readonly where: 'group' | 'bus'; readonly atMs: number } | undefined;

  constructor(
    private readonly log: Logger,
    private readonly clock: Pick<Clock, 'nowMs'> = systemClock,
  ) {}

  /** Where one was seen lately; null: nowhere. */
  get seen(): 'group' | 'bus' | null {
    const last = this.#last;
    return last === undefined || this.clock.nowMs() - last.atMs > FORGOTTEN_AFTER_MS ? null : last.where;
  }

  /** A message of a controller has come from the group. Said once. */
  seenInGroup(subject: unknown): void {
    this.#last = { where: 'group', atMs: this.clock.nowMs() };
    if (this.#inGroup) return;
    this.#inGroup = true;
    this.log.error(
      { subject: typeof subject === 'string' ? subject.slice(0, 64) : undefined },
      `Another controller speaks in this group, so commands may be carried out twice. ${WHAT_TO_DO}.`,
    );
  }

  /** Somebody asked core whether it is there. Said once. */
  askedOnBus(question: Uint8Array, nowMs: number): void {
    if (!isOfController(question)) return;
    this.#asking = heardAsking(this.#asking, nowMs);
    if (this.#asking === undefined || this.#asking.times < TIMES) return;
    this.#last = { where: 'bus', atMs: nowMs };
    if (this.#onBus) return;
    this.#onBus = true;
    this.log.error({}, `Another controller is on this bus, so commands may be carried out twice. ${WHAT_TO_DO}.`);
  }

  /** What is heard from now on comes over another connection. */
  busUp(): void {
    this.#asking = undefined;
  }
}

function isOfController(question: Uint8Array): boolean {
  if (question.byteLength > MAX_QUESTION_BYTES) return false;
  try {
    const value: unknown = JSON.parse(Buffer.from(question).toString('utf8'));
    return isPlainObject(value) && value['source'] === 'controller';
  } catch {
    return false;
  }
}
