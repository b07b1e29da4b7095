/**
 * Addresses that lately did not open where another of their host did: the next race tries them last, so that a dead address costs its 250 ms
 * once and not with every connection. Last, not never: it may be the only one left. Where none opened nothing is learnt, since then it is
 * the line. A family over which something was swallowed comes after those, whatever the host, since that is the way there. Pure.
 */

/** RFC 6555, section 4.2: the outcome is kept "on the order of 10 minutes". */
const REMEMBERED_MS = 600_000;
/** Addresses remembered at the most; three or four hosts have a handful each. The oldest is forgotten. */
const MAX_REMEMBERED = 64;

/** Address and port, or a family, -> when it failed, in milliseconds of a clock that never jumps; the oldest first. */
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
  return remember(memory, keyOf(address, port), nowMs);
}

/** It opened, and what was sent over it next was swallowed. That it opens again proves nothing against it. */
export function swallowed(memory: AddressMemory, address: string, nowMs: number): AddressMemory {
  return remember(memory, familyOf(address), nowMs);
}

/** Whether something was swallowed over its family lately. */
export function swallows(memory: AddressMemory, address: string, nowMs: number): boolean {
  return isRemembered(memory, familyOf(address), nowMs);
}

/** The same addresses, those that failed lately last, and behind them those whose family swallows; otherwise in the order given. */
export function failedLast(
  memory: AddressMemory,
  addresses: readonly string[],
  port: number,
  nowMs: number,
): readonly string[] {
  const rank = (address: string): number =>
    swallows(memory, address, nowMs) ? 2 : isRemembered(memory, keyOf(address, port), nowMs) ? 1 : 0;
  return [...addresses].sort((one, other) => rank(one) - rank(other));
}

function remember(memory: AddressMemory, key: string, nowMs: number): AddressMemory {
  const after = new Map(memory);
  after.delete(key);
  after.set(key, nowMs);
  return new Map([...after].slice(-MAX_REMEMBERED));
}

function isRemembered(memory: AddressMemory, key: string, nowMs: number): boolean {
  const at = memory.get(key);
  return at !== undefined && nowMs - at < REMEMBERED_MS;
}

function familyOf(address: string): string {
  return address.includes(':') ? 'IPv6' : 'IPv4';
}

function keyOf(address: string, port: number): string {
  return `${address} ${port}`;
}
