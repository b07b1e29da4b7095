/** What the parts of a healthy daemon contribute to a snapshot. */
import type { CloudPart, InternetPart, Parts } from '../../src/main/observe/parts.js';
import type { Looked } from '../../src/main/observe/snapshot.js';
import type { CheckEvidence, OfflineReason } from '../../src/workers/protocol.js';

/** 25 November 2026, 10:00 local time. */
export const NOW_MS = new Date(2026, 10, 25, 10, 0, 0).getTime();

export const EVIDENCE: CheckEvidence = {
  checkId: 7,
  trigger: 'interval',
  startedAtMs: NOW_MS - 3_000,
  ms: 31,
  ok: true,
  link: { phase: 'link', ok: true },
  dns: { phase: 'dns', ok: true, ms: 9, addresses: ['203.0.113.7'], servers: ['192.0.2.53'] },
  https: [
    {
      phase: 'https',
      ok: true,
      ms: 22,
      addressesFrom: 'dns',
      address: '203.0.113.7',
      reused: true,
      httpMs: 22,
      status: 200,
    },
  ],
};

const ONLINE: InternetPart = {
  verdict: 'online',
  sinceMs: NOW_MS - 3_600_000,
  testDomain: 'smart.dunebugger.it',
  offlineIntervalSecs: 2,
  lastEvidence: EVIDENCE,
};

const CONNECTED: CloudPart = {
  kind: 'connected',
  sinceMs: NOW_MS - 1_800_000,
  group: 'velasquez',
  attempt: 1,
  nextAttemptAtMs: undefined,
  lastFailure: undefined,
};

export const HEALTHY: Parts = {
  daemon: { version: '1.2.3', pid: 42, startedAtMs: NOW_MS - 7_200_000, wanted: true, problem: undefined },
  internet: ONLINE,
  cloud: CONNECTED,
  bus: 'up',
  secondRemote: null,
  components: [
    { name: 'dunebugger', state: 'running', version: '2.1.0' },
    { name: 'scheduler', state: 'running', version: null },
  ],
  clock: { trusted: true, farOffMs: undefined },
  data: {
    sinceMs: NOW_MS - 7_200_000,
    dataSaver: false,
    checks: { received: 400_000, sent: 210_000 },
    signIn: { received: 9_000, sent: 4_000 },
    cloud: { received: 60_000, sent: 70_000 },
    whole: {
      checks: { received: 4_400_000, sent: 2_210_000 },
      signIn: { received: 19_000, sent: 8_000 },
      cloud: { received: 660_000, sent: 770_000 },
    },
  },
};

export function offline(reason: OfflineReason, more: Partial<InternetPart> = {}): Partial<Parts> {
  return {
    internet: { ...ONLINE, verdict: 'offline', reason, sinceMs: NOW_MS - 120_000, ...more },
    cloud: { ...CONNECTED, kind: 'waiting-for-internet' },
  };
}

/** The internet is there, the test site is not. */
export function siteFails(siteReason: OfflineReason): Partial<Parts> {
  const lastEvidence = {
    checkId: 1,
    trigger: 'confirming',
    startedAtMs: NOW_MS,
    ms: 9,
    ok: true,
    siteReason,
    https: [],
  } as const;
  return { internet: { ...ONLINE, lastEvidence } };
}

export function cloudIs(kind: string, more: Partial<CloudPart> = {}): Partial<Parts> {
  return { cloud: { ...CONNECTED, kind, ...more } };
}

export const LOOKED: Looked = {
  machine: {
    temperatureC: 48.3,
    underVoltage: false,
    memoryFreeMb: 512,
    diskFreeMb: 20_480,
    interface: { name: 'wlan0', signalDbm: -56 },
    router: '192.168.1.1',
    traffic: { receivedBytes: 12_345_678, sentBytes: 2_345_678 },
  },
  today: { sinceMs: NOW_MS - 36_000_000, receivedBytes: 12_345_678, sentBytes: 2_345_678 },
  outages: [
    {
      scope: 'internet',
      fromMs: NOW_MS - 24_000_000,
      toMs: NOW_MS - 23_157_000,
      ms: 843_000,
      atLeast: false,
      count: 1,
      why: 'dns-timeout',
      evidence: 'failed 2000 ms',
      cloud: { how: 'resumed', ms: 846_000 },
    },
  ],
  lastHour: { checks: 514, failed: 1, latencyMs: { mean: 21.4, max: 88 }, jitterMs: 3.2 },
};
