/** The folder of the history, as much of the file system as it needs. Every call may fail; who calls copes with it. */
import { mkdir, open, readdir, readFile, unlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { segmentName } from './segments.js';

export interface HistoryFiles {
  /** Names in the folder; empty if there is none. */
  list(): Promise<readonly string[]>;
  /** A segment's text. */
  read(segment: number): Promise<string>;
  /** Opens a segment to append to, made if need be; the folder too. */
  open(segment: number): Promise<SegmentFile>;
  remove(segment: number): Promise<void>;
}

export interface SegmentFile {
  /** Bytes. */
  readonly size: number;
  /** The last byte is a line end, or there is none. */
  readonly whole: boolean;
  /** Resolves when it is on the card (fdatasync(2)). */
  append(text: string): Promise<void>;
  close(): Promise<void>;
}

/** What is read of one file at most, bytes: four times what we write into one. */
const MAX_READ_BYTES = 1 << 20;

export function filesIn(directory: string): HistoryFiles {
  const at = (segment: number): string => path.join(directory, segmentName(segment));
  return {
    list: () =>
      readdir(directory).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw error;
      }),
    read: async (segment) => (await readFile(at(segment))).subarray(0, MAX_READ_BYTES).toString('utf8'),
    open: async (segment) => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const handle = await open(at(segment), 'a+', 0o600);
      try {
        const { size } = await handle.stat();
        // The name itself has to survive a power cut, too.
        if (size === 0) await syncFolder(directory);
        return segmentFile(handle, size, await endsWhole(handle, size));
      } catch (error) {
        await handle.close().catch(() => undefined);
        throw error;
      }
    },
    remove: (segment) => unlink(at(segment)),
  };
}

async function endsWhole(handle: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return true;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() === '\n';
}

function segmentFile(handle: FileHandle, sizeAtOpen: number, whole: boolean): SegmentFile {
  let size = sizeAtOpen;
  return {
    get size() {
      return size;
    },
    whole,
    append: async (text) => {
      const bytes = Buffer.from(text);
      let done = 0;
      while (done < bytes.length) {
        const { bytesWritten } = await handle.write(bytes, done);
        done += bytesWritten;
        size += bytesWritten;
      }
      await handle.datasync();
    },
    close: () => handle.close(),
  };
}

async function syncFolder(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
