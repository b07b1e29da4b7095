/** `dunebugger-remote metrics`: the metrics of the running service, to print or for node_exporter's textfile collector. */
import { chmod, rename, rm, writeFile } from 'node:fs/promises';
import { describeError } from '../base/guard.js';
import { METRICS_TYPES, nobodyAnswers } from '../observe/metrics.js';
import { askDaemon } from './ask.js';
import { EXIT_NOT_RUNNING, socketsOf, tellNotAllowed } from './running-service.js';

/** sysexits.h: EX_CANTCREAT. */
const EXIT_CANNOT_WRITE = 73;
const ANSWER_MS = 5_000;
/** The collector runs as another user. */
const MODE = 0o644;

export interface MetricsOptions {
  readonly confFile?: string;
  /** Default: standard output. */
  readonly textfile?: string;
}

/** Resolves with the exit code. */
export async function metrics({ confFile, textfile }: MetricsOptions): Promise<number> {
  const asked = await askDaemon({
    what: 'GET /metrics',
    accept: METRICS_TYPES[textfile === undefined ? 'openmetrics' : 'text'],
    paths: socketsOf(confFile),
    timeoutMs: ANSWER_MS,
  });
  const answered = asked.kind === 'answer' && asked.status === 200 ? asked.body : undefined;
  // Whoever may not ask knows nothing, and must not say that the service is down.
  if (asked.kind === 'refused') return tellNotAllowed();
  if (textfile !== undefined) {
    try {
      await replace(textfile, answered ?? nobodyAnswers());
    } catch (error) {
      process.stderr.write(`dunebugger-remote: ${textfile} cannot be written: ${describeError(error)}\n`);
      return EXIT_CANNOT_WRITE;
    }
  } else if (answered !== undefined) process.stdout.write(answered);
  if (answered !== undefined) return 0;
  process.stderr.write('dunebugger-remote: no service answers; `dunebugger-remote status` says why\n');
  return EXIT_NOT_RUNNING;
}

/** Whoever reads `file` finds the old text or the new one. */
async function replace(file: string, text: string): Promise<void> {
  // The collector reads what ends in .prom.
  const fresh = `${file}.${process.pid}`;
  try {
    await writeFile(fresh, text, { flag: 'wx' });
    await chmod(fresh, MODE);
    await rename(fresh, file);
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => undefined);
    throw error;
  }
}
