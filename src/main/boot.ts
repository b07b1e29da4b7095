/**
 * Whether this start belongs to a boot of the machine: after a power cut a whole region boots together. The decision is pure;
 * `startedByBoot` asks the system.
 *
 * A boot it is if systemd started us within the first minutes of the machine's life, for the first time in that life. The kernel gives each
 * life an id; the one of the last start is kept in the state directory, so that neither a restart after a crash nor one by hand, minutes
 * after the boot, is taken for one. Whoever starts the program by hand has no such directory.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { uptime } from 'node:os';
import path from 'node:path';
import type { Environment } from './settings/environment.js';

/** A Pi Zero that checks its file systems needs two minutes from power to its services. Seconds. */
const BOOT_SECS = 300;
/** Of Linux; man 4 random. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

export interface StartFacts {
  /** systemd started it (`INVOCATION_ID`, systemd.exec(5)). */
  readonly bySystemd: boolean;
  /** Of the machine. */
  readonly uptimeSecs: number;
  /** Of the machine's present life; undefined if unknown. */
  readonly bootId: string | undefined;
  /** Of the last start that is remembered; undefined if none is. */
  readonly lastBootId: string | undefined;
}

export function isBootStart({ bySystemd, uptimeSecs, bootId, lastBootId }: StartFacts): boolean {
  if (!bySystemd || uptimeSecs >= BOOT_SECS) return false;
  return bootId === undefined || bootId !== lastBootId;
}

/** The service's own directory that outlives it (systemd.exec(5): several are separated by colons); undefined if it has none. */
export function stateDirectoryOf(env: Environment): string | undefined {
  return env['STATE_DIRECTORY']?.split(':')[0] || undefined;
}

/** Asks the system, and remembers this start. Never throws: what cannot be read or kept leaves the uptime to decide. */
export function startedByBoot(env: Environment, stateDirectory: string | undefined): boolean {
  const bySystemd = (env['INVOCATION_ID'] ?? '') !== '';
  if (!bySystemd || stateDirectory === undefined) return false;
  const file = path.join(stateDirectory, 'boot-id');
  const bootId = read(BOOT_ID);
  const lastBootId = read(file);
  if (bootId !== undefined && bootId !== lastBootId) keep(file, bootId);
  return isBootStart({ bySystemd, uptimeSecs: uptime(), bootId, lastBootId });
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').slice(0, 64).trim() || undefined;
  } catch {
    return undefined;
  }
}

function keep(file: string, bootId: string): void {
  try {
    const draft = `${file}.new`;
    writeFileSync(draft, `${bootId}\n`, { mode: 0o600 });
    renameSync(draft, file);
  } catch {
    // A full or read-only card: the next start in this life may be spread once more, by seconds.
  }
}
