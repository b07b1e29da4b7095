/**
 * The process of `ip monitor`. Whoever starts it waits for its end, too: a thread that is terminated no longer does, and what is left of the child then
 * (a zombie) stays for as long as the process. So in the daemon the main thread starts it, for the worker.
 */
import { spawn as spawnProcess, type ChildProcess } from 'node:child_process';
import { codeOf } from './error-code.js';

/** Starts a process whose standard output and standard error are pipes. */
export type SpawnMonitor = (command: string, args: readonly string[]) => ChildProcess;

/** What is heard of it; nothing once it was told to end. */
export interface MonitorListener {
  /** The kernel has announced something. */
  sign(): void;
  /** It has ended, or could not be started; `code`: the system's word why not, `ENOENT` if there is no such command. */
  ended(why: string, code: string | undefined): void;
}

export interface Monitor {
  /** Resolves when it is gone. */
  end(): Promise<void>;
}

/** `guarded`: by `setpriv` (util-linux), so that it does not outlive the thread that starts it, however that ends. */
export type StartMonitor = (guarded: boolean, listener: MonitorListener) => Monitor;

const COMMAND = ['ip', '-oneline', 'monitor', 'link', 'address', 'route'] as const;
const GUARD = ['setpriv', '--pdeathsig', 'KILL'] as const;
/** `env` and `setpriv` exit with it when there is no such command. */
const EXIT_NOT_FOUND = 127;
const MAX_STDERR = 300;
/** A child asked to end is killed after that. */
const KILL_AFTER_MS = 1_000;

/** Starts it as a child of this thread. */
export function startMonitor(guarded: boolean, listener: MonitorListener, spawn: SpawnMonitor = spawnMonitor): Monitor {
  const [file = '', ...args] = guarded ? [...GUARD, ...COMMAND] : COMMAND;
  let over = false;
  const ended = (why: string, errorCode?: string): void => {
    if (over) return;
    over = true;
    listener.ended(why, errorCode);
  };
  let child: ChildProcess;
  try {
    child = spawn(file, args);
  } catch (error) {
    queueMicrotask(() => ended(error instanceof Error ? error.message : String(error), codeOf(error)));
    return {
      end: () => {
        over = true;
        return Promise.resolve();
      },
    };
  }
  let stderr = '';
  child.once('error', (error) => ended(error.message, codeOf(error)));
  child.once('close', (code, signal) => {
    const how = signal === null ? `exit status ${String(code)}` : `signal ${signal}`;
    ended(stderr === '' ? how : `${stderr.trim()} (${how})`, code === EXIT_NOT_FOUND ? 'ENOENT' : undefined);
  });
  child.stdout?.on('data', () => {
    if (!over) listener.sign();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    if (stderr.length < MAX_STDERR) stderr = (stderr + chunk.toString('utf8')).slice(0, MAX_STDERR);
  });
  return {
    end: () => {
      over = true;
      return endChild(child);
    },
  };
}

/** `ip` lives in /usr/sbin on Debian, which is not in everybody's PATH. */
function spawnMonitor(command: string, args: readonly string[]): ChildProcess {
  const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`;
  return spawnProcess(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: path, LC_ALL: 'C' },
    cwd: '/',
  });
}

/** Resolves when it is gone. */
async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  await new Promise<void>((resolve) => {
    const kill = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    child.once('exit', () => {
      clearTimeout(kill);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
