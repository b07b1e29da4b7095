/**
 * Conf files in the dialect of Python's configparser, read with the `ini` package.
 *
 * The two differ where it hurts: configparser begins a comment after a value only at a blank followed by `#` or `;`, takes `:` for
 * `=`, refuses a key given twice and a line that is neither; `ini` cuts at any `#` and `;`, makes `a.b` a nested
 * section, turns `key` alone into true, and takes quoted text for JSON. So each line is put into a form in which both agree, and what
 * `ini` would let pass in silence is a problem with its line number.
 */
import { parse } from 'ini';

/** One `key = value` of the file. */
export interface ConfEntry {
  readonly section: string;
  /** As written. */
  readonly key: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

export interface ConfText {
  readonly entries: readonly ConfEntry[];
  /** Each names its line. Values are not repeated: a stray line may hold anything. */
  readonly problems: readonly string[];
}

/** Names a conf file may use; whatever else is written there cannot be one of ours and never reaches the parser. */
const PLAIN_NAME = /^[A-Za-z][\w -]{0,99}$/;

export function parseConf(text: string): ConfText {
  const problems: string[] = [];
  const found: { section: string; key: string; line: number; raw: string }[] = [];
  const canonical: string[] = [];
  const firstLines = new Map<string, number>();
  let section: string | undefined;
  /** What an indented line goes on with, as configparser has it: the value of the key above, if it is indented less. */
  let above: { readonly indent: number; readonly entry: { raw: string } | undefined } | undefined;

  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  for (const [index, whole] of lines.entries()) {
    const line = index + 1;
    const content = withoutComment(whole);
    if (content === '') continue;
    const indent = whole.length - whole.trimStart().length;
    if (above !== undefined && indent > above.indent) {
      if (above.entry !== undefined) above.entry.raw = `${above.entry.raw} ${content}`.trim();
      continue;
    }
    const header = /^\[([^\]]*)\]$/.exec(content)?.[1];
    if (header !== undefined) {
      section = header.trim();
      above = undefined;
      continue;
    }
    const match = /^([^=:]*)[=:](.*)$/s.exec(content);
    const key = match?.[1]?.trim() ?? '';
    if (match === null || key === '') {
      problems.push(`line ${line} is neither [section], key = value nor a comment`);
      continue;
    }
    if (section === undefined) {
      problems.push(`line ${line} stands before the first [section]`);
      continue;
    }
    const name = `${section}\n${key}`;
    const first = firstLines.get(name);
    if (first !== undefined) {
      above = { indent, entry: undefined };
      problems.push(
        `line ${line} gives ${shown(key)} of [${shown(section)}] again, after line ${first}: keep one of them`,
      );
      continue;
    }
    firstLines.set(name, line);
    const raw = unquoted((match[2] ?? '').trim());
    const entry = { section, key, line, raw };
    found.push(entry);
    above = { indent, entry };
  }
  for (const entry of found) {
    if (!PLAIN_NAME.test(entry.section) || !PLAIN_NAME.test(entry.key)) continue;
    canonical.push(`[${entry.section}]`, `${entry.key}=${JSON.stringify(entry.raw)}`);
  }

  const parsed = parse(canonical.join('\n')) as Record<string, Record<string, string | boolean | null> | undefined>;
  const entries = found.map(({ section, key, line, raw }) => {
    // ini gives the words true, false and null as values of JSON even when quoted.
    const value = parsed[section]?.[key];
    return { section, key, line, value: value === undefined ? raw : String(value) };
  });
  return { entries, problems };
}

/** What is before the comment, trimmed. A quoted value protects the signs in it. */
function withoutComment(line: string): string {
  const text = line.trim();
  if (/^[#;]/.test(text)) return '';
  const quoted = /^[^=:"']*[=:]\s*(?:"(?:[^"\\]|\\.)*"|'[^']*')(?=\s*$|\s+[#;])/.exec(text);
  if (quoted !== null) return quoted[0];
  const comment = /\s[#;]/.exec(text);
  return comment === null ? text : text.slice(0, comment.index).trimEnd();
}

/** The text between the quotes; in double quotes `\"` and `\\` stand for the sign itself. */
function unquoted(value: string): string {
  if (/^'[^']*'$/.test(value)) return value.slice(1, -1);
  if (/^"(?:[^"\\]|\\.)*"$/.test(value)) return value.slice(1, -1).replace(/\\(["\\])/g, '$1');
  return value;
}

function shown(name: string): string {
  return PLAIN_NAME.test(name) ? name : 'a name with odd characters';
}
