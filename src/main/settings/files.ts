import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';

/** Reads a whole file; throws Node's own error. Tests and reloads hand in their own. */
export type ReadFile = (path: string) => Uint8Array;

/** Far beyond any conf file; what is larger is something else. */
const LARGEST_BYTES = 1024 * 1024;

export type FileText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'missing' }
  /** `problem` completes a sentence that begins with the file's name. */
  | { readonly kind: 'unusable'; readonly problem: string; readonly cause?: unknown };

export const readFileFromDisk: ReadFile = (path) => readFileSync(path);

/** A text file's content without a byte order mark, or why there is none. Never throws. */
export function readText(readFile: ReadFile, path: string): FileText {
  let bytes: Uint8Array;
  try {
    bytes = readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException | null | undefined)?.code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    return { kind: 'unusable', problem: whyUnreadable(code), cause };
  }
  if (bytes.length > LARGEST_BYTES) return { kind: 'unusable', problem: `is larger than ${LARGEST_BYTES} bytes` };
  if (!isUtf8(bytes)) return { kind: 'unusable', problem: 'is not UTF-8 text: save it as UTF-8' };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString('utf8')
    .replace(/^\uFEFF/, '');
  if (text.includes('\0')) return { kind: 'unusable', problem: 'holds NUL bytes: it is not a text file' };
  return { kind: 'text', text };
}

function whyUnreadable(code: string | undefined): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'may not be read by this user: look at its owner and mode';
    case 'EISDIR':
      return 'is a directory, not a file';
    default:
      return `cannot be read (${code ?? 'unknown error'})`;
  }
}
