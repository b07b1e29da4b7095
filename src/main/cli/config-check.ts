/** `dunebugger-remote config check`: is the configuration right, and what would a running service take over of it? */
import { addressesToTry } from '../observe/control-address.js';
import type { RunningSettings } from '../observe/running-settings.js';
import { createRedactor } from '../log/redact.js';
import { secretsOf } from '../settings.js';
import { askDaemon } from './ask.js';
import { changesOf, type Changes } from './config/running.js';
import { viewSettings, type View } from './config/view.js';

/** sysexits.h: EX_CONFIG. */
const EXIT_WRONG = 78;
const ANSWER_MS = 1_000;

export async function configCheck(file: string | undefined): Promise<number> {
  const view = await viewSettings(file);
  const redact = createRedactor(secretsOf(view.settings));
  const changes = view.problems.length > 0 ? undefined : await changesForRunning(view, redact);
  process.stdout.write(redact(`${checkLines(view, changes).join('\n')}\n`));
  return view.problems.length > 0 ? EXIT_WRONG : 0;
}

async function changesForRunning(view: View, redact: (text: string) => string): Promise<Changes | undefined> {
  const paths = addressesToTry(view.settings.controlSocket, process.env);
  const asked = await askDaemon({ what: 'GET /settings', paths, timeoutMs: ANSWER_MS });
  if (asked.kind !== 'answer' || asked.status !== 200) return undefined;
  return changesOf(JSON.parse(asked.body) as RunningSettings, view, redact);
}

/** @param changes undefined: nobody runs, or nothing may be asked */
export function checkLines(view: View, changes: Changes | undefined): readonly string[] {
  const { problems, warnings, notices, hidden, ofService } = view;
  const count = (number: number, word: string): string =>
    `${number === 0 ? 'no' : number} ${word}${number === 1 ? '' : 's'}`;
  const outcome = problems.length > 0 ? 'it does not start with this' : 'it starts with this';
  return [
    `Read${ofService ? ' as the service has it' : ''}: ${filesOf(view).join(', ') || 'no file'}`,
    ...problems.map((text) => `Error: ${text}`),
    ...warnings.map((text) => `Warning: ${text}`),
    ...notices.map((text) => `Note: ${text}`),
    ...hidden.map(
      (path) =>
        `Not looked at: ${path} may not be read by this user, so whether anything is missing is not known; ask with sudo`,
    ),
    `${count(problems.length, 'error')}, ${count(warnings.length, 'warning')}: ${outcome}.`.replace(/^n/, 'N'),
    ...(changes === undefined ? [] : changeLines(changes)),
  ];
}

/** The files that were read, those of secrets apart. */
export function filesOf({ sources, environmentFiles }: View): readonly string[] {
  return [sources.confFile, ...environmentFiles, sources.envFile].filter((file) => file !== undefined);
}

function changeLines({ reload, restart }: Changes): readonly string[] {
  if (reload.length + restart.length === 0) return ['The running service has all of it, secrets apart.'];
  return [
    ...titled('The running service would take over by a reload (systemctl reload dunebugger-remote):', reload),
    ...titled('It would take over by a restart only (systemctl restart dunebugger-remote):', restart),
  ];
}

function titled(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}
