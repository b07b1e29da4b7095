/** Text into HTML. Pure. */
import { escapeControls } from '../../log/escape.js';

const SIGNS: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** What is already HTML. */
export class Html {
  constructor(readonly text: string) {}
}

export type Piece = string | number | Html | null | readonly Piece[];

/** What is put into it is escaped unless it is HTML itself; null is nothing. The indentation of the source is left out. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  const [first = '', ...rest] = strings.map((text) => text.replace(/\n\s*/g, '\n'));
  return new Html(rest.reduce((all, text, index) => `${all}${textOf(pieces[index] ?? null)}${text}`, first));
}

function textOf(piece: Piece): string {
  if (piece === null) return '';
  if (piece instanceof Html) return piece.text;
  if (typeof piece === 'object') return piece.map(textOf).join('');
  return escapeControls(String(piece)).replace(/[&<>"']/g, (sign) => SIGNS[sign] ?? sign);
}
