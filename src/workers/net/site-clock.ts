/** What time it is elsewhere, and how far this machine's clock is from that, by the header of an answer. Pure. */

/** The only form that may be sent (RFC 9110, 5.6.7); `Date.parse` would take a bare number for a year. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
/** Seconds that a cache has kept the answer for (RFC 9111, 5.1): its `Date` is older by so much. */
const AGE = /^\d{1,10}$/;

/** The header fields of an answer, as Node's http has them. */
export interface DatedHeaders {
  readonly date?: string | undefined;
  readonly age?: string | undefined;
}

/** What time it is for whoever answered, milliseconds since 1970, exact to a second; undefined if the answer does not say. */
export function answeredAtMs({ date, age }: DatedHeaders): number | undefined {
  const text = date?.trim() ?? '';
  if (!HTTP_DATE.test(text)) return undefined;
  const kept = age?.trim() ?? '0';
  const ms = Date.parse(text) + (AGE.test(kept) ? Number(kept) * 1_000 : 0);
  return Number.isFinite(ms) ? ms : undefined;
}

/**
 * This machine's clock minus that of whoever answered, milliseconds; undefined if the answer does not say.
 * @param wallMs this machine's clock when the answer came, milliseconds since 1970
 */
export function clockAheadMs(headers: DatedHeaders, wallMs: number): number | undefined {
  const theirs = answeredAtMs(headers);
  return theirs === undefined ? undefined : wallMs - theirs;
}
