/** What a day without a fault costs: bytes, processor time, memory; and the first verdict after a start. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LabDaemon } from '../lab/daemon.js';
import { Lab } from '../lab/lab.js';
import { findNatsServer } from '../support/nats-server.js';
import { addMeter, minus, readMeter, type Metered, type Reading } from './meter.js';
import { Program } from './program.js';
import { usageOf } from './usage.js';

export const INTERVAL_SECS = 7;
/** Over that long the documents average the bytes of a check. */
const AVERAGED_OVER_SECS = 600;
const NATS_PORT = 4222;
/** Longest interval that the daemon takes: it checks once, at its start, and then only keeps its connection. */
const NEVER_SECS = 3_600;
const POLL_MS = 100;
/** From the end of one check to just before the next, with room for both to be late. */
const QUIET_MS = 3_500;
/** A check of a healthy network is over by then, and the daemon's main thread, which looks for it every 2 s, has heard of it. */
const CHECK_OVER_MS = 2_500;

export interface HealthyOptions {
  readonly seconds: number;
  /** Caches are filled and code is compiled by then; what is measured comes after it. */
  readonly warmUpSecs: number;
}

/** What the checks of one program put on the line. */
export interface Wire {
  /** Those of the measured time. */
  readonly checks: number;
  readonly bytesPerCheck: number;
  readonly packetsPerCheck: number;
  /**
   * The first connection included, as 10 minutes from the start hold it: measured if the measurement is that long,
   * otherwise put together of the start and the steady state, both measured.
   */
  readonly bytesPerCheckOver10Min: number;
  readonly over10Min: 'measured' | 'computed';
}

/** What a process used in the measured time. */
export interface Load {
  readonly cpuMsPerMinute: number;
  readonly rssMb: number;
  readonly rssMbAtBegin: number;
  readonly childrenRssMb: number;
}

export interface HealthyOn {
  readonly network: 'IPv4' | 'IPv4 and IPv6';
  readonly seconds: number;
  readonly ours: CostOfChecks;
  readonly naive: CostOfChecks;
}

export interface CostOfChecks {
  readonly wire: Wire;
  readonly load: Load;
  /** Processor time of a check beyond what the process uses between the checks, in its connections for instance. */
  readonly cpuMsPerCheck: number;
}

export interface Healthy {
  readonly networks: readonly HealthyOn[];
  /** The whole daemon with its connections, but without checks. */
  readonly idleDaemon: Load & { readonly cloudBytesPerMinute: number };
  readonly plainClient: Load & { readonly cloudBytesPerMinute: number };
  /** False: there is no nats-server on this machine, so the daemon ran without a bus. */
  readonly withBus: boolean;
}

interface Sample {
  readonly atMs: number;
  readonly checks: number;
  readonly meter: Reading;
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly childrenRssBytes: number;
}

/** One process alone in a lab, so that all that its router sees is its own. */
class Subject {
  readonly samples: Sample[] = [];
  readonly bursts = new Bursts();

  constructor(
    readonly lab: Lab,
    readonly pid: number,
    readonly checks: boolean,
  ) {}

  /** Watches for a while; the first and the last sample are taken between two checks. */
  async watch(seconds: number): Promise<void> {
    await this.#checkEnded();
    const untilMs = Date.now() + seconds * 1_000;
    await this.#sample();
    while (Date.now() < untilMs) {
      await sleep(QUIET_MS);
      if (!this.checks) continue;
      const before = this.#use();
      await this.#checkEnded();
      const after = this.#use();
      this.bursts.add(before, after);
    }
    await this.#sample();
  }

  async #sample(): Promise<void> {
    const [meter, checks] = await Promise.all([readMeter(this.lab), this.#checksSoFar()]);
    this.samples.push({ atMs: Date.now(), checks, meter, ...usageOf(this.pid) });
  }

  #use(): { readonly atMs: number; readonly cpuMs: number } {
    return { atMs: performance.now(), cpuMs: usageOf(this.pid).cpuMs };
  }

  async #checksSoFar(): Promise<number> {
    return (await this.lab.internet.call('counts', undefined)).site.requests;
  }

  /** Resolves when the next check is surely over; at once for who makes none. */
  async #checkEnded(): Promise<void> {
    if (!this.checks) return;
    const before = await this.#checksSoFar();
    const untilMs = Date.now() + 3 * INTERVAL_SECS * 1_000;
    while ((await this.#checksSoFar()) === before) {
      if (Date.now() > untilMs) throw new Error('a program made no check for three intervals');
      await sleep(POLL_MS);
    }
    await sleep(CHECK_OVER_MS);
  }
}

/** Processor time in the short spans with one check in each, and in the rest. */
class Bursts {
  count = 0;
  #cpuMs = 0;
  #tookMs = 0;

  add(before: { readonly atMs: number; readonly cpuMs: number }, after: typeof before): void {
    this.count += 1;
    this.#cpuMs += after.cpuMs - before.cpuMs;
    this.#tookMs += after.atMs - before.atMs;
  }

  /** What one burst took beyond what the process takes all the time, `all` being the whole of its time and use. */
  beyond(all: { readonly cpuMs: number; readonly tookMs: number }): number {
    const restPerMs = (all.cpuMs - this.#cpuMs) / (all.tookMs - this.#tookMs);
    return (this.#cpuMs - restPerMs * this.#tookMs) / this.count;
  }
}

export async function measureHealthy(options: HealthyOptions): Promise<Healthy> {
  const nats = findNatsServer();
  const labs: Lab[] = [];
  const prepare = async (ipv6: boolean): Promise<Lab> => {
    // An ordinary site has an RSA key and an intermediate certificate.
    const lab = await Lab.create({ ipv6, algorithm: 'rsa-2048' });
    // The one thing that the naive loop speaks, so that both are compared over the same.
    await lab.internet.call('siteSpeaks', ['http/1.1']);
    labs.push(lab);
    await addMeter(lab);
    if (nats !== undefined) lab.exec('pi', nats, ['-a', '127.0.0.1', '-p', String(NATS_PORT)], { stdio: 'ignore' });
    return lab;
  };
  const startDaemon = async (lab: Lab, env: NodeJS.ProcessEnv = {}): Promise<LabDaemon> => {
    const daemon = LabDaemon.start(lab, {
      ...(nats !== undefined && { natsUrl: `nats://127.0.0.1:${NATS_PORT}` }),
      // The checks are measured. A Pi's kernel says itself that its clock is set; the machine here does not, so the servers are asked: at loopback.
      env: { DUNEBUGGER_LOG_DUNEBUGGER_LOG_LEVEL: 'INFO', DUNEBUGGER_NTP_NTP_SERVERS: '127.0.0.1', ...env },
    });
    await daemon.joined();
    return daemon;
  };
  const ends: (() => Promise<unknown>)[] = [];
  try {
    const daemonOn = async (ipv6: boolean): Promise<Subject> => {
      const lab = await prepare(ipv6);
      const daemon = await startDaemon(lab);
      ends.push(() => daemon.stop());
      return new Subject(lab, daemon.pid, true);
    };
    const naiveOn = async (ipv6: boolean): Promise<Subject> => {
      const lab = await prepare(ipv6);
      const naive = Program.naive(lab, false);
      ends.push(() => naive.stop());
      await naive.said('online', 0);
      return new Subject(lab, naive.pid, true);
    };
    const idle = async (): Promise<Subject> => {
      const lab = await prepare(true);
      const daemon = await startDaemon(lab, { DUNEBUGGER_WEBSOCKET_CONNECTION_INTERVAL_SECS: String(NEVER_SECS) });
      ends.push(() => daemon.stop());
      return new Subject(lab, daemon.pid, false);
    };
    const plain = async (): Promise<Subject> => {
      const lab = await prepare(true);
      const client = await Program.plainClient(lab, { speaks: false, measured: false });
      ends.push(() => client.stop());
      await client.said('joined', 0);
      return new Subject(lab, client.pid, false);
    };
    // One after the other: the start of one is not to disturb that of another.
    const [ours4, naive4] = [await daemonOn(false), await naiveOn(false)];
    const [ours6, naive6] = [await daemonOn(true), await naiveOn(true)];
    const [idleDaemon, plainClient] = [await idle(), await plain()];
    const all = [ours4, naive4, ours6, naive6, idleDaemon, plainClient];

    await sleep(options.warmUpSecs * 1_000);
    await Promise.all(all.map((subject) => subject.watch(options.seconds)));

    const on = (network: HealthyOn['network'], ours: Subject, naive: Subject): HealthyOn => ({
      network,
      seconds: options.seconds,
      ours: costOf(ours),
      naive: costOf(naive),
    });
    return {
      networks: [on('IPv4', ours4, naive4), on('IPv4 and IPv6', ours6, naive6)],
      idleDaemon: { ...loadOf(idleDaemon), cloudBytesPerMinute: cloudOf(idleDaemon) },
      plainClient: { ...loadOf(plainClient), cloudBytesPerMinute: cloudOf(plainClient) },
      withBus: nats !== undefined,
    };
  } finally {
    await Promise.allSettled(ends.map((end) => end()));
    await Promise.all(labs.map((lab) => lab.destroy()));
  }
}

function measured({ samples }: Subject): { readonly from: Sample; readonly to: Sample; readonly minutes: number } {
  const [from, to] = samples;
  if (from === undefined || to === undefined) throw new Error('nothing was measured');
  return { from, to, minutes: (to.atMs - from.atMs) / 60_000 };
}

function wireOf(subject: Subject): Wire {
  const { from, to } = measured(subject);
  const { bytes, packets }: Metered = minus(to.meter.checks, from.meter.checks);
  const checks = to.checks - from.checks;
  const bytesPerCheck = bytes / checks;
  const wanted = Math.floor(AVERAGED_OVER_SECS / INTERVAL_SECS);
  const common = { checks, bytesPerCheck, packetsPerCheck: packets / checks };
  if (to.checks >= wanted) {
    return { ...common, bytesPerCheckOver10Min: to.meter.checks.bytes / to.checks, over10Min: 'measured' };
  }
  const later = (wanted - from.checks) * bytesPerCheck;
  return {
    ...common,
    bytesPerCheckOver10Min: (from.meter.checks.bytes + later) / wanted,
    over10Min: 'computed',
  };
}

function loadOf(subject: Subject): Load {
  const { from, to, minutes } = measured(subject);
  const mb = (bytes: number): number => bytes / 1024 / 1024;
  return {
    cpuMsPerMinute: (to.cpuMs - from.cpuMs) / minutes,
    rssMb: mb(to.rssBytes),
    rssMbAtBegin: mb(from.rssBytes),
    childrenRssMb: mb(to.childrenRssBytes),
  };
}

function cloudOf(subject: Subject): number {
  const { from, to, minutes } = measured(subject);
  return minus(to.meter.cloud, from.meter.cloud).bytes / minutes;
}

function costOf(subject: Subject): CostOfChecks {
  const { from, to } = measured(subject);
  const all = { cpuMs: to.cpuMs - from.cpuMs, tookMs: to.atMs - from.atMs };
  return { wire: wireOf(subject), load: loadOf(subject), cpuMsPerCheck: subject.bursts.beyond(all) };
}

export interface Starts {
  /** From the start of the process to its first verdict, or to its connection, milliseconds. */
  readonly ours: readonly number[];
  readonly oursToGroup: readonly number[];
  readonly naive: readonly number[];
  readonly plainClientToGroup: readonly number[];
}

/** Each program is started that often, one at a time. */
export async function measureStarts(times: number): Promise<Starts> {
  const lab = await Lab.create({ algorithm: 'rsa-2048' });
  const starts = { ours: [], oursToGroup: [], naive: [], plainClientToGroup: [] } as Record<keyof Starts, number[]>;
  try {
    for (let n = 0; n < times; n += 1) {
      const daemon = LabDaemon.start(lab, { env: { DUNEBUGGER_LOG_DUNEBUGGER_LOG_LEVEL: 'INFO' } });
      starts.ours.push((await daemon.verdict('online', 0)).atMs - daemon.startedAtMs);
      starts.oursToGroup.push((await daemon.joined()).atMs - daemon.startedAtMs);
      await daemon.stop();
      const naive = Program.naive(lab, false);
      starts.naive.push((await naive.said('online', 0)).atMs - naive.startedAtMs);
      await naive.stop();
      const plain = await Program.plainClient(lab, { speaks: false, measured: false });
      starts.plainClientToGroup.push((await plain.said('joined', 0)).atMs - plain.startedAtMs);
      await plain.stop();
    }
    return starts;
  } finally {
    await lab.destroy();
  }
}
