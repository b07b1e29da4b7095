/**
 * Looks at JSON as text: how deep it is nested, and where the members of the outermost object stand. Pure, without recursion, one pass. It does not
 * validate: what it says of text that `JSON.parse` refuses means nothing, and it never throws.
 */

/** The value of a member, as a part of the text without blanks around it. */
export interface Member {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

export interface JsonScan {
  /** Objects and arrays inside each other; a plain value has 0. The scan ends where it is more than was asked for. */
  readonly depth: number;
  /** In the order of the text; a name may come more than once, and readers take the last. */
  readonly members: readonly Member[];
}

const [QUOTE, COMMA, COLON] = [0x22, 0x2c, 0x3a];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const BACKSLASH = 0x5c;

/** @param names the members that are wanted */
export function scanJson(text: string, names: readonly string[], maxDepth: number): JsonScan {
  const members: Member[] = [];
  let depth = 0;
  let level = 0;
  let string = { start: 0, end: 0 };
  /** Of the member that is being read. */
  let name: string | undefined;
  let start = 0;
  const ends = (at: number): void => {
    if (level === 1 && name !== undefined && names.includes(name)) members.push(trimmed(text, name, start, at));
    if (level === 1) name = undefined;
  };
  for (let at = 0; at < text.length && depth <= maxDepth; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        string = { start: at + 1, end: endOfString(text, at + 1) };
        at = string.end;
        break;
      case COLON:
        if (level !== 1) break;
        name = unescaped(text.slice(string.start, string.end));
        start = at + 1;
        break;
      case COMMA:
        ends(at);
        break;
      case OPEN_OBJECT:
      case OPEN_LIST:
        level += 1;
        depth = Math.max(depth, level);
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        ends(at);
        level -= 1;
        break;
    }
  }
  return { depth, members };
}

/** Where the closing quote of a string stands; the end of the text if there is none. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (at - backslashes > from && text.charCodeAt(at - backslashes - 1) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}

function trimmed(text: string, name: string, from: number, to: number): Member {
  let [start, end] = [from, to];
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return { name, start, end };
}

/** RFC 8259, 2. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;
}

function unescaped(name: string): string {
  if (!name.includes('\\')) return name;
  try {
    return String(JSON.parse(`"${name}"`));
  } catch {
    return name;
  }
}
