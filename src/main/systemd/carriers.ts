/** The two ways to hand a message to systemd (sd_notify(3)). Each resolves with what went wrong, or undefined; none rejects. */
import { spawn, type ChildProcess } from 'node:child_process';
import { fstatSync, writeSync } from 'node:fs';
import { describeError } from '../base/guard.js';

/** @param fields such as `READY=1`, without line ends */
export type Carrier = (fields: readonly string[]) => Promise<string | undefined>;

/**
 * Over a descriptor that `with-notify-socket` has opened: Node has no unix datagram sockets, but it can write to one. Never blocks, since
 * the descriptor does not. Undefined where there is none.
 *
 * @param number the value of NOTIFY_FD
 */
export function byDescriptor(number: string | undefined): Carrier | undefined {
  const fd = Number(number);
  // 0 to 2 are the standard ones.
  if (number === undefined || !Number.isInteger(fd) || fd <= 2 || !isSocket(fd)) return undefined;
  return (fields) => {
    try {
      writeSync(fd, fields.join('\n'));
      return Promise.resolve(undefined);
    } catch (error) {
      return Promise.resolve(describeError(error));
    }
  };
}

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}

export interface ProgramOptions {
  /** `systemd-notify`, or a stand-in for it. */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  /** Longest time the program may take before it is killed, milliseconds. */
  readonly deadlineMs: number;
}

/** By a short-lived process: 15 to 20 ms of CPU on a PC, some 60 ms on a Pi 4. Where the system refuses one, `spawn` throws or tells, by its errno. */
export function byProgram({ program, env, deadlineMs }: ProgramOptions): Carrier {
  return (fields) =>
    new Promise((resolve) => {
      let child: ChildProcess;
      try {
        child = spawn(program, fields, { stdio: 'ignore', env });
      } catch (error) {
        resolve(describeError(error));
        return;
      }
      // Not the `timeout` of spawn: its timer stays where no process came about, and keeps ours alive.
      const deadline = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
      const end = (problem: string | undefined): void => {
        clearTimeout(deadline);
        resolve(problem);
      };
      child.once('error', (error) => end(error.message));
      child.once('exit', (code, signal) =>
        end(code === 0 ? undefined : `${program} ended with ${signal ?? String(code)}`),
      );
    });
}
