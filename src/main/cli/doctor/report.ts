/** The findings for a terminal and for programs. Pure. Whatever came from elsewhere is without control characters. */
import { escapeControls } from '../../log/escape.js';
import type { Area, Outcome } from './check.js';
import type { Diagnosis, Found } from './diagnosis.js';

const HEADINGS: Readonly<Record<Area, string>> = {
  machine: 'This machine',
  service: 'The service',
  network: 'The network',
  cloud: 'The cloud',
  components: 'The components',
};
const MARKS: Readonly<Record<Outcome, string>> = { pass: 'PASS', warn: 'WARN', fail: 'FAIL', skip: 'SKIP' };
/** SGR of ECMA-48: green, yellow, red, faint. */
const COLOURS: Readonly<Record<Outcome, string>> = { pass: '32', warn: '33', fail: '1;31', skip: '2' };
const TITLE_WIDTH = 16;
const INDENT = ' '.repeat(8);

export function reportLines(
  findings: readonly Found[],
  diagnosis: Diagnosis,
  { colour }: { readonly colour: boolean },
): readonly string[] {
  const paint = (code: string, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const lines: string[] = [];
  let area: Area | undefined;
  for (const found of findings) {
    if (found.area !== area) lines.push(...(area === undefined ? [] : ['']), HEADINGS[found.area]);
    area = found.area;
    lines.push(...findingLines(found, paint));
  }
  const { first, beside, sentence } = diagnosis;
  return [
    ...lines,
    '',
    ...beside.map((found) => `Besides: ${found.title}: ${escapeControls(found.words)}.`),
    ...(first?.remedy === undefined ? [] : [`What to do first: ${escapeControls(first.remedy)}.`]),
    paint('1', escapeControls(sentence)),
  ];
}

function findingLines(found: Found, paint: (code: string, text: string) => string): string[] {
  const { outcome, title, words, remedy, lines = [] } = found;
  const mark = paint(COLOURS[outcome], MARKS[outcome]);
  return [
    `  ${mark}  ${title.padEnd(TITLE_WIDTH)} ${escapeControls(words)}`.trimEnd(),
    ...lines.map((line) => `${INDENT}${escapeControls(line)}`),
    ...(remedy === undefined ? [] : [`${INDENT}What to do: ${escapeControls(remedy)}.`]),
  ];
}

/** Raised when a member changes its meaning or goes; one that is added does not raise it. */
export const DOCTOR_VERSION = 1;

/** As JSON it is stable: `conf/doctor.schema.json` describes it. What can be absent is null there. */
export interface DoctorReport {
  readonly doctorVersion: typeof DOCTOR_VERSION;
  /** Of the package. */
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly takenAtMs: number;
  readonly ms: number;
  readonly outcome: Diagnosis['outcome'];
  readonly sentence: string;
  /** Ids of checks. */
  readonly first: string | null;
  readonly beside: readonly string[];
  readonly checks: readonly {
    readonly id: string;
    readonly area: Area;
    readonly title: string;
    readonly outcome: Outcome;
    readonly words: string;
    /** A code of the table of troubles. */
    readonly trouble: string | null;
    readonly remedy: string | null;
    readonly lines: readonly string[];
  }[];
}

export function reportOf(
  findings: readonly Found[],
  { outcome, sentence, first, beside }: Diagnosis,
  taken: Pick<DoctorReport, 'version' | 'takenAtMs' | 'ms'>,
): DoctorReport {
  return {
    doctorVersion: DOCTOR_VERSION,
    ...taken,
    outcome,
    sentence,
    first: first?.id ?? null,
    beside: beside.map(({ id }) => id),
    checks: findings.map(({ id, area, title, outcome: found, words, trouble, remedy, lines }) => ({
      id,
      area,
      title,
      outcome: found,
      words,
      trouble: trouble ?? null,
      remedy: remedy ?? null,
      lines: lines ?? [],
    })),
  };
}
