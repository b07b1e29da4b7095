/** The memory that programs can still have. */
import { fail, pass, skip, warn, type Check, type Finding } from '../check.js';
import type { Facts } from '../facts.js';

/** Megabytes. A Pi Zero with everything on has some 150 left; the service itself may have 180 (`MemoryMax=`). */
const LITTLE_MB = 50;
const NONE_MB = 15;

export class MemoryCheck implements Check {
  readonly id = 'memory';
  readonly area = 'machine';
  readonly title = 'memory';
  readonly withinMs = 2_000;

  async run({ machine }: Facts): Promise<Finding> {
    const { memoryFreeMb } = await machine();
    if (memoryFreeMb === null) return skip('the kernel does not say');
    const words = `${memoryFreeMb} MB free`;
    if (memoryFreeMb < NONE_MB) return fail('memory-short', words);
    return memoryFreeMb < LITTLE_MB ? warn('memory-short', words) : pass(words);
  }
}
