/** How long it takes each program to notice a fault and its repair, the fault laid at several phases of the interval. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OfflineReason } from '../../src/workers/protocol.js';
import { WaitTimeoutError } from '../support/changes.js';
import { LabDaemon } from '../lab/daemon.js';
import * as faults from '../lab/faults.js';
import { Lab } from '../lab/lab.js';
import { MachineLag } from '../lab/machine-lag.js';
import { sleepUntil } from '../lab/seats.js';
import { INTERVAL_SECS } from './healthy.js';
import { loopDelayEnv, readLoopDelay, type LoopDelay } from './loop-delay.js';
import { Program } from './program.js';

const INTERVAL_MS = INTERVAL_SECS * 1_000;
/** The naive loop may block for ten seconds and more; what has noticed nothing by then has not noticed. */
const NOTICE_MS = 25_000;
/** A little more than an interval and a check: who is still online then takes the fault for none. */
const UNMOVED_MS = 9_500;
/** The plain client may be waiting for TCP to send again. */
const BACK_MS = 60_000;
/** Offline, the daemon looks every 2 s: the repair comes at all phases of that, too. */
const DWELL_MS = 1_000;
const OFFLINE_INTERVAL_MS = 2_000;

/** What the daemon must make of a fault. */
export interface Case {
  readonly fault: faults.Fault;
  /** Undefined: it stays online, since the internet is there. */
  readonly reason: OfflineReason | undefined;
  /** The fault takes the way to the cloud away as well as that to the test site. */
  readonly hitsCloud: boolean;
}

export const CASES: readonly Case[] = [
  { fault: faults.linkDown, reason: 'no-link', hitsCloud: true },
  { fault: faults.carrierLost, reason: 'no-link', hitsCloud: true },
  { fault: faults.noDefaultRoute, reason: 'no-route', hitsCloud: true },
  { fault: faults.blackHole, reason: 'dns-timeout', hitsCloud: true },
  { fault: faults.httpsDropped, reason: 'tcp-timeout', hitsCloud: true },
  { fault: faults.portalRedirect, reason: 'portal', hitsCloud: true },
  { fault: faults.dnsDropped, reason: undefined, hitsCloud: false },
  { fault: faults.dnsNxdomain, reason: undefined, hitsCloud: false },
];

/** Milliseconds; undefined: it did not happen within the time it was given. */
export interface Trial {
  readonly fault: string;
  /** Why the daemon must be offline; undefined: it must not be. */
  readonly expected: OfflineReason | undefined;
  /** Share of the interval that had passed since the last check. */
  readonly phase: number;
  readonly ours: Times & { readonly reason: string | undefined; readonly recovered: boolean | undefined };
  readonly naive: Pick<Times, 'offlineMs' | 'onlineMs'>;
  readonly plainClient: Pick<Times, 'offlineMs' | 'groupMs'>;
  /** How late the timers of this machine were meanwhile. */
  readonly machineLateMs: number;
}

export interface Times {
  /** From the fault. */
  readonly offlineMs: number | undefined;
  /** From the repair. */
  readonly onlineMs: number | undefined;
  /** From the repair to the first message that the cloud acknowledges. */
  readonly groupMs: number | undefined;
  /** From online to there. */
  readonly onlineToGroupMs?: number | undefined;
}

export interface Outages {
  readonly trials: readonly Trial[];
  readonly loopDelay: { readonly [program in 'ours' | 'naive' | 'plainClient']: readonly LoopDelay[] };
}

export interface OutageOptions {
  readonly cases: readonly Case[];
  readonly phases: readonly number[];
  readonly sideBySide: number;
  readonly say: (line: string) => void;
}

/** A lab with the three programs in one `pi`, under the same faults. */
class Bench {
  private constructor(
    readonly lab: Lab,
    readonly daemon: LabDaemon,
    readonly naive: Program,
    readonly plain: Program,
    readonly delayFile: string,
  ) {}

  static async create(): Promise<Bench> {
    const lab = await Lab.create();
    const delayFile = `${lab.folder}/loop-delay-daemon.json`;
    const daemon = LabDaemon.start(lab, { env: loopDelayEnv(delayFile) });
    const naive = Program.naive(lab, true);
    const plain = await Program.plainClient(lab, { speaks: true, measured: true });
    await Promise.all([daemon.joined(), naive.said('online', 0), plain.said('acknowledged', 0)]);
    return new Bench(lab, daemon, naive, plain, delayFile);
  }

  async run({ fault, reason, hitsCloud }: Case, phase: number, lag: MachineLag): Promise<Trial> {
    const { lab, daemon, naive, plain } = this;
    const [check] = await daemon.checked(1, daemon.journal.mark());
    const checkAtMs = (check?.atMs ?? Date.now()) - Number(check?.fields['ms'] ?? 0);
    naive.checkNow();
    await sleepUntil(checkAtMs + phase * INTERVAL_MS);
    const since = daemon.journal.mark();
    const beganMs = Date.now();
    await fault.apply(lab);
    const faultMs = Date.now();

    const [offline, naiveOffline] = await Promise.all([
      reason === undefined
        ? sleep(UNMOVED_MS).then(() => daemon.verdicts(since).find(({ verdict }) => verdict === 'offline'))
        : unlessLate(daemon.verdict('offline', since, { timeoutMs: NOTICE_MS })),
      unlessLate(naive.said('offline', beganMs, { timeoutMs: NOTICE_MS })),
    ]);
    await sleep(DWELL_MS + phase * OFFLINE_INTERVAL_MS);
    const plainOffline = plain.journal.lines.find(({ msg, atMs }) => msg === 'disconnected' && atMs >= beganMs);
    const outage = daemon.journal.mark();
    await fault.repair(lab);
    const repairMs = Date.now();

    const back = { timeoutMs: BACK_MS };
    const [online, join, naiveOnline, plainBack] = await Promise.all([
      offline && unlessLate(daemon.verdict('online', outage, back)),
      offline && unlessLate(daemon.joined(outage, back)),
      naiveOffline && unlessLate(naive.said('online', repairMs, back)),
      hitsCloud ? unlessLate(plain.said('acknowledged', repairMs, back)) : undefined,
    ]);
    const after = (from: number, at: { readonly atMs: number } | undefined): number | undefined =>
      at === undefined ? undefined : Math.max(0, at.atMs - from);
    return {
      fault: fault.name,
      expected: reason,
      phase,
      ours: {
        offlineMs: after(faultMs, offline),
        reason: offline?.reason,
        onlineMs: after(repairMs, online),
        groupMs: after(repairMs, join),
        onlineToGroupMs: online && after(online.atMs, join),
        recovered: join?.recovered,
      },
      naive: { offlineMs: after(faultMs, naiveOffline), onlineMs: after(repairMs, naiveOnline) },
      plainClient: { offlineMs: after(faultMs, plainOffline), groupMs: after(repairMs, plainBack) },
      machineLateMs: lag.between(beganMs, Date.now()),
    };
  }

  /** Ends the three; what they measured of themselves comes after that. */
  async stop(): Promise<Record<keyof Outages['loopDelay'], LoopDelay | undefined>> {
    const [naive, plainClient] = await Promise.all([this.naive.stop(), this.plain.stop(), this.daemon.stop()]);
    return { ours: readLoopDelay(this.delayFile), naive, plainClient };
  }

  async destroy(): Promise<void> {
    await this.daemon.kill();
    await this.lab.destroy();
  }
}

export async function measureOutages({ cases, phases, sideBySide, say }: OutageOptions): Promise<Outages> {
  // The long ones first, so that no lab is alone with one in the end.
  const todo = phases.flatMap((phase) => cases.map((one) => ({ one, phase })));
  const lag = new MachineLag();
  const trials: Trial[] = [];
  const delays = { ours: [] as LoopDelay[], naive: [] as LoopDelay[], plainClient: [] as LoopDelay[] };
  const worker = async (): Promise<void> => {
    const bench = await Bench.create();
    try {
      for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
        const trial = await bench.run(next.one, next.phase, lag);
        trials.push(trial);
        say(lineOf(trial));
      }
      const delay = await bench.stop();
      for (const [name, value] of Object.entries(delay)) {
        if (value !== undefined) delays[name as keyof typeof delays].push(value);
      }
    } finally {
      await bench.destroy();
    }
  };
  try {
    const workers = Array.from({ length: Math.min(sideBySide, todo.length) }, worker);
    await Promise.all(workers).finally(() => {
      // One that failed ends the others after the trial they are in.
      todo.length = 0;
      return Promise.allSettled(workers);
    });
  } finally {
    lag.stop();
  }
  return { trials, loopDelay: delays };
}

function lineOf({ fault, phase, ours, naive, plainClient, machineLateMs }: Trial): string {
  const times = (text: string, ...values: (number | undefined)[]): string =>
    `${text} ${values.map((value) => (value === undefined ? '-' : String(Math.round(value)))).join('/')}`;
  return [
    `${fault} at ${phase}:`,
    times('daemon', ours.offlineMs, ours.onlineMs, ours.groupMs),
    times('naive', naive.offlineMs, naive.onlineMs),
    times('client', plainClient.offlineMs, plainClient.groupMs),
    ...(machineLateMs > 0 ? [`(machine late ${machineLateMs})`] : []),
  ].join(' ');
}

async function unlessLate<T>(wait: Promise<T>): Promise<T | undefined> {
  try {
    return await wait;
  } catch (error) {
    if (error instanceof WaitTimeoutError) return undefined;
    throw error;
  }
}
