/** Pages in the language of man(7). Pure. */

/** A page: `title` in capitals by convention, `date` as 2026-11-25. */
export interface Page {
  readonly title: string;
  readonly section: 1 | 5;
  readonly date: string;
  /** Such as `dunebugger-remote 1.0.0`, at the foot. */
  readonly source: string;
  /** Macros and text lines, by the functions below. */
  readonly body: readonly string[];
}

/** Paths and names of settings are long: lines are neither filled up with blanks nor hyphenated. */
const UNADJUSTED = ['.ad l', '.nh'];

export function pageText({ title, section, date, source, body }: Page): string {
  return `${[`.TH ${title} ${section} ${date} "${escaped(source)}"`, ...UNADJUSTED, ...body].join('\n')}\n`;
}

export function heading(name: string): string {
  return `.SH ${quoted(name)}`;
}

export function subheading(name: string): string {
  return `.SS ${quoted(name)}`;
}

/** A term in bold with what it means; `italic` follows it, such as the name of an option's value. */
export function entry(term: string, italic: string, meaning: readonly string[]): readonly string[] {
  const name = italic === '' ? `.B ${escaped(term)}` : `.BI ${quoted(`${term} `)} ${quoted(italic)}`;
  return ['.TP', name, ...meaning];
}

/** Running text, a sentence a line as roff wants it, in lines of at most 78 characters. */
export function text(words: string): readonly string[] {
  return sentencesOf(words).flatMap((sentence) => wrapped(sentence).map(protectedLine));
}

/** Text as it stands, line by line. */
export function literal(lines: readonly string[]): readonly string[] {
  return ['.PP', '.nf', '.RS 4', ...lines.map((line) => protectedLine(line)), '.RE', '.fi'];
}

/** Full stop, blank, capital letter: what begins there is a new sentence. */
function sentencesOf(words: string): readonly string[] {
  return words.split(/(?<=[.?!])\s+(?=[A-Z[$])/);
}

const WIDTH = 78;

function wrapped(sentence: string): readonly string[] {
  const lines: string[] = [];
  for (const word of sentence.split(' ')) {
    const line = lines.at(-1);
    if (line === undefined || escaped(`${line} ${word}`).length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

/** No line of text may look like a macro. */
function protectedLine(line: string): string {
  const clean = escaped(line);
  return /^[.']/.test(clean) ? `\\&${clean}` : clean;
}

/** Signs that mean something to roff, or that it would print in another shape. */
function escaped(words: string): string {
  return words
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('"', '\\(dq')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti');
}

function quoted(words: string): string {
  return `"${escaped(words)}"`;
}
