/** Commands of the system that is moved, each with a deadline: Docker can hang for hours on a worn-out card. */
import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';

export type Outcome =
  | { readonly kind: 'ended'; readonly code: number; readonly stdout: string; readonly stderr: string }
  /** There is no such command. */
  | { readonly kind: 'missing' }
  /** It was ended at its deadline, with whatever it had started. */
  | { readonly kind: 'hung'; readonly deadlineMs: number }
  /** It could not be started, or a signal ended it. */
  | { readonly kind: 'broken'; readonly why: string };

export interface CommandOptions {
  /** Milliseconds. Default 30,000. */
  readonly deadlineMs?: number;
  /** Goes to its standard input. Default: nothing. */
  readonly input?: string;
}

/** Runs a command by its name on the PATH. Never rejects. */
export type RunCommand = (name: string, args: readonly string[], options?: CommandOptions) => Promise<Outcome>;

const DEADLINE_MS = 30_000;
/** Of each stream; `docker inspect` says some 10 kB a container. */
const MOST_OUTPUT_CHARS = 8 << 20;

/** @param env the environment of the commands, with their PATH */
export function runCommandsIn(env: NodeJS.ProcessEnv): RunCommand {
  return (name, args, { deadlineMs = DEADLINE_MS, input = '' } = {}) =>
    new Promise((resolve) => {
      // A group of its own, so that its end is also that of what it has started.
      const child = spawn(name, [...args], { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
      let hung = false;
      const timer = setTimeout(() => {
        hung = true;
        if (child.pid !== undefined) killGroup(child.pid);
        // Whoever still holds the pipes is not waited for.
        done({ kind: 'hung', deadlineMs });
      }, deadlineMs);
      const stdout = gather(child.stdout);
      const stderr = gather(child.stderr);
      let settled = false;
      const done = (outcome: Outcome): void => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        child.stdout.destroy();
        child.stderr.destroy();
        resolve(outcome);
      };
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
      child.once('error', (error: NodeJS.ErrnoException) => {
        done(error.code === 'ENOENT' ? { kind: 'missing' } : { kind: 'broken', why: error.code ?? error.message });
      });
      child.once('close', (code, signal) => {
        if (hung) return;
        if (code === null) done({ kind: 'broken', why: `ended by ${signal ?? 'nobody knows what'}` });
        else done({ kind: 'ended', code, stdout: stdout(), stderr: stderr() });
      });
    });
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone by itself.
  }
}

function gather(stream: NodeJS.ReadableStream): () => string {
  const decoder = new StringDecoder('utf8');
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    if (text.length < MOST_OUTPUT_CHARS) text += decoder.write(chunk);
  });
  return () => text;
}
