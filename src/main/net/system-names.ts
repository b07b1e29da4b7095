/**
 * Asks the system's own resolver, as every other program of this machine does: /etc/hosts, mDNS, systemd-resolved, nss-myhostname, whatever
 * nsswitch.conf(5) says. Its call, getaddrinfo, has no deadline, and a few that hang would fill the thread pool of this process; so a child
 * makes it (`getent ahosts NAME`, of libc-bin), and is ended at its deadline.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { isIP } from 'node:net';
import { within } from '../../workers/net/resolve.js';

export type SystemAnswer =
  | { readonly kind: 'found'; readonly addresses: readonly string[] }
  /** There is no such name, says the system; or it could not find out. */
  | { readonly kind: 'none' }
  /** No answer before the deadline. */
  | { readonly kind: 'late' }
  /** The system cannot be asked now. */
  | { readonly kind: 'unavailable'; readonly why: string };

export interface SystemNamesOptions {
  /** Default `getent`, found by PATH. */
  readonly program?: string;
}

/** Exit codes of getent(1). */
const EXIT_FOUND = 0;
const EXIT_NOT_FOUND = 2;
/** An address has a line for each type of socket, some 60 bytes. */
const MAX_OUTPUT_CHARS = 16 * 1024;
/** As many as are handed on of any look-up. */
const MAX_ADDRESSES = 8;

interface Asking {
  readonly name: string;
  readonly answer: Promise<SystemAnswer>;
  /** Resolves once the child is gone, which may be after the answer. */
  readonly gone: Promise<void>;
  readonly end: () => void;
}

/** One child at a time, whatever is asked: who comes meanwhile waits for it, within the own deadline. */
export class SystemNames {
  readonly #program: string;
  #asking: Asking | undefined;
  #stopped = false;

  constructor({ program = 'getent' }: SystemNamesOptions = {}) {
    this.#program = program;
  }

  /**
   * @param name a host name, without any sign that a name server would not take
   * @param deadlineMs milliseconds, the waiting included
   * Never rejects.
   */
  async addressesOf(name: string, deadlineMs: number): Promise<SystemAnswer> {
    const endMs = performance.now() + deadlineMs;
    while (this.#asking !== undefined) {
      const { name: asked, answer, gone } = this.#asking;
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) return { kind: 'unavailable', why: 'another name is being asked for' };
      if (asked === name) return (await within(leftMs, answer)) ?? { kind: 'late' };
      await within(leftMs, gone);
    }
    if (this.#stopped) return { kind: 'unavailable', why: 'stopped' };
    return this.#ask(name, Math.max(1, endMs - performance.now()));
  }

  /** Ends what is being asked; nothing is asked any more. */
  stop(): void {
    this.#stopped = true;
    this.#asking?.end();
  }

  #ask(name: string, deadlineMs: number): Promise<SystemAnswer> {
    const unavailable = (error: unknown): SystemAnswer => ({ kind: 'unavailable', why: codeOf(error) });
    let child: ChildProcess;
    try {
      child = spawn(this.#program, ['ahosts', '--', name], {
        stdio: ['ignore', 'pipe', 'ignore'],
        // No more than it needs: this process's environment may hold secrets.
        env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
      });
    } catch (error) {
      return Promise.resolve(unavailable(error));
    }
    let forget = (): void => undefined;
    const gone = new Promise<void>((resolve) => {
      forget = () => {
        if (this.#asking?.gone === gone) this.#asking = undefined;
        resolve();
      };
    });
    const answer = new Promise<SystemAnswer>((resolve) => {
      let output = '';
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        // It is waited for by nobody, but until it is gone there is no other.
        resolve({ kind: 'late' });
      }, deadlineMs);
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        if (output.length < MAX_OUTPUT_CHARS) output += text;
      });
      child.stdout?.on('error', () => undefined);
      child.once('error', (error) => {
        clearTimeout(timer);
        resolve(unavailable(error));
        // One that was never there has no end.
        if (child.pid === undefined) forget();
      });
      child.once('exit', forget);
      child.once('close', (code) => {
        clearTimeout(timer);
        if (code === EXIT_FOUND) resolve(found(output));
        else if (code === EXIT_NOT_FOUND) resolve({ kind: 'none' });
        else resolve({ kind: 'unavailable', why: `ended with ${code ?? 'a signal'}` });
      });
    });
    this.#asking = { name, answer, gone, end: () => child.kill('SIGKILL') };
    return answer;
  }
}

function found(output: string): SystemAnswer {
  const addresses = output.split('\n').flatMap((line) => {
    const [address = ''] = line.split(/\s/, 1);
    return isIP(address) === 0 ? [] : [address];
  });
  const different = [...new Set(addresses)].slice(0, MAX_ADDRESSES);
  return different.length === 0 ? { kind: 'none' } : { kind: 'found', addresses: different };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
