/** The real daemon as a process in the lab's `pi`, told about by its own log and by the kernel. */
import { cpuMsOf } from '../support/process.js';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { WaitOptions } from '../support/changes.js';
import { gatherFrom } from '../support/everything-logged.js';
import { Journal, type LogLine } from './journal.js';
import type { Lab } from './lab.js';
import { NEGOTIATE_URL, PORTS, SITE_NAME } from './topology.js';
import { endOf } from '../support/ends.js';

/** The group of every lab. */
export const GROUP = 'lab';
/** Times of the documents, at which the daemon runs in the lab. */
export const STABILIZATION_MS = 3_000;

export const CLI = fileURLToPath(new URL('../../src/main/cli.js', import.meta.url));
/** A start, a connection: far more than a healthy machine needs. */
const PATIENCE_MS = 30_000;
/** The daemon promises to end within 5 s. */
const STOP_MS = 8_000;

export interface LabDaemonOptions {
  /** Overrides single variables of its environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Its clock is that of `lab.setClock`; its lines then carry the time of their arrival. */
  readonly fakeClock?: boolean;
  /** Server of the local bus, as seen from `pi`. Default: no bus. */
  readonly natsUrl?: string;
}

/** The verdict changed. */
export interface VerdictChange {
  readonly verdict: 'online' | 'offline';
  readonly reason: string | undefined;
  readonly atMs: number;
  readonly line: LogLine;
}

/** The group was joined. */
export interface Join {
  /** The old session went on, nothing was lost. */
  readonly recovered: boolean;
  readonly atMs: number;
}

/** What the kernel says of the process. */
export interface Usage {
  readonly rssBytes: number;
  readonly fds: number;
  readonly threads: number;
  /** Processor time of the process since its start. */
  readonly cpuMs: number;
}

/** The settings of a process in `pi`. Nothing of the developer's own reaches it. */
export function environmentOf(lab: Lab, options: LabDaemonOptions): NodeJS.ProcessEnv {
  return {
    NODE_EXTRA_CA_CERTS: lab.caFile,
    NODE_V8_COVERAGE: process.env['NODE_V8_COVERAGE'],
    WEBPUBSUB_NEGOTIATE_URL: NEGOTIATE_URL,
    WS_GROUP_NAME: GROUP,
    DEVICE_ID: 'lab-pi',
    DUNEBUGGER_WEBSOCKET_TEST_DOMAIN: SITE_NAME,
    DUNEBUGGER_LOG_DUNEBUGGER_LOG_LEVEL: 'DEBUG',
    DUNEBUGGER_LOG_LOG_FORMAT: 'json',
    ...(options.natsUrl === undefined
      ? { DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_ENABLED: 'False' }
      : { DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_SERVERS: options.natsUrl }),
    ...(options.fakeClock === true && lab.clockEnv()),
    ...options.env,
  };
}

export class LabDaemon {
  readonly journal: Journal;
  /** Wall clock of its start, milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly #lab: Lab;
  readonly #child: ChildProcess;

  private constructor(lab: Lab, child: ChildProcess, journal: Journal, startedAtMs: number) {
    this.#lab = lab;
    this.#child = child;
    this.journal = journal;
    this.startedAtMs = startedAtMs;
  }

  /** Starts the process and returns at once. */
  static start(lab: Lab, options: LabDaemonOptions = {}): LabDaemon {
    const folder = mkdtempSync(join(lab.folder, 'daemon-'));
    const journal = new Journal(options.fakeClock === true ? 'arrival' : 'own');
    const startedAtMs = Date.now();
    const child = lab.exec('pi', process.execPath, [CLI, 'run'], {
      cwd: folder,
      onlyEnv: environmentOf(lab, options),
    });
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('the daemon has no pipes');
    journal.follow(stdout);
    journal.follow(stderr);
    gatherFrom('daemon', stdout);
    gatherFrom('daemon', stderr);
    child.once('close', (code, signal) => journal.close(`the daemon ended (${String(code ?? signal)})`));
    return new LabDaemon(lab, child, journal, startedAtMs);
  }

  /** Of the process itself: `ip netns exec` becomes it. */
  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the daemon did not start');
    return pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Every change of the verdict that the log tells, from a mark on. */
  verdicts(since = 0): readonly VerdictChange[] {
    return changesIn(this.journal.lines).flatMap(({ index, change }) => (index >= since ? [change] : []));
  }

  /** Every time the group was joined, from a mark on. */
  joins(since = 0): readonly Join[] {
    return this.journal.find(() => true, since).flatMap((line) => joinOf(line) ?? []);
  }

  /** Lines in which the connection is about to open a socket, from a mark on. */
  attempts(since = 0): readonly LogLine[] {
    return this.journal.find(({ msg }) => /^(Connecting to|Resuming) the cloud/.test(msg), since);
  }

  /** Every check that has ended, from a mark on. */
  checks(since = 0): readonly LogLine[] {
    return this.journal.find(isCheck, since);
  }

  /** Resolves with the first change to that verdict from a mark on. */
  verdict(verdict: VerdictChange['verdict'], since: number, options?: WaitOptions): Promise<VerdictChange> {
    const look = (): VerdictChange | undefined => this.verdicts(since).find((change) => change.verdict === verdict);
    return this.journal.until(look, `the verdict ${verdict}`, { timeoutMs: PATIENCE_MS, ...options });
  }

  /** Resolves with the first join from a mark on. */
  joined(since = 0, options?: WaitOptions): Promise<Join> {
    return this.journal.until(() => this.joins(since)[0], 'a join of the group', {
      timeoutMs: PATIENCE_MS,
      ...options,
    });
  }

  /** Resolves when that many checks have ended from a mark on. */
  checked(count: number, since = 0, options?: WaitOptions): Promise<readonly LogLine[]> {
    const look = (): readonly LogLine[] | undefined => {
      const checks = this.checks(since);
      return checks.length >= count ? checks : undefined;
    };
    return this.journal.until(look, `${count} check(s)`, { timeoutMs: PATIENCE_MS, ...options });
  }

  /** Resolves when the log has told that only the test site fails, from a mark on. */
  async siteFails(since: number): Promise<void> {
    const look = (): boolean =>
      this.journal.find(({ msg }) => msg.startsWith('The internet is there; the'), since).length > 0;
    await this.journal.until(look, 'word of the site', { timeoutMs: PATIENCE_MS });
  }

  /** Resolves when the log has told that the test site is back, from a mark on. */
  async siteBack(since: number): Promise<void> {
    const look = (): boolean => this.journal.find(({ msg }) => msg === 'The test site answers again', since).length > 0;
    await this.journal.until(look, "word of the site's return", { timeoutMs: PATIENCE_MS });
  }

  /** Handshakes by which witnesses were asked, from a mark on. */
  witnessesAsked(since: number): number {
    const told = this.checks(since).map(({ fields }) => fields['others']);
    return told.reduce<number>((sum, others) => sum + (typeof others === 'string' ? others.split('; ').length : 0), 0);
  }

  /** Its connections to the cloud, as the kernel has them. */
  sockets(): Promise<readonly string[]> {
    return this.#lab.connectionsTo('pi', PORTS.cloud);
  }

  usage(): Usage {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const number = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    return {
      rssBytes: number('VmRSS') * 1024,
      fds: readdirSync(`/proc/${this.pid}/fd`).length,
      threads: number('Threads'),
      cpuMs: cpuMsOf(this.pid),
    };
  }

  /** Ends it as systemd does. @throws Error if it did not end in time, or not with 0 */
  async stop(): Promise<void> {
    if (this.running) {
      const closed = once(this.#child, 'close');
      this.#child.kill('SIGTERM');
      const killer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
      await closed;
      clearTimeout(killer);
    }
    if (this.#child.exitCode !== 0) {
      const how = String(this.#child.exitCode ?? this.#child.signalCode);
      throw new Error(`the daemon ended with ${how}:\n${this.journal.tail()}`);
    }
    if (existsSync(`/proc/${this.pid}`)) throw new Error('the daemon is gone, but its process is not');
  }

  /** Ends it in any way. */
  async kill(): Promise<void> {
    if (!this.running) return;
    this.#child.kill('SIGKILL');
    await endOf(this.#child, 'the daemon');
  }
}

/** A line about the verdict that is there already, such as one with another reason, is no change. */
function changesIn(lines: readonly LogLine[]): readonly { readonly index: number; readonly change: VerdictChange }[] {
  let before: unknown;
  return lines.flatMap((line, index) => {
    const { verdict, reason } = line.fields;
    if (line.level === 'debug' || (verdict !== 'online' && verdict !== 'offline') || verdict === before) return [];
    before = verdict;
    const change = { verdict, reason: typeof reason === 'string' ? reason : undefined, atMs: line.atMs, line } as const;
    return [{ index, change }];
  });
}

function joinOf({ msg, atMs }: LogLine): Join | undefined {
  if (msg.startsWith('Connected to the cloud')) return { recovered: false, atMs };
  return msg.startsWith('Cloud connection resumed') ? { recovered: true, atMs } : undefined;
}

function isCheck({ level, msg }: LogLine): boolean {
  return level === 'debug' && /^Internet check (passed|failed)/.test(msg);
}
