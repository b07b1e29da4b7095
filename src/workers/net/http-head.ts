/** The head of an answer in HTTP/1.x, for those who need no more of it than that. Pure. */

/** It is no longer than that, as in Node's own HTTP. */
export const MAX_HEAD_BYTES = 16 * 1024;

export interface HttpHead {
  /** Of HTTP/1.0 and HTTP/1.1. */
  readonly minor: number;
  readonly status: number;
  /** A line each, without its end. */
  readonly fields: readonly string[];
  /** Bytes of the head; what follows is something else. */
  readonly length: number;
}

/** The first head in what has come; `incomplete`: more may come; `no-http`: whatever comes, it is none. */
export function readHead(bytes: Buffer): HttpHead | 'incomplete' | 'no-http' {
  const text = bytes.toString('latin1', 0, MAX_HEAD_BYTES);
  if (!couldBeHttp(text)) return 'no-http';
  // A line may end with LF alone (RFC 9112, 2.2).
  const end = /\r?\n\r?\n/.exec(text);
  if (end === null) return bytes.length >= MAX_HEAD_BYTES ? 'no-http' : 'incomplete';
  const [first = '', ...fields] = text.slice(0, end.index).split(/\r?\n/);
  const [, minor, status] = /^HTTP\/1\.([01]) (\d{3})(?: |$)/.exec(first) ?? [];
  if (status === undefined) return 'no-http';
  return { minor: Number(minor), status: Number(status), fields, length: end.index + end[0].length };
}

/** 1xx: another head follows (RFC 9110, 15.2). Not so 101, for which nobody asked. */
export function isInterim({ status }: HttpHead): boolean {
  return status >= 100 && status < 200 && status !== 101;
}

/** The value of the first field of that name (in lower case), without blanks around it. */
export function fieldOf({ fields }: HttpHead, name: string): string | undefined {
  for (const field of fields) {
    if (field.charCodeAt(name.length) === COLON && field.slice(0, name.length).toLowerCase() === name)
      return field.slice(name.length + 1).trim();
  }
  return undefined;
}

const COLON = 0x3a;

function couldBeHttp(text: string): boolean {
  const start = 'HTTP/1.';
  return text.startsWith(start) || start.startsWith(text);
}
