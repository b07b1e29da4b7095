/** Bytes of this machine since midnight, out of the kernel's counters, which begin anew at each start of it. */
import type { Machine } from './machine.js';

export interface Today {
  /** Midnight, or the start of the service if that was later; milliseconds since 1970. */
  readonly sinceMs: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

type Counters = NonNullable<Machine['traffic']>;

export class TrafficOfToday {
  #last: Counters | undefined;
  #day = '';
  #today: Today | null = null;

  get today(): Today | null {
    return this.#today;
  }

  /** What was carried since the last call, kB received and sent; null where that is not known. */
  note(now: Machine['traffic'], nowMs: number): readonly [number, number] | null {
    const last = this.#last;
    if (now === null) return null;
    this.#last = now;
    const day = new Date(nowMs).toDateString();
    if (this.#today === null || day !== this.#day) {
      this.#day = day;
      this.#today = { sinceMs: nowMs, receivedBytes: 0, sentBytes: 0 };
    }
    if (last === undefined) return null;
    // Another interface, or one that was made anew, counts from nothing.
    const since = (counter: keyof Counters): number =>
      now[counter] >= last[counter] ? now[counter] - last[counter] : now[counter];
    const [receivedBytes, sentBytes] = [since('receivedBytes'), since('sentBytes')];
    const { today } = this;
    if (today !== null)
      this.#today = {
        ...today,
        receivedBytes: today.receivedBytes + receivedBytes,
        sentBytes: today.sentBytes + sentBytes,
      };
    return [Math.round(receivedBytes / 1_000), Math.round(sentBytes / 1_000)];
  }
}
