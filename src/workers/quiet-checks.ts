/**
 * Checks of which there is nothing to tell but their times: a healthy one like the one before, asked for by nobody. The worker writes their numbers into memory
 * that both threads have, and the main thread reads them when it looks after the worker anyway, every 2 s. A message for each would wake it, and cost both
 * a copy of all that is said again.
 */
import type { Carried, CheckEvidence, DnsEvidence, HttpsEvidence } from './protocol.js';

/** Checks that may wait to be read. Beyond that they are messages again. */
const SLOTS = 16;
/** Numbers of a check, eight bytes each. */
const NUMBERS = 10;
const COUNTS_BYTES = 8;

/** How many were written, and how many read, since the beginning. */
const WRITTEN = 0;
const READ = 1;

export function quietChecksMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(COUNTS_BYTES + SLOTS * NUMBERS * Float64Array.BYTES_PER_ELEMENT);
}

class QuietChecks {
  protected readonly counts: Int32Array;
  protected readonly numbers: Float64Array;
  /** The last one that was told by a message. */
  protected like: CheckEvidence | undefined;

  constructor(memory: SharedArrayBuffer) {
    this.counts = new Int32Array(memory, 0, 2);
    this.numbers = new Float64Array(memory, COUNTS_BYTES);
  }

  told(evidence: CheckEvidence): void {
    this.like = evidence;
  }

  /** Where the numbers of the n-th begin. The count may have wrapped around. */
  protected slotOf(count: number): number {
    return (count & (SLOTS - 1)) * NUMBERS;
  }
}

/** Of the worker. */
export class QuietChecksWriter extends QuietChecks {
  /** False: it has to be told by a message. */
  write(evidence: CheckEvidence, carried: Carried): boolean {
    const { like, counts, numbers } = this;
    if (like === undefined || !isLike(evidence, like)) return false;
    const written = Atomics.load(counts, WRITTEN);
    if (((written - Atomics.load(counts, READ)) | 0) >= SLOTS) return false;
    const [https] = evidence.https;
    const at = this.slotOf(written);
    numbers[at] = like.checkId;
    numbers[at + 1] = evidence.checkId;
    numbers[at + 2] = evidence.startedAtMs;
    numbers[at + 3] = evidence.ms;
    numbers[at + 4] = evidence.dns?.ms ?? Number.NaN;
    numbers[at + 5] = https?.ms ?? Number.NaN;
    numbers[at + 6] = https?.httpMs ?? Number.NaN;
    numbers[at + 7] = https?.clockAheadMs ?? Number.NaN;
    numbers[at + 8] = carried.received;
    numbers[at + 9] = carried.sent;
    Atomics.store(counts, WRITTEN, (written + 1) | 0);
    return true;
  }
}

/** Of the main thread. */
export class QuietChecksReader extends QuietChecks {
  /** What has been written since the last call, each check as a message would have told it. */
  read(hear: (evidence: CheckEvidence, carried: Carried) => void): void {
    const { counts, numbers } = this;
    for (let read = Atomics.load(counts, READ); read !== Atomics.load(counts, WRITTEN); read = (read + 1) | 0) {
      const { like } = this;
      const at = this.slotOf(read);
      // The message that tells what it is like is still on its way.
      if (like === undefined || numbers[at] !== like.checkId) return;
      const number = (i: number): number => numbers[at + i] ?? Number.NaN;
      const evidence = withNumbers(like, number);
      const carried = { received: number(8), sent: number(9) };
      Atomics.store(counts, READ, (read + 1) | 0);
      hear(evidence, carried);
    }
  }
}

function withNumbers(like: CheckEvidence, number: (i: number) => number): CheckEvidence {
  const aheadMs = number(7);
  const numbers = { ms: number(5), httpMs: number(6), ...(Number.isNaN(aheadMs) ? {} : { clockAheadMs: aheadMs }) };
  return {
    ...like,
    checkId: number(1),
    startedAtMs: number(2),
    ms: number(3),
    ...(like.dns === undefined ? {} : { dns: { ...like.dns, ms: number(4) } }),
    https: like.https.map((https) => ({ ...https, ...numbers })),
  };
}

/** Both are healthy, and differ in nothing but what is told by numbers. */
function isLike(one: CheckEvidence, other: CheckEvidence): boolean {
  return (
    isPlain(one) &&
    isPlain(other) &&
    one.link === other.link &&
    areDnsAlike(one.dns, other.dns) &&
    areHttpsAlike(one.https[0], other.https[0])
  );
}

/** Whatever else there is to say is told by a message. */
const MEMBERS: ReadonlySet<string> = new Set<keyof CheckEvidence>([
  'checkId',
  'trigger',
  'startedAtMs',
  'ms',
  'ok',
  'link',
  'dns',
  'https',
]);

function isPlain(evidence: CheckEvidence): boolean {
  for (const member in evidence) if (!MEMBERS.has(member)) return false;
  return evidence.trigger === 'interval' && evidence.ok && evidence.https.length === 1;
}

function areDnsAlike(one: DnsEvidence | undefined, other: DnsEvidence | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return (
    one.ok &&
    other.ok &&
    one.proxy === other.proxy &&
    one.error === other.error &&
    one.trouble === other.trouble &&
    areListsAlike(one.addresses, other.addresses) &&
    areListsAlike(one.servers, other.servers)
  );
}

function areHttpsAlike(one: HttpsEvidence | undefined, other: HttpsEvidence | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return (
    isKept(one) &&
    isKept(other) &&
    one.addressesFrom === other.addressesFrom &&
    one.address === other.address &&
    one.status === other.status &&
    (one.clockAheadMs === undefined) === (other.clockAheadMs === undefined)
  );
}

/** An answer over the kept connection, which has no steps before it. */
function isKept({ ok, reused, detail, httpMs }: HttpsEvidence): boolean {
  return ok && reused && detail === undefined && httpMs !== undefined;
}

function areListsAlike(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i += 1) if (one[i] !== other[i]) return false;
  return true;
}
