/** A folder of the history in memory: it counts what is written, and refuses as a card does. */
import type { HistoryFiles, SegmentFile } from '../../src/main/observe/history/files.js';
import { BLOCK_BYTES } from '../../src/main/observe/history/budget.js';
import { segmentName } from '../../src/main/observe/history/segments.js';

export class MemoryFiles implements HistoryFiles {
  readonly texts = new Map<number, string>();
  /** Blocks that were written; a line of 100 bytes is one. */
  blocks = 0;
  /** The errno of every write from now on, such as `ENOSPC`; undefined: all is well. */
  refuses: string | undefined;
  /** So many bytes of the next write arrive before it is refused. */
  tornAfter = 0;

  list(): Promise<readonly string[]> {
    return Promise.resolve([...this.texts.keys()].map(segmentName));
  }

  read(segment: number): Promise<string> {
    return Promise.resolve(this.texts.get(segment) ?? '');
  }

  open(segment: number): Promise<SegmentFile> {
    if (this.refuses === 'EROFS') return Promise.reject(refusal('EROFS'));
    const size = (): number => Buffer.byteLength(this.texts.get(segment) ?? '');
    const whole = (this.texts.get(segment) ?? '\n').endsWith('\n');
    if (!this.texts.has(segment)) this.texts.set(segment, '');
    return Promise.resolve({
      get size() {
        return size();
      },
      whole,
      append: (text: string) => {
        const before = this.texts.get(segment) ?? '';
        if (this.refuses !== undefined) {
          this.texts.set(segment, before + text.slice(0, this.tornAfter));
          return Promise.reject(refusal(this.refuses));
        }
        this.blocks += Math.ceil(((size() % BLOCK_BYTES) + Buffer.byteLength(text)) / BLOCK_BYTES);
        this.texts.set(segment, before + text);
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    });
  }

  remove(segment: number): Promise<void> {
    this.texts.delete(segment);
    return Promise.resolve();
  }
}

function refusal(code: string): Error {
  return Object.assign(new Error(`${code}: the card refuses`), { code });
}
