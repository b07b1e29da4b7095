/** `dunebugger-remote doctor`: what is wrong, from this machine to the cloud, and what to mend first. */
import { systemClock } from '../base/clock.js';
import { detectFormat, standardOutput } from '../log/detect.js';
import { createRedactor } from '../log/redact.js';
import { secretsOf } from '../settings.js';
import { CHECKS } from './doctor/checks.js';
import { diagnose } from './doctor/diagnosis.js';
import { createFacts } from './doctor/facts.js';
import { reportLines, reportOf } from './doctor/report.js';
import { runChecks } from './doctor/runner.js';
import { realSystem } from './doctor/system.js';

const EXIT_FINE = 0;
const EXIT_FAILED = 1;

/** From the start of the process to the report, milliseconds: ten seconds with some room. */
const WITHIN_MS = 9_300;
/** What nobody waits for any more ends the process then at the latest, milliseconds. */
const LEAVE_MS = 300;

export interface DoctorOptions {
  readonly confFile?: string;
  readonly json: boolean;
  readonly deep: boolean;
  readonly version: string;
}

/** Prints the report and resolves with the exit code, within 10 s of the start of the process. */
export async function doctor({ confFile, json, deep, version }: DoctorOptions): Promise<number> {
  const life = new AbortController();
  const system = realSystem();
  const facts = createFacts({
    system,
    env: process.env,
    confFile,
    deep,
    endsAtMs: WITHIN_MS,
    signal: life.signal,
  });
  // Verified all the same, whoever has set it; the service says so itself.
  delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  const startedAt = performance.now();
  if (!json && process.stderr.isTTY) process.stderr.write('Looking; this takes up to 10 s …\n');
  const found = await runChecks(CHECKS, facts, WITHIN_MS);
  const redact = createRedactor(secretsOf((await facts.configuration()).settings));
  const findings = found.map((one) => ({
    ...one,
    words: redact(one.words),
    ...(one.lines === undefined ? {} : { lines: one.lines.map(redact) }),
  }));
  const diagnosis = diagnose(findings);
  const { colour } = detectFormat(standardOutput(process.env));
  const taken = { version, takenAtMs: systemClock.wallMs(), ms: Math.round(performance.now() - startedAt) };
  const text = json
    ? JSON.stringify(reportOf(findings, diagnosis, taken))
    : reportLines(findings, diagnosis, { colour }).join('\n');
  process.stdout.write(`${text}\n`);
  life.abort();
  const code = diagnosis.outcome === 'fail' ? EXIT_FAILED : EXIT_FINE;
  setTimeout(() => process.exit(code), LEAVE_MS).unref();
  return code;
}
