/**
 * Everything that could break a line, move a cursor or turn the reading direction: control characters (C0, DEL, C1, so ANSI escapes),
 * line and paragraph separators, format characters (bidi controls, zero-width signs, tags) and halves of surrogate pairs.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The text with each such character written out, as `\n` or `\u001b`. */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, (sign) => {
    if (sign === '\n') return '\\n';
    if (sign === '\r') return '\\r';
    if (sign === '\t') return '\\t';
    const point = sign.codePointAt(0) ?? 0;
    return point > 0xffff ? `\\u{${point.toString(16)}}` : `\\u${point.toString(16).padStart(4, '0')}`;
  });
}

/** A value after `key=`: as it is if plain, otherwise in double quotes with `"` and `\` escaped. */
export function quoteValue(text: string): string {
  if (/^[\p{L}\p{N}_.,:/@%+*?&#()<>|~!$^-]+$/u.test(text)) return text;
  return `"${escapeControls(text.replace(/["\\]/g, '\\$&'))}"`;
}
