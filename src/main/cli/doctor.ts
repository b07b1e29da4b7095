/** `dunebugger-remote doctor`: what is wrong, from this machine to the cloud, and what to mend first. */
import { setMaxListeners } from 'node:events';
import { systemClock } from '../base/clock.js';
import { detectFormat, standardOutput } from '../log/detect.js';
import { createRedactor } from '../log/redact.js';
import { secretsOf } from '../settings.js';
import { CHECKS } from './doctor/checks.js';
import { diagnose, type Found } from './doctor/diagnosis.js';
import { createFacts, type Facts } from './doctor/facts.js';
import { reportLines, reportOf } from './doctor/report.js';
import { runChecks } from './doctor/runner.js';
import { realSystem } from './doctor/system.js';

const EXIT_FINE = 0;
const EXIT_FAILED = 1;
/** sysexits.h: EX_CANTCREAT. */
const EXIT_NOT_WRITTEN = 73;

/** From the start of the process to the report, milliseconds: ten seconds with some room. */
const WITHIN_MS = 9_300;
/** What nobody waits for any more ends the process then at the latest, milliseconds. */
const LEAVE_MS = 300;

export interface DoctorOptions {
  readonly confFile?: string;
  readonly json: boolean;
  readonly deep: boolean;
  readonly version: string;
  /** A file to write what helps with a bug report into. */
  readonly bundle?: string;
}

/** Prints the report within 10 s of the start of the process, and resolves with the exit code. */
export async function doctor({ confFile, json, deep, version, bundle }: DoctorOptions): Promise<number> {
  const life = new AbortController();
  // Some twenty connections at once end with it.
  setMaxListeners(0, life.signal);
  // Certificates are verified all the same, whoever has set it; the service says so itself.
  delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  const facts = createFacts({
    system: realSystem(),
    env: process.env,
    confFile,
    deep,
    endsAtMs: WITHIN_MS,
    signal: life.signal,
  });
  const startedAt = performance.now();
  if (!json && process.stderr.isTTY) process.stderr.write('Looking; this takes up to 10 s …\n');
  const found = await runChecks(CHECKS, facts, WITHIN_MS);
  const redact = createRedactor(await secretsIn(facts));
  const findings = found.map((one) => redacted(one, redact));
  const diagnosis = diagnose(findings);
  const { colour } = detectFormat(standardOutput(process.env));
  const taken = { version, takenAtMs: systemClock.wallMs(), ms: Math.round(performance.now() - startedAt) };
  const asJson = JSON.stringify(reportOf(findings, diagnosis, taken));
  process.stdout.write(json ? `${asJson}\n` : `${reportLines(findings, diagnosis, { colour }).join('\n')}\n`);
  let code = diagnosis.outcome === 'fail' ? EXIT_FAILED : EXIT_FINE;
  if (bundle !== undefined) {
    const { writeBundle } = await import('./doctor/bundle.js');
    const report = { text: reportLines(findings, diagnosis, { colour: false }).join('\n'), json: asJson };
    try {
      await writeBundle(bundle, { facts, report, version, redact });
      process.stderr.write(`Written: ${bundle}, without secrets. Look through it before you hand it on.\n`);
    } catch (error) {
      process.stderr.write(`dunebugger-remote: ${whyNotWritten(bundle, error)}\n`);
      code = EXIT_NOT_WRITTEN;
    }
  }
  life.abort();
  setTimeout(() => process.exit(code), LEAVE_MS).unref();
  return code;
}

async function secretsIn({ configuration }: Facts): Promise<readonly string[]> {
  const { settings } = await configuration();
  // It may hold a key in its path, and nobody needs to read it.
  return [...secretsOf(settings), settings.negotiateUrl];
}

/** Messages of others hold what others put into them. */
function redacted(found: Found, redact: (text: string) => string): Found {
  return {
    ...found,
    words: redact(found.words),
    ...(found.lines === undefined ? {} : { lines: found.lines.map(redact) }),
  };
}

function whyNotWritten(file: string, error: unknown): string {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  if (code === 'EEXIST') return `${file} is there already, and is left alone: name another file`;
  return `${file} cannot be written (${code}): name a file in a folder where you may write`;
}
