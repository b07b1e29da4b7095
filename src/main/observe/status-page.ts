/** A snapshot for a terminal. Pure. Whatever came from elsewhere is without control characters. */
import { humanDuration } from '../base/duration.js';
import { escapeControls } from '../log/escape.js';
import type { ChainLink, StationState } from './chain.js';
import { localTime, outageLine } from './history/outages-page.js';
import type { Bytes, Snapshot } from './snapshot.js';
import { STATION_NAMES } from './station-names.js';

const MARKS: Readonly<Record<StationState, string>> = { ok: 'ok', bad: 'BAD', unknown: '?', behind: '-', off: 'off' };
/** SGR of ECMA-48: green, red, default, faint, faint. */
const COLOURS: Readonly<Record<StationState, string>> = { ok: '32', bad: '1;31', unknown: '0', behind: '2', off: '2' };

/** Lines for people; the first is the sentence. Times are local. */
export function statusLines(snapshot: Snapshot, { colour }: { readonly colour: boolean }): readonly string[] {
  const paint = (code: string, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const { troubles, next } = snapshot;
  return [
    paint('1', escapeControls(snapshot.sentence)),
    ...(troubles.first === null ? [] : troubleLines(troubles.first)),
    ...(next === null ? [] : [`  Next: ${escapeControls(next)}.`]),
    ...troubles.beside.flatMap((trouble) => [`Besides: ${trouble.title}`, ...troubleLines(trouble).slice(1)]),
    '',
    ...snapshot.chain.map((link) => chainLine(link, paint)),
    '',
    `Clock: ${clockWords(snapshot.clock.trusted)}.`,
    ...hourLine(snapshot.lastHour),
    ...dataLine(snapshot.data),
    ...trafficLine(snapshot),
    ...outageLines(snapshot.outages),
    `Version ${snapshot.daemon.version}, running for ${humanDuration(Math.max(0, snapshot.takenAtMs - snapshot.daemon.startedAtMs))}.`,
  ];
}

function troubleLines({ title, meaning, remedy }: { title: string; meaning: string; remedy: string }): string[] {
  return [`  What is wrong: ${title}`, `  It means: ${meaning}.`, `  What to do: ${remedy}.`];
}

function chainLine({ station, state, words }: ChainLink, paint: (code: string, text: string) => string): string {
  const why =
    state === 'behind' ? 'not looked at because of the above' : state === 'off' ? 'not wanted' : escapeControls(words);
  return paint(COLOURS[state], `  ${MARKS[state].padEnd(4)} ${STATION_NAMES[station].padEnd(12)} ${why}`.trimEnd());
}

function clockWords(trusted: boolean | null): string {
  if (trusted === null) return 'not looked at yet';
  return trusted ? 'can be trusted' : 'cannot be trusted';
}

function hourLine(lastHour: Snapshot['lastHour']): string[] {
  if (lastHour === null || lastHour.checks === 0) return [];
  const { checks, failed, latencyMs, jitterMs } = lastHour;
  const loss = `${Math.round((failed / checks) * 1_000) / 10} % failed`;
  const latency = latencyMs === null ? '' : `; latency ${latencyMs.mean} ms, at most ${latencyMs.max} ms`;
  return [`Last hour: ${checks} checks, ${loss}${latency}${jitterMs === null ? '' : `; jitter ${jitterMs} ms`}.`];
}

function dataLine(data: Snapshot['data']): string[] {
  if (data === null) return [];
  const { sinceMs, dataSaver, checks, signIn, cloud } = data;
  const use = ({ receivedBytes, sentBytes }: Bytes): string => `${((receivedBytes + sentBytes) / 1e6).toFixed(2)} MB`;
  return [
    `Data of this service since ${localTime(sinceMs)}: checks ${use(checks)}, sign-in ${use(signIn)}, cloud ${use(cloud)}; data saver ${dataSaver ? 'on' : 'off'}.`,
  ];
}

function trafficLine({ today, machine }: Snapshot): string[] {
  if (today === null) return [];
  const { sinceMs, receivedBytes, sentBytes } = today;
  const over = (machine?.interface ?? null) === null ? '' : ` over ${escapeControls(machine?.interface?.name ?? '')}`;
  return [
    `Traffic of this machine${over} since ${localTime(sinceMs)}: ${megabytes(receivedBytes)} received, ${megabytes(sentBytes)} sent.`,
  ];
}

function outageLines(outages: Snapshot['outages']): string[] {
  if (outages === null) return [];
  return outages.length === 0
    ? ['No outages are known.']
    : ['Last outages:', ...outages.map((one) => `  ${outageLine(one)}`)];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
