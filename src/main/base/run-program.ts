/** A program of the system, asked for a few words. */
import { execFile } from 'node:child_process';

export type ProgramRun =
  | { readonly ok: true; readonly stdout: string }
  | { readonly ok: false; readonly error: unknown; readonly stderr: string };

const MAX_OUTPUT_BYTES = 64 * 1024;

/** Without a language of its own, killed at the deadline. Never rejects. */
export function runProgram(file: string, args: readonly string[], timeoutMs: number): Promise<ProgramRun> {
  return new Promise((resolve) => {
    const options = {
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: MAX_OUTPUT_BYTES,
      env: { ...process.env, LC_ALL: 'C' },
    } as const;
    try {
      execFile(file, [...args], options, (error, stdout, stderr) =>
        resolve(error === null ? { ok: true, stdout } : { ok: false, error, stderr }),
      );
    } catch (error) {
      // Without memory for a process, Node throws.
      resolve({ ok: false, error, stderr: '' });
    }
  });
}
