/** A child process in a namespace whose functions are called over Node's IPC channel. It ends when its parent does. */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { happens } from '../support/ends.js';

/** What a child offers: named functions of one plain argument. */
export type Calls = Readonly<Record<string, (argument: never) => unknown>>;
type Argument<F> = F extends (argument: infer A) => unknown ? A : never;
type Result<F> = F extends (argument: never) => infer R ? Awaited<R> : never;

interface Request {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}
interface Response {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Far more than anything here takes: a machine that is busy with other things is no failure. */
const DEADLINE_MS = 60_000;

/** Parent's side. */
export class RemoteChild<C extends Calls> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #nextId = 1;

  private constructor(child: ChildProcess, file: string) {
    this.#child = child;
    child.on('message', (message) => {
      const response = message as Response;
      const waiting = this.#waiting.get(response.id);
      this.#waiting.delete(response.id);
      if (response.error === undefined) waiting?.resolve(response.value);
      else waiting?.reject(new Error(response.error));
    });
    child.once('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${file} ended (${String(code ?? signal)})`));
      this.#waiting.clear();
    });
  }

  /** Starts `file` (of this folder, `.js`) in a namespace; resolves once it serves. */
  static async start<C extends Calls>(
    namespace: string,
    file: string,
    env: NodeJS.ProcessEnv = {},
  ): Promise<RemoteChild<C>> {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, '--enable-source-maps', path], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...env },
    });
    const remote = new RemoteChild<C>(child, file);
    await remote.#request('ready', undefined, DEADLINE_MS);
    return remote;
  }

  /** Of the child itself. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** `deadlineMs` bounds the wait for the answer; default 60 s. */
  call<N extends keyof C & string>(name: N, argument: Argument<C[N]>, deadlineMs = DEADLINE_MS): Promise<Result<C[N]>> {
    return this.#request(name, argument, deadlineMs) as Promise<Result<C[N]>>;
  }

  /** Ends the child. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = happens(this.#child, 'exit', 'the end of the child');
    this.#child.kill('SIGKILL');
    await exited;
  }

  #request(name: string, argument: unknown, deadlineMs: number): Promise<unknown> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`no answer to ${name} within ${deadlineMs} ms`));
      }, deadlineMs);
      const settled = (): void => clearTimeout(timer);
      this.#waiting.set(id, {
        resolve: (value) => {
          settled();
          resolve(value);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      });
      this.#child.send({ id, name, argument } satisfies Request, (error) => {
        if (error) this.#waiting.get(id)?.reject(error);
      });
    });
  }
}

/** Child's side: serves until the parent is gone. */
export function serve(calls: Calls): void {
  const send = (response: Response): void => {
    process.send?.(response, undefined, undefined, () => undefined);
  };
  const table = new Map<string, (argument: never) => unknown>(Object.entries(calls));
  table.set('ready', () => undefined);
  process.on('message', (message) => {
    const { id, name, argument } = message as Request;
    void (async () => {
      try {
        const call = table.get(name);
        if (call === undefined) throw new Error(`no call ${name}`);
        send({ id, value: await call(argument as never) });
      } catch (error) {
        send({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      }
    })();
  });
  process.once('disconnect', () => process.exit(0));
}
