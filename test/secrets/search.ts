/** Searches text for secrets: for those that were issued, in every form a log could give them, and for the shapes of any. */

/** A secret in a line. */
export interface Leak {
  readonly lineNumber: number;
  /** What it is, in words. */
  readonly what: string;
  /** The line around it. */
  readonly excerpt: string;
}

/** What a secret looks like wherever it comes from. `***` stands where the log took one out. */
const SHAPES: readonly (readonly [what: string, shape: RegExp])[] = [
  ['the token of a URL', /(?:access|reconnection|id|refresh)_token(?:=|%3[dD])(?!\*\*\*)[^\s"'&]/],
  ['a JSON web token', /eyJ[A-Za-z0-9_-]{5,}/],
  ['a bearer token', /\bBearer\s+(?!\*\*\*|tokens?\b|realm\b)[\w.~+/=-]{4,}/i],
  ['the login of a URL', /:\/\/(?!\*\*\*)[^\s/?#@"'\\:]{0,300}:[^\s/?#@"'\\]{1,300}@/],
  [
    'a secret field',
    /"(?:password|client_secret|access_token|reconnectionToken|authorization)\\*":\s*\\*"(?!\*\*\*)[^"\\]/,
  ],
];

/** Every secret is looked up by its first characters, so that the time does not grow with the number of secrets. */
const PREFIX = 6;
const AROUND = 80;

/** Makes the search for these secrets. Those shorter than 6 characters cannot be searched for. */
export function secretSearch(secrets: Iterable<string>): (text: string) => readonly Leak[] {
  const byPrefix = new Map<string, Set<string>>();
  for (const secret of new Set(secrets)) {
    for (const form of formsOf(secret)) {
      if (form.length < PREFIX) continue;
      const prefix = form.slice(0, PREFIX);
      const same = byPrefix.get(prefix);
      if (same === undefined) byPrefix.set(prefix, new Set([form]));
      else same.add(form);
    }
  }
  const issuedIn = (line: string): number | undefined => {
    for (let at = 0; at + PREFIX <= line.length; at += 1) {
      const forms = byPrefix.get(line.slice(at, at + PREFIX));
      if (forms !== undefined) for (const form of forms) if (line.startsWith(form, at)) return at;
    }
    return undefined;
  };

  return (text) =>
    text.split('\n').flatMap((line, index) => {
      const excerpt = (at: number): string => line.slice(Math.max(0, at - AROUND), at + AROUND);
      const found = SHAPES.flatMap(([what, shape]) => {
        const at = shape.exec(line)?.index;
        return at === undefined ? [] : [{ lineNumber: index + 1, what, excerpt: excerpt(at) }];
      });
      const at = issuedIn(line);
      return at === undefined
        ? found
        : [...found, { lineNumber: index + 1, what: 'a secret that was issued', excerpt: excerpt(at) }];
    });
}

function formsOf(secret: string): ReadonlySet<string> {
  const bytes = Buffer.from(secret);
  return new Set([
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(bytes.toString()),
    new URLSearchParams([['', bytes.toString()]]).toString().slice(1),
    bytes.toString('base64'),
    bytes.toString('base64url'),
  ]);
}
