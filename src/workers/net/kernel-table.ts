/**
 * The kernel's tables, read synchronously on purpose: they are memory, not disk, and the asynchronous calls share the process's four pool threads with
 * whatever hangs there.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** The first `maxBytes` of a file of /proc; the kernel makes no more of the table than is read. Throws the system's error. */
export function readTable(path: string, maxBytes: number): string {
  const file = openSync(path, 'r');
  try {
    const text = Buffer.allocUnsafe(maxBytes);
    let length = 0;
    for (let more = -1; more !== 0 && length < text.length; length += more)
      more = readSync(file, text, length, text.length - length, null);
    return text.toString('latin1', 0, length);
  } finally {
    closeSync(file);
  }
}
