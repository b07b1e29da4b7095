/**
 * Is the clock of this machine kept right by anybody? Without privileges and within a deadline.
 *
 * | who keeps it | how that is learned | what it costs |
 * | --- | --- | --- |
 * | systemd-timesyncd | the file that it touches | one `stat`, each time |
 * | ntpd, ntpsec | as an NTP client on the loopback | two packets |
 * | chronyd | `chronyc tracking` | a process |
 * | anybody | `timedatectl`, which reads the kernel's `adjtimex` | a process, and systemd-timedated is woken |
 *
 * `timedatectl` comes last since it costs most, and a service whose user is in no passwd does not get through to it: dbus-daemon hangs
 * up. `adjtimex` itself is behind ProtectClock, for reading, too. How often is asked is decided by `cadence.ts`.
 */
import { stat } from 'node:fs/promises';
import { systemClock, type Clock } from '../base/clock.js';
import { runProgram } from '../base/run-program.js';
import { answered, isDue, isProof, type LastAsked } from './cadence.js';
import { MAX_OFFSET_MS, type KernelClock } from './decision.js';
import { Refused, refusedBy } from './refused.js';
import { askLocalSntp } from './sntp.js';

/** Touched by systemd-timesyncd at each synchronisation since the boot (systemd-timesyncd.service(8)). */
const TIMESYNC_FILE = '/run/systemd/timesync/synchronized';
/** Deadline of each program, milliseconds. */
const PROGRAM_MS = 2_000;

export type RunProgram = (file: string, args: readonly string[]) => Promise<string | undefined | Refused>;

export interface KernelSources {
  /** When a file was last touched, milliseconds since 1970; undefined if it is not there. Never rejects. */
  readonly touchedMs: (path: string) => Promise<number | undefined | Refused>;
  /** Does the NTP server of this machine follow another? Undefined if there is none. Never rejects. */
  readonly follows: () => Promise<boolean | undefined | Refused>;
  /** Its output; undefined if it is not there, fails or is late. Never rejects. */
  readonly run: RunProgram;
}

const REAL: KernelSources = {
  touchedMs: (path) => stat(path).then(({ mtimeMs }) => mtimeMs, refusedBy),
  follows: () => askLocalSntp(),
  run: async (file, args) => {
    const ran = await runProgram(file, args, PROGRAM_MS);
    return ran.ok ? ran.stdout : refusedBy(ran.error);
  },
};

/** Why the kernel is asked. */
export interface Asking {
  /** The clock was set since the look before, which was at this moment by the clock as it goes now, milliseconds since 1970. */
  readonly setSinceMs: number | undefined;
  /** Something hints at another answer than before. */
  readonly anew: boolean;
}

export interface KernelOptions {
  /** The interval of the checks, milliseconds. */
  readonly everyMs: number;
  readonly sources?: KernelSources;
  readonly clock?: Clock;
}

export class Kernel {
  readonly #everyMs: number;
  readonly #sources: KernelSources;
  readonly #clock: Clock;
  #last: LastAsked | undefined;
  /** Of the last time that it was set. */
  #setSinceMs: number | undefined;

  constructor({ everyMs, sources = REAL, clock = systemClock }: KernelOptions) {
    this.#everyMs = everyMs;
    this.#sources = sources;
    this.#clock = clock;
  }

  /** {@link Refused}: whoever was asked did not know, and another could not be asked. */
  async ask({ setSinceMs, anew }: Asking): Promise<KernelClock | Refused> {
    if (setSinceMs !== undefined) this.#setSinceMs = setSinceMs;
    const touchedMs = await this.#sources.touchedMs(TIMESYNC_FILE);
    if (typeof touchedMs === 'number' && isProof(touchedMs, this.#clock.wallMs(), this.#setSinceMs)) {
      this.#last = undefined;
      return 'synchronised';
    }
    if (!(anew || setSinceMs !== undefined || isDue(this.#last, this.#clock.nowMs()))) return this.#last.answer;
    const others = await this.#askOthers();
    const refused = touchedMs instanceof Refused && others === 'unknown' ? touchedMs : others;
    if (refused instanceof Refused) {
      // What was answered before this stands; whoever was not asked is to be asked at the next look.
      this.#last = undefined;
      return refused;
    }
    this.#last = answered(this.#last, refused, this.#everyMs, this.#clock.nowMs());
    return this.#last.answer;
  }

  async #askOthers(): Promise<KernelClock | Refused> {
    const { follows, run } = this.#sources;
    const local = await follows();
    if (typeof local === 'boolean') return local ? 'synchronised' : 'unsynchronised';
    const tracking = await run('chronyc', ['-n', 'tracking']);
    const chrony = typeof tracking === 'string' ? chronysWord(tracking) : 'unknown';
    if (chrony !== 'unknown') return chrony;
    const answer = await run('timedatectl', ['show', '-p', 'NTPSynchronized', '--value']);
    const said = typeof answer === 'string' ? answer.trim() : undefined;
    if (said === 'yes') return 'synchronised';
    if (said === 'no') return 'unsynchronised';
    return [local, tracking, answer].find((one) => one instanceof Refused) ?? 'unknown';
  }
}

/** What stands before the colon is filled up with blanks. */
function fieldOf(tracking: string, name: string): string | undefined {
  return new RegExp(`^${name}\\s*:\\s*(.+?)\\s*$`, 'm').exec(tracking)?.[1];
}

/** It may follow nobody but itself (`local`), or its servers without setting the clock (`-x`), which then counts by how far it is from theirs. */
function chronysWord(tracking: string): KernelClock {
  const leap = fieldOf(tracking, 'Leap status');
  if (leap === undefined) return 'unknown';
  if (leap === 'Not synchronised' || fieldOf(tracking, 'Reference ID')?.startsWith('7F7F01') === true) {
    return 'unsynchronised';
  }
  const offSecs = Number.parseFloat(fieldOf(tracking, 'System time') ?? '0');
  return offSecs * 1_000 <= MAX_OFFSET_MS ? 'synchronised' : 'unsynchronised';
}
