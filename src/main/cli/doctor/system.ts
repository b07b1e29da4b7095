/** The machine as the doctor sees it: files, programs, ports. Each look is bounded, none throws. */
import { execFile } from 'node:child_process';
import { readFile, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { realHost, type Host } from '../../remote/system-info/host.js';

export interface FileFacts {
  readonly kind: 'file' | 'folder' | 'socket' | 'other';
  /** Its last nine bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface Space {
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Files that can still be made; undefined where the file system does not count them. */
  readonly freeFiles: number | undefined;
}

export interface System extends Host {
  /** Of what a link leads to. `missing`: there is none; `hidden`: this user may not know. */
  stat(file: string): Promise<FileFacts | 'missing' | 'hidden'>;
  /** Words separated by NUL, as in a command line of /proc; undefined if there is none. */
  words(file: string): Promise<readonly string[] | undefined>;
  /** The end of what a program prints, so many characters of it; undefined if it is not there, fails or is not done in time. */
  longRun(program: string, args: readonly string[], timeoutMs: number, mostChars: number): Promise<string | undefined>;
  /** Of the file system that holds it; undefined if that is not known. */
  space(file: string): Promise<Space | undefined>;
  /** Of this process; 0: root. */
  readonly uid: number;
}

/** This machine; `root` is put before the name of each file, for a tree of files recorded on another one. */
export function realSystem(root = '/'): System {
  return {
    ...realHost(root),
    uid: process.getuid?.() ?? 0,
    stat: async (file) => {
      try {
        const facts = await stat(path.join(root, file));
        const kind = facts.isFile() ? 'file' : facts.isDirectory() ? 'folder' : facts.isSocket() ? 'socket' : 'other';
        return { kind, mode: facts.mode & 0o777, uid: facts.uid, gid: facts.gid };
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        return code === 'EACCES' || code === 'EPERM' ? 'hidden' : 'missing';
      }
    },
    words: (file) =>
      readFile(path.join(root, file), 'utf8').then(
        (text) => text.split('\0').filter((word) => word !== ''),
        () => undefined,
      ),
    longRun: (program, args, timeoutMs, mostChars) =>
      new Promise((resolve) => {
        const options = {
          timeout: timeoutMs,
          killSignal: 'SIGKILL',
          maxBuffer: 64 << 20,
          env: { ...process.env, LC_ALL: 'C.UTF-8' },
        } as const;
        execFile(program, [...args], options, (error, stdout) =>
          resolve(error === null ? stdout.slice(-mostChars) : undefined),
        );
      }),
    space: async (file) => {
      try {
        const { bavail, bsize, blocks, files, ffree } = await statfs(path.join(root, file));
        return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, freeFiles: files === 0 ? undefined : ffree };
      } catch {
        return undefined;
      }
    },
  };
}
