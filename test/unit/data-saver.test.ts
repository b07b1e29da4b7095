/** Lines that are paid by the byte: what is asked when, who says that a line is metered, and what is told of the bytes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ProgramRun } from '../../src/main/base/run-program.js';
import { askNetworkManager } from '../../src/main/data/network-manager.js';
import { DataSaver } from '../../src/main/data/saver.js';
import { DataUse, type Uses } from '../../src/main/data/use.js';
import { CarriedByWorkers } from '../../src/main/internet-monitor/carried.js';
import type { Verdict } from '../../src/workers/protocol.js';
import { isEnough, lookAgainAfterMs, mayAskOnly } from '../../src/workers/saver.js';
import { RecordedLog } from '../support/recorded-log.js';
import { SteppedClock } from '../support/stepped-clock.js';
import { until } from '../support/until.js';

const SAVER = { lookEveryMs: 75_000, checkEveryMs: 3_600_000, checkAloneEveryMs: 300_000 };
const DUE = { saver: SAVER, trigger: 'interval', verdict: 'online', failures: 0, sinceCheckMs: 60_000 } as const;

describe('what is asked', () => {
  it('the live connection alone, where nothing is in doubt', () => {
    assert.equal(mayAskOnly(DUE), true);
  });

  it('the site, where anything is', () => {
    assert.equal(mayAskOnly({ ...DUE, saver: undefined }), false);
    for (const trigger of ['start', 'confirming', 'asked', 'link', 'doubted'] as const)
      assert.equal(mayAskOnly({ ...DUE, trigger }), false, trigger);
    for (const verdict of ['unknown', 'offline'] as const) assert.equal(mayAskOnly({ ...DUE, verdict }), false);
    assert.equal(mayAskOnly({ ...DUE, failures: 1 }), false);
    assert.equal(mayAskOnly({ ...DUE, sinceCheckMs: SAVER.checkEveryMs }), false, 'now and then');
    assert.equal(mayAskOnly({ ...DUE, sinceCheckMs: Infinity }), false, 'the last check said nothing');
  });

  it('the site at once where the connection keeps silent, and within minutes where there is none', () => {
    assert.equal(isEnough('answered', 3_000_000, SAVER), true);
    assert.equal(isEnough('silent', 1_000, SAVER), false);
    assert.equal(isEnough('none', 299_000, SAVER), true);
    assert.equal(isEnough('none', 300_000, SAVER), false);
  });
});

describe('how often', () => {
  const pace = (verdict: Verdict, offlineForMs = 0, saver: typeof SAVER | null = SAVER): number =>
    lookAgainAfterMs({ saver: saver ?? undefined, verdict, intervalMs: 7_000, offlineIntervalMs: 2_000, offlineForMs });

  it('as configured without it', () => {
    assert.deepEqual([pace('online', 0, null), pace('offline', 86_400_000, null)], [7_000, 2_000]);
  });

  it('every 75 s while online', () => {
    assert.equal(pace('online'), 75_000);
    assert.equal(
      lookAgainAfterMs({
        saver: SAVER,
        verdict: 'online',
        intervalMs: 300_000,
        offlineIntervalMs: 2_000,
        offlineForMs: 0,
      }),
      300_000,
      'a longer interval stands',
    );
  });

  it('a return is noticed within a tenth of the outage, and as soon as a loss is', () => {
    assert.equal(pace('unknown', 999_999), 2_000);
    for (const forMs of [0, 5_000, 20_000]) assert.equal(pace('offline', forMs), 2_000);
    assert.equal(pace('offline', 120_000), 12_000);
    for (const forMs of [750_000, 86_400_000]) assert.equal(pace('offline', forMs), 75_000);
  });
});

describe("NetworkManager's word", () => {
  const ask = (ran: ProgramRun, runs = true): ReturnType<typeof askNetworkManager> =>
    askNetworkManager({ runs: () => runs, run: () => Promise.resolve(ran) });
  const said = (stdout: string): ProgramRun => ({ ok: true, stdout });

  it('each value of NMMetered', async () => {
    assert.deepEqual(await ask(said('u 0\n')), { kind: 'unknown' });
    assert.deepEqual(await ask(said('u 1\n')), { kind: 'metered', guessed: false });
    assert.deepEqual(await ask(said('u 2\n')), { kind: 'unmetered', guessed: false });
    assert.deepEqual(await ask(said('u 3\n')), { kind: 'metered', guessed: true });
    assert.deepEqual(await ask(said('u 4\n')), { kind: 'unmetered', guessed: true });
    assert.deepEqual(await ask(said('s "yes"\n')), { kind: 'unknown', why: 'its answer makes no sense' });
  });

  it('none where it does not run, and nothing is started then', async () => {
    const asked = await askNetworkManager({ runs: () => false, run: () => assert.fail('a process') });
    assert.deepEqual(asked, { kind: 'unknown' });
  });

  it('why it cannot be asked', async () => {
    const stderr = 'Failed to get property Metered: Access denied\nmore\n';
    assert.deepEqual(await ask({ ok: false, error: new Error('exit 1'), stderr }), {
      kind: 'unknown',
      why: 'Failed to get property Metered: Access denied',
    });
    assert.deepEqual(await ask({ ok: false, error: new Error('ENOENT'), stderr: '' }), {
      kind: 'unknown',
      why: 'busctl cannot be run, or does not answer',
    });
  });
});

describe('whether bytes are saved', () => {
  type Word = Awaited<ReturnType<typeof askNetworkManager>>;

  function make(setting: 'auto' | boolean, word: Word) {
    const log = new RecordedLog();
    const world = { setting, word, changes: [] as boolean[], asked: 0 };
    const saver = new DataSaver({
      setting: () => world.setting,
      ask: () => {
        world.asked += 1;
        return Promise.resolve(world.word);
      },
      onChange: (on) => world.changes.push(on),
      log,
    });
    return { saver, world, log };
  }

  it('True and False ask nobody; True is told', () => {
    const yes = make(true, { kind: 'unknown' });
    yes.saver.start();
    assert.deepEqual([yes.saver.on, yes.world.asked, yes.world.changes], [true, 0, []]);
    assert.match(yes.log.at('info')[0] ?? '', /^Data saver on \(dataSaver is True\)/);
    const no = make(false, { kind: 'metered', guessed: false });
    no.saver.start();
    assert.deepEqual([no.saver.on, no.world.asked, no.log.lines], [false, 0, []]);
    yes.saver.stop();
    no.saver.stop();
  });

  it('auto follows NetworkManager, and a reload the setting', async () => {
    const { saver, world, log } = make('auto', { kind: 'metered', guessed: true });
    saver.start();
    await until(() => saver.on, 'the word');
    assert.deepEqual(world.changes, [true]);
    assert.match(log.at('info')[0] ?? '', /NetworkManager says that the line is metered, as it guesses/);
    world.setting = false;
    saver.configure();
    assert.deepEqual([saver.on, world.changes], [false, [true, false]]);
    world.setting = 'auto';
    world.word = { kind: 'unmetered', guessed: false };
    saver.configure();
    await until(() => world.asked === 2, 'the question');
    assert.equal(saver.on, false);
    saver.stop();
  });

  it('asks again every five minutes, as a line can become metered with nothing else changing', async (context) => {
    const { saver, world } = make('auto', { kind: 'unmetered', guessed: false });
    context.mock.timers.enable({ apis: ['setTimeout'] });
    saver.start();
    await Promise.resolve();
    await Promise.resolve();
    world.word = { kind: 'metered', guessed: false };
    context.mock.timers.tick(300_000 - 1);
    assert.equal(world.asked, 1);
    context.mock.timers.tick(1);
    assert.equal(world.asked, 2);
    await Promise.resolve();
    await Promise.resolve();
    assert.deepEqual([saver.on, world.changes], [true, [true]]);
    saver.stop();
    context.mock.timers.tick(600_000);
    assert.equal(world.asked, 2);
  });

  it('auto is off where nobody can be asked, and why is told once', async () => {
    const { saver, world, log } = make('auto', { kind: 'unknown', why: 'Access denied' });
    saver.start();
    await until(() => log.lines.length === 1, 'the line');
    saver.configure();
    await until(() => world.asked === 2, 'the second question');
    assert.equal(saver.on, false);
    assert.equal(log.lines.length, 1);
    assert.match(log.at('info')[0] ?? '', /taken as unmetered; .* set dataSaver = True/);
    saver.stop();
  });

  it('one question at a time, and one more for what has changed meanwhile', async () => {
    let asked = 0;
    let open = 0;
    const answers: (() => void)[] = [];
    const saver = new DataSaver({
      setting: () => 'auto',
      ask: () => {
        asked += 1;
        open += 1;
        assert.equal(open, 1);
        return new Promise((resolve) =>
          answers.push(() => {
            open -= 1;
            resolve({ kind: 'unknown' });
          }),
        );
      },
      onChange: () => undefined,
      log: new RecordedLog(),
    });
    saver.start();
    for (let n = 0; n < 5; n += 1) saver.configure();
    answers[0]?.();
    await until(() => asked === 2, 'the second question');
    answers[1]?.();
    await new Promise(setImmediate);
    assert.equal(asked, 2);
    saver.stop();
  });
});

describe('bytes by use', () => {
  it('of workers that are replaced add up', () => {
    const carried = new CarriedByWorkers();
    carried.heard({ received: 100, sent: 50 });
    carried.heard({ received: 300, sent: 70 });
    carried.heard({ received: 10, sent: 5 });
    carried.heard({ received: 20, sent: 9 });
    assert.deepEqual(carried.sum, { received: 320, sent: 79 });
  });

  it('are told once a day, of that day alone', async () => {
    const clock = new SteppedClock();
    const log = new RecordedLog();
    const none = { received: 0, sent: 0 };
    let uses: Uses = { checks: none, signIn: none, cloud: none };
    const use = new DataUse({ read: () => uses, dataSaver: () => false, log, clock });
    uses = { checks: { received: 4e6, sent: 1e6 }, signIn: { received: 5_000, sent: 1_000 }, cloud: none };
    use.tick();
    assert.deepEqual([use.today.checks, log.lines.length], [{ received: 4e6, sent: 1e6 }, 0]);
    await clock.advance(86_400_000);
    use.tick();
    use.tick();
    assert.equal(log.lines.length, 1);
    assert.match(
      log.at('info')[0] ?? '',
      /^Data of 1970-01-01: 5\.0 MB for the checks, 6 kB for signing in, 0 kB for the cloud connection; the headers/,
    );
    assert.deepEqual(use.today.checks, none);
    uses = { ...uses, cloud: { received: 7, sent: 8 } };
    assert.deepEqual([use.today.cloud, use.today.signIn], [{ received: 7, sent: 8 }, none]);
  });
});
