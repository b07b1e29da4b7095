import { escapeControls } from './escape.js';

/** Stands where something secret stood. Shorter than any registered secret, so that replacing never makes another one. */
export const HIDDEN = '***';

/** A registered secret is longer than this; anything shorter would blank out half of every line. */
const SHORTEST_SECRET = 4;

const SECRET_NAME =
  '(?:[\\w-]{0,40}[_-])?(?:password|passwd|passphrase|(?:client|shared)?[_-]?secret|(?:access|id|refresh|reconnection|bearer|auth)?[_-]?token|authorization|cookie|api[_-]?key)';

const SECRET_KEY = new RegExp(`^${SECRET_NAME}$`, 'i');

/** True of a field whose name says that its value is a secret: `password`, `client_secret`, `accessToken`, ... */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key);
}

/** Secrets known by their shape. Each pattern is linear in the text's length. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  // Parameters of URLs and forms, also percent-encoded once.
  [new RegExp(`(${SECRET_NAME}|[?&](?:code|sig))(=|%3[dD])[^\\s&"'<>\\\\;,]+`, 'gi'), `$1$2${HIDDEN}`],
  [/\b(Bearer|Basic)((?:\s|%20|\+)+)(?!tokens?\b|realm\b|auth)[\w.~+/=-]+/gi, `$1$2${HIDDEN}`],
  // A JSON web token, or a piece of one: base64url of `{"`.
  [/eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)*/g, HIDDEN],
  // JSON members and header lines, however often they were escaped on the way: "password":"...", \"token\":\"...\", token: '...'.
  [
    new RegExp(`(\\b${SECRET_NAME}\\\\{0,7}["']?\\s{0,3}:\\s{0,3})(\\\\{0,7}["'])(?:(?!(?<!\\\\)\\2)[^])*`, 'gi'),
    `$1$2${HIDDEN}`,
  ],
  [new RegExp(`("${SECRET_NAME}\\\\{0,7}"\\s{0,3}:\\s{0,3})[\\d.eE+-]+`, 'gi'), `$1"${HIDDEN}"`],
  [/(:\/\/)[^\s/?#@"'\\]{1,300}@/g, `$1${HIDDEN}@`],
];

/** Takes what must not be read out of a text. */
export interface Redactor {
  (text: string): string;
  /** Registers one more secret, such as a fresh token. Of 3 characters or fewer: ignored. */
  add(secret: string): void;
  /** Length of the longest form of a registered secret. */
  longest(): number;
}

/** How many secrets are remembered beside those given at the start; a URL with its token is renewed once a day. */
const FRESH_SECRETS = 50;

/** Knows the given secrets, as they are and as URLs, JSON and log lines write them, and the usual shapes of unknown ones. */
export function createRedactor(secrets: readonly string[] = []): Redactor {
  const kept = new Set(secrets.filter((secret) => secret.length >= SHORTEST_SECRET));
  const fresh = new Set<string>();
  const sorted = (): readonly string[] =>
    // Longest first: a form that holds another one must not be left in pieces.
    [...new Set([...kept, ...fresh].flatMap(formsOf))].sort((a, b) => b.length - a.length);
  let forms = sorted();
  const add = (secret: string): void => {
    if (secret.length < SHORTEST_SECRET || kept.has(secret) || fresh.has(secret)) return;
    fresh.add(secret);
    const [oldest] = fresh;
    if (fresh.size > FRESH_SECRETS && oldest !== undefined) fresh.delete(oldest);
    forms = sorted();
  };

  const redact = (text: string): string => {
    let clean = hideForms(text, forms);
    for (const [shape, instead] of SHAPES) clean = clean.replace(shape, instead);
    return hideForms(clean, forms);
  };
  return Object.assign(redact, { add, longest: () => forms[0]?.length ?? 0 });
}

/** Replaced until none is left: a replacement can bring two halves together. Ends, because each makes the text shorter. */
function hideForms(text: string, forms: readonly string[]): string {
  let clean = text;
  for (let before = ''; before !== clean;) {
    before = clean;
    for (const form of forms) clean = clean.replaceAll(form, HIDDEN);
  }
  return clean;
}

function formsOf(secret: string): readonly string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  // encodeURIComponent throws on half a surrogate pair; UTF-8 cannot carry one either.
  const wellFormed = Buffer.from(secret).toString();
  const url = encodeURIComponent(wellFormed);
  const escaped = escapeControls(secret);
  const quoted = escapeControls(secret.replace(/["\\]/g, '\\$&'));
  const twice = JSON.stringify(json).slice(1, -1);
  const form = new URLSearchParams([['', wellFormed]]).toString().slice(1);
  const lower = url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  return [secret, json, twice, url, lower, encodeURI(wellFormed), form, escaped, quoted].filter(
    (text) => text.length >= SHORTEST_SECRET,
  );
}

/** A short piece of untrusted text for a message: on one line, without the usual shapes of secrets, at most `max` characters. */
export function printable(text: string, max: number): string {
  let clean = text.slice(0, 4 * max);
  for (const [shape, instead] of SHAPES) clean = clean.replace(shape, instead);
  clean = escapeControls(clean);
  return clean.length > max || text.length > 4 * max ? `${clean.slice(0, max)}…` : clean;
}
