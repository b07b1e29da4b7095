/** `dunebugger-remote status`: how the running daemon is, within 2 s, whatever state it is in. */
import type { Snapshot } from '../observe/snapshot.js';
import { statusLines } from '../observe/status-page.js';
import { detectFormat, standardOutput } from '../log/detect.js';
import { escapeControls } from '../log/escape.js';
import { askDaemon, type Asked } from './ask.js';
import { EXIT_NOT_ALLOWED, EXIT_NOT_RUNNING, socketsOf } from './running-service.js';
import { askSystemd, processStateOf, troubleText, whyNoAnswer } from './service-state.js';

const EXIT_CONNECTED = 0;
const EXIT_NOT_CONNECTED = 1;

/** Together they are under the 2 s within which there has to be something to read. */
const ANSWER_MS = 1_000;
const SYSTEMD_MS = 600;
const WATCH_EVERY_MS = 2_000;

export interface StatusOptions {
  readonly confFile?: string;
  readonly json: boolean;
  /** Again every 2 s, until the process is ended or nobody reads. */
  readonly watch: boolean;
}

/** Prints how it is and resolves with the exit code. */
export async function status(options: StatusOptions): Promise<number> {
  const paths = socketsOf(options.confFile);
  const { colour } = detectFormat(standardOutput(process.env));
  if (!options.watch) return show(paths, options.json, colour);
  const leave = new AbortController();
  process.stdout.once('error', () => leave.abort());
  let code = EXIT_NOT_RUNNING;
  while (!leave.signal.aborted) {
    // Clears the screen (ECMA-48: ED, CUP); what is not a terminal gets one after the other.
    if (process.stdout.isTTY) process.stdout.write('\u001b[2J\u001b[H');
    code = await show(paths, options.json, colour);
    if (!options.json && !process.stdout.isTTY) process.stdout.write('\n');
    await pause(WATCH_EVERY_MS, leave.signal);
  }
  return code;
}

async function show(paths: readonly string[], json: boolean, colour: boolean): Promise<number> {
  const asked = await askDaemon({ what: 'GET /snapshot', paths, timeoutMs: ANSWER_MS });
  const snapshot = asked.kind === 'answer' && asked.status === 200 ? parse(asked.body) : undefined;
  if (snapshot === undefined) return explain(asked, json);
  const text = json ? JSON.stringify(snapshot) : statusLines(snapshot, { colour }).join('\n');
  process.stdout.write(`${text}\n`);
  return snapshot.outcome === 'connected' ? EXIT_CONNECTED : EXIT_NOT_CONNECTED;
}

function parse(body: string): Snapshot | undefined {
  try {
    return JSON.parse(body) as Snapshot;
  } catch {
    return undefined;
  }
}

/** No answer is an answer, too. */
async function explain(asked: Asked, json: boolean): Promise<number> {
  const kind = asked.kind === 'answer' ? 'silent' : asked.kind;
  const unit = kind === 'refused' ? {} : await askSystemd(SYSTEMD_MS);
  const code = whyNoAnswer(kind, unit, await processStateOf(unit['MainPID']));
  const { title, meaning, remedy } = troubleText(code);
  const said = unit['StatusText'] ?? '';
  if (json) {
    process.stdout.write(`${JSON.stringify({ outcome: 'no-answer', trouble: { code, title, meaning, remedy } })}\n`);
  } else {
    const last = said === '' || code === 'service-stopped' ? [] : [`  It said last: ${escapeControls(said)}`];
    const lines = [`No answer: ${title}`, `  It means: ${meaning}.`, `  What to do: ${remedy}.`, ...last];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
  return code === 'service-not-allowed' ? EXIT_NOT_ALLOWED : EXIT_NOT_RUNNING;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
