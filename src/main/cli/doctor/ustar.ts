/** A tar archive of a few texts, in memory (POSIX.1-2001, pax(1), "ustar Interchange Format"). Pure. */

export interface ArchivedFile {
  /** With folders, 100 bytes of ASCII at most. */
  readonly name: string;
  readonly content: string;
}

const BLOCK = 512;
/** Only its owner may read what is unpacked. */
const MODE = 0o600;

/** @param atMs milliseconds since 1970, of every file */
export function tarOf(files: readonly ArchivedFile[], atMs: number): Buffer {
  const blocks = files.flatMap(({ name, content }) => {
    const bytes = Buffer.from(content);
    return [headerOf(name, bytes.length, atMs), bytes, Buffer.alloc(-bytes.length & (BLOCK - 1))];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function headerOf(name: string, size: number, atMs: number): Buffer {
  if (!/^[\x20-\x7e]{1,100}$/.test(name)) throw new Error(`"${name}" does not fit into an archive`);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number): void => {
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'ascii');
  };
  header.write(name, 0, 'ascii');
  octal(MODE, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(Math.floor(atMs / 1_000), 136, 12);
  // The checksum counts its own place as blanks.
  header.write('        ', 148, 'ascii');
  header.write('0', 156, 'ascii');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'ascii');
  return header;
}
