/**
 * What the kernel's own discipline says, without privileges and within a deadline.
 *
 * Cheapest first: systemd-timesyncd leaves a file (one `stat`). Otherwise `timedatectl`, which reads `adjtimex` and so knows chrony and
 * ntpd, too; where there is no D-Bus, chrony itself. How often the programs are run is decided by `cadence.ts`.
 */
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { systemClock, type Clock } from '../base/clock.js';
import { answered, isDue, isProof, type LastAsked } from './cadence.js';
import { MAX_OFFSET_MS, type KernelClock } from './decision.js';

/** Touched by systemd-timesyncd at each synchronisation since the boot (systemd-timesyncd.service(8)). */
const TIMESYNC_FILE = '/run/systemd/timesync/synchronized';
/** Deadline of each program, milliseconds. */
const PROGRAM_MS = 2_000;

export type RunProgram = (file: string, args: readonly string[]) => Promise<string | undefined>;

export interface KernelSources {
  /** When a file was last touched, milliseconds since 1970; undefined if it is not there. Never rejects. */
  readonly touchedMs: (path: string) => Promise<number | undefined>;
  /** Its output; undefined if it is not there, fails or is late. Never rejects. */
  readonly run: RunProgram;
}

const REAL: KernelSources = {
  touchedMs: (path) =>
    stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    ),
  run: (file, args) =>
    new Promise((resolve) => {
      const options = {
        timeout: PROGRAM_MS,
        killSignal: 'SIGKILL',
        maxBuffer: 64 * 1024,
        env: { ...process.env, LC_ALL: 'C' },
      } as const;
      execFile(file, [...args], options, (error, stdout) => resolve(error === null ? stdout : undefined));
    }),
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

  async ask({ setSinceMs, anew }: Asking): Promise<KernelClock> {
    if (setSinceMs !== undefined) this.#setSinceMs = setSinceMs;
    const touchedMs = await this.#sources.touchedMs(TIMESYNC_FILE);
    if (touchedMs !== undefined && isProof(touchedMs, this.#clock.wallMs(), this.#setSinceMs)) {
      this.#last = undefined;
      return 'synchronised';
    }
    if (anew || setSinceMs !== undefined || isDue(this.#last, this.#clock.nowMs())) {
      this.#last = answered(this.#last, await this.#askPrograms(), this.#everyMs, this.#clock.nowMs());
    }
    return this.#last.answer;
  }

  async #askPrograms(): Promise<KernelClock> {
    const { run } = this.#sources;
    const said = (await run('timedatectl', ['show', '-p', 'NTPSynchronized', '--value']))?.trim();
    if (said === 'yes') return 'synchronised';
    if (said === 'no') return 'unsynchronised';
    return chronysWord((await run('chronyc', ['-n', 'tracking'])) ?? '');
  }
}

/** It may follow its servers without setting the clock (`chronyd -x`), so the clock counts by how far it is from theirs. */
function chronysWord(tracking: string): KernelClock {
  const leap = /^Leap status\s*:\s*(.+?)\s*$/m.exec(tracking)?.[1];
  if (leap === undefined) return 'unknown';
  if (leap === 'Not synchronised') return 'unsynchronised';
  const offSecs = Number(/^System time\s*:\s*([\d.]+) seconds/m.exec(tracking)?.[1] ?? 0);
  return offSecs * 1_000 <= MAX_OFFSET_MS ? 'synchronised' : 'unsynchronised';
}
