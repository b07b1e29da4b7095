/**
 * What it costs to be asked: memory and wake-ups of a daemon with socket, history and page beside one without, both at the default
 * interval, before anybody asks and after. `npm run bench:outlets [ROUNDS]`, a minute and a half a round.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ask } from '../support/ask.js';
import { Installation } from '../support/installation.js';
import { startWatched } from '../support/watched-installation.js';
import { say } from './say.js';
import { spread } from './statistics.js';
import { usageOf } from './usage.js';

const ROUNDS = Number(process.argv[2] ?? '5');
const SETTLE_MS = 30_000;
const IDLE_MS = 20_000;
const QUESTIONS = 20;
const INTERVAL = { DUNEBUGGER_WEBSOCKET_CONNECTION_INTERVAL_SECS: '7' };

interface Figures {
  readonly rssMb: number;
  /** Of all its threads, each second. */
  readonly wakeUps: number;
}

/** Times that any thread of a process gave up the processor by itself. */
function wakeUpsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
    return sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }, 0);
}

async function figuresOf(pid: number): Promise<Figures> {
  const before = wakeUpsOf(pid);
  await delay(IDLE_MS);
  return {
    rssMb: usageOf(pid).rssBytes / (1 << 20),
    wakeUps: ((wakeUpsOf(pid) - before) / IDLE_MS) * 1_000,
  };
}

const rounds: Readonly<Record<'without' | 'unasked' | 'withoutLater' | 'asked', Figures>>[] = [];
for (let round = 1; round <= ROUNDS; round += 1) {
  const [without, watched] = await Promise.all([
    Installation.create({
      env: {
        ...INTERVAL,
        DUNEBUGGER_STATUS_CONTROL_SOCKET: 'off',
        DUNEBUGGER_STATUS_KEEP_HISTORY: 'False',
      },
    }),
    startWatched(INTERVAL),
  ]);
  await without.startConnected();
  const pid = watched.site.daemon.pid;
  await delay(SETTLE_MS);
  const [plain, unasked] = await Promise.all([figuresOf(without.daemon.pid), figuresOf(pid)]);
  for (let question = 0; question < QUESTIONS; question += 1)
    for (const url of ['/', '/metrics', '/snapshot', '/outages.csv']) await ask(watched.port, url);
  await delay(SETTLE_MS);
  const [plainLater, asked] = await Promise.all([figuresOf(without.daemon.pid), figuresOf(pid)]);
  rounds.push({ without: plain, unasked, withoutLater: plainLater, asked });
  say(`round ${round}: ${JSON.stringify(rounds.at(-1))}`);
  await Promise.all([without.stop(), watched.stop()]);
}

const median = (values: readonly number[]): number => spread(values)?.median ?? NaN;
type Kind = keyof (typeof rounds)[number];
const of = (kind: Kind, figure: keyof Figures): string => median(rounds.map((round) => round[kind][figure])).toFixed(1);
const more = (kind: Kind, than: Kind): string =>
  median(rounds.map((round) => round[kind].rssMb - round[than].rssMb)).toFixed(1);
say(
  `memory: ${of('without', 'rssMb')} MB without; ${more('unasked', 'without')} MB more with all three, ${more('asked', 'withoutLater')} MB more after ${4 * QUESTIONS} questions`,
);
say(
  `wake-ups a second: ${of('without', 'wakeUps')} without, ${of('unasked', 'wakeUps')} with; after the questions ${of('withoutLater', 'wakeUps')} without, ${of('asked', 'wakeUps')} with`,
);
