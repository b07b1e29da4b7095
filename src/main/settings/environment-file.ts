/** The file that systemd hands to the service as its environment (`EnvironmentFile=`): reading it, and filling variables in. Pure. */

/** One assignment of the file. */
interface Assignment {
  readonly name: string;
  readonly value: string;
  /** From its first character up to the end of its last line, the line's own end left out. */
  readonly start: number;
  readonly end: number;
}

/** Its variables as systemd reads them (systemd.exec(5), EnvironmentFile=): the last assignment of a name counts. */
export function readEnvironmentFile(text: string): ReadonlyMap<string, string> {
  return new Map(assignmentsOf(text).map(({ name, value }) => [name, value]));
}

/**
 * Fills in the variables: in place where the file sets one to nothing, else at its end, under `heading`. What is set to something stays.
 * Comments and everything else stay as they are.
 */
export function fillIn(text: string, variables: ReadonlyMap<string, string>, heading: string): string {
  const before = assignmentsOf(text);
  const added: string[] = [];
  const inPlace: { start: number; end: number; line: string }[] = [];
  for (const [name, value] of variables) {
    const there = before.findLast((assignment) => assignment.name === name);
    if (there !== undefined && there.value !== '') continue;
    const line = `${name}=${quoted(value)}`;
    if (there === undefined) added.push(line);
    else inPlace.push({ start: there.start, end: there.end, line });
  }
  let filled = text;
  for (const { start, end, line } of inPlace.sort((a, b) => b.start - a.start)) {
    filled = `${filled.slice(0, start)}${line}${filled.slice(end)}`;
  }
  if (added.length === 0) return filled;
  const gap = filled === '' ? '' : filled.endsWith('\n') ? '\n' : '\n\n';
  return `${filled}${gap}# ${heading}\n${added.join('\n')}\n`;
}

/** A value as systemd reads it back, whatever it holds but NUL. */
function quoted(value: string): string {
  return /^[\w@%+=:,./-]*$/.test(value) ? value : `"${value.replace(/["\\`$]/g, '\\$&')}"`;
}

/** As systemd's own reader goes through it, `parse_env_file_internal` of its src/basic/env-file.c. */
function assignmentsOf(text: string): readonly Assignment[] {
  const assignments: Assignment[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? '';
    if (/\s/.test(char)) {
      at += 1;
      continue;
    }
    if (char === '#' || char === ';') {
      at = endOfComment(text, at);
      continue;
    }
    const start = at;
    const lineEnd = endOfLine(text, at);
    const equals = text.indexOf('=', at);
    // A line without an assignment is skipped, as systemd does it.
    if (equals === -1 || equals > lineEnd) {
      at = lineEnd;
      continue;
    }
    const name = text.slice(start, equals).trim();
    const { value, end } = valueAt(text, equals + 1);
    assignments.push({ name, value, start, end });
    at = end;
  }
  return assignments;
}

function endOfLine(text: string, at: number): number {
  const newline = text.indexOf('\n', at);
  return newline === -1 ? text.length : newline;
}

/** A backslash at its end makes a comment go on in the next line. */
function endOfComment(text: string, at: number): number {
  let end = endOfLine(text, at);
  while (text[end - 1] === '\\' && end < text.length) end = endOfLine(text, end + 1);
  return end;
}

function valueAt(text: string, from: number): { readonly value: string; readonly end: number } {
  let value = '';
  /** How much of the value blanks at its end must not be cut from. */
  let kept = 0;
  let quote = '';
  /** A quote opens one only before the first plain character. */
  let plain = false;
  let at = from;
  for (; at < text.length; at += 1) {
    const char = text[at] ?? '';
    const next = text[at + 1] ?? '';
    if (quote === '') {
      if (char === '\n') break;
      if (char === '\\') {
        // With a newline: the line goes on.
        if (next !== '\n') value += next;
        plain ||= next !== '\n';
        kept = value.length;
        at += 1;
      } else if (!plain && (char === '"' || char === "'")) quote = char;
      else if (/\s/.test(char)) {
        if (plain) value += char;
      } else {
        plain = true;
        value += char;
        kept = value.length;
      }
    } else if (char === quote) {
      quote = '';
      kept = value.length;
    } else if (quote === '"' && char === '\\') {
      if (/["\\`$]/.test(next)) value += next;
      else if (next !== '\n') value += `\\${next}`;
      at += 1;
    } else value += char;
  }
  return { value: quote === '' ? value.slice(0, kept) : value, end: Math.min(at, text.length) };
}
