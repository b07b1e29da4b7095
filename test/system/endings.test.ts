/** The running service killed, stopped, blocked: that it comes back, by systemd's watchdog or by itself. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Machine } from './machine.js';
import { evaluateIn, machineWithService, mainPid, restarted, UNIT } from './service.js';

/** A watchdog that a test can wait for; the unit's own is a minute. */
const FAST = ['WatchdogSec=4', 'TimeoutStopSec=5'];

describe('the service, ended and hindered', () => {
  let machine: Machine;

  before(async () => {
    machine = await machineWithService({ dropIn: FAST });
  });
  after(() => machine.stop());

  it('killed, it is back after its restart time', async () => {
    const pid = await mainPid(machine);
    const killedAt = performance.now();
    await machine.sh(`kill -9 ${pid}`);
    await restarted(machine, pid);
    const tookMs = performance.now() - killedAt;
    // RestartSec=1 and the start itself; the rest is for a slow machine.
    assert.ok(tookMs >= 900 && tookMs < 20_000, `took ${tookMs} ms`);
    await machine.logged(/Main process exited, code=killed, status=9\/KILL/);
  });

  it('is started again for ever, after longer and longer pauses', async () => {
    assert.equal(await machine.show('StartLimitIntervalUSec'), '0');
    assert.equal(await machine.show('RestartMaxDelayUSec'), '1min');
    const pauses: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const pid = await mainPid(machine);
      const from = Date.now();
      await machine.sh(`kill -9 ${pid}`);
      await restarted(machine, pid);
      const ended = await machine.logged(/Main process exited, code=killed/, { sinceMs: from });
      const again = await machine.logged(/Scheduled restart job/, { sinceMs: from });
      pauses.push(again.atMs - ended.atMs);
    }
    for (const [index, pause] of pauses.entries()) {
      if (index > 0) assert.ok(pause > pauses[index - 1]!, `pauses ${pauses.join(', ')} ms`);
    }
  });

  it('stopped by SIGSTOP, it is ended by the watchdog and comes back', async () => {
    const { pid, from } = await fresh();
    await machine.sh(`kill -STOP ${pid}`);
    await restarted(machine, pid);
    await machine.logged(/Watchdog timeout/, { sinceMs: from });
  });

  it('with its main loop blocked, it is ended by the watchdog and comes back', async () => {
    const { pid, from } = await fresh();
    await evaluateIn(machine, 'main', 'for (;;);');
    await restarted(machine, pid);
    await machine.logged(/Watchdog timeout/, { sinceMs: from });
  });

  for (const [what, expression] of [
    ['dead', 'process.exit(1)'],
    ['hanging', 'for (;;);'],
  ] as const) {
    it(`with its worker ${what}, it makes a new one by itself and goes on in the same process`, async () => {
      const { pid, from } = await fresh();
      // Its verdict proves that the thread has started: Node itself ends the process when a thread exits while it starts.
      await machine.logged(/^Offline: /, { sinceMs: from });
      await evaluateIn(machine, 'worker', expression);
      const said = await machine.logged(/^The worker thread of the internet checks /, { sinceMs: from });
      assert.ok(said.priority <= 4, `${said.priority}: ${said.message}`);
      assert.equal(
        await mainPid(machine),
        pid,
        (await machine.journal())
          .slice(-15)
          .map((e) => e.message)
          .join('\n'),
      );
      await machine.until('the status is right', async () =>
        /^Offline since .*: no network link/.test(await machine.show('StatusText')),
      );
      await machine.sh('sleep 6');
      assert.equal(await mainPid(machine), pid, 'the watchdog has ended a healthy service');
    });
  }

  it('SIGTERM: stopped cleanly in under 5 s, and said so', async () => {
    const from = Date.now();
    const startedAt = performance.now();
    await machine.sh(`systemctl stop ${UNIT}`);
    assert.ok(performance.now() - startedAt < 5_000);
    assert.equal(await machine.show('Result'), 'success');
    assert.equal(await machine.show('ExecMainStatus'), '0');
    const own = (await machine.journal()).filter(
      ({ identifier, atMs }) => identifier === 'dunebugger-remote' && atMs >= from,
    );
    assert.equal(own[0]?.message, 'Stopping signal=SIGTERM');
    assert.equal(own.at(-1)?.message, 'Stopped');
    assert.ok(own.every(({ priority }) => priority === 6));
  });

  /** A start that the pauses of earlier failures do not delay. */
  async function fresh(): Promise<{ readonly pid: number; readonly from: number }> {
    const from = Date.now();
    await machine.sh(`systemctl restart ${UNIT}`);
    return { pid: await mainPid(machine), from };
  }
});
