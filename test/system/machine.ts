/**
 * A machine with a systemd and a journal of its own: a container that boots Debian, the base of Raspberry Pi OS.
 * Its changes live in memory, so that any number of machines share one root side by side. Needs root.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gatherLine } from '../support/everything-logged.js';
import { makeGroups, nextMachineName, removeGroups, sweepStaleMachines } from './cgroup.js';
import { BOOTABLE, ensureRoot, requireSystemTests, type Debian } from './root.js';
import { happens } from '../support/ends.js';

export interface BootOptions {
  /** Default: trixie. */
  readonly debian?: Debian;
  /** `none`: not even a cable. Or a named network namespace, and the file that is to be the machine's resolv.conf. */
  readonly network?: 'none' | { readonly namespace: string; readonly resolvConf: string };
}

export interface RunOptions {
  /** Goes to standard input. */
  readonly input?: string | Uint8Array;
  /** Default 60 s. */
  readonly deadlineMs?: number;
}

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command inside the machine failed; the message holds the command and what it said. */
export class MachineCommandError extends Error {
  readonly code = 'ERR_MACHINE_COMMAND';
  override readonly name = 'MachineCommandError';
}

/** One entry of the journal. */
export interface JournalEntry {
  /** 3 error, 4 warning, 5 notice, 6 info, 7 debug. */
  readonly priority: number;
  readonly message: string;
  /** `dunebugger-remote` for the service itself, `systemd` for what systemd says about it. */
  readonly identifier: string;
  readonly pid: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

const BOOT_DEADLINE_MS = 60_000;
const RUN_DEADLINE_MS = 60_000;
const ENVIRONMENT = ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8', 'TERM=dumb', 'HOME=/root'];

export class Machine {
  readonly name: string;
  readonly #nspawn: ChildProcess;
  readonly #said: () => string;
  #leader = 0;
  readonly #onExit = (): void => this.#remove();

  private constructor(name: string, nspawn: ChildProcess) {
    this.name = name;
    this.#nspawn = nspawn;
    let said = '';
    for (const stream of [nspawn.stdout, nspawn.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(-4_000)));
    }
    this.#said = () => said;
  }

  /**
   * Boots a machine; resolves when its start-up is complete.
   * @throws SystemTestsUnavailableError without root or without the tools
   */
  static async boot(options: BootOptions = {}): Promise<Machine> {
    await requireSystemTests();
    sweepStaleMachines();
    const root = await ensureRoot(BOOTABLE[options.debian ?? 'trixie']);
    const name = nextMachineName();
    const machine = new Machine(name, startNspawn(name, root, options.network ?? 'none'));
    // Also when the test throws; a SIGKILL of the test takes nspawn along, and that the machine.
    process.once('exit', machine.#onExit);
    try {
      await machine.#booted();
      return machine;
    } catch (error) {
      await machine.stop();
      throw error;
    }
  }

  /** Runs a command as root; resolves whatever its exit code is. */
  async run(command: string, args: readonly string[] = [], options: RunOptions = {}): Promise<RunResult> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        'nsenter',
        ['-t', String(this.#leader), '-m', '-u', '-i', '-n', '-p', '-C', '--', ...ENVIRONMENT, command, ...args],
        { timeout: options.deadlineMs ?? RUN_DEADLINE_MS, killSignal: 'SIGKILL', maxBuffer: 64 << 20 },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : error.code;
          if (typeof code === 'number') resolve({ code, stdout, stderr });
          else
            reject(
              new MachineCommandError(`${[command, ...args].join(' ')}: ${error?.message ?? ''}`, { cause: error }),
            );
        },
      );
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(options.input ?? '');
    });
  }

  /** Runs a program of the host in the machine's network. */
  async runInNetwork(command: string, args: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(
      'nsenter',
      ['-t', String(this.#leader), '-n', '--', command, ...args],
      {
        timeout: RUN_DEADLINE_MS,
        killSignal: 'SIGKILL',
      },
    );
    return stdout;
  }

  /** Runs lines of shell and returns what they print; the first that fails is an error. */
  async sh(script: string, options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.run('sh', ['-euc', script], options);
    if (code !== 0) throw new MachineCommandError(`${script}\nended with ${code}: ${stderr}${stdout}`);
    return stdout;
  }

  /** Writes a file; folders are made as needed. */
  async write(path: string, content: string | Uint8Array, mode = '644'): Promise<void> {
    await this.sh(`mkdir -p "$(dirname '${path}')"; umask 077; cat > '${path}'; chmod ${mode} '${path}'`, {
      input: content,
    });
  }

  /** Installs .debs, as an operator does it, keeping changed configuration. Returns what apt says. */
  async install(...debFiles: readonly string[]): Promise<string> {
    const inside = debFiles.map((file) => `/root/${basename(file)}`);
    for (const [index, file] of debFiles.entries()) await this.write(inside[index]!, readFileSync(file));
    return this.sh(
      `export DEBIAN_FRONTEND=noninteractive
       apt-get install --yes --no-install-recommends -o Dpkg::Options::=--force-confold ${inside.join(' ')} 2>&1`,
      { deadlineMs: 180_000 },
    );
  }

  /** A property of a unit, as `systemctl show` has it. */
  async show(property: string, unit = 'dunebugger-remote'): Promise<string> {
    return (await this.sh(`systemctl show --value --property='${property}' '${unit}'`)).trim();
  }

  /** Entries about a unit, from it and from systemd, oldest first. */
  async journal(unit = 'dunebugger-remote', ...filters: string[]): Promise<JournalEntry[]> {
    // Whatever is on its way shall be in it.
    await this.sh('journalctl --sync');
    const text = await this.sh(`journalctl --unit='${unit}' --output=json --no-pager ${filters.join(' ')}`);
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => toEntry(JSON.parse(line) as Record<string, unknown>));
  }

  /** Resolves with the first entry from the service itself that matches; the deadline is for slow machines. */
  async logged(pattern: RegExp, { sinceMs = 0, deadlineMs = 30_000 } = {}): Promise<JournalEntry> {
    return this.until(
      `the journal says ${String(pattern)}`,
      async () => (await this.journal()).find(({ message, atMs }) => atMs >= sinceMs && pattern.test(message)),
      deadlineMs,
    );
  }

  /** Resolves with what `look` finds once it finds something. On its deadline the error shows the journal. */
  async until<T>(what: string, look: () => Promise<T | undefined | false>, deadlineMs = 30_000): Promise<T> {
    const endMs = performance.now() + deadlineMs;
    for (;;) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      if (performance.now() > endMs) {
        const lines = (await this.sh('journalctl --no-pager --lines=40 --output=short-precise')).trim();
        throw new Error(`not within ${deadlineMs} ms: ${what}. The journal:\n${lines}`);
      }
      await delay(100);
    }
  }

  /** The host's number of the machine's first process, its systemd. */
  get initPid(): number {
    return this.#leader;
  }

  /** Switches it off at once and removes it. */
  async stop(): Promise<void> {
    process.removeListener('exit', this.#onExit);
    // All that any unit has logged here, to be searched for secrets with the rest.
    const all = await this.run('journalctl', ['--output=json', '--no-pager']).catch(() => undefined);
    if (all !== undefined) gatherLine('journal', all.stdout);
    if (this.#nspawn.exitCode === null && this.#nspawn.signalCode === null) {
      const exited = happens(this.#nspawn, 'exit', 'the end of the machine');
      this.#nspawn.kill('SIGKILL');
      await exited;
    }
    this.#remove();
  }

  #remove(): void {
    this.#nspawn.kill('SIGKILL');
    removeGroups(this.name);
  }

  async #booted(): Promise<void> {
    const endMs = performance.now() + BOOT_DEADLINE_MS;
    let state = '';
    while (performance.now() < endMs) {
      if (this.#nspawn.exitCode !== null) break;
      this.#leader = childOf(this.#nspawn.pid) ?? 0;
      if (this.#leader > 0) {
        state = await this.run('systemctl', ['is-system-running']).then(
          ({ stdout }) => stdout.trim(),
          (error: unknown) => String(error),
        );
        if (state === 'running' || state === 'degraded') {
          // nspawn shows the host's interfaces there, whatever the namespace. Before any service looks.
          await this.sh(`
            mkdir -p /run/own-sysfs
            mount -t sysfs -o ro sysfs /run/own-sysfs
            for folder in class/net devices/virtual/net; do mount --bind "/run/own-sysfs/$folder" "/sys/$folder"; done`);
          return;
        }
      }
      await delay(50);
    }
    throw new Error(`${this.name} did not boot (${state}): ${this.#said()}`);
  }
}

function startNspawn(name: string, root: string, network: NonNullable<BootOptions['network']>): ChildProcess {
  const enter = makeGroups(name)
    .map((folder) => `echo $$ > '${folder}/cgroup.procs'; `)
    .join('');
  const links =
    network === 'none'
      ? ['--private-network', '--resolv-conf=off']
      : [
          `--network-namespace-path=/run/netns/${network.namespace}`,
          '--resolv-conf=off',
          `--bind-ro=${network.resolvConf}:/etc/resolv.conf`,
        ];
  return spawn(
    'sh',
    [
      '-euc',
      // nspawn shall not outlive this process, whatever ends it.
      `${enter}exec setpriv --pdeathsig KILL systemd-nspawn "$@"`,
      'sh',
      '--boot',
      '--quiet',
      '--register=no',
      '--keep-unit',
      '--console=pipe',
      '--timezone=off',
      '--volatile=overlay',
      `--machine=${name}`,
      `--directory=${root}`,
      ...links,
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        // The root is only read, so that machines may share it.
        SYSTEMD_NSPAWN_LOCK: '0',
        SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1',
      },
    },
  );
}

function toEntry(fields: Record<string, unknown>): JournalEntry {
  const text = (name: string): string => {
    const value = fields[name];
    // What is not plain text comes as a list of bytes.
    if (Array.isArray(value)) return Buffer.from(value as number[]).toString('utf8');
    return typeof value === 'string' ? value : '';
  };
  return {
    priority: Number(text('PRIORITY')),
    message: text('MESSAGE'),
    identifier: text('SYSLOG_IDENTIFIER'),
    pid: text('_PID'),
    atMs: Number(text('__REALTIME_TIMESTAMP')) / 1_000,
  };
}

function childOf(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    const [first = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return first === '' ? undefined : Number(first);
  } catch {
    return undefined;
  }
}
