/** A history that is full already, as on a machine that has had such months before: what is read of it is as large at the beginning as at the end. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { HISTORY_FOLDER } from '../../src/main/observe/history/history.js';
import { toLine, type HistoryRecord } from '../../src/main/observe/history/record.js';
import { SEGMENT_BYTES, segmentName, SEGMENTS } from '../../src/main/observe/history/segments.js';

const EVERY_MS = 15 * 60_000;
const LASTED_MS = 90_000;

/** Ends an hour before `nowMs`. */
export function makeFullHistory(stateDirectory: string, nowMs: number): void {
  const folder = path.join(stateDirectory, HISTORY_FOLDER);
  mkdirSync(folder, { recursive: true });
  let endMs = nowMs - 3_600_000;
  for (let segment = SEGMENTS; segment > 0; segment -= 1) {
    const outages: string[] = [];
    for (let bytes = 0; bytes < SEGMENT_BYTES; endMs -= EVERY_MS) {
      const text = outageAt(endMs).map(toLine).join('');
      outages.unshift(text);
      bytes += text.length;
    }
    const first = { k: 'segment', v: 1, at: endMs, up: 1, boot: 'before' } as const;
    writeFileSync(path.join(folder, segmentName(segment)), toLine(first) + outages.join(''));
  }
}

function outageAt(atMs: number): readonly HistoryRecord[] {
  // An uptime that leads to the same wall clock whatever the record.
  const moment = (ms: number): { at: number; up: number } => ({ at: ms, up: ms % 1e10 });
  const ms = LASTED_MS;
  return [
    { k: 'down', ...moment(atMs), scope: 'internet', why: 'tcp-refused', evidence: 'failed after 3 ms: refused' },
    { k: 'up', ...moment(atMs + ms), scope: 'internet', ms },
    { k: 'cloud', ...moment(atMs + ms + 1_000), how: 'resumed', ms: ms + 1_000 },
  ];
}
