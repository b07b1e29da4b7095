/** A process, as proc(5) has it. */
import { readdirSync, readFileSync } from 'node:fs';

/** Its command line, blanks between; empty once it is dead. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** Characters of a command line that are shown. */
const COMMAND_SHOWN = 160;

/** USER_HZ, 100 on every Linux. */
export const TICK_MS = 10;

/**
 * Processor time it has used, milliseconds: fields 14 and 15 of proc_pid_stat(5).
 * @throws the system's error if there is no such process
 */
export function cpuMsOf(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** Its children, zombies too. */
export function childrenOf(parent: number): readonly number[] {
  return pids().filter((pid) => Number(fieldsOf(pid)[1]) === parent);
}

/** True for one that has ended and whose end nobody has waited for. */
export function isZombie(pid: number): boolean {
  return fieldsOf(pid)[0] === 'Z';
}

/** The processes of a process group, oldest first: a line each, with process id, state, parent and the end of the command line. */
export function groupLines(group: number): readonly string[] {
  return pids().flatMap((pid) => {
    const [state, parent, of] = fieldsOf(pid);
    return Number(of) === group
      ? [`${pid} ${state ?? '?'} of ${parent ?? '?'}: ${commandOf(pid).replaceAll(/\s+/g, ' ').slice(-COMMAND_SHOWN)}`]
      : [];
  });
}

function pids(): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid))
    .sort((a, b) => a - b);
}

function fieldsOf(pid: number): readonly string[] {
  try {
    return statFields(pid);
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

/** The fields of proc_pid_stat(5) from the third (state) on. */
function statFields(pid: number): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may hold blanks.
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
