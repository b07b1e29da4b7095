/**
 * What the kernel's own discipline says, without privileges and within a deadline.
 *
 * Cheapest first: systemd-timesyncd leaves a file (one `access`). Otherwise `timedatectl`, which reads `adjtimex` and so knows chrony and
 * ntpd, too; where there is no D-Bus, chrony itself.
 */
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import type { KernelClock } from './decision.js';

/** Made by systemd-timesyncd at its first synchronisation since the boot (systemd-timesyncd.service(8)). */
const TIMESYNC_FILE = '/run/systemd/timesync/synchronized';
/** Deadline of each program, milliseconds. */
const PROGRAM_MS = 2_000;

export type RunProgram = (file: string, args: readonly string[]) => Promise<string | undefined>;

export interface KernelSources {
  readonly exists: (path: string) => Promise<boolean>;
  /** Its output; undefined if it is not there, fails or is late. */
  readonly run: RunProgram;
}

const REAL: KernelSources = {
  exists: (path) =>
    access(path).then(
      () => true,
      () => false,
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

export async function askKernel({ exists, run }: KernelSources = REAL): Promise<KernelClock> {
  if (await exists(TIMESYNC_FILE)) return 'synchronised';
  const said = (await run('timedatectl', ['show', '-p', 'NTPSynchronized', '--value']))?.trim();
  if (said === 'yes') return 'synchronised';
  if (said === 'no') return 'unsynchronised';
  const leap = /^Leap status\s*:\s*(.+?)\s*$/m.exec((await run('chronyc', ['-n', 'tracking'])) ?? '')?.[1];
  if (leap === undefined) return 'unknown';
  return leap === 'Not synchronised' ? 'unsynchronised' : 'synchronised';
}
