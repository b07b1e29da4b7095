/** The page in Italian. Pure. */
import { humanDuration } from '../../base/duration.js';
import type { Snapshot } from '../snapshot.js';
import { isSameDay, italianDay, timeOfDay } from './times.js';
import { TROUBLES_IT } from './troubles-it.js';
import type { TroubleWords, Words } from './words.js';

const number = (value: number): string => String(value).replace('.', ',');
const time = (atMs: number, nowMs: number): string =>
  isSameDay(atMs, nowMs) ? timeOfDay(atMs) : `${italianDay(atMs)} ${timeOfDay(atMs)}`;
/** `dalle 14:02`, `dal 24/11/2026 14:02` */
const since = (atMs: number, nowMs: number): string =>
  `${isSameDay(atMs, nowMs) ? 'dalle' : 'dal'} ${time(atMs, nowMs)}`;
const times = (count: number): string => (count === 1 ? 'un’interruzione' : `${count} interruzioni`);

function troubleOf(code: string): TroubleWords | undefined {
  return Object.hasOwn(TROUBLES_IT, code) ? TROUBLES_IT[code as keyof typeof TROUBLES_IT] : undefined;
}

function sentence({ internet, cloud, troubles, clock, takenAtMs }: Snapshot): string {
  const { trusted, farOffMs } = clock;
  const clockWords =
    farOffMs !== null ? '; l’orologio è sbagliato' : trusted === false ? '; l’orologio non è affidabile' : '';
  if (internet === null || cloud === null) return `A riposo: websocketEnabled è False${clockWords}`;
  const refused = [troubles.first, ...troubles.beside].some((trouble) => trouble?.code === 'system-refuses');
  const refusedWords = refused ? '; il sistema rifiuta i controlli di internet' : '';
  return `${internetWords(internet, cloud, takenAtMs)}${refusedWords}${clockWords}`;
}

function internetWords(
  internet: NonNullable<Snapshot['internet']>,
  cloud: NonNullable<Snapshot['cloud']>,
  nowMs: number,
): string {
  switch (internet.verdict) {
    case 'unknown':
      return 'Primo controllo di internet in corso';
    case 'offline': {
      const why = troubleOf(internet.reason ?? 'no-internet')?.title ?? internet.reason ?? '';
      return `Senza internet ${since(internet.sinceMs, nowMs)}: ${why}`;
    }
    case 'online':
      return `Internet c’è, ${cloudWords(cloud, nowMs)}`;
  }
}

function cloudWords({ state, sinceMs, group, nextAttemptAtMs }: NonNullable<Snapshot['cloud']>, nowMs: number): string {
  const inGroup = group === null ? '' : `, gruppo ${group}`;
  switch (state) {
    case 'connected':
      return `collegato ${since(sinceMs, nowMs)}${inGroup}`;
    case 'backing-off':
      return nextAttemptAtMs === null
        ? 'non collegato al cloud'
        : `non collegato al cloud; nuovo tentativo alle ${timeOfDay(nextAttemptAtMs, true)}`;
    case 'spreading':
      return 'in attesa del proprio turno per collegarsi, perché non arrivino tutti insieme';
    case 'stabilising':
      return 'in attesa che si stabilizzi, poi il collegamento';
    case 'recovering':
      return `collegamento al cloud in ripresa${inGroup}`;
    case 'connecting':
      return `collegamento al cloud in corso${inGroup}`;
    default:
      return 'non collegato al cloud';
  }
}

function next({ internet, cloud, takenAtMs }: Snapshot): string | null {
  if (internet === null || cloud === null) return null;
  if (internet.verdict === 'offline')
    return 'Internet viene ricontrollato di continuo; il collegamento al cloud si apre appena torna';
  const secs = Math.max(0, Math.ceil(((cloud.nextAttemptAtMs ?? takenAtMs) - takenAtMs) / 1_000));
  switch (cloud.state) {
    case 'backing-off':
      return `Nuovo tentativo di collegarsi al cloud tra ${secs} s`;
    case 'spreading':
      return `Il collegamento al cloud si apre tra ${secs} s, perché non arrivino tutti insieme`;
    case 'recovering':
      return 'Il collegamento al cloud viene ripreso';
    case 'stabilising':
      return 'Il collegamento al cloud si apre appena internet è stabile';
    case 'connecting':
      return 'Il collegamento al cloud viene aperto';
    default:
      return null;
  }
}

export const ITALIAN: Words = {
  language: 'it',
  sentence,
  next,
  trouble: troubleOf,
  stations: {
    pi: 'Pi',
    interface: 'interfaccia',
    router: 'router',
    'name-server': 'server dei nomi',
    internet: 'internet',
    cloud: 'cloud',
    bus: 'bus',
    core: 'core',
    scheduler: 'scheduler',
  },
  states: { ok: 'bene', bad: 'guasto', unknown: 'non si sa', behind: 'non controllato', off: 'spento' },
  behind: 'per via di quanto sopra',
  off: 'non richiesto',
  connecting: 'collegamento in corso',
  group: (name) => `gruppo ${name}`,
  memoryFree: (megabytes) => `${megabytes} MB di memoria liberi`,
  weakSupply: 'l’alimentatore è troppo debole',
  headings: {
    chain: 'Dal Pi al cloud',
    day: 'Le ultime 24 ore',
    month: 'Gli ultimi 30 giorni',
    latency: 'Latenza di internet, 24 ore',
    outages: 'Interruzioni',
  },
  wrong: 'Che cosa non va',
  means: 'Significa',
  todo: 'Che cosa fare',
  besides: 'Inoltre',
  nextIs: 'Poi',
  lookNow: 'Controlla adesso',
  gone: 'Il servizio non risponde: ciò che si vede è vecchio. Si riprova di continuo.',
  summary: (outages, ms, percent) => {
    if (percent === null) return 'Il servizio non era in funzione.';
    return outages === 0
      ? 'Nessuna interruzione di internet.'
      : `Internet c’è stato per il ${number(percent)} %: ${times(outages)}, in tutto ${humanDuration(ms)}.`;
  },
  bucket: { fine: 'bene', away: 'senza internet', cloud: 'senza cloud', unseen: 'servizio fermo' },
  latencyOf: (mean, max) => `Ultima ora: ${number(mean)} ms, al massimo ${number(max)} ms.`,
  failed: (percent) => `Controlli falliti: ${number(percent)} %.`,
  noLatency: 'Ancora nessuna misura: il primo punto arriva dopo un’ora.',
  mean: 'media',
  most: 'massimo',
  columns: { from: 'Dal', long: 'Durata', why: 'Perché', cloud: 'Cloud' },
  noOutages: 'Nessuna interruzione nota.',
  asTable: 'Tutte in una tabella per fogli di calcolo (CSV)',
  scope: { internet: 'internet', cloud: 'cloud' },
  atLeast: (duration) => `almeno ${duration}`,
  soFar: (duration) => `${duration} finora`,
  several: (count) => `${count} interruzioni, in tutto`,
  back: (how, duration) => `${how === 'resumed' ? 'ripreso' : 'ricollegato'} dopo ${duration}`,
  clock: (trusted) =>
    trusted === null
      ? 'L’orologio non è ancora stato controllato.'
      : trusted
        ? 'L’orologio è affidabile.'
        : 'L’orologio non è affidabile.',
  data: (from, checks, signIn, cloud, saving) =>
    `Dati di questo servizio dalle ${from}: controlli ${checks}, accesso ${signIn}, cloud ${cloud}; risparmio dati ${saving ? 'attivo' : 'non attivo'}.`,
  traffic: (from, received, sent) =>
    `Traffico di questa macchina dalle ${from}: ${received} ricevuti, ${sent} inviati.`,
  running: (version, duration) => `DuneBugger Remote ${version}, in funzione da ${duration}.`,
  asOf: (at) => `Alle ${at}, secondo l’orologio del Pi.`,
  duration: humanDuration,
  number,
  time,
};
