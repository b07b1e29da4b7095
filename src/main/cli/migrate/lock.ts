/**
 * One `migrate` at a time changes a system. The lock is the kernel's: flock(2) on a folder, held by flock(1) of util-linux, which every Debian
 * has, for as long as this process lives. Whoever dies leaves no lock behind, and no file tells of one.
 */
import { spawn } from 'node:child_process';

export type Lock =
  | { readonly kind: 'held'; readonly release: () => Promise<void> }
  /** Somebody else holds it. */
  | { readonly kind: 'taken' }
  /** It cannot be known. */
  | { readonly kind: 'failed'; readonly why: string };

/** EX_TEMPFAIL of sysexits.h. */
const TAKEN = 75;
/** Said by what runs under the lock; it ends with its standard input, so with this process. */
const HELD = 'held';
/** Milliseconds; a start of two small programs. */
const DEADLINE_MS = 10_000;

/** Never rejects. */
export function lockFolder(folder: string, env: NodeJS.ProcessEnv = process.env): Promise<Lock> {
  return new Promise((resolve) => {
    const under = ['sh', '-c', `echo ${HELD}; exec cat`];
    const args = ['--no-fork', '--nonblock', '--conflict-exit-code', String(TAKEN), folder, ...under];
    // A session of its own: Ctrl-C is for this process, which then ends its step under the lock.
    const child = spawn('flock', args, { env, stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    const ended = new Promise<void>((gone) => child.once('close', () => gone()).once('error', () => gone()));
    const release = (): Promise<void> => {
      child.kill('SIGKILL');
      return ended;
    };
    const timer = setTimeout(() => fail(`flock did not answer within ${DEADLINE_MS / 1_000} s`), DEADLINE_MS);
    const settle = (lock: Lock): void => {
      clearTimeout(timer);
      resolve(lock);
    };
    const fail = (why: string): void => {
      child.kill('SIGKILL');
      settle({ kind: 'failed', why });
    };
    child.stdin.on('error', () => undefined);
    child.stdout.once('data', () => settle({ kind: 'held', release }));
    child.once('error', (error: NodeJS.ErrnoException) => fail(`flock: ${error.code ?? error.message}`));
    child.once('close', (code) => {
      if (code === TAKEN) settle({ kind: 'taken' });
      else fail(`flock ended with ${code ?? 'a signal'}`);
    });
  });
}
