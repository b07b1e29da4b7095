import type { Plain } from './describe.js';
import { escapeControls, quoteValue } from './escape.js';

/** One event, its texts already redacted. */
export interface LogEvent {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  readonly timeMs: number;
  readonly message: string;
  readonly fields: Readonly<Record<string, Plain>>;
}

/** Makes one line, without its line end. */
export type Formatter = (event: LogEvent, redact: (text: string) => string) => string;

/** Longest line of text, in bytes; journald itself would break lines at 48 KiB (LineMax=). */
export const LONGEST_LINE_BYTES = 4_096;
/** Longest line of JSON, in bytes. */
const LONGEST_JSON_BYTES = 16_384;
const CUT = ' …[cut]';

/** sd-daemon(3): the priority that journald takes from the start of a line. */
const PRIORITY = { debug: 7, info: 6, warn: 4, error: 3, fatal: 2 } as const;

/** `<6>message key=value`: no time, process or level, the journal has them. */
export const formatJournal: Formatter = (event, redact) => {
  const body = redact([messageOf(event), ...pairsOf(event.fields)].join(' '));
  return cut(`<${PRIORITY[event.level]}>${body}`);
};

const WORDS = { debug: 'DEBUG', info: 'INFO', warn: 'WARNING', error: 'ERROR', fatal: 'CRITICAL' } as const;
const COLOURS = { debug: '2', info: '32', warn: '33', error: '31', fatal: '1;31' } as const;

/** Local time, level, message, then the fields: for eyes. */
export function formatTerminal(colour: boolean): Formatter {
  const paint = (code: string, text: string): string =>
    colour && text !== '' ? `\u001b[${code}m${text}\u001b[0m` : text;
  return (event, redact) => {
    const message = redact(messageOf(event));
    const pairs = redact(pairsOf(event.fields).join(' '));
    const word = paint(COLOURS[event.level], WORDS[event.level].padEnd(8));
    const fit = cut(`${message}\n${pairs}`);
    const [first = '', second = ''] = fit.split('\n');
    const tail = second === '' ? '' : ` ${paint('2', second)}`;
    return `${paint('2', localTime(event.timeMs))} ${word} ${first}${tail}`;
  };
}

/** One JSON object a line: level as a word, time in ISO 8601, msg, and the fields. */
export const formatJson: Formatter = (event, redact) => {
  const head = { level: event.level, time: new Date(event.timeMs).toISOString() };
  const whole = JSON.stringify({ ...head, ...event.fields, msg: event.message });
  const json =
    Buffer.byteLength(whole) <= LONGEST_JSON_BYTES
      ? whole
      : JSON.stringify({ ...head, cut: true, msg: `${event.message.slice(0, 2_000)}${CUT}` });
  const clean = redact(json).replace(/[\u2028\u2029\u0080-\u009f\u007f]/g, escapeControls);
  return isJson(clean)
    ? clean
    : JSON.stringify({ ...head, msg: 'A line is withheld: it held a secret across its fields' });
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function messageOf(event: LogEvent): string {
  const text = escapeControls(event.message).trim();
  return text === '' ? '(no message)' : text;
}

/** `key=value` for each field; what is nested gets a dotted key, stacks come last as they are long. */
function pairsOf(fields: LogEvent['fields']): readonly string[] {
  const pairs: string[] = [];
  const stacks: string[] = [];
  const add = (key: string, value: Plain): void => {
    if (isList(value)) {
      pairs.push(pair(key, value.map((item) => (isScalar(item) ? String(item) : textOf(item))).join(',')));
    } else if (isScalar(value)) {
      pairs.push(pair(key, String(value)));
    } else if (isError(value)) {
      pairs.push(pair(key, errorText(value)));
      if (typeof value['stack'] === 'string' && value['stack'] !== '')
        stacks.push(pair(`${key}.stack`, value['stack']));
    } else {
      for (const [name, inner] of Object.entries(value)) add(`${key}.${name}`, inner);
    }
  };
  for (const [key, value] of Object.entries(fields)) add(key, value);
  return [...pairs, ...stacks];
}

type PlainObject = Readonly<Record<string, Plain>>;

/** The error's message and code, then its causes' likewise. */
function errorText(error: PlainObject): string {
  const message = textOf(error['message'] ?? '');
  const code = error['code'];
  const known = code === undefined || code === null || message.includes(textOf(code));
  const own = `${message === '' ? textOf(error['type'] ?? 'Error') : message}${known ? '' : ` (${textOf(code)})`}`;
  const { cause, errors } = error;
  const causes = [...(cause === undefined ? [] : [cause]), ...(errors !== undefined && isList(errors) ? errors : [])];
  return [own, ...causes.map((inner) => textOf(inner))].join(' <- ');
}

function textOf(value: Plain): string {
  if (isScalar(value)) return String(value);
  return !isList(value) && isError(value) ? errorText(value) : JSON.stringify(value);
}

function isScalar(value: Plain): value is string | number | boolean | null {
  return typeof value !== 'object' || value === null;
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}

function isError(value: PlainObject): boolean {
  return typeof value['type'] === 'string' && typeof value['message'] === 'string';
}

function pair(key: string, text: string): string {
  return `${key.replace(/[^\w.-]/g, '_')}=${quoteValue(text)}`;
}

function localTime(timeMs: number): string {
  const time = new Date(timeMs);
  const two = (n: number): string => String(n).padStart(2, '0');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  return `${clock}.${String(time.getMilliseconds()).padStart(3, '0')}`;
}

/** At most the allowed bytes, never half a character; says that something is missing. */
function cut(text: string): string {
  if (text.length * 3 <= LONGEST_LINE_BYTES || Buffer.byteLength(text) <= LONGEST_LINE_BYTES) return text;
  const bytes = Buffer.from(text);
  let end = LONGEST_LINE_BYTES - Buffer.byteLength(CUT);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end) + CUT;
}
