/** The edges through which system_info is gathered: files, child processes, one TCP connect. Each is bounded, none throws. */

import { execFile } from 'node:child_process';
import { open, readdir, readlink, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import path from 'node:path';
import { interfacesNow } from '../../../workers/net/interfaces.js';

/** The little of `systeminformation` that is used. */
export interface CpuOfPackage {
  readonly brand: string;
  readonly physicalCores: number;
}

export interface Host {
  /** A file's text without the NUL of device-tree strings, trimmed; undefined if there is none. `file` is absolute. */
  read(file: string): Promise<string | undefined>;
  /** A file's bytes as hex; undefined if there is none. */
  readHex(file: string): Promise<string | undefined>;
  /** A folder's entries; empty if there is none. */
  list(folder: string): Promise<readonly string[]>;
  /** The last part of what a symbolic link points at; undefined if there is none. */
  linkName(file: string): Promise<string | undefined>;
  /** What a program prints; undefined if it is not there, fails or is not done within `timeoutMs`, when it is killed. */
  run(program: string, args: readonly string[], timeoutMs: number): Promise<string | undefined>;
  /** Milliseconds until the port accepted or refused; undefined if it did neither. */
  tcpAnswerMs(address: string, port: number, timeoutMs: number): Promise<number | undefined>;
  /** Bytes of the root file system. */
  rootSpace(): Promise<{ readonly total: number; readonly used: number }>;
  networkInterfaces(): Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;
  /** What `systeminformation` says of the processor; nothing where it cannot be asked. */
  cpuByPackage(): Promise<CpuOfPackage>;
}

/** Largest file that is read, bytes: /proc/cpuinfo of a machine with 64 cores has about 100 KiB. */
const MAX_FILE_BYTES = 128 * 1024;
/** Node starts within a second on a Pi 3, and the package starts a few programs. */
const PACKAGE_DEADLINE_MS = 20_000;
/** systemd's default PATH has no sbin for an unprivileged user, where Debian keeps `iw`. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** This machine; `root` is put before the name of each file, for a tree of files recorded on another one. */
export function realHost(root = '/'): Host {
  let cpu: CpuOfPackage | undefined;
  let asking: Promise<CpuOfPackage | undefined> | undefined;
  const at = (file: string): string => path.join(root, file);
  return {
    read: (file) =>
      readBounded(at(file)).then(
        (bytes) => bytes.toString('utf8').replaceAll('\0', '').trim(),
        () => undefined,
      ),
    readHex: (file) =>
      readBounded(at(file)).then(
        (bytes) => bytes.toString('hex'),
        () => undefined,
      ),
    list: (folder) => readdir(at(folder)).catch(() => []),
    linkName: async (file) => {
      const target = await readlink(at(file)).catch(() => undefined);
      return target === undefined ? undefined : path.basename(target);
    },
    run,
    tcpAnswerMs,
    rootSpace: async () => {
      const { blocks, bfree, bsize } = await statfs(at('/'));
      return { total: blocks * bsize, used: (blocks - bfree) * bsize };
    },
    networkInterfaces: () => interfacesNow() ?? {},
    cpuByPackage: async () => {
      if (cpu !== undefined) return cpu;
      // One at a time, however many ask.
      asking ??= askPackage().finally(() => (asking = undefined));
      // Kept: a processor does not change.
      cpu = await asking;
      return cpu ?? { brand: '', physicalCores: 0 };
    },
  };
}

/** In a process of its own, since the package would keep 4 MB of this one's memory for an answer that is asked for once. */
async function askPackage(): Promise<CpuOfPackage | undefined> {
  const program = `import(process.argv[1]).then(async ({ default: it }) => {
    const { brand, physicalCores } = await it.cpu();
    process.stdout.write(JSON.stringify({ brand, physicalCores }));
  })`;
  const args = ['--eval', program, import.meta.resolve('systeminformation')];
  const said = await run(process.execPath, args, PACKAGE_DEADLINE_MS);
  return said === undefined || said === '' ? undefined : (JSON.parse(said) as CpuOfPackage);
}

async function readBounded(file: string): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let bytes = 0; bytes < MAX_FILE_BYTES;) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(16 * 1024));
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
    return Buffer.concat(chunks);
  } finally {
    await handle.close();
  }
}

function run(program: string, args: readonly string[], timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = {
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: 64 * 1024,
      env: { PATH, LC_ALL: 'C' },
    } as const;
    execFile(program, [...args], options, (error, stdout) => resolve(error === null ? stdout : undefined));
  });
}

function tcpAnswerMs(address: string, port: number, timeoutMs: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const socket = connect({ host: address, port });
    const settle = (ms: number | undefined): void => {
      clearTimeout(deadline);
      socket.destroy();
      resolve(ms);
    };
    const deadline = setTimeout(() => settle(undefined), timeoutMs);
    socket.on('connect', () => settle(performance.now() - startedAt));
    // A refusal is an answer: the machine is there.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      settle(error.code === 'ECONNREFUSED' ? performance.now() - startedAt : undefined),
    );
  });
}
