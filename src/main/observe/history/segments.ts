/** The files of the history: `history-000001.jsonl` and so on, the newest four. Pure. */

/** Four of these are 1 MB, which holds a year. */
export const SEGMENT_BYTES = 256 * 1_024;
export const SEGMENTS = 4;

const NAME = /^history-(\d{6,12})\.jsonl$/;

/** Numbers of the segments among a folder's entries, oldest first. */
export function segmentsAmong(names: readonly string[]): readonly number[] {
  return names
    .map((name) => NAME.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

export function segmentName(number: number): string {
  return `history-${String(number).padStart(6, '0')}.jsonl`;
}

/** Segments that have to go once `newest` is begun. */
export function toRemove(numbers: readonly number[], newest: number): readonly number[] {
  return numbers.filter((number) => number <= newest - SEGMENTS);
}
