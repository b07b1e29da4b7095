/** Several troubles are there: which one to mend first, and which ones nobody needs to look at because of it. */
import type { TroubleCode } from './types.js';

export interface Causes<Code extends string = TroubleCode> {
  /** The one to begin with; undefined if there is no trouble. */
  readonly first: Code | undefined;
  /** Others that have nothing to do with it, in the order of the table. */
  readonly beside: readonly Code[];
  /** Each with the first relevant trouble that makes it irrelevant. */
  readonly irrelevant: readonly { readonly code: Code; readonly because: Code }[];
}

/**
 * The table's order decides between troubles that do not explain each other.
 * A trouble that is not present passes the irrelevance on all the same: no link explains a test site that is silent, whether
 * anybody said "no route" or not.
 */
export function causesAmong<Code extends string>(
  table: Readonly<Record<Code, { readonly makesIrrelevant: readonly Code[] }>>,
  present: Iterable<Code>,
): Causes<Code> {
  const there = new Set(present);
  const inOrder = (Object.keys(table) as Code[]).filter((code) => there.has(code));
  const consequences = new Map(inOrder.map((code) => [code, consequencesOf(table, code)]));
  const relevant = inOrder.filter((code) => !inOrder.some((other) => consequences.get(other)?.has(code)));
  const irrelevant = inOrder.flatMap((code) => {
    const because = relevant.find((cause) => consequences.get(cause)?.has(code));
    return because === undefined ? [] : [{ code, because }];
  });
  const [first, ...beside] = relevant;
  return { first, beside, irrelevant };
}

/** All that follows from a trouble, itself left out unless it is part of a circle. */
export function consequencesOf<Code extends string>(
  table: Readonly<Record<Code, { readonly makesIrrelevant: readonly Code[] }>>,
  code: Code,
): ReadonlySet<Code> {
  const found = new Set<Code>();
  const toLookAt: Code[] = [...table[code].makesIrrelevant];
  for (let next = toLookAt.pop(); next !== undefined; next = toLookAt.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    toLookAt.push(...table[next].makesIrrelevant);
  }
  return found;
}
