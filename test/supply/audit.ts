/** What `npm audit --json` answered. Pure. */

export type AuditVerdict =
  | { readonly kind: 'clean' }
  /** A line for each package. */
  | { readonly kind: 'vulnerable'; readonly found: readonly string[] }
  /** The registry was not there, or has no advisories: that says nothing about us. */
  | { readonly kind: 'unanswered'; readonly why: string };

interface Report {
  readonly message?: string;
  readonly error?: { readonly code?: string; readonly summary?: string };
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity?: string; readonly range?: string }>>;
}

/** Every vulnerability counts, whatever its severity: what the tests run is run by us as well. */
export function judgeAudit(stdout: string): AuditVerdict {
  let report: Report | null;
  try {
    report = JSON.parse(stdout) as Report | null;
  } catch {
    return { kind: 'unanswered', why: 'npm said nothing that is JSON' };
  }
  const vulnerabilities = report?.vulnerabilities;
  if (vulnerabilities === undefined) {
    const said = [report?.error?.summary, report?.message, report?.error?.code].find((text) => text);
    return { kind: 'unanswered', why: said ?? 'the registry has no advisories' };
  }
  const found = Object.entries(vulnerabilities).map(
    ([name, { severity = 'unknown', range = '' }]) => `${name} ${range}: ${severity}`,
  );
  return found.length === 0 ? { kind: 'clean' } : { kind: 'vulnerable', found };
}
