/**
 * Makes the system refuse calls to a process under test: a library written in C (refuse.c), built once and preloaded, and a file that it
 * shares with us. What a process starts is another program, and is refused nothing.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** In the order of `enum call` of refuse.c. */
const CALLS = [
  /** Processes. */
  'fork',
  'thread',
  /** TCP and UDP: sockets, their connects, and datagrams handed to the kernel. */
  'socket',
  'connect',
  'send',
  /** The list of interfaces, which the C library asks by netlink. */
  'getifaddrs',
  /** Files of /proc and /sys, and all others. */
  'open-kernel',
  'open-file',
  /** Pipes and socket pairs. */
  'pipe',
  'write-stdout',
  'write-socket',
] as const;
export type RefusedCall = (typeof CALLS)[number];

export type Errno = keyof typeof constants.errno;

export interface HowRefused {
  /** Each n-th call fails. Default 1: all. */
  readonly every?: number;
  /** So many fail. Default: all, until {@link Refusals.allow}. */
  readonly times?: number;
}

/** `struct row` of refuse.c: error, every, left, seen, failed. */
const ROW_INTS = 5;
const ROW_BYTES = 4 * ROW_INTS;

/** Compiled to dist/test/support/. */
const SOURCE = fileURLToPath(new URL('../../../test/support/refuse.c', import.meta.url));
const LIBRARY = fileURLToPath(new URL('./refuse.so', import.meta.url));
const BUILD_MS = 30_000;

/** Why nothing can be refused here; false: it can. For a test's `skip`. */
export function cannotRefuse(): string | false {
  const asked = spawnSync('tcc', ['-v'], { timeout: BUILD_MS });
  return asked.status === 0 ? false : 'tcc is not installed';
}

export class Refusals {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'refusals-'));
  readonly #file: string;
  readonly #descriptor: number;

  /** Builds the library if it has not been built. @param file where it is shared with the process; default: a place of its own */
  constructor(file?: string) {
    this.#file = file ?? path.join(this.#folder, 'rows');
    if (!existsSync(LIBRARY)) buildLibrary(this.#folder);
    this.#descriptor = openSync(this.#file, 'w+', 0o600);
    writeSync(this.#descriptor, Buffer.alloc(CALLS.length * ROW_BYTES));
  }

  /** What the process under test needs in its environment. */
  get environment(): Readonly<Record<string, string>> {
    return { LD_PRELOAD: LIBRARY, REFUSE_FILE: this.#file };
  }

  /** The library itself. */
  static get library(): string {
    return LIBRARY;
  }

  /** From now on, until {@link allow} or until it has failed often enough. */
  refuse(call: RefusedCall, errno: Errno, { every = 1, times = -1 }: HowRefused = {}): void {
    this.#write(call, [0, every, times, 0, 0]);
    // Last, as it switches the row on.
    this.#write(call, [constants.errno[errno]]);
  }

  allow(call: RefusedCall): void {
    this.#write(call, [0]);
  }

  /** Calls that failed since {@link refuse}. */
  failed(call: RefusedCall): number {
    const row = Buffer.alloc(ROW_BYTES);
    readSync(this.#descriptor, row, 0, ROW_BYTES, CALLS.indexOf(call) * ROW_BYTES);
    return row.readInt32LE(4 * 4);
  }

  remove(): void {
    closeSync(this.#descriptor);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #write(call: RefusedCall, values: readonly number[]): void {
    const bytes = Buffer.from(Int32Array.from(values).buffer);
    writeSync(this.#descriptor, bytes, 0, bytes.length, CALLS.indexOf(call) * ROW_BYTES);
  }
}

function buildLibrary(folder: string): void {
  const made = path.join(folder, 'refuse.so');
  const built = spawnSync('tcc', ['-Wall', '-shared', '-nostdlib', '-o', made, SOURCE], {
    timeout: BUILD_MS,
    encoding: 'utf8',
  });
  if (built.status !== 0) throw new Error(`tcc failed: ${built.error?.message ?? built.stderr}`);
  // Whoever builds it at the same time makes the same.
  renameSync(made, LIBRARY);
}
