import { distance } from 'fastest-levenshtein';

/** Beyond this a name is no slip of the finger, and comparing it would cost time. */
const LONGEST = 100;

/** The candidate that was probably meant: equal but for case, or at most a quarter of its letters (at least 2) away. */
export function nearest<T>(name: string, candidates: readonly T[], nameOf: (candidate: T) => string): T | undefined {
  if (name.length > LONGEST) return undefined;
  const wanted = name.toLowerCase();
  let best: { readonly candidate: T; readonly away: number } | undefined;
  for (const candidate of candidates) {
    const known = nameOf(candidate).toLowerCase();
    const away = distance(wanted, known);
    if (
      away <= Math.max(2, Math.floor(known.length / 4)) &&
      away < known.length &&
      (best === undefined || away < best.away)
    ) {
      best = { candidate, away };
    }
  }
  return best?.candidate;
}
