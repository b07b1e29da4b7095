/** A program to compare with, as a process in a lab's `pi`. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WaitOptions } from '../support/changes.js';
import { GROUP } from '../lab/daemon.js';
import { Journal, type LogLine } from '../lab/journal.js';
import type { Lab } from '../lab/lab.js';
import { SITE_NAME } from '../lab/topology.js';
import { loopDelayEnv, readLoopDelay, type LoopDelay } from './loop-delay.js';

const PATIENCE_MS = 30_000;
const KILL_AFTER_MS = 3_000;

let programs = 0;

export class Program {
  readonly journal = new Journal();
  readonly startedAtMs = Date.now();
  readonly #child: ChildProcess;
  readonly #delayFile: string;

  private constructor(lab: Lab, file: string, args: readonly string[], measured: boolean) {
    programs += 1;
    this.#delayFile = join(lab.folder, `loop-delay-${programs}.json`);
    const path = fileURLToPath(new URL(file, import.meta.url));
    this.#child = lab.exec('pi', process.execPath, [path, ...args], {
      onlyEnv: { NODE_EXTRA_CA_CERTS: lab.caFile, ...(measured && loopDelayEnv(this.#delayFile)) },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('the program has no pipe');
    this.journal.follow(stdout);
    this.#child.once('close', (code, signal) => this.journal.close(`${file} ended (${String(code ?? signal)})`));
  }

  /** `dns.lookup` and `fetch`, every 7 s. @param measured it measures its event loop, which costs processor time */
  static naive(lab: Lab, measured: boolean): Program {
    return new Program(lab, './naive-main.js', [SITE_NAME], measured);
  }

  /** The official client. @param speaks it sends a message twice a second */
  static async plainClient(
    lab: Lab,
    options: { readonly speaks: boolean; readonly measured: boolean },
  ): Promise<Program> {
    // Another device than the daemon's: the two are in the group side by side.
    const url = await lab.internet.call('clientAccessUrl', { userId: 'plain-client', expiresInSecs: 86_400 });
    return new Program(
      lab,
      './plain-client-main.js',
      [url, GROUP, ...(options.speaks ? ['speaks'] : [])],
      options.measured,
    );
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the program did not start');
    return pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Begins its next check now. */
  checkNow(): void {
    this.#child.kill('SIGUSR2');
  }

  /** The first line with that message that was said at that time or later. */
  said(msg: string, sinceMs: number, options?: WaitOptions): Promise<LogLine> {
    const look = (): LogLine | undefined => this.journal.lines.find((line) => line.msg === msg && line.atMs >= sinceMs);
    return this.journal.until(look, `"${msg}"`, { timeoutMs: PATIENCE_MS, ...options });
  }

  /** The last message of these. */
  latest(...of: readonly string[]): string | undefined {
    return this.journal.lines.findLast(({ msg }) => of.includes(msg))?.msg;
  }

  /** Ends it; returns how late its event loop was, if that was measured. */
  async stop(): Promise<LoopDelay | undefined> {
    if (this.running) {
      const closed = once(this.#child, 'close');
      this.#child.kill('SIGTERM');
      const killer = setTimeout(() => this.#child.kill('SIGKILL'), KILL_AFTER_MS);
      await closed;
      clearTimeout(killer);
    }
    return readLoopDelay(this.#delayFile);
  }
}
