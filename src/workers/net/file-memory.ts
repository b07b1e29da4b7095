/**
 * What a small file said last, for as long as it is the same file: a look costs one `stat` in place of three or four trips through the pool
 * of threads, which both threads of this program share.
 */
import { statSync, type Stats } from 'node:fs';

/** A file that was changed so lately may be changed again without a trace, since its times have the grain of the kernel's clock; milliseconds. */
const AT_REST_MS = 2_000;
/** Of a handful of files and names. */
const MAX_KNOWN = 16;

export class FileMemory<T> {
  readonly #known = new Map<string, { readonly stamp: string; readonly value: T }>();
  readonly #atRestMs: number;

  /** @param atRestMs nothing is kept of a file that was changed more lately, milliseconds; default 2 s */
  constructor(atRestMs = AT_REST_MS) {
    this.#atRestMs = atRestMs;
  }

  /**
   * What `read` gave for this file, at once where it is known; otherwise what it gives now. Rejects with `read`, of which nothing is kept then.
   * @param about what of the file, where that is not all
   */
  get(path: string, about: string, read: () => Promise<T>): T | Promise<T> {
    const stamp = stampOf(path, this.#atRestMs);
    const key = `${path} ${about}`;
    const known = this.#known.get(key);
    if (known !== undefined && known.stamp === stamp) return known.value;
    this.#known.delete(key);
    return read().then((value) => {
      // Of before the reading, so that a change meanwhile is seen.
      if (stamp !== undefined) this.#keep(key, stamp, value);
      return value;
    });
  }

  #keep(key: string, stamp: string, value: T): void {
    this.#known.set(key, { stamp, value });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** Undefined for what is no file, or not at rest. */
function stampOf(path: string, atRestMs: number): string | undefined {
  let stat: Stats | undefined;
  try {
    stat = statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
  if (stat === undefined || !stat.isFile()) return undefined;
  const { dev, ino, size, mtimeMs, ctimeMs } = stat;
  if (Math.abs(Date.now() - ctimeMs) < atRestMs) return undefined;
  return `${dev} ${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}
