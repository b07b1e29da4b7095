/** Text from the network or from an error, made fit for a message: no token, no control character, one bounded line. */

const MAX_CHARS = 200;

/** Removes tokens and control characters from `text` and cuts it to 200 characters. */
export function redact(text: string): string {
  const line = text
    .slice(0, 10 * MAX_CHARS)
    .replace(/\b(access_token|awps_reconnection_token)=[^&\s"'<>]*/gi, '$1=…')
    .replace(/\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?/g, '<token>')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .trim();
  return line.length > MAX_CHARS ? `${line.slice(0, MAX_CHARS)}…` : line;
}

/** What an error says, fit for a message. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return redact(String(error));
  // Happy eyeballs reports an AggregateError without a text of its own: its code says what happened.
  const text = error.message || ('code' in error && typeof error.code === 'string' ? error.code : error.name);
  return redact(text);
}
