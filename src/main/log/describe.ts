/** What a field may be once it is fit for a log: plain data, bounded, without anything secret. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

export interface DescribeOptions {
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string;
  /** Length of the longest registered secret: a piece of one may stand at the end of a text that was cut. */
  readonly longestSecret: number;
  readonly isSecretKey: (key: string) => boolean;
  /** True adds the stacks of errors. */
  readonly stacks: boolean;
}

/** Bounds of one event, so that no message from the network makes a log line expensive. */
const MOST_CHARACTERS = 8_192;
const MOST_KEYS = 40;
const MOST_ITEMS = 20;
const MOST_VALUES = 300;
const DEEPEST = 5;

/** Names that a line has already: a field of the same name is given a `_`. */
const TAKEN = new Set(['level', 'time', 'msg']);

/** The fields of an event as plain data. Never throws, whatever getters and proxies do. */
export function describeFields(fields: object, options: DescribeOptions): Readonly<Record<string, Plain>> {
  const describer = new Describer(options);
  const described = isError(fields) ? { err: describer.value(fields, 0) } : describer.object(fields, 0);
  return Object.fromEntries(Object.entries(described).map(([key, value]) => [TAKEN.has(key) ? `${key}_` : key, value]));
}

/** One text, as {@link describeFields} treats those of the fields. */
export function describeText(text: string, options: DescribeOptions): string {
  return new Describer(options).text(text);
}

class Describer {
  readonly #options: DescribeOptions;
  #values = 0;

  constructor(options: DescribeOptions) {
    this.#options = options;
  }

  text(text: string): string {
    if (text.length <= MOST_CHARACTERS) return this.#options.redact(text);
    const clean = this.#options.redact(text.slice(0, MOST_CHARACTERS));
    return `${clean.slice(0, Math.max(0, clean.length - this.#options.longestSecret))}…`;
  }

  object(object: object, depth: number): Record<string, Plain> {
    const described: Record<string, Plain> = {};
    let keys: readonly string[];
    try {
      keys = Object.keys(object);
    } catch {
      return described;
    }
    for (const key of keys.slice(0, MOST_KEYS)) {
      if (this.#values >= MOST_VALUES) break;
      const name = this.text(key).slice(0, 100);
      const value = read(object, key);
      if (value === undefined) continue;
      const hidden = this.#options.isSecretKey(key) && value !== null && typeof value !== 'boolean';
      described[name === '__proto__' ? 'proto' : name] = hidden ? '***' : this.value(value, depth + 1);
    }
    if (keys.length > MOST_KEYS) described['more'] = keys.length - MOST_KEYS;
    return described;
  }

  value(value: unknown, depth: number): Plain {
    this.#values += 1;
    if (this.#values > MOST_VALUES) return '…';
    switch (typeof value) {
      case 'string':
        return this.text(value);
      case 'number':
        return Number.isFinite(value) ? value : String(value);
      case 'boolean':
        return value;
      case 'bigint':
        return this.text(String(value));
      case 'undefined':
        return null;
      case 'symbol':
      case 'function':
        return `(${typeof value})`;
      case 'object':
        return value === null ? null : this.#thing(value, depth);
    }
  }

  #thing(thing: object, depth: number): Plain {
    try {
      if (isError(thing)) return this.#error(thing, depth);
      if (depth >= DEEPEST) return '…';
      if (Array.isArray(thing)) {
        const items = thing.slice(0, MOST_ITEMS).map((item) => this.value(item, depth + 1));
        return thing.length > MOST_ITEMS ? [...items, `… ${thing.length - MOST_ITEMS} more`] : items;
      }
      if (ArrayBuffer.isView(thing) || thing instanceof ArrayBuffer) return `(${thing.byteLength} bytes)`;
      if (thing instanceof Date) return Number.isNaN(thing.getTime()) ? 'Invalid Date' : thing.toISOString();
      if (thing instanceof URL) return this.text(thing.href);
      if (thing instanceof Map || thing instanceof Set) return `(${thing.size} entries)`;
      return this.object(thing, depth);
    } catch {
      return '(unreadable)';
    }
  }

  /** An error with its causes. Beyond message, code and cause its properties stay out: they hold sockets, requests, headers. */
  #error(error: Error, depth: number): Plain {
    const code = read(error, 'code');
    const cause = read(error, 'cause');
    const errors = read(error, 'errors');
    const deeper = depth + 1 < DEEPEST;
    return {
      type: this.text(stringOf(read(error, 'name'), 'Error')),
      message: this.text(stringOf(read(error, 'message'), '')),
      ...(typeof code === 'string' || typeof code === 'number' ? { code: this.value(code, depth + 1) } : {}),
      ...(cause !== undefined && deeper ? { cause: this.value(cause, depth + 1) } : {}),
      ...(Array.isArray(errors) && deeper ? { errors: this.value(errors, depth + 1) } : {}),
      ...(this.#options.stacks ? { stack: this.text(stringOf(read(error, 'stack'), '')) } : {}),
    };
  }
}

/** `instanceof`, which a proxy can make throw. */
function isError(thing: object): thing is Error {
  try {
    return thing instanceof Error;
  } catch {
    return false;
  }
}

function read(object: object, key: string): unknown {
  try {
    return (object as Readonly<Record<string, unknown>>)[key];
  } catch {
    return '(unreadable)';
  }
}

function stringOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}
