/** How far this machine's clock is from the one of a site, by an answer's header. Pure. */

/** The only form that may be sent (RFC 9110, 5.6.7); `Date.parse` would take a bare number for a year. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
/** Seconds that a cache has kept the answer for (RFC 9111, 5.1): its `Date` is older by so much. */
const AGE = /^\d{1,10}$/;

/**
 * This machine's clock minus the site's, milliseconds, as exact as `Date` is: a second and the way back. Undefined if the answer does not say.
 * @param wallMs this machine's clock when the answer came, milliseconds since 1970
 */
export function clockAheadMs(
  headers: { readonly date?: string | undefined; readonly age?: string | undefined },
  wallMs: number,
): number | undefined {
  const date = headers.date?.trim() ?? '';
  if (!HTTP_DATE.test(date)) return undefined;
  const age = headers.age?.trim() ?? '0';
  const keptMs = AGE.test(age) ? Number(age) * 1_000 : 0;
  const ms = wallMs - (Date.parse(date) + keptMs);
  return Number.isFinite(ms) ? ms : undefined;
}
