/**
 * A soak: the real daemon in a lab under one random fault after another, messages flowing both ways. What it did is judged
 * at the end; the seed repeats the sequence of the faults.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { findNatsServer, NatsServerMissingError } from '../support/nats-server.js';
import type { ComponentCalls } from './component.js';
import { GROUP, LabDaemon, type Usage } from './daemon.js';
import { Lab } from './lab.js';
import { seeded } from './random.js';
import { RemoteChild } from './remote-call.js';
import { nextStep } from './soak-plan.js';
import { judge, type Happened, type Recorded, type SentCommand } from './soak-verdict.js';

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Progress, a line at a time. */
  readonly say: (line: string) => void;
}

export interface SoakResult {
  /** None: it passed. */
  readonly complaints: readonly string[];
  readonly summary: Readonly<Record<string, number>>;
  /** The whole log of the daemon. */
  readonly journal: LabDaemon['journal'];
}

const NATS_PORT = 4222;
/** Of the lines that wait while the cloud is away the last few are told, and how many there were before them: all are counted. */
const SPEAK_EVERY_MS = 1_000;
const COMMAND_EVERY_MS = 700;
/** Caches are filled and code is compiled by then. */
const WARM_UP_MS = 20_000;
/** In the end the daemon may be in the longest of its pauses (300 s, and a fifth of jitter). */
const RECONNECT_MS = 370_000;
/** From the last repair to the last acknowledgement. */
const SETTLE_MS = 12_000;
const MORE_RSS_BYTES = 15 * 1024 * 1024;
const MORE_FDS = 2;

export async function soak({ seconds, seed, say }: SoakOptions): Promise<SoakResult> {
  const nats = findNatsServer();
  if (nats === undefined) throw new NatsServerMissingError();
  const lab = await Lab.create();
  try {
    lab.exec('pi', nats, ['-a', '127.0.0.1', '-p', String(NATS_PORT)], { stdio: 'ignore' });
    const url = `nats://127.0.0.1:${NATS_PORT}`;
    const daemon = LabDaemon.start(lab, {
      natsUrl: url,
      // The verdict owes every command of a session that goes on, however late.
      env: { DUNEBUGGER_WEBSOCKET_STALE_COMMAND_SECS: '-1' },
    });
    const core = await RemoteChild.start<ComponentCalls>(lab.namespace('pi'), './component-main.js');
    try {
      await lab.internet.call('recoverAtRandom', { seed });
      await lab.internet.call('browserJoin', { group: GROUP, userId: 'browser' });
      await core.call('start', { url });
      await lab.internet.call('browserLooks', undefined);
      await daemon.joined();
      return await run(lab, daemon, core, { seconds, seed, say });
    } finally {
      await daemon.kill();
      await core.stop();
    }
  } finally {
    await lab.destroy();
  }
}

async function run(
  lab: Lab,
  daemon: LabDaemon,
  core: RemoteChild<ComponentCalls>,
  { seconds, seed, say }: SoakOptions,
): Promise<SoakResult> {
  const complaints: string[] = [];
  const random = seeded(seed);
  const browser = new Browser(lab);
  const watch = new SocketWatch(daemon);
  await core.call('speak', { everyMs: SPEAK_EVERY_MS });
  await sleep(WARM_UP_MS);
  const before = daemon.usage();

  const happened: Happened[] = [];
  const untilMs = Date.now() + seconds * 1_000;
  while (Date.now() < untilMs) {
    const { quietMs, trouble, lastsMs } = nextStep(random);
    await sleep(quietMs);
    const fromMs = Date.now();
    await trouble.fault.apply(lab);
    await sleep(lastsMs);
    await trouble.fault.repair(lab);
    happened.push({ trouble, fromMs, toMs: Date.now() });
    say(`${clock(fromMs)} ${trouble.fault.name} for ${(lastsMs / 1_000).toFixed(1)} s`);
  }

  say(`${clock(Date.now())} everything is repaired; waiting for the daemon to be connected and quiet`);
  await connectedAgain(daemon);
  await browser.stop();
  const saidMs = await core.call('hush', undefined);
  await sleep(SETTLE_MS);
  const after = await quietUsage(daemon, before);
  complaints.push(...watch.stop(), ...grown(before, after));

  const messages = await lab.internet.call('browserMessages', { since: 0 });
  const commands = await core.call('commands', undefined);
  const recorded: Recorded = {
    happened,
    verdicts: daemon.verdicts(),
    joins: daemon.joins(),
    interruptions: daemon.journal.find(({ msg }) => /although the internet is there/.test(msg)),
    endedMs: Date.now(),
    saidMs,
    heard: messages.flatMap(({ data }) => numberedLog(data) ?? []),
    admittedlyDropped: messages.reduce((sum, { data }) => sum + droppedLogs(data), 0),
    sent: browser.sent,
    taken: commands.map(({ seq }) => seq),
    shown: await lab.internet.call('browserShown', undefined),
  };
  complaints.push(...judge(recorded), ...alarms(daemon));
  await daemon.stop().catch((error: unknown) => complaints.push(String(error)));
  const count = (fits: (change: { verdict: string }) => boolean): number => recorded.verdicts.filter(fits).length;
  return {
    complaints,
    journal: daemon.journal,
    summary: {
      faults: happened.length,
      outages: count(({ verdict }) => verdict === 'offline'),
      connected: recorded.joins.filter(({ recovered }) => !recovered).length,
      recovered: recorded.joins.filter(({ recovered }) => recovered).length,
      logsSaid: saidMs.length,
      logsHeard: recorded.heard.length,
      commandsSent: recorded.sent.length,
      commandsTaken: recorded.taken.length,
      mostSockets: watch.most,
      rssMbBefore: Math.round(before.rssBytes / 1e5) / 10,
      rssMbAfter: Math.round(after.rssBytes / 1e5) / 10,
      fdsBefore: before.fds,
      fdsAfter: after.fds,
      threadsAfter: after.threads,
      cpuMs: after.cpuMs,
    },
  };
}

/** Sends numbered commands all the time; it is not behind the router, so no fault of the line hits it. */
class Browser {
  readonly sent: SentCommand[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #pending = new Set<Promise<void>>();
  #seq = 0;

  constructor(lab: Lab) {
    this.#timer = setInterval(() => {
      const seq = this.#seq;
      this.#seq += 1;
      const fromMs = Date.now();
      const data = { subject: 'core.dunebugger_set', body: { seq }, connectionId: 'browser' };
      const sending = lab.internet.call('browserSend', { data }).then(
        () => void this.sent.push({ seq, fromMs, ackedMs: Date.now() }),
        () => undefined,
      );
      this.#pending.add(sending);
      void sending.then(() => this.#pending.delete(sending));
    }, COMMAND_EVERY_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
  }
}

/** An attempt is over by then, handshake included; what it raced is closed. */
const RACED_FOR_MS = 15_000;
const LOOK_EVERY_MS = 500;
/** As a witness the cloud is asked for a handshake beside its connection: twice the time-out of a check, and a look. */
const WITNESS_MS = 5_000;

/**
 * Looks again and again how many connections to the cloud there are. One attempt may race the addresses of the cloud (RFC 8305), each of them
 * once and only while it is opened; a witness is gone soon; whatever is more is a second connection.
 */
class SocketWatch {
  most = 0;
  #racedMs = 0;
  readonly #complaints: string[] = [];
  readonly #timer: NodeJS.Timeout;
  /** How long each has been seen, by its two ends. */
  #ages: ReadonlyMap<string, number> = new Map();

  constructor(daemon: LabDaemon) {
    this.#timer = setInterval(() => {
      daemon.sockets().then(
        (sockets) => {
          this.most = Math.max(this.most, sockets.length);
          const ends = sockets.map((socket) => socket.trim().split(/\s+/).slice(-2).join(' '));
          this.#ages = new Map(ends.map((end) => [end, (this.#ages.get(end) ?? 0) + LOOK_EVERY_MS]));
          const lasting = ends.filter((end) => (this.#ages.get(end) ?? 0) > WITNESS_MS);
          const peers = new Set(lasting.map((end) => end.split(' ').at(-1)));
          this.#racedMs = sockets.length > 1 ? this.#racedMs + LOOK_EVERY_MS : 0;
          if (peers.size < lasting.length || this.#racedMs > RACED_FOR_MS)
            this.#complaints.push(`${clock(Date.now())} two connections: ${sockets.join(' | ')}`);
        },
        () => undefined,
      );
    }, LOOK_EVERY_MS);
  }

  stop(): readonly string[] {
    clearInterval(this.#timer);
    return this.#complaints;
  }
}

async function connectedAgain(daemon: LabDaemon): Promise<void> {
  const mark = daemon.journal.mark();
  const lastJoinMs = daemon.joins().at(-1)?.atMs ?? 0;
  const lastLossMs = daemon.journal
    .find(({ msg }) => /closed the cloud connection|although the internet is there/.test(msg))
    .at(-1)?.atMs;
  if (lastLossMs !== undefined && lastLossMs > lastJoinMs) await daemon.joined(mark, { timeoutMs: RECONNECT_MS });
}

/** What is still being closed may take a moment; what stays is told. */
async function quietUsage(daemon: LabDaemon, before: Usage): Promise<Usage> {
  let usage = daemon.usage();
  for (let tries = 0; tries < 20 && grown(before, usage).length > 0; tries += 1) {
    await sleep(1_000);
    usage = daemon.usage();
  }
  return usage;
}

function grown(before: Usage, after: Usage): string[] {
  const complaints: string[] = [];
  if (after.fds > before.fds + MORE_FDS)
    complaints.push(`${after.fds} file descriptors, ${before.fds} at the beginning`);
  if (after.threads > before.threads) complaints.push(`${after.threads} threads, ${before.threads} at the beginning`);
  if (after.rssBytes > before.rssBytes + MORE_RSS_BYTES) {
    complaints.push(`${after.rssBytes >> 20} MB of memory, ${before.rssBytes >> 20} MB at the beginning`);
  }
  return complaints;
}

/** Lines that no fault of the network explains: errors, bugs, what is printed past the log. */
function alarms(daemon: LabDaemon): string[] {
  const errors = daemon.journal.find(({ level, msg }) => level === 'error' || level === 'fatal' || /bug/.test(msg));
  return [
    ...errors.map(({ level, msg }) => `${level}: ${msg}`),
    ...daemon.journal.strays.map((text) => `printed: ${text}`),
  ];
}

function numberedLog(data: unknown): number | undefined {
  const { subject, body } = data as { readonly subject?: unknown; readonly body?: { readonly seq?: unknown } };
  return subject === 'log' && typeof body?.seq === 'number' ? body.seq : undefined;
}

function droppedLogs(data: unknown): number {
  const { subject, body } = data as { readonly subject?: unknown; readonly body?: { readonly message?: unknown } };
  const text = typeof body?.message === 'string' ? body.message : '';
  return subject === 'log'
    ? Number(/^While the cloud was away: (\d+) older log messages? not shown/.exec(text)?.[1] ?? 0)
    : 0;
}

function clock(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 19);
}
