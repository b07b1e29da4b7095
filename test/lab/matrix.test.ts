/**
 * The fault matrix: the real daemon under every fault, in labs side by side. Needs root; about four minutes.
 *
 * What it measures is printed as diagnostics, one line a trial.
 */
import assert from 'node:assert/strict';
import { after, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OfflineReason } from '../../src/workers/protocol.js';
import { LabDaemon, STABILIZATION_MS, type VerdictChange } from './daemon.js';
import { blackHole } from './faults.js';
import { textOf, type LogLine } from './journal.js';
import { MachineLag, waitedForProcessorMs } from './machine-lag.js';
import { BLIPS, BLIP_MS, JOINED_MS, MATRIX, SILENT_MEDIAN_MS, type Row } from './matrix.js';
import { Seats, sleepUntil, type Seat } from './seats.js';

/** At the same time; a daemon waits most of the time. */
const SIDE_BY_SIDE = 8;
/** Offline, the network is looked at every 2 s: long enough to see that nothing else is tried. */
const DWELL_MS = 2_500;
/** From online to the group, beyond the stabilisation. */
const REJOIN_MS = 1_000;
const INTERVAL_MS = 7_000;
/** How much later than its bound something is waited for, to say how late it was. */
const GRACE_MS = 10_000;

/** What an operator must find in the journal, for each reason. */
const WORDS: Readonly<Record<OfflineReason, RegExp>> = {
  'no-link': /no (network )?link|cable|Wi-Fi/i,
  'no-route': /address|route/i,
  'dns-timeout': /name server/i,
  'dns-failed': /name server/i,
  proxy: /proxy/,
  'tcp-timeout': /does not answer/i,
  'tcp-refused': /refuse/i,
  portal: /portal|certificate/i,
  'no-ca-store': /ca-certificates/,
  clock: /clock/i,
  'tls-failed': /TLS/,
  'http-timeout': /no answer|does not answer/i,
};
/** What sets a clock. */
const SETS_THE_CLOCK = /timesyncd|NTP|time server|timedatectl/i;

const seats = new Seats();
const lag = new MachineLag();
after(async () => {
  lag.stop();
  await seats.destroy();
});

/** The beginning of something that has a bound. */
interface Beginning {
  readonly atMs: number;
  /** The processes that must be quick, and how long they had waited for a processor by then. */
  readonly pids: readonly number[];
  readonly waitedMs: number;
}

function beginning({ lab }: Seat, daemon: LabDaemon, atMs = Date.now()): Beginning {
  const pids = [daemon.pid, lab.internet.pid];
  return { atMs, pids, waitedMs: waitedForProcessorMs(pids) };
}

/** What the machine kept from the processes since then is not the daemon's. */
function lateSince({ atMs, pids, waitedMs }: Beginning, toMs: number): number {
  return lag.between(atMs, toMs) + waitedForProcessorMs(pids) - waitedMs;
}

function assertWithin(what: string, begun: Beginning, toMs: number, boundMs: number): string {
  const took = Math.max(0, Math.round(toMs - begun.atMs));
  const late = lateSince(begun, toMs);
  assert.ok(
    took <= boundMs + late,
    `${what}: ${took} ms, more than ${boundMs} ms (the machine was late by ${late} ms)`,
  );
  return `${what} ${took} ms (machine late ${late} ms)`;
}

/** Sign-ins and WebSockets that the cloud has seen. */
async function calls({ lab }: Seat): Promise<object> {
  const { negotiations, upgrades } = (await lab.internet.call('cloud', undefined)).counts;
  return { negotiations, upgrades };
}

/** The log names the site, once, and says when it is back. */
async function assertSiteNamed(daemon: LabDaemon, since: number, words: RegExp): Promise<void> {
  await daemon.siteFails(since);
  const told = daemon.journal.find(({ msg }) => msg.startsWith('The internet is there; the test site is not'), since);
  assert.deepEqual(
    told.map(({ level, msg }) => [level, words.test(msg)]),
    [['warn', true]],
    daemon.journal.tail(60),
  );
}

function assertNoTransition(daemon: LabDaemon, since: number): void {
  const lines = daemon.verdicts(since).map(({ line }) => textOf(line));
  assert.deepEqual(lines, [], `the verdict changed; the log:\n${daemon.journal.tail(60)}`);
}

function assertToldWell(daemon: LabDaemon, change: VerdictChange, reason: OfflineReason): void {
  assert.equal(change.reason, reason, `the reason; the log:\n${daemon.journal.tail(60)}`);
  assert.equal(change.line.level, 'warn', textOf(change.line));
  assert.match(change.line.msg, WORDS[reason]);
  if (reason === 'clock') assert.match(change.line.msg, SETS_THE_CLOCK);
}

/** When a check began, and how long it took. */
function checkTimes({ atMs, fields }: LogLine): { readonly startedAtMs: number; readonly ms: number } {
  const ms = Number(fields['ms']);
  return { startedAtMs: atMs - ms, ms };
}

function assertSoonEnough(check: LogLine, begun: Beginning, boundMs = Infinity): void {
  const { startedAtMs, ms } = checkTimes(check);
  const late = lateSince(begun, startedAtMs + ms);
  assert.ok(ms <= boundMs + late, `a check took ${ms} ms, more than ${boundMs} ms (late ${late} ms): ${textOf(check)}`);
}

/** From the offline verdict (or the start) through the repair to the group. Returns what was measured. */
async function throughTheOutage(
  seat: Seat,
  daemon: LabDaemon,
  row: Row,
  reason: OfflineReason,
  boundMs: number,
  begun: Beginning,
): Promise<string[]> {
  const { lab } = seat;
  const since = row.fromStart ? 0 : daemon.journal.mark();
  const offline = await daemon.verdict('offline', since, { timeoutMs: boundMs + GRACE_MS });
  const measured = [assertWithin('offline', begun, offline.atMs, boundMs)];
  assertToldWell(daemon, offline, reason);
  if (row.says !== undefined) assert.ok(offline.line.msg.includes(row.says), textOf(offline.line));

  const before = await lab.traffic();
  const quiet = daemon.journal.mark();
  const called = await calls(seat);
  await sleep(DWELL_MS);
  assert.ok(!daemon.verdicts(quiet).some(({ verdict }) => verdict === 'online'), daemon.journal.tail());
  assert.deepEqual(await daemon.sockets(), [], 'connections to the cloud while offline');
  await row.fault.repair(lab);
  const repaired = beginning(seat, daemon);

  const online = await daemon.verdict('online', quiet, { timeoutMs: GRACE_MS });
  const settling = beginning(seat, daemon, online.atMs);
  const { synCloud } = await lab.traffic(before);
  // Neither a sign-in nor a WebSocket, only the handshakes by which witnesses are asked.
  const witnesses = daemon.witnessesAsked(quiet);
  assert.ok(
    synCloud.packets <= witnesses,
    `${synCloud.packets} connections begun while offline, ${witnesses} witnesses`,
  );
  assert.deepEqual(await calls(seat), called, 'calls to the cloud while offline');
  const attempts = daemon.attempts(quiet).filter(({ atMs }) => atMs < online.atMs);
  assert.deepEqual(attempts.map(textOf), [], 'attempts while offline');
  measured.push(assertWithin('online', repaired, online.atMs, row.onlineWithinMs ?? 0));

  const join = await daemon.joined(quiet, { timeoutMs: STABILIZATION_MS + GRACE_MS });
  assert.ok(join.atMs - online.atMs >= STABILIZATION_MS - 50, 'the internet was not given the time to settle');
  measured.push(assertWithin('group', settling, join.atMs, STABILIZATION_MS + REJOIN_MS));
  assert.equal(join.recovered, row.fromStart !== true, 'the session was recovered without loss');
  return measured;
}

/** The fault comes while everything works. */
async function interrupt(seat: Seat, row: Row): Promise<string[]> {
  const { fault, expect } = row;
  if (row.fresh) await seat.vacate();
  const daemon = await seat.healthy();
  if (row.before !== undefined) {
    const mark = daemon.journal.mark();
    await row.before.apply(seat.lab);
    await daemon.siteFails(mark);
  }
  const since = daemon.journal.mark();
  await fault.apply(seat.lab);
  const applied = beginning(seat, daemon);
  let measured: string[];
  if (expect.kind === 'offline') {
    measured = await throughTheOutage(seat, daemon, row, expect.reason, expect.withinMs, applied);
  } else {
    const begun = (): readonly LogLine[] =>
      daemon.checks(since).filter((line) => checkTimes(line).startedAtMs >= applied.atMs);
    const checks = await daemon.journal.until(
      () => (begun().length >= 2 ? begun() : undefined),
      'two checks under the fault',
      { timeoutMs: 3 * INTERVAL_MS + GRACE_MS },
    );
    assertNoTransition(daemon, since);
    for (const check of checks) assertSoonEnough(check, applied, expect.checksWithinMs);
    measured = [`checks ${checks.map((line) => `${Math.round(checkTimes(line).ms)} ms`).join(', ')}`];
    if (expect.siteFails !== undefined) {
      await assertSiteNamed(daemon, since, expect.siteFails);
      await seat.answersOnce(daemon);
    }
    const repairing = daemon.journal.mark();
    await fault.repair(seat.lab);
    await daemon.checked(1, repairing);
    if (expect.siteFails !== undefined) await daemon.siteBack(repairing);
    assertNoTransition(daemon, since);
    if (row.moves) await daemon.joined(since);
    const joins = daemon.joins(since).map(({ recovered }) => recovered);
    assert.deepEqual(joins, row.moves ? [true] : [], 'the connection was left alone, or moved once');
  }
  if (row.before !== undefined) {
    const mark = daemon.journal.mark();
    await row.before.repair(seat.lab);
    await daemon.siteBack(mark);
  }
  await seat.answersOnce(daemon);
  return measured;
}

/** The fault is there before the daemon. */
async function begin(seat: Seat, row: Row): Promise<string[]> {
  const { fault, expect } = row;
  await seat.vacate();
  await fault.apply(seat.lab);
  const before = await seat.lab.traffic();
  const daemon = LabDaemon.start(seat.lab, fault.needsClock ? { fakeClock: true } : {});
  const started = beginning(seat, daemon, daemon.startedAtMs);
  try {
    let measured: string[];
    if (expect.kind === 'offline') {
      measured = await throughTheOutage(seat, daemon, row, expect.reason, expect.withinMs, started);
      const [warning] = daemon.journal.find(({ msg }) => msg.startsWith('No internet at start'));
      assert.equal(warning?.level, 'warn');
      assert.ok(
        daemon.journal.find(({ level, msg }) => level === 'info' && /will be opened as soon as/.test(msg)).length > 0,
      );
    } else {
      const joined = await daemon.joined();
      const [first] = daemon.verdicts();
      assert.equal(first?.verdict, 'online', daemon.journal.tail());
      const [check] = await daemon.checked(1);
      assertSoonEnough(check!, started, expect.checksWithinMs);
      if (expect.siteFails === undefined) assert.match(check!.msg, /passed/, daemon.journal.tail());
      measured = [`first check ${checkTimes(check!).ms} ms`];
      if (expect.connectsWithinMs !== undefined) {
        const connecting = beginning(seat, daemon, daemon.attempts()[0]?.atMs);
        measured.push(assertWithin('sign-in and WebSocket', connecting, joined.atMs, expect.connectsWithinMs));
      }
      if (expect.siteFails !== undefined) {
        measured.push(assertWithin('group', started, joined.atMs, JOINED_MS));
        await assertSiteNamed(daemon, 0, expect.siteFails);
      }
      const repairing = daemon.journal.mark();
      await fault.repair(seat.lab);
      if (expect.siteFails !== undefined) await daemon.siteBack(repairing);
    }
    assert.ok((await seat.lab.traffic(before)).up.packets > 0);
    await seat.answersOnce(daemon);
    if (fault.needsClock) await daemon.stop();
    else seat.keep(daemon);
    return measured;
  } catch (error) {
    await daemon.kill();
    throw error;
  }
}

const one = (seat: Seat, row: Row): Promise<string[]> => (row.fromStart ? begin(seat, row) : interrupt(seat, row));

const title = ({ fault, expect, fromStart, before }: Row): string =>
  `${before === undefined ? '' : `${before.name}, then `}${fault.name}${fromStart ? ' from the start' : ''}: ${fault.says} -> ${expect.kind === 'offline' ? expect.reason : 'online'}`;

describe('the fault matrix', { concurrency: SIDE_BY_SIDE }, () => {
  for (const row of MATRIX) {
    for (let trial = 1; trial <= (row.times ?? 1); trial += 1) {
      it(row.times === undefined ? title(row) : `${title(row)} (${trial} of ${row.times})`, async (t) => {
        await seats.with(async (seat) => {
          for (const text of await one(seat, row)) t.diagnostic(`${row.fault.name}: ${text}`);
        });
      });
    }
  }

  const silent: number[] = [];
  for (const phase of [0.1, 0.3, 0.5, 0.7, 0.9]) {
    it(`a silent black hole ${phase * 100} % of the interval after a check`, async (t) => {
      const row = MATRIX.find(({ fault }) => fault === blackHole)!;
      await seats.with(async (seat) => {
        const daemon = await seat.healthy();
        const [check] = await daemon.checked(1, daemon.journal.mark());
        await sleepUntil(checkTimes(check!).startedAtMs + phase * INTERVAL_MS);
        const [first = '', ...others] = await one(seat, row);
        silent.push(Number(/\d+/.exec(first)?.[0]));
        for (const text of [first, ...others]) t.diagnostic(`black hole at ${phase}: ${text}`);
      });
    });
  }

  for (const fault of BLIPS) {
    it(`${BLIP_MS} ms of ${fault.name} over one check: no transition`, (t) =>
      seats.with((seat) => blip(seat, fault, t)));
  }

  after(() => {
    // Each that failed has failed on its own, and none was asked for if only some of the tests are run.
    if (silent.length === 0) return;
    const median = silent.sort((a, b) => a - b)[Math.floor(silent.length / 2)] ?? Infinity;
    assert.ok(median <= SILENT_MEDIAN_MS, `a silent black hole is noticed after ${silent.join(', ')} ms`);
  });
});

/** Trials, of which a busy machine may spoil some. */
const BLIP_TRIALS = 6;
/** The fault is begun that much before the check is due. */
const LEAD_MS = 300;
/** Time between the starts of a failed check and of the one that confirms it. */
const CONFIRM_AFTER_MS = 1_000;

/** Lays the fault over the next check, and over no other. */
async function blip(seat: Seat, fault: Row['fault'], t: TestContext): Promise<void> {
  const daemon = await seat.healthy();
  for (let trial = 1; trial <= BLIP_TRIALS; trial += 1) {
    const last = (await daemon.checked(1, daemon.journal.mark())).at(-1)!;
    const dueMs = checkTimes(last).startedAtMs + INTERVAL_MS;
    const since = daemon.journal.mark();
    await sleepUntil(dueMs - LEAD_MS);
    await fault.apply(seat.lab);
    const appliedAtMs = Date.now();
    await sleepUntil(appliedAtMs + BLIP_MS);
    await fault.repair(seat.lab);
    const repairedAtMs = Date.now();

    const [hit] = await daemon.checked(2, since, { timeoutMs: 2 * INTERVAL_MS + GRACE_MS });
    const { startedAtMs } = checkTimes(hit!);
    const offset = Math.round(startedAtMs - appliedAtMs);
    if (startedAtMs >= appliedAtMs && repairedAtMs <= startedAtMs + CONFIRM_AFTER_MS) {
      assertNoTransition(daemon, since);
      t.diagnostic(`${fault.name}: ${offset} ms into it began a check: ${hit!.msg}`);
      await seat.answersOnce(daemon);
      return;
    }
    t.diagnostic(
      `${fault.name}: trial ${trial} says nothing, as the fault missed the check (begun ${offset} ms into it)`,
    );
    await seat.answersOnce(daemon);
  }
  assert.fail(`the fault was not laid over one check in ${BLIP_TRIALS} trials: this machine is too busy to tell`);
}
