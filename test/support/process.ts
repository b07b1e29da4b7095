/** A process, as proc(5) has it. */
import { readFileSync } from 'node:fs';

/** Its command line, blanks between; empty once it is dead. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** USER_HZ, 100 on every Linux. */
export const TICK_MS = 10;

/**
 * Processor time it has used, milliseconds: fields 14 and 15 of proc_pid_stat(5).
 * @throws the system's error if there is no such process
 */
export function cpuMsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold blanks.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
