/** What a check of the doctor is, and what it can find. Pure. */
import { plain, TROUBLES, type TroubleCode } from '../../troubles.js';
import type { Facts } from './facts.js';

export const AREAS = ['machine', 'service', 'network', 'cloud', 'components'] as const;
export type Area = (typeof AREAS)[number];

export type Outcome = 'pass' | 'warn' | 'fail' | 'skip';

export interface Finding {
  readonly outcome: Outcome;
  /** What was found, or why it was not looked at. Fits into a sentence, without a full stop. */
  readonly words: string;
  /** The row of the table of troubles. Set for warn and fail. */
  readonly trouble?: TroubleCode;
  /** What to do, a sentence without a full stop. Set for warn and fail; of a skip: how it is looked at. */
  readonly remedy?: string;
  /** It had no answer by its deadline, so nothing is known. Only of a skip. */
  readonly late?: true;
  /** More, a line each: every problem of a conf. */
  readonly lines?: readonly string[];
}

/** One thing that is looked at. */
export interface Check {
  /** Stable: programs may rely on it. */
  readonly id: string;
  readonly area: Area;
  /** A few words. */
  readonly title: string;
  /** Its own deadline, milliseconds; undefined: that of the whole. */
  readonly withinMs?: number;
  /** May reject: that is a bug, and told as one. */
  run(facts: Facts): Promise<Finding>;
}

export function pass(words: string): Finding {
  return { outcome: 'pass', words };
}

export function skip(words: string, remedy?: string): Finding {
  return { outcome: 'skip', words, ...(remedy === undefined ? {} : { remedy }) };
}

/** Works all the same. `remedy`: default that of the table. */
export function warn(trouble: TroubleCode, words: string, remedy?: string): Finding {
  return { outcome: 'warn', words, trouble, remedy: remedy ?? plain(TROUBLES[trouble].remedy) };
}

/** Does not work. */
export function fail(trouble: TroubleCode, words: string, remedy?: string): Finding {
  return { ...warn(trouble, words, remedy), outcome: 'fail' };
}

/** Of a message that goes on with advice, for which there is the remedy. Without its full stop. */
export function firstSentence(text: string): string {
  return text.replace(/\. [A-Z][^]*$/, '').replace(/\.$/, '');
}

/** For what needs another user. */
export const AS_ROOT = 'Run it with sudo';
