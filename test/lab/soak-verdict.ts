/** Judges a soak: pure, over what was recorded. Each complaint is a sentence. */
import type { Join, VerdictChange } from './daemon.js';
import type { Shown } from './internet.js';
import { textOf, type LogLine } from './journal.js';
import type { Trouble } from './soak-plan.js';

/** A trouble as it happened; wall clock. */
export interface Happened {
  readonly trouble: Trouble;
  /** Before it could have an effect. */
  readonly fromMs: number;
  /** After its last effect. */
  readonly toMs: number;
}

/** A command that the browser sent and the cloud acknowledged. */
export interface SentCommand {
  readonly seq: number;
  readonly fromMs: number;
  readonly ackedMs: number;
}

export interface Recorded {
  readonly happened: readonly Happened[];
  readonly verdicts: readonly VerdictChange[];
  readonly joins: readonly Join[];
  /** Lines that say that the connection was lost although the internet is there. */
  readonly interruptions: readonly LogLine[];
  readonly endedMs: number;
  /** When each of core's log lines was said, by its number. */
  readonly saidMs: readonly number[];
  /** The numbers of core's log lines as the browser got them, in order. */
  readonly heard: readonly number[];
  /** Log lines of which the daemon told the browsers the number only, since they were old news or more than can wait. */
  readonly admittedlyDropped: number;
  readonly sent: readonly SentCommand[];
  /** The numbers of the browser's commands as core got them, in order. */
  readonly taken: readonly number[];
  /** What a page of the front end showed of the device. */
  readonly shown: readonly Shown[];
}

/** A silent fault is told after that at most, and a half-open connection noticed. */
const NOTICED_MS = 16_000;
/** A message that was said shortly before a fault may still have been on its way. */
const ON_ITS_WAY_MS = 1_000;

export function judge(recorded: Recorded): readonly string[] {
  return [
    ...unexplainedVerdicts(recorded),
    ...unexplainedInterruptions(recorded),
    ...lostLogs(recorded),
    ...lostCommands(recorded),
    ...shownOffline(recorded),
  ];
}

/** Troubles that were there within the time that it takes to notice them. */
function recent({ happened }: Recorded, atMs: number): readonly Trouble[] {
  return happened
    .filter(({ fromMs, toMs }) => fromMs <= atMs && toMs >= atMs - NOTICED_MS)
    .map(({ trouble }) => trouble);
}

function unexplainedVerdicts(recorded: Recorded): string[] {
  return recorded.verdicts.flatMap(({ verdict, reason, atMs, line }, index) => {
    const before = recorded.verdicts[index - 1]?.verdict;
    if (verdict === 'online') return before === 'online' ? [`online was told twice: ${textOf(line)}`] : [];
    const explained = recent(recorded, atMs).some(({ reasons }) => reasons.some((known) => known === reason));
    return explained ? [] : [`no fault explains: ${textOf(line)}`];
  });
}

function unexplainedInterruptions(recorded: Recorded): string[] {
  return recorded.interruptions
    .filter(({ atMs }) => !recent(recorded, atMs).some(({ disturbsCloud }) => disturbsCloud))
    .map((line) => `no fault explains: ${textOf(line)}`);
}

/** What core says waits until it can be sent: every line arrives or is counted in the summary of those that do not. */
function lostLogs({ saidMs, heard, admittedlyDropped, joins }: Recorded): string[] {
  const got = new Set(heard);
  const missing = saidMs.map((_, seq) => seq).filter((seq) => !got.has(seq));
  const complaints =
    missing.length > admittedlyDropped
      ? [`${missing.length} log lines of core never arrived (${missing.join(', ')}); admitted: ${admittedlyDropped}`]
      : [];
  // One whose acknowledgement was lost with its session is sent again in the next: that may double it.
  const doubled = repeats(heard).filter((seq) => {
    const said = saidMs[seq] ?? 0;
    return !joins.some(({ recovered, atMs }) => !recovered && atMs > said);
  });
  if (doubled.length > 0) complaints.push(`log lines of core came twice within one session: ${doubled.join(', ')}`);
  return complaints;
}

/** While one session goes on, recovered or not, every command the cloud took for it arrives, once. */
function lostCommands(recorded: Recorded): string[] {
  const { sent, taken } = recorded;
  const got = new Set(taken);
  const lost = sent.filter((command) => !got.has(command.seq) && isOwed(recorded, command));
  const complaints = lost.map(
    ({ seq, ackedMs }) => `command ${seq}, acknowledged ${new Date(ackedMs).toISOString().slice(11, 23)}, was lost`,
  );
  const doubled = repeats(taken);
  if (doubled.length > 0) complaints.push(`commands came twice: ${doubled.join(', ')}`);
  return complaints;
}

/** The command was taken while a session was joined that lived on, or before anything happened to it. */
function isOwed({ joins, happened, endedMs }: Recorded, { fromMs, ackedMs }: SentCommand): boolean {
  const begun = joins.findLastIndex(({ recovered, atMs }) => !recovered && atMs < fromMs);
  if (begun === -1) return false;
  const next = joins.findIndex(({ recovered }, index) => index > begun && !recovered);
  if (next === -1) return ackedMs < endedMs - ON_ITS_WAY_MS;
  const proven = joins[next - 1]?.atMs ?? 0;
  const troubled = happened.find(({ toMs }) => toMs > proven)?.fromMs ?? endedMs;
  return ackedMs < Math.max(proven, troubled - ON_ITS_WAY_MS);
}

/** So long after a join or a resume the page shows the device online, unless another fault came in between. */
const SHOWN_AFTER_MS = 5_000;

function shownOffline({ joins, happened, shown, endedMs }: Recorded): string[] {
  return joins.flatMap(({ atMs }) => {
    const untilMs = atMs + SHOWN_AFTER_MS;
    const disturbed = happened.some(({ fromMs, toMs }) => fromMs < untilMs && toMs > atMs);
    if (disturbed || untilMs > endedMs) return [];
    const online = shown.findLast((change) => change.atMs <= untilMs)?.online ?? false;
    return online ? [] : [`the page showed the device offline 5 s after the return at ${new Date(atMs).toISOString()}`];
  });
}

function repeats(numbers: readonly number[]): number[] {
  const seen = new Set<number>();
  return numbers.filter((number) => seen.size === seen.add(number).size);
}
