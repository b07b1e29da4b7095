/** Retry-After as RFC 9110, 10.2.3 has it: seconds, or a date. Pure. */

/** The header fields of a response, as Node's http has them. */
export interface RetryHeaders {
  readonly 'retry-after'?: string | undefined;
  readonly date?: string | undefined;
}

/**
 * Milliseconds to wait from the response on; undefined if nothing sensible is asked for. A date is read against the response's own
 * Date, since our clock may be wrong (a Pi has none that survives a power cut).
 * @param trustedWallMs wall clock for a response without a Date, milliseconds since 1970; undefined: it cannot be trusted, and a date
 *   that could be any time asks for nothing
 */
export function retryAfterMs(headers: RetryHeaders, trustedWallMs: number | undefined): number | undefined {
  const value = headers['retry-after']?.trim();
  if (value === undefined) return undefined;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const until = parseHttpDate(value);
  const from = parseHttpDate(headers.date?.trim() ?? '') ?? trustedWallMs;
  return until === undefined || from === undefined ? undefined : Math.max(0, until - from);
}

/** The three forms of RFC 9110, 5.6.7. */
function parseHttpDate(text: string): number | undefined {
  // All are in GMT; the form of asctime does not say so. A number alone, which Date.parse takes for a year, is none.
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return undefined;
  const ms = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isFinite(ms) ? ms : undefined;
}
