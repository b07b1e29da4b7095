/** What the demo prints: its own words set apart from the daemon's lines, wrapped to the terminal, colour only where there is some. */

/** Narrower, nothing is readable; wider, nothing is gained. */
const NARROWEST = 60;
const WIDEST = 120;
/** Where the width is not known: a pipe, a file. */
const USUAL = 100;
/** A daemon's line that is continued begins below its message: `14:02:11.123 WARNING  `. */
const MESSAGE_COLUMN = 22;

export interface PaperOptions {
  readonly write: (text: string) => void;
  /** Columns of the terminal; undefined where there is none. */
  readonly columns: number | undefined;
  readonly colour: boolean;
}

type Ink = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
const CODES: Readonly<Record<Ink, string>> = {
  bold: '1',
  dim: '2',
  red: '31',
  green: '32',
  yellow: '33',
  cyan: '36',
};
const LEVEL_INK: Readonly<Record<string, Ink>> = { WARNING: 'yellow', ERROR: 'red', CRITICAL: 'red', INFO: 'green' };

export interface Row {
  readonly what: string;
  readonly outcome: 'yes' | 'NO' | 'not reached';
  readonly detail?: string;
}

export class Paper {
  readonly #options: PaperOptions;
  readonly width: number;

  constructor(options: PaperOptions) {
    this.#options = options;
    this.width = Math.min(WIDEST, Math.max(NARROWEST, options.columns ?? USUAL));
  }

  /** A rule with a heading. */
  heading(text: string): void {
    this.#print('');
    this.#print(this.#ink('bold', `==== ${text} ${'='.repeat(Math.max(0, this.width - text.length - 6))}`));
  }

  /** The demo's own words. */
  say(text: string): void {
    for (const line of wrap(text, this.width - 2)) this.#print(this.#ink('bold', `| ${line}`));
  }

  /** Something happens around the daemon: what is broken or mended, what a browser or a component sends or gets. */
  event(who: string, text: string): void {
    const head = `  >> ${who}: `;
    const [first = '', ...rest] = wrap(text, this.width - head.length);
    this.#print(this.#ink('cyan', head + first));
    for (const line of rest) this.#print(this.#ink('cyan', ' '.repeat(head.length) + line));
  }

  /** A line of the daemon, as it came; only its line breaks and colours are ours. */
  daemon(line: string): void {
    const [, time = '', level = '', rest] = /^(\d\d:\d\d:\d\d\.\d{3}) ([A-Z]+) +(.*)$/.exec(line) ?? [];
    if (rest === undefined) {
      this.#print(line);
      return;
    }
    const head = `${this.#ink('dim', time)} ${this.#ink(LEVEL_INK[level] ?? 'dim', level.padEnd(8))} `;
    const [first = '', ...more] = wrap(rest, this.width - MESSAGE_COLUMN);
    this.#print(head + first);
    for (const part of more) this.#print(' '.repeat(MESSAGE_COLUMN) + part);
  }

  table(rows: readonly Row[]): void {
    const head = 11 + 3;
    for (const { what, outcome, detail } of rows) {
      const ink = outcome === 'yes' ? 'green' : outcome === 'NO' ? 'red' : 'yellow';
      const [first = '', ...rest] = wrap(what, this.width - head - 2);
      this.#print(`  ${this.#ink(ink, outcome.padEnd(11))} ${first}`);
      for (const line of rest) this.#print(' '.repeat(head) + line);
      for (const line of detail === undefined ? [] : wrap(detail, this.width - head - 2)) {
        this.#print(' '.repeat(head) + this.#ink('dim', line));
      }
    }
  }

  blank(): void {
    this.#print('');
  }

  #ink(ink: Ink, text: string): string {
    return this.#options.colour && text !== '' ? `\u001b[${CODES[ink]}m${text}\u001b[0m` : text;
  }

  #print(line: string): void {
    this.#options.write(`${line}\n`);
  }
}

/** Lines of at most `width` characters, broken at blanks; a word that is longer is broken anywhere. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (let word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line);
        line = '';
      }
      for (; word.length > width; word = word.slice(width)) lines.push(word.slice(0, width));
      line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
}
