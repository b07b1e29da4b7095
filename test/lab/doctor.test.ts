/**
 * The doctor under every fault of the lab: the first cause is named; on a healthy machine nothing. Needs root.
 *
 * A line a fault is printed as a diagnostic: the fault, and the sentence. With DOCTOR_TABLE=FILE they are written there, as a table for people.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { DIAGNOSED, WITHOUT_ROW, type Diagnosed } from './doctor-faults.js';
import { DoctorSeat, type DoctorRun } from './doctor-seat.js';

/** At the same time: a doctor waits most of the time. */
const SIDE_BY_SIDE = 6;
/** What it promises, from the start of its process. */
const PROMISED_MS = 10_000;

const free: DoctorSeat[] = [];
const all = new Set<DoctorSeat>();
const sentences = new Map<string, string>();
after(async () => {
  const file = process.env['DOCTOR_TABLE'];
  if (file !== undefined) writeFileSync(file, tableOf(sentences));
  await Promise.all([...all].map((seat) => seat.destroy()));
});

function tableOf(told: ReadonlyMap<string, string>): string {
  const rows = DIAGNOSED.map(({ fault }) => `| ${fault.name} | ${fault.says} | ${told.get(fault.name) ?? ''} |`);
  return ['| fault | what it is | what the doctor says |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

/** A seat that fails is not used again, so that one failure stays one. */
async function withSeat<T>(work: (seat: DoctorSeat) => Promise<T>): Promise<T> {
  let seat = free.pop();
  if (seat === undefined) {
    seat = await DoctorSeat.create();
    all.add(seat);
  }
  await seat.connected();
  const result = await work(seat);
  free.push(seat);
  return result;
}

function assertDiagnosed({ code, report }: DoctorRun, { fault, outcome, check, trouble, words }: Diagnosed): void {
  const told = JSON.stringify(report, undefined, 1);
  if (outcome !== undefined) assert.equal(report.outcome, outcome, told);
  assert.equal(code, report.outcome === 'fail' ? 1 : 0);
  assert.equal(report.first ?? undefined, trouble === undefined ? undefined : check, told);
  const found = report.checks.find(({ id }) => id === check);
  assert.equal(found?.trouble ?? undefined, trouble, told);
  assert.match(found?.words ?? '', words, fault.name);
  if (trouble === undefined) assert.match(report.sentence, /^Nothing is wrong/);
  else assert.ok(report.sentence.includes(found?.words ?? '?'), report.sentence);
  // A check that fails by itself, or is too slow, would be one that sees nothing.
  for (const one of report.checks) assert.doesNotMatch(one.words, /this check failed|no answer within/, told);
  assert.ok(report.ms < PROMISED_MS, `${report.ms} ms`);
}

describe('the doctor', { concurrency: SIDE_BY_SIDE }, () => {
  it('on a healthy machine: no FAIL, no WARN', async (t) => {
    const seat = await DoctorSeat.create({ whole: true });
    try {
      await seat.connected();
      await seat.until(({ components }) => components.every(({ state }) => state === 'running'), 'hearing components');
      const { code, report } = await seat.doctor();
      const told = JSON.stringify(report, undefined, 1);
      assert.deepEqual([code, report.outcome, report.sentence], [0, 'pass', 'Nothing is wrong.'], told);
      const skipped = report.checks.filter(({ outcome }) => outcome === 'skip').map(({ id }) => id);
      // This is no Pi, and no systemd runs in it.
      for (const id of skipped)
        assert.ok(['power', 'heat', 'permissions', 'unit', 'second-remote', 'proxy'].includes(id), told);
      t.diagnostic(`healthy: ${report.sentence}`);
    } finally {
      await seat.destroy();
    }
  });

  it('has a row for every fault of the lab', () => assert.deepEqual(WITHOUT_ROW, []));

  for (const row of DIAGNOSED) {
    const { fault } = row;
    it(`${fault.name}: ${fault.says} -> ${row.trouble ?? 'nothing is wrong'}`, async (t) => {
      await withSeat(async (seat) => {
        await fault.apply(seat.lab);
        try {
          const run = await seat.doctor({ fakeClock: fault.needsClock === true });
          sentences.set(fault.name, run.report.sentence);
          t.diagnostic(`${fault.name}: ${run.report.sentence} (${run.ms} ms)`);
          assertDiagnosed(run, row);
        } finally {
          await fault.repair(seat.lab);
        }
      });
    });
  }
});
