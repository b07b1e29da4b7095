/**
 * The history on a card that loses its power at random moments, is full, or turns read-only. Twenty power cuts; POWER_CUTS says how many
 * otherwise.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { OutageReport } from '../../src/main/observe/history/report.js';
import { Card } from '../support/card.js';
import { CliProcess, type Finished } from '../support/cli-process.js';
import { HistoryProcess, readBack } from '../support/history-process.js';
import { Installation } from '../support/installation.js';

const CUTS = Number(process.env['POWER_CUTS'] ?? '20');
const REFUSED = 'The history cannot be written; it is kept in memory, and tried again every 10 min.';

describe('the history on a card', () => {
  let card: Card;
  let directory = '';
  before(async () => {
    card = await Card.make();
    directory = path.join(card.path, 'history');
  });
  after(() => card.remove());

  it(`${CUTS} power cuts while it is written: whatever was told is there, and every file is readable`, async (t) => {
    let events = 0;
    for (let cut = 1; cut <= CUTS; cut += 1) {
      const writing = new HistoryProcess(directory);
      await writing.hasTold();
      await delay(Math.random() * 60);
      const told = [...writing.told];
      await card.cutPower();
      await writing.kill();
      await card.powerUp();
      events += told.length;
      const { own, unreadable, after: how } = await readBack(directory);
      assert.equal(how, cut === 1 ? 'nothing' : 'crash');
      for (const by of told) assert.ok(own.has(by), `event ${by} of process ${cut} was told and is lost`);
      assert.ok(unreadable <= cut, `${unreadable} torn lines after ${cut} cuts`);
    }
    t.diagnostic(`${events} events told before ${CUTS} power cuts`);
  });

  it('full: said once, nothing is told as written that is not, and all of it is written as soon as there is room', async () => {
    const writing = new HistoryProcess(directory);
    await writing.hasTold();
    await card.fill();
    await writing.hasSaid(/cannot be written/);
    const told = writing.told.length;
    // Several tries: ten minutes are 0.6 s there.
    await delay(2_000);
    assert.equal(writing.told.length, told);
    await card.makeRoom();
    await writing.hasSaid(/written again/);
    await writing.hasTold(told);
    await writing.kill();
    assert.equal(writing.said.filter((line) => line === REFUSED).length, 1);
    const { own } = await readBack(directory);
    for (const by of writing.told) assert.ok(own.has(by), `event ${by} was told and is lost`);
  });

  it('turned read-only: said once, the process goes on; what was told before is there', async () => {
    const writing = new HistoryProcess(directory);
    await writing.hasTold();
    await card.turnReadOnly();
    await writing.hasSaid(/cannot be written/);
    const told = writing.told.length;
    await delay(2_000);
    assert.equal(writing.told.length, told);
    await writing.kill();
    assert.equal(writing.said.filter((line) => line === REFUSED).length, 1);
    await card.powerUp();
    const { own } = await readBack(directory);
    for (const by of writing.told) assert.ok(own.has(by), `event ${by} was told and is lost`);
  });
});

describe('a daemon whose card loses its power in an outage', () => {
  let card: Card;
  let site: Installation;
  let socket = '';
  before(async () => {
    card = await Card.make();
    socket = path.join(card.path, '..', 'control.sock');
    site = await Installation.create({
      env: { DUNEBUGGER_STATUS_CONTROL_SOCKET: socket, STATE_DIRECTORY: card.path },
    });
    await site.startConnected();
  });
  after(async () => {
    await site.stop();
    await card.remove();
  });

  const outages = (...args: readonly string[]): Promise<Finished> =>
    CliProcess.run({
      args: ['outages', ...args],
      env: { DUNEBUGGER_STATUS_CONTROL_SOCKET: socket, STATE_DIRECTORY: card.path },
    });
  const report = async (): Promise<OutageReport> => JSON.parse((await outages('--json')).stdout) as OutageReport;

  it('still knows and tells what happens, without a word of it on the card', async () => {
    const since = site.daemon.lines.length;
    await site.breakInternet('refused');
    await site.daemon.waitForLine(/Internet lost/, { since });
    assert.equal((await report()).outages.length, 1);
    await card.cutPower();
    await card.die();
    await site.repairInternet();
    await site.daemon.waitForLine(/Connected to the cloud|Cloud connection resumed/, { since });
    await site.daemon.waitForLine(/The history cannot be written/, { since });
    const { outages: known } = await report();
    assert.deepEqual(
      known.map(({ toMs, atLeast }) => [toMs !== null, atLeast]),
      [[true, false]],
    );
    assert.match(
      (await outages()).stdout,
      /\nThe card cannot be read \(EIO: .*\): this is only what the service has in memory\.\n$/,
    );
  });

  it('after it: the outage lasted at least until the last that was written; without the daemon, and with the next', async () => {
    await site.daemon.kill();
    const dead = await outages();
    assert.equal(dead.code, 74);
    assert.match(
      dead.stderr,
      /^dunebugger-remote: the service does not answer, and the history .* EIO: .*Look at the card\n$/,
    );
    await card.powerUp();
    const left = await report();
    assert.equal(left.running, false);
    assert.deepEqual(
      left.outages.map(({ atLeast, why }) => [atLeast, why]),
      [[true, 'tcp-refused']],
    );
    await site.startConnected();
    const next = await report();
    assert.deepEqual(
      [next.running, next.outages.map(({ atLeast }) => atLeast), next.runs.map(({ after: how }) => how)],
      [true, [true], ['nothing', 'crash']],
    );
    assert.match((await outages()).stdout, /at least .* internet: test site refuses connections\n/);
  });
});
