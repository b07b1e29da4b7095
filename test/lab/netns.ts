/** Network namespaces through `ip` and `nft`: made, filled, found again after a crash, removed. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A command failed; its message holds the command and what it said. */
export class CommandError extends Error {
  readonly code = 'ERR_LAB_COMMAND';
  override readonly name = 'CommandError';
}

/** The lab cannot run here; its message says what is missing. */
export class LabUnavailableError extends Error {
  readonly code = 'ERR_LAB_UNAVAILABLE';
  override readonly name = 'LabUnavailableError';
}

/** `dbr<pid>x<n>-...`, a namespace or a folder; the pid tells whether the owner still lives. */
const OURS = /^dbr(\d+)x\d+-/;
const COMMAND_DEADLINE_MS = 10_000;

let labs = 0;

/** A prefix that no other lab of this machine has. */
export function nextPrefix(): string {
  labs += 1;
  return `dbr${process.pid}x${labs}`;
}

/** Runs a command to its end and returns what it printed. `input` goes to its standard input. */
export function run(command: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { timeout: COMMAND_DEADLINE_MS, maxBuffer: 4 << 20, env: { ...process.env, LC_ALL: 'C' } },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new CommandError(`${[command, ...args].join(' ')}: ${stderr.trim() || error.message}\n${input}`));
      },
    );
    // A command that ends without reading is told about by its exit status.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** Runs lines of `ip` (without the word itself) in a namespace, in one process. The first that fails ends it. */
export async function ipBatch(namespace: string, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await run('ip', ['-netns', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
}

/** Loads a ruleset in a namespace, all or nothing. */
export async function nft(namespace: string, rules: string): Promise<void> {
  await run('ip', ['netns', 'exec', namespace, 'nft', '-f', '-'], rules);
}

/** Sets kernel parameters (`net.ipv4.ip_forward`) in a namespace. */
export async function sysctl(namespace: string, values: Readonly<Record<string, number>>): Promise<void> {
  const script = Object.entries(values)
    .map(([key, value]) => `echo ${value} > /proc/sys/${key.replaceAll('.', '/')}`)
    .join('\n');
  await run('ip', ['netns', 'exec', namespace, 'sh', '-e'], script);
}

/** Folder whose files `ip netns exec` lays over those of /etc. */
export function etcOf(namespace: string): string {
  return `/etc/netns/${namespace}`;
}

/**
 * Makes a namespace with `lo` up and a resolv.conf and hosts of its own.
 * @throws LabUnavailableError if this process may not
 */
export async function addNamespace(namespace: string): Promise<void> {
  mkdirSync(etcOf(namespace), { recursive: true });
  writeFileSync(`${etcOf(namespace)}/resolv.conf`, '');
  writeFileSync(`${etcOf(namespace)}/hosts`, '127.0.0.1 localhost\n::1 localhost\n');
  await run('ip', ['netns', 'add', namespace]);
  // Duplicate address detection would keep an address from being used for a second or two.
  await sysctl(namespace, { 'net.ipv6.conf.all.accept_dad': 0, 'net.ipv6.conf.default.accept_dad': 0 });
  await ipBatch(namespace, ['link set lo up']);
}

/** Kills what still runs in a namespace, and removes it. Synchronous, so that it also works while the process exits. */
export function removeNamespace(namespace: string): void {
  for (const pid of pidsIn(namespace)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone by itself.
    }
  }
  quietly(() => execFileSync('ip', ['netns', 'del', namespace], { stdio: 'ignore', timeout: COMMAND_DEADLINE_MS }));
  rmSync(etcOf(namespace), { recursive: true, force: true });
}

/** Processes in a namespace that has a name. */
export function pidsIn(namespace: string): number[] {
  const text = quietly(() =>
    execFileSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8', stdio: 'pipe', timeout: COMMAND_DEADLINE_MS }),
  );
  return (text ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
}

/** Removes the namespaces and folders of labs whose process is gone. Returns the namespaces' names. */
export async function sweepStale(): Promise<string[]> {
  const names = (await run('ip', ['netns', 'list'])).split('\n').map((line) => line.split(' ')[0] ?? '');
  const stale = names.filter(isStale);
  for (const name of stale) removeNamespace(name);
  for (const folder of readdirSync(tmpdir()).filter(isStale)) {
    rmSync(join(tmpdir(), folder), { recursive: true, force: true });
  }
  return stale;
}

function isStale(name: string): boolean {
  const pid = OURS.exec(name)?.[1];
  return pid !== undefined && !isAlive(Number(pid));
}

/** @throws LabUnavailableError unless this process is root and the tools are there */
export async function requireLab(): Promise<void> {
  if (process.platform !== 'linux') throw new LabUnavailableError('the network lab needs Linux');
  if (process.getuid?.() !== 0) {
    throw new LabUnavailableError('the network lab makes network namespaces: run it as root (sudo npm run test:lab)');
  }
  for (const [command, debian] of [
    ['ip', 'iproute2'],
    ['nft', 'nftables'],
  ] as const) {
    await run(command, ['-V']).catch((cause: unknown) => {
      throw new LabUnavailableError(`the network lab needs \`${command}\` (Debian: ${debian})`, { cause });
    });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
