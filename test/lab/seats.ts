/** Labs with a daemon in each, to try faults in side by side. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { GROUP, LabDaemon } from './daemon.js';
import { Lab } from './lab.js';

/** One lab and the daemon that is left running in it from one fault to the next. */
export class Seat {
  #daemon: LabDaemon | undefined;

  private constructor(readonly lab: Lab) {}

  static async create(): Promise<Seat> {
    const seat = new Seat(await Lab.create());
    await seat.lab.internet.call('browserJoin', { group: GROUP, userId: 'browser' });
    return seat;
  }

  /** A daemon that is online, connected and alone. */
  async healthy(): Promise<LabDaemon> {
    if (this.#daemon === undefined) {
      this.#daemon = LabDaemon.start(this.lab);
      await this.#daemon.joined();
    }
    await this.answersOnce(this.#daemon);
    return this.#daemon;
  }

  /** The daemon that comes next is this one. */
  keep(daemon: LabDaemon): void {
    this.#daemon = daemon;
  }

  /** The daemon is stopped, as by systemd. */
  async vacate(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = undefined;
    await daemon?.stop();
  }

  /**
   * Asks as a browser does, and wants one answer, over one connection: a daemon with two of them would answer twice.
   * @param timeoutMs default 30,000: a half-open connection is noticed after 15 s
   */
  async answersOnce(daemon: LabDaemon, timeoutMs = 30_000): Promise<void> {
    const { internet } = this.lab;
    const since = await internet.call('browserCount', undefined);
    await internet.call('browserSend', { data: { subject: 'controller.heartbeat', body: 'Are you there?' } });
    const what = { subject: 'heartbeat', body: 'I am alive', since, timeoutMs, settleMs: 200 };
    const answers = await internet.call('browserGot', what, timeoutMs + 5_000).catch((error: unknown) => {
      throw new Error(`the daemon did not answer a browser:\n${daemon.journal.tail()}`, { cause: error });
    });
    assert.equal(answers, 1, 'answers to one question');
    const sockets = await daemon.sockets();
    assert.equal(sockets.length, 1, `connections to the cloud:\n${sockets.join('\n')}`);
  }

  async destroy(): Promise<void> {
    await this.#daemon?.kill();
    await this.lab.destroy();
  }
}

/** Seats for that many at a time. */
export class Seats {
  readonly #free: Seat[] = [];
  readonly #all = new Set<Seat>();

  /** Takes a seat for a piece of work. One that fails takes its seat along, so that one failure stays one. */
  async with<T>(work: (seat: Seat) => Promise<T>): Promise<T> {
    const seat = this.#free.pop() ?? (await this.#create());
    try {
      const result = await work(seat);
      this.#free.push(seat);
      return result;
    } catch (error) {
      this.#all.delete(seat);
      await seat.destroy();
      throw error;
    }
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#all].map((seat) => seat.destroy()));
  }

  async #create(): Promise<Seat> {
    const seat = await Seat.create();
    this.#all.add(seat);
    return seat;
  }
}

/** Sleeps until a time of the wall clock; returns at once if it is over. */
export async function sleepUntil(atMs: number): Promise<void> {
  await sleep(Math.max(0, atMs - Date.now()));
}
