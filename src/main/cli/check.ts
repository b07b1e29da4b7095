/** `dunebugger-remote check`: one look at the internet, phase by phase. */
import type { CheckEvidence } from '../../workers/protocol.js';
import type { InternetMonitorStatus } from '../internet-monitor.js';
import { refusalWords } from '../../workers/net/refusal.js';
import { provedBy, siteFaultWords } from '../internet-monitor/site-fault.js';
import { loadHouseTrust } from '../net/house-trust.js';
import { plain, reasonWords, TROUBLES } from '../troubles.js';
import { loadSettings, SettingsError, type LoadedSettings, type Settings } from '../settings.js';
import { adviceOn, evidenceLines } from '../evidence-text.js';
import { lookOnce } from './look-once.js';

/** Exit codes of the command; sysexits.h has EX_OSERR, and EX_CONFIG for a wrong configuration. */
const EXIT_ONLINE = 0;
const EXIT_OFFLINE = 1;
const EXIT_REFUSED = 71;

export interface CheckOptions {
  readonly confFile?: string;
  readonly json: boolean;
  /** Instead of the configured testDomain. */
  readonly domain?: string;
  /** Instead of the configured connectionTimeoutSecs; still text. */
  readonly timeoutSecs?: string;
}

/** Prints the outcome and resolves with the exit code, within four times the timeout and a worker's start. */
export async function check(options: CheckOptions): Promise<number> {
  let loaded;
  try {
    loaded = load(options);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    complain([...error.warnings, ...error.problems]);
    return error.exitCode;
  }
  complain(loaded.warnings);
  const { settings } = loaded;
  const say = (_fields: object, line: string): void => void process.stderr.write(`${line}\n`);
  const trust = loadHouseTrust(settings.caFile, process.env, { warn: say, error: say });
  const status = await lookOnce({ settings, trust, timeoutSecs: settings.connectionTimeoutSecs });
  process.stdout.write(
    options.json ? `${JSON.stringify(report(status, settings), undefined, 2)}\n` : text(status, settings),
  );
  if (status.verdict === 'unknown') return EXIT_REFUSED;
  return status.verdict === 'online' ? EXIT_ONLINE : EXIT_OFFLINE;
}

/** Beside the report, so that its JSON stays JSON. */
function complain(lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`Configuration: ${line}\n`);
}

/** The command line is validated by the same rules as the conf file. */
function load({ confFile, domain, timeoutSecs }: CheckOptions): LoadedSettings {
  return loadSettings({
    ...(confFile === undefined ? {} : { confFile }),
    env: process.env,
    purpose: 'check',
    commandLine: {
      ...(domain === undefined ? {} : { testDomain: { option: '--domain', text: domain } }),
      ...(timeoutSecs === undefined ? {} : { connectionTimeoutSecs: { option: '--timeout', text: timeoutSecs } }),
    },
  });
}

function report(status: InternetMonitorStatus, settings: Settings): object {
  return {
    verdict: status.verdict,
    reason: status.reason ?? null,
    message: status.reason === undefined ? null : reasonWords(status.reason),
    advice: adviceOn(status) ?? null,
    testDomain: settings.testDomain,
    timeoutSecs: settings.connectionTimeoutSecs,
    siteReason: status.lastEvidence?.siteReason ?? null,
    evidence: status.lastEvidence ?? null,
  };
}

function text(status: InternetMonitorStatus, settings: Settings): string {
  const lines = [`Checking ${settings.testDomain} (deadline of each phase: ${settings.connectionTimeoutSecs} s)`];
  if (status.lastEvidence !== undefined) lines.push(...evidenceLines(status.lastEvidence).map((line) => `  ${line}`));
  const refused = status.lastEvidence?.refused;
  if (status.verdict === 'unknown' && refused !== undefined)
    lines.push(
      `No verdict: the system refuses what the check needs (${refusalWords(refused)}).`,
      `What to do: ${plain(TROUBLES['system-refuses'].remedy)}`,
    );
  else if (status.reason === undefined) lines.push(onlineText(status.lastEvidence));
  else
    lines.push(`Offline (${status.reason}): ${reasonWords(status.reason)}.`, `What to do: ${adviceOn(status) ?? ''}`);
  return `${lines.join('\n')}\n`;
}

function onlineText(evidence: CheckEvidence | undefined): string {
  if (evidence?.siteReason === undefined) return 'Online: the internet is there.';
  return `Online: the internet is there, as ${provedBy(evidence)}; the test site is not: ${siteFaultWords(evidence)}.`;
}
