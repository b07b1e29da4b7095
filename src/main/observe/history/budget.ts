/**
 * How much may be written: an SD card wears with every block. Pure; the time is handed in, milliseconds of a clock that never goes back.
 *
 * What is counted are blocks of 4 kB, since a line of 100 bytes costs one as well: 256 of them a day are 1 MB. Whoever has to wait
 * loses nothing: what waits is written in one go.
 */

/** Smallest unit that a file system writes, bytes. */
export const BLOCK_BYTES = 4_096;
/** Blocks a day. */
export const BLOCKS_A_DAY = 256;
/** Of these so many may be written at once after a quiet time; the rest comes evenly over the day. */
const BURST = 64;
const DAY_MS = 86_400_000;
const REFILL_MS = DAY_MS / (BLOCKS_A_DAY - BURST);

export interface WriteBudget {
  /** Blocks that may be written at `atMs`; more come with time. */
  readonly blocks: number;
  readonly atMs: number;
}

/** `written`: blocks of the last 24 h, as far as they are known. */
export function startBudget(written: number, nowMs: number): WriteBudget {
  return { blocks: Math.min(BURST, Math.max(1, BLOCKS_A_DAY - written)), atMs: nowMs };
}

export function refill({ blocks, atMs }: WriteBudget, nowMs: number): WriteBudget {
  return { blocks: Math.min(BURST, blocks + (nowMs - atMs) / REFILL_MS), atMs: nowMs };
}

/** Blocks that `bytes` touch, appended at `offset` of a file. */
export function costOf(bytes: number, offset: number): number {
  return Math.ceil(((offset % BLOCK_BYTES) + bytes) / BLOCK_BYTES);
}

export function spend(budget: WriteBudget, blocks: number): WriteBudget {
  return { ...budget, blocks: budget.blocks - blocks };
}

/** Until so many blocks may be written, milliseconds. */
export function waitFor({ blocks }: WriteBudget, wanted: number): number {
  return Math.max(0, Math.ceil((wanted - blocks) * REFILL_MS));
}
