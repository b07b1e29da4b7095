/**
 * What is done with a subject that a component publishes to us. Pure, and a rule instead of a list: a list of subjects goes stale with every
 * release of core.
 *
 * | subject | what it is | why |
 * | --- | --- | --- |
 * | `heartbeat`, `get_*`, `ntp_status`, `status`, `version` | ours | said to this daemon or by it, not to a browser |
 * | `log`, `*_result`, `*_response`, `*_answer`, `*_reply`, `*_output`, `*_error` | event | each is news or somebody's answer; the next one does not replace it |
 * | any other plain token | state | browsers show the latest value, and not its history |
 * | anything else | refused | no subject that a browser could know |
 */

export type RelayRule = 'ours' | 'event' | 'state' | 'refused';

/** Longest subject, characters; the longest in use has 20, and it is a token of NATS too. */
export const MAX_SUBJECT_LENGTH = 64;

/** Subjects that are said to us by their whole name. */
const OURS: ReadonlySet<string> = new Set(['heartbeat', 'ntp_status', 'status', 'version', 'system_info']);
const QUESTION = /^get_/;
const ANSWER = /_(?:result|response|answer|reply|output|error)$/;
const PLAIN = /^[A-Za-z0-9_-]+$/;

export function relayRule(subject: string): RelayRule {
  if (subject.length > MAX_SUBJECT_LENGTH || !PLAIN.test(subject)) return 'refused';
  if (OURS.has(subject) || QUESTION.test(subject)) return 'ours';
  return isEvent(subject) ? 'event' : 'state';
}

/** True if a newer message of this subject does not take the place of an older one. */
export function isEvent(subject: string): boolean {
  return subject === 'log' || ANSWER.test(subject);
}

/** Subjects that are remembered as seen; those in use are some ten. */
const MAX_SEEN = 64;

/** The subjects seen so far, so that each is told once. Bounded: what comes after the last place is not told. */
export type SeenSubjects = ReadonlySet<string>;

export const NOTHING_SEEN: SeenSubjects = new Set();

/** The second value is true if the subject is to be told. */
export function see(seen: SeenSubjects, subject: string): readonly [SeenSubjects, boolean] {
  if (seen.has(subject) || seen.size >= MAX_SEEN) return [seen, false];
  return [new Set(seen).add(subject), true];
}
