/**
 * Addresses that lately did not open where another of their host did: the next race tries them last, so that a dead address costs its 250 ms
 * once and not with every connection. Last, not never: it may be the only one left. Where none opened nothing is learnt, since then it is
 * the line. Pure.
 */

/** RFC 6555, section 4.2: the outcome is kept "on the order of 10 minutes". */
const REMEMBERED_MS = 600_000;
/** Addresses remembered at the most; three or four hosts have a handful each. The oldest is forgotten. */
const MAX_REMEMBERED = 64;

/** Address and port -> when it failed, in milliseconds of a clock that never jumps; the oldest first. */
export type AddressMemory = ReadonlyMap<string, number>;

export const NOTHING_FAILED: AddressMemory = new Map();

/** How a race ended that somebody won. */
export interface RaceEnd {
  readonly port: number;
  /** Every address that was tried. */
  readonly tried: readonly string[];
  readonly winner: string;
}

export function learn(memory: AddressMemory, { port, tried, winner }: RaceEnd, nowMs: number): AddressMemory {
  const after = new Map([...memory].filter(([, at]) => nowMs - at < REMEMBERED_MS));
  for (const address of tried) {
    after.delete(keyOf(address, port));
    if (address !== winner) after.set(keyOf(address, port), nowMs);
  }
  return new Map([...after].slice(-MAX_REMEMBERED));
}

/** It opened, and nothing came back over it. Learnt of one that is the only one, too, as it may have others beside it the next time. */
export function stalled(memory: AddressMemory, address: string, port: number, nowMs: number): AddressMemory {
  const after = new Map(memory);
  after.delete(keyOf(address, port));
  after.set(keyOf(address, port), nowMs);
  return new Map([...after].slice(-MAX_REMEMBERED));
}

/** The same addresses, those that failed lately last; otherwise in the order given. */
export function failedLast(
  memory: AddressMemory,
  addresses: readonly string[],
  port: number,
  nowMs: number,
): readonly string[] {
  const failed = (address: string): boolean => {
    const at = memory.get(keyOf(address, port));
    return at !== undefined && nowMs - at < REMEMBERED_MS;
  };
  return [...addresses.filter((address) => !failed(address)), ...addresses.filter(failed)];
}

function keyOf(address: string, port: number): string {
  return `${address} ${port}`;
}
