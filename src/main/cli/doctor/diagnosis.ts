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

export function diagnose(findings: readonly Found[]): Diagnosis {
  const bad = findings.filter(({ outcome }) => outcome === 'fail' || outcome === 'warn');
  const outcome = bad.some((found) => found.outcome === 'fail') ? 'fail' : bad.length > 0 ? 'warn' : 'pass';
  const byCode = new Map<TroubleCode, Found>();
  for (const found of bad) {
    const { trouble } = found;
    // Of two with the same trouble the one that failed tells more.
    if (trouble !== undefined && (found.outcome === 'fail' || !byCode.has(trouble))) byCode.set(trouble, found);
  }
  const codes = [...byCode.keys()];
  const failed = relevantOf(firstCause(codes.filter((code) => byCode.get(code)?.outcome === 'fail')));
  const warned = firstInTable(codes.filter((code) => byCode.get(code)?.outcome === 'warn'));
  // A warning explains only what it names itself: weak Wi-Fi a router that is silent, and not all that follows from one.
  const explains = (code: TroubleCode, other: TroubleCode): boolean => TROUBLES[code].makesIrrelevant.includes(other);
  const causes = warned.filter((code) => NEAR_CODES.includes(code) && failed.some((other) => explains(code, other)));
  const explained = new Set(failed.flatMap((code) => [...consequencesOf(TROUBLES, code)]));
  const inOrder = [
    ...causes,
    ...failed.filter((code) => !causes.some((cause) => explains(cause, code))),
    ...warned.filter(
      (code) => !causes.includes(code) && !explained.has(code) && !warned.some((other) => explains(other, code)),
    ),
  ];
  const [first, ...beside] = inOrder.flatMap((code) => byCode.get(code) ?? []);
  return { outcome, first, beside, sentence: sentenceOf(first, outcome, findings) };
}

function relevantOf({ first, beside }: Causes): readonly TroubleCode[] {
  return first === undefined ? [] : [first, ...beside];
}

function firstInTable(codes: readonly TroubleCode[]): readonly TroubleCode[] {
  return (Object.keys(TROUBLES) as TroubleCode[]).filter((code) => codes.includes(code));
}

function sentenceOf(first: Found | undefined, outcome: Outcome, findings: readonly Found[]): string {
  if (first?.trouble === undefined) {
    const late = findings.filter((found) => found.late === true).map(({ title }) => title);
    if (late.length > 0)
      return `Nothing is wrong with what could be looked at; no answer in time from: ${late.join(', ')}. ${AGAIN}.`;
    const hidden = findings.filter((found) => found.outcome === 'skip' && found.remedy !== undefined).length;
    return hidden === 0 ? 'Nothing is wrong.' : `Nothing is wrong with what this user may look at; ${SEE_MORE}.`;
  }
  const { title } = TROUBLES[first.trouble];
  const words = first.words === title || first.words === '' ? '' : ` (${first.words})`;
  return outcome === 'fail' ? `First cause: ${title}${words}.` : `It works; worth a look: ${title}${words}.`;
}

const AGAIN = 'Run it again when this machine has less to do';
const SEE_MORE = 'what was skipped says how to see more';
