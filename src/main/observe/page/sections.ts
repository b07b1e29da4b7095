/** The parts of the page that change, each by the id of its element. Pure. */
import { STATIONS, type ChainLink } from '../chain.js';
import type { Outage, Story } from '../history/outages.js';
import { uptimeOf } from '../history/uptime.js';
import { TROUBLES, type TroubleCode } from '../../troubles.js';
import { plain } from '../../troubles.js';
import type { PresentTrouble, Bytes, Snapshot } from '../snapshot.js';
import { latencyChart, strip } from './charts.js';
import { html, type Html } from './html.js';
import { bucketsOf, daysOfMonth, quartersOfDay } from './strips.js';
import { timeOfDay } from './times.js';
import type { Language, TroubleWords, Words } from './words.js';

/** In the order in which they are read. */
export const SECTIONS = ['sentence', 'next', 'chain', 'day', 'month', 'latency', 'outages', 'foot'] as const;
export type Section = (typeof SECTIONS)[number];

export interface Shown {
  readonly snapshot: Snapshot;
  /** Of the last 31 days. */
  readonly story: Story;
}

/** Of the outages so many are in the page; all are in the table for spreadsheets. */
const MAX_OUTAGES = 20;

const MAKERS: Readonly<Record<Section, (shown: Shown, words: Words) => Html>> = {
  sentence: ({ snapshot }, words) => sentence(snapshot, words),
  next: ({ snapshot }, words) => next(snapshot, words),
  chain: ({ snapshot }, words) => chain(snapshot, words),
  day,
  month,
  latency,
  outages,
  foot: ({ snapshot }, words) => foot(snapshot, words),
};

/** Those that cost the most, and change the least. */
export const PICTURES: readonly Section[] = ['day', 'month', 'latency', 'outages'];

export function sectionOf(section: Section, shown: Shown, words: Words): Html {
  return MAKERS[section](shown, words);
}

export function sectionsOf(shown: Shown, words: Words): Readonly<Record<Section, Html>> {
  return Object.fromEntries(SECTIONS.map((id) => [id, sectionOf(id, shown, words)])) as Record<Section, Html>;
}

/** `good`, `bad`, or neither while nothing is known or wanted. */
export function moodOf({ outcome, internet }: Snapshot): 'good' | 'bad' | 'open' {
  if (outcome === 'connected') return 'good';
  return outcome === 'idle' || internet?.verdict === 'unknown' ? 'open' : 'bad';
}

function sentence(snapshot: Snapshot, words: Words): Html {
  const { first, beside } = snapshot.troubles;
  return html`<p class="sentence ${moodOf(snapshot)}">${words.sentence(snapshot)}.</p>
    ${first === null ? null : html`<dl>${troubleRows(first, words.wrong, words)}${beside.map((one) => troubleRows(one, words.besides, words))}</dl>`}`;
}

function troubleRows(trouble: PresentTrouble, heading: string, words: Words): Html {
  const known = words.trouble(trouble.code);
  const { title, meaning, remedy } = known ?? trouble;
  const lang = langOf(known !== undefined, words.language);
  return html`<dt>${heading}</dt><dd${lang}><strong>${title}</strong></dd><dt>${words.means}</dt><dd${lang}>${meaning}.</dd><dt>${words.todo}</dt><dd${lang}>${remedy}.</dd>`;
}

function next(snapshot: Snapshot, words: Words): Html {
  const said = words.next(snapshot);
  return said === null ? html`` : html`<p>${words.nextIs}: ${said}.</p>`;
}

function chain(snapshot: Snapshot, words: Words): Html {
  const links = STATIONS.flatMap((station) => snapshot.chain.find((link) => link.station === station) ?? []);
  return html`${links.map((link) => html`<li class="${link.state}"><span class="name">${words.stations[link.station]}</span> <span class="state">${words.states[link.state]}</span> <span class="words">${stationWords(link, snapshot, words)}</span></li>`)}`;
}

function stationWords({ station, state, words: said }: ChainLink, snapshot: Snapshot, words: Words): Html {
  if (state === 'behind') return html`${words.behind}`;
  if (state === 'off') return html`${words.off}`;
  if (words.language === 'en') return html`${said}`;
  if (state === 'bad') {
    const known = translated(said, words);
    return known === undefined ? html`<span lang="en">${said}</span>` : html`${known}`;
  }
  const { machine, cloud } = snapshot;
  if (station === 'pi' && machine !== null) {
    const parts = [
      machine.temperatureC === null ? null : `${words.number(machine.temperatureC)} °C`,
      machine.memoryFreeMb === null ? null : words.memoryFree(machine.memoryFreeMb),
      machine.underVoltage === true ? words.weakSupply : null,
    ];
    return html`${parts.filter((part) => part !== null).join(', ')}`;
  }
  if (station === 'cloud')
    return html`${state === 'unknown' ? words.connecting : (cloud?.group ?? null) === null ? '' : words.group(cloud?.group ?? '')}`;
  return html`${said}`;
}

/** A station's words begin with the title of a trouble; what stands behind it is kept. */
function translated(said: string, words: Words): string | undefined {
  const code = (Object.keys(TROUBLES) as TroubleCode[]).find((one) => said.startsWith(TROUBLES[one].title));
  const title = code === undefined ? undefined : words.trouble(code)?.title;
  return title === undefined || code === undefined ? undefined : `${title}${said.slice(TROUBLES[code].title.length)}`;
}

function day({ snapshot, story }: Shown, words: Words): Html {
  const nowMs = snapshot.takenAtMs;
  const said = summary(story, 1, nowMs, words);
  const buckets = bucketsOf(story, quartersOfDay(nowMs), nowMs);
  return html`${strip(buckets, `${words.headings.day}: ${said}`, words, ({ fromMs, toMs }) => `${timeOfDay(fromMs)}–${timeOfDay(toMs)}`)}
    <p>${said}</p>`;
}

function month({ snapshot, story }: Shown, words: Words): Html {
  const nowMs = snapshot.takenAtMs;
  const said = summary(story, 30, nowMs, words);
  const buckets = bucketsOf(story, daysOfMonth(nowMs), nowMs);
  const dayName = (atMs: number): string => words.time(atMs, Infinity).split(' ')[0] ?? '';
  return html`${strip(buckets, `${words.headings.month}: ${said}`, words, ({ fromMs }) => dayName(fromMs))}
    <p>${said}</p>`;
}

function summary(story: Story, days: number, nowMs: number, words: Words): string {
  const { outages: count, downMs, percent } = uptimeOf(story, days, nowMs);
  return words.summary(count, downMs, percent);
}

function latency({ snapshot, story }: Shown, words: Words): Html {
  const { lastHour, takenAtMs } = snapshot;
  const chart = latencyChart({ hours: story.hours, lastHour, nowMs: takenAtMs }, words);
  const { latencyMs = null } = lastHour ?? {};
  const said = latencyMs === null ? '' : `${words.latencyOf(latencyMs.mean, latencyMs.max)} `;
  const failed =
    lastHour === null || lastHour.checks === 0
      ? ''
      : words.failed(Math.round((lastHour.failed / lastHour.checks) * 1_000) / 10);
  return html`${chart}
    <p>${chart === null ? words.noLatency : `${said}${failed}`}</p>`;
}

function outages({ snapshot, story }: Shown, words: Words): Html {
  const nowMs = snapshot.takenAtMs;
  const latest = [...story.outages].sort((a, b) => b.fromMs - a.fromMs).slice(0, MAX_OUTAGES);
  if (latest.length === 0) return html`<p>${words.noOutages}</p>`;
  const { from, long, why, cloud } = words.columns;
  return html`<table>
    <thead>
      <tr>
        <th scope="col">${from}</th>
        <th scope="col">${long}</th>
        <th scope="col">${why}</th>
        <th scope="col">${cloud}</th>
      </tr>
    </thead>
    <tbody>
      ${latest.map((outage) => row(outage, nowMs, words))}
    </tbody>
  </table>`;
}

function row(outage: Outage, nowMs: number, words: Words): Html {
  const { fromMs, toMs, ms, atLeast, count, scope, cloud } = outage;
  const howLong = words.duration(ms);
  const long = toMs === null ? words.soFar(howLong) : atLeast ? words.atLeast(howLong) : howLong;
  const { title, lang } = whyOf(outage.why, words);
  const several = count === 1 ? '' : `${words.several(count)} `;
  const back = cloud === null ? '–' : words.back(cloud.how, words.duration(cloud.ms));
  return html`<tr><td>${words.time(fromMs, nowMs)}</td><td>${several}${long}</td><td>${words.scope[scope]}: <span${lang}>${title}</span></td><td>${back}</td></tr>`;
}

function whyOf(why: string, words: Words): { readonly title: string; readonly lang: Html | null } {
  const known: TroubleWords | undefined = words.trouble(why);
  if (known !== undefined) return { title: known.title, lang: null };
  const title = Object.hasOwn(TROUBLES, why) ? plain(TROUBLES[why as TroubleCode].title) : why;
  return { title, lang: langOf(false, words.language) };
}

/** What is English in a page of another language says so, for whoever has it read aloud. */
function langOf(translatedIs: boolean, language: Language): Html | null {
  return translatedIs || language === 'en' ? null : html` lang="en"`;
}

function foot({ clock, today, data, daemon, takenAtMs }: Snapshot, words: Words): Html {
  const traffic =
    today === null
      ? ''
      : words.traffic(
          timeOfDay(today.sinceMs),
          megabytes(today.receivedBytes, words),
          megabytes(today.sentBytes, words),
        );
  const ofUse = ({ receivedBytes, sentBytes }: Bytes): string => megabytes(receivedBytes + sentBytes, words);
  const own =
    data === null
      ? ''
      : words.data(timeOfDay(data.sinceMs), ofUse(data.checks), ofUse(data.signIn), ofUse(data.cloud), data.dataSaver);
  const running = words.running(daemon.version, words.duration(Math.max(0, takenAtMs - daemon.startedAtMs)));
  return html`<p>${words.clock(clock.trusted)} ${traffic} ${own}</p>
    <p>${running} ${words.asOf(timeOfDay(takenAtMs, true))}</p>`;
}

function megabytes(bytes: number, words: Words): string {
  return `${words.number(Number((bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)))} MB`;
}
