/** A control group for each machine: two of them would otherwise take the same one, and its processes are known by it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `dbm<pid>x<n>`: the pid tells whether the owner still lives. */
const OURS = /^dbm(\d+)x\d+$/;

let machines = 0;

/** A name that no other machine of these tests has. */
export function nextMachineName(): string {
  machines += 1;
  return `dbm${process.pid}x${machines}`;
}

/** The folders under which a machine's groups are made: cgroup v2's, and on an older host systemd's own of v1. */
function bases(): string[] {
  const own = new Map(
    readFileSync('/proc/self/cgroup', 'utf8')
      .trim()
      .split('\n')
      .map((line) => {
        const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
        return [controllers, path];
      }),
  );
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, mountPoint = '', type, options = ''] = line.split(' ');
      if (type === 'cgroup2') return [join(mountPoint, own.get('') ?? '/')];
      if (type === 'cgroup' && options.split(',').includes('name=systemd'))
        return [join(mountPoint, own.get('name=systemd') ?? '/')];
      return [];
    });
}

/** Makes a machine's groups and returns their folders; a process that writes itself into `cgroup.procs` of each is in. */
export function makeGroups(name: string): string[] {
  const folders = bases().map((base) => join(base, name));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  return folders;
}

/** Kills what is left in a machine's groups and removes them. Never throws. */
export function removeGroups(name: string): void {
  for (const base of bases()) {
    const folder = join(base, name);
    for (let round = 0; round < 50 && existsSync(folder); round += 1) {
      for (const pid of processesUnder(folder)) kill(pid);
      removeTree(folder);
      // Dying takes the kernel a moment.
      if (existsSync(folder)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

/** Removes what machines have left whose test process is gone. */
export function sweepStaleMachines(): void {
  for (const name of new Set(bases().flatMap((base) => readdirSync(base)))) {
    const pid = OURS.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeGroups(name);
  }
}

const MEMORY_V1 = '/sys/fs/cgroup/memory';

/**
 * A group that bounds and counts the memory of some processes, where the machine's own systemd cannot, for want of the
 * controller: on a host whose memory controller is still cgroup v1's.
 */
export class MemoryGroup {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Undefined where this host has no such controller. `maxBytes` is enforced by the kernel. */
  static create(name: string, maxBytes: number): MemoryGroup | undefined {
    if (!existsSync(join(MEMORY_V1, 'memory.limit_in_bytes'))) return undefined;
    const folder = join(MEMORY_V1, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'memory.limit_in_bytes'), String(maxBytes));
    return new MemoryGroup(folder);
  }

  /** Takes a process in; its children to come are in as well, with all that they ever use. */
  add(pid: number): void {
    writeFileSync(join(this.#folder, 'cgroup.procs'), String(pid));
  }

  /** Lets a process out again; its children stay. */
  release(pid: number): void {
    writeFileSync(join(MEMORY_V1, 'cgroup.procs'), String(pid));
  }

  /** The most it has ever held, the cache of files included, as systemd counts it too. */
  get peakBytes(): number {
    return Number(readFileSync(join(this.#folder, 'memory.max_usage_in_bytes'), 'utf8'));
  }

  /** How often the limit was hit. */
  get failures(): number {
    return Number(readFileSync(join(this.#folder, 'memory.failcnt'), 'utf8'));
  }

  remove(): void {
    removeTree(this.#folder);
  }
}

function processesUnder(folder: string): number[] {
  const own = quietly(() => readFileSync(join(folder, 'cgroup.procs'), 'utf8')) ?? '';
  const pids = own
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
  return [...pids, ...subfolders(folder).flatMap((name) => processesUnder(join(folder, name)))];
}

function removeTree(folder: string): void {
  for (const name of subfolders(folder)) removeTree(join(folder, name));
  quietly(() => rmdirSync(folder));
}

function subfolders(folder: string): string[] {
  const entries = quietly(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

function kill(pid: number): void {
  // 0 is a process of another PID namespace.
  if (pid > 1) quietly(() => process.kill(pid, 'SIGKILL'));
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
