import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';

/** What standard output is. */
export interface Output {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
  /** Device and inode of standard output; undefined where it is closed. */
  readonly device: { readonly dev: bigint; readonly ino: bigint } | undefined;
}

export interface DetectedFormat {
  readonly format: 'journal' | 'terminal';
  readonly colour: boolean;
}

/**
 * `journal` if standard output is the journal itself: systemd sets JOURNAL_STREAM to its `device:inode` (systemd.exec(5)), and a child
 * whose output was redirected inherits the variable but not the stream. Otherwise for eyes, with colours on a terminal that has them.
 */
export function detectFormat({ env, isTerminal, device }: Output): DetectedFormat {
  if (device !== undefined && env['JOURNAL_STREAM'] === `${device.dev}:${device.ino}`) {
    return { format: 'journal', colour: false };
  }
  // https://no-color.org: set to anything but nothing.
  const plain = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return { format: 'terminal', colour: isTerminal && !plain };
}

/** This process's standard output. Does not touch `process.stdout`, which would change the descriptor's mode. */
export function standardOutput(env: Output['env']): Output {
  try {
    const { dev, ino } = fstatSync(1, { bigint: true });
    return { env, isTerminal: isatty(1), device: { dev, ino } };
  } catch {
    return { env, isTerminal: false, device: undefined };
  }
}
