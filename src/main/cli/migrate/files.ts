/** Files of the system that is moved: this one's, or those of a card that is mounted somewhere. */
import { createHash, randomBytes } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readText, type FileText } from '../../settings/files.js';

/** As the kernel's own limit: more links than this are a circle. */
const MOST_LINKS = 40;

/** What a file was, so that it can be put back. */
export interface FileState {
  /** Of its bytes, hexadecimal. */
  readonly sha256: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export class Files {
  readonly root: string;

  /** @param root the folder that is `/` of that system; default: this system's own */
  constructor(root = '/') {
    this.root = resolve(root);
  }

  /** Is it the system that runs here? */
  get live(): boolean {
    return this.root === '/';
  }

  /** Text of a file, or why there is none. */
  text(path: string): FileText {
    return readText((real) => readFileSync(real), this.real(path));
  }

  /** Names in a folder, sorted; none if it cannot be read. */
  names(path: string): readonly string[] {
    try {
      return readdirSync(this.real(path)).sort();
    } catch {
      return [];
    }
  }

  /** undefined: there is no such file. */
  state(path: string): FileState | undefined {
    const real = this.real(path);
    const stat = statSync(real, { throwIfNoEntry: false });
    if (stat?.isFile() !== true) return undefined;
    const sha256 = sha256Of(readFileSync(real));
    return { sha256, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid };
  }

  exists(path: string): boolean {
    return statSync(this.real(path), { throwIfNoEntry: false }) !== undefined;
  }

  /** The folder, or the nearest one above it that is there. */
  nearestFolder(path: string): string {
    let folder = path;
    while (folder !== '/' && statSync(this.real(folder), { throwIfNoEntry: false })?.isDirectory() !== true) {
      folder = dirname(folder);
    }
    return folder;
  }

  /** Why a file could not be written, completing a sentence that begins with its name; undefined: it can be. */
  whyNotWritable(path: string): string | undefined {
    const real = this.real(path);
    let folder = dirname(real);
    while (folder !== '/' && statSync(folder, { throwIfNoEntry: false }) === undefined) folder = dirname(folder);
    const there = statSync(real, { throwIfNoEntry: false }) !== undefined;
    for (const each of there ? [real, folder] : [folder]) {
      try {
        accessSync(each, constants.W_OK);
      } catch (error) {
        return `cannot be written (${whyOf(error)})`;
      }
    }
    return undefined;
  }

  /** Written whole or not at all, and on the disk when this returns. Throws Node's own error. */
  write(path: string, bytes: string | Uint8Array, { mode, uid, gid }: Omit<FileState, 'sha256'>): void {
    const real = this.real(path);
    mkdirSync(dirname(real), { recursive: true });
    const aside = join(dirname(real), `.${basename(real)}.${randomBytes(6).toString('hex')}`);
    try {
      // Never readable to others, not even for a moment.
      const file = openSync(aside, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
      try {
        writeFileSync(file, bytes);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      if (process.geteuid?.() === 0) chownSync(aside, uid, gid);
      chmodSync(aside, mode);
      renameSync(aside, real);
      syncFolder(dirname(real));
    } catch (error) {
      rmSync(aside, { force: true });
      throw error;
    }
  }

  /** A copy beside it, with its owner and mode. */
  copy(from: string, to: string): void {
    const state = this.state(from);
    if (state === undefined) throw new Error(`${from} is gone`);
    this.write(to, readFileSync(this.real(from)), state);
  }

  /** Puts the copy back in place of the file. */
  restore(backup: string, path: string, state: FileState): void {
    this.write(path, readFileSync(this.real(backup)), state);
  }

  remove(path: string): void {
    rmSync(this.real(path), { force: true });
  }

  /** Where the file is for this process. Links are followed within the root: what a card calls /opt is the card's, not ours. */
  real(path: string): string {
    let open = path.split('/');
    let real = '/';
    let links = 0;
    while (open.length > 0) {
      const [part = '', ...rest] = open;
      open = rest;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        real = dirname(real);
        continue;
      }
      const next = join(real, part);
      const here = join(this.root, next);
      if (lstatSync(here, { throwIfNoEntry: false })?.isSymbolicLink() !== true) {
        real = next;
        continue;
      }
      links += 1;
      if (links > MOST_LINKS) throw Object.assign(new Error(`${path}: too many links`), { code: 'ELOOP' });
      const target = readlinkSync(here);
      open = [...target.split('/'), ...open];
      if (target.startsWith('/')) real = '/';
    }
    return join(this.root, real);
  }
}

export function sha256Of(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The operator's words for what the system said. */
export function whyOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EROFS':
      return 'its file system is read-only: EROFS';
    case 'EACCES':
      return 'this user may not: EACCES';
    case 'EPERM':
      return 'the system forbids it, even to root; is it immutable? lsattr shows it: EPERM';
    case 'ENOSPC':
      return 'the disk is full: ENOSPC';
    case 'EBUSY':
      return 'it is mounted on its own: EBUSY';
    default:
      return code ?? message;
  }
}

/** So that a name survives a power cut, too. Not every file system can. */
function syncFolder(path: string): void {
  try {
    const folder = openSync(path, constants.O_RDONLY);
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {
    // vfat and some network file systems cannot; the file itself is on the disk.
  }
}
