/** The command `dunebugger-remote` as a process of its own: the built file, its own environment, its lines as they come. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Changes, type WaitOptions } from './changes.js';
import { gatherFrom } from './everything-logged.js';

/** The built command; this file is compiled to dist/test/support/. */
export const CLI = fileURLToPath(new URL('../../src/main/cli.js', import.meta.url));

export interface CliProcessOptions {
  /** Such as `['run', '--config', FILE]`. */
  readonly args: readonly string[];
  /** The settings; beyond them the process gets nothing of this one's environment but what Node itself needs. */
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory, where a `.env` would be read from. Default: the system's temporary directory. */
  readonly cwd?: string;
  /** Another program than the command, such as one that uses a part of it. */
  readonly program?: string;
  /** Options of Node itself, such as `['--import', FILE]`. */
  readonly nodeArgs?: readonly string[];
  /** Called with each line of standard output as it comes. */
  readonly onLine?: (line: string) => void;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Finished extends Exit {
  readonly stdout: string;
  readonly stderr: string;
  /** From its start to its end, milliseconds. */
  readonly ms: number;
}

/** What of our own environment a Node process needs; nothing that could be a setting of the daemon. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NODE_V8_COVERAGE'];

export class CliProcess {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #changes = new Changes();
  #stderr = '';
  #exit: Exit | undefined;

  private constructor(options: CliProcessOptions) {
    const inherited = PASSED_ON.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    this.#child = spawn(process.execPath, [...(options.nodeArgs ?? []), options.program ?? CLI, ...options.args], {
      cwd: options.cwd ?? tmpdir(),
      env: { ...Object.fromEntries(inherited), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('the process has no pipes');
    gatherFrom('daemon', stdout);
    gatherFrom('daemon-stderr', stderr);
    createInterface({ input: stdout }).on('line', (line) => {
      this.#lines.push(line);
      options.onLine?.(line);
      this.#changes.notify();
    });
    stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.#stderr += chunk;
      this.#changes.notify();
    });
    // Not `exit`: what was written last is still to be read then.
    this.#child.once('close', (code, signal) => {
      this.#exit = { code, signal };
      this.#changes.notify();
    });
    this.#child.once('error', (error) => {
      this.#stderr += String(error);
      this.#exit ??= { code: null, signal: null };
      this.#changes.notify();
    });
  }

  static start(options: CliProcessOptions): CliProcess {
    return new CliProcess(options);
  }

  /** Runs to the end; a process that does not end within `timeoutMs` (default 60,000) is killed and an error. */
  static async run(options: CliProcessOptions, wait: WaitOptions = {}): Promise<Finished> {
    const startedAtMs = performance.now();
    const child = new CliProcess(options);
    try {
      const exit = await child.waitForExit({ timeoutMs: wait.timeoutMs ?? 60_000 });
      return { ...exit, stdout: child.stdout, stderr: child.stderr, ms: performance.now() - startedAtMs };
    } finally {
      await child.kill();
    }
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the process could not be started');
    return pid;
  }

  /** Lines of standard output so far, oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  get stdout(): string {
    return this.#lines.map((line) => `${line}\n`).join('');
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** How it ended; undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Closes our end of its standard output: from now on nobody reads it. */
  closeStdout(): void {
    this.#child.stdout?.destroy();
  }

  /** Waits for a line that fits, from index `since` on (default: all so far). Rejects when the process ends without it. */
  async waitForLine(fits: RegExp, options: WaitOptions & { readonly since?: number } = {}): Promise<string> {
    const find = (): string | undefined => this.#lines.slice(options.since ?? 0).find((line) => fits.test(line));
    const found = await this.#changes.until(
      () => find() ?? (this.#exit === undefined ? undefined : new EndedError(this.#exit)),
      `a line of the daemon that fits ${String(fits)}`,
      options,
      () => this.#lastWords(),
    );
    if (found instanceof EndedError) throw new Error(`${found.message} without ${String(fits)}; ${this.#lastWords()}`);
    return found;
  }

  /** Waits for its end. */
  async waitForExit(options: WaitOptions = {}): Promise<Exit> {
    return this.#changes.until(
      () => this.#exit,
      'the end of the process',
      options,
      () => this.#lastWords(),
    );
  }

  /** Ends it at once, whatever state it is in, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.#exit !== undefined) return;
    this.#child.kill('SIGKILL');
    await this.waitForExit();
  }

  #lastWords(): string {
    return JSON.stringify({ lines: this.#lines.slice(-8), stderr: this.#stderr.slice(-500) });
  }
}

class EndedError extends Error {
  constructor({ code, signal }: Exit) {
    super(`the process ended with ${signal ?? String(code)}`);
  }
}
