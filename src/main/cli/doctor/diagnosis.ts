/** What all findings together mean: the first cause, in one sentence. Pure. */
import { consequencesOf, firstCause, NEAR_CODES, TROUBLES, type Causes, type TroubleCode } from '../../troubles.js';
import type { Area, Finding, Outcome } from './check.js';

/** What a check has found. */
export interface Found extends Finding {
  readonly id: string;
  readonly area: Area;
  readonly title: string;
}

export interface Diagnosis {
  /** The worst of all outcomes; `skip` does not count. */
  readonly outcome: Exclude<Outcome, 'skip'>;
  /** The finding to begin with. */
  readonly first: Found | undefined;
  /** Others that have nothing to do with it, the failed ones first. */
  readonly beside: readonly Found[];
  readonly sentence: string;
}

/** A warning explains a failure only where it is about the line's near end: weak Wi-Fi, a weak supply. */
export function diagnose(findings: readonly Found[]): Diagnosis {
  const bad = findings.filter(({ outcome }) => outcome === 'fail' || outcome === 'warn');
  const outcome = bad.some((found) => found.outcome === 'fail') ? 'fail' : bad.length > 0 ? 'warn' : 'pass';
  const byCode = new Map<TroubleCode, Found>();
  for (const found of bad) {
    const { trouble } = found;
    // Of two with the same trouble the one that failed tells more.
    if (trouble !== undefined && (found.outcome === 'fail' || !byCode.has(trouble))) byCode.set(trouble, found);
  }
  const failed = (code: TroubleCode): boolean => byCode.get(code)?.outcome === 'fail';
  const codes = [...byCode.keys()];
  const strong = firstCause(codes.filter((code) => failed(code) || NEAR_CODES.includes(code)));
  /** Failed itself, or explains what has. */
  const isGrave = (code: TroubleCode): boolean =>
    failed(code) || strong.irrelevant.some((other) => other.because === code && failed(other.code));
  const relevant = relevantOf(strong);
  const explained = new Set(relevant.filter(isGrave).flatMap((code) => [...consequencesOf(TROUBLES, code)]));
  const weak = codes.filter((code) => !failed(code) && !NEAR_CODES.includes(code) && !explained.has(code));
  const inOrder = [
    ...relevant.filter(isGrave),
    ...relevant.filter((code) => !isGrave(code)),
    ...relevantOf(firstCause(weak)),
  ];
  const [first, ...beside] = inOrder.flatMap((code) => byCode.get(code) ?? []);
  return { outcome, first, beside, sentence: sentenceOf(first, outcome, findings) };
}

function relevantOf({ first, beside }: Causes): readonly TroubleCode[] {
  return first === undefined ? [] : [first, ...beside];
}

function sentenceOf(first: Found | undefined, outcome: Outcome, findings: readonly Found[]): string {
  if (first?.trouble === undefined) {
    const hidden = findings.filter((found) => found.outcome === 'skip' && found.remedy !== undefined).length;
    return hidden === 0 ? 'Nothing is wrong.' : `Nothing is wrong with what this user may look at; ${SEE_MORE}.`;
  }
  const { title } = TROUBLES[first.trouble];
  const words = first.words === title || first.words === '' ? '' : ` (${first.words})`;
  return outcome === 'fail' ? `First cause: ${title}${words}.` : `It works; worth a look: ${title}${words}.`;
}

const SEE_MORE = 'what was skipped says how to see more';
