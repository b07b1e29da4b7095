/** The process of `ip monitor`. */
import { spawn as spawnProcess, type ChildProcess } from 'node:child_process';

/** A child asked to end is killed after that. */
const KILL_AFTER_MS = 1_000;

/** `ip` lives in /usr/sbin on Debian, which is not in everybody's PATH. */
export function spawnMonitor(command: string, args: readonly string[]): ChildProcess {
  const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`;
  return spawnProcess(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: path, LC_ALL: 'C' },
    cwd: '/',
  });
}

/** Resolves when it is gone. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.stdout?.removeAllListeners('data');
  child.stdout?.resume();
  await new Promise<void>((resolve) => {
    const kill = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    child.once('exit', () => {
      clearTimeout(kill);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
