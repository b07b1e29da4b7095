/** Reads the history back, whatever state a power cut left it in. */
import { fromLine, type HistoryRecord } from './record.js';
import type { HistoryFiles } from './files.js';
import { segmentsAmong } from './segments.js';

export interface ReadHistory {
  /** Oldest first. */
  readonly records: readonly HistoryRecord[];
  /** Lines that are not whole or not ours: torn by a power cut, or a broken card. Ignored. */
  readonly unreadable: number;
}

/** `newest`: of so many segments only. @throws the system's error if the folder or a file cannot be read; one that went meanwhile is none */
export async function readHistory(files: HistoryFiles, newest?: number): Promise<ReadHistory> {
  const records: HistoryRecord[] = [];
  let unreadable = 0;
  const segments = segmentsAmong(await files.list());
  for (const segment of newest === undefined ? segments : segments.slice(-newest)) {
    const read = linesOf(await readUnlessGone(files, segment));
    records.push(...read.records);
    unreadable += read.unreadable;
  }
  return { records, unreadable };
}

/** Pure. */
export function linesOf(text: string): ReadHistory {
  const records: HistoryRecord[] = [];
  let unreadable = 0;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const record = fromLine(line);
    if (record === undefined) unreadable += 1;
    else records.push(record);
  }
  return { records, unreadable };
}

async function readUnlessGone(files: HistoryFiles, segment: number): Promise<string> {
  try {
    return await files.read(segment);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
