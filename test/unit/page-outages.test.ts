/** A page that behaves as the front end does, through outages begun at every phase of the heartbeats, and through restarts of everything. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { House } from '../support/house.js';

const SECOND = 1_000;
/** By then after a return the page shows the device online with its present state. */
const SHOWN_AFTER_MS = 5 * SECOND;

/**
 * Beginnings, milliseconds after the page's last request: each 11 s of a round of heartbeats (a beat a minute, the question at 300 s), and
 * closely around each beat and the question.
 */
const PHASES = [
  ...Array.from({ length: 28 }, (_, i) => i * 11 * SECOND),
  ...[60, 120, 240, 300].flatMap((beat) => [-14, -9.9, -4, -1, -0.03, 0.03, 1].map((by) => (beat + by) * SECOND)),
];

for (const keptMs of [30, 55].map((secs) => secs * SECOND))
  describe(`a page of the front end, after an outage, the service keeping a session for ${keptMs} ms`, () => {
    for (const how of ['silent', 'refused'] as const) {
      for (const secs of [10, 35, 50, 70, 180, 600]) {
        it(`of ${secs} s, ${how}, begun at any phase of the heartbeats: online with the present state 5 s after the return`, async () => {
          const wrong: string[] = [];
          for (const phaseMs of PHASES) {
            const house = new House({}, keptMs);
            await house.open();
            await house.clock.advance(phaseMs);
            house.line.cut(how === 'silent');
            await house.clock.advance((secs * SECOND) / 2);
            house.components.change('core');
            house.components.change('scheduler');
            await house.clock.advance((secs * SECOND) / 2);
            house.line.mend();
            await house.clock.advance(SHOWN_AFTER_MS);
            if (!house.showsThePresent) wrong.push(`begun after ${phaseMs} ms: ${house.seen}`);
            // And it stays so.
            await house.clock.advance(400 * SECOND);
            if (!house.showsThePresent) wrong.push(`begun after ${phaseMs} ms, later: ${house.seen}`);
            await house.stop();
          }
          assert.deepEqual(wrong, []);
        });
      }
    }
  });

describe('a page of the front end, after a restart', () => {
  const phases = [0, 30, 59, 200, 296, 301].map((secs) => secs * SECOND);
  const changeAll = (house: House): void => {
    house.components.change('core');
    house.components.change('scheduler');
  };

  it('of the daemon', async () => {
    for (const phaseMs of phases) {
      for (const awayMs of [1, 3, 20, 90].map((secs) => secs * SECOND)) {
        const house = new House();
        await house.open();
        await house.clock.advance(phaseMs);
        await house.restartDaemon(awayMs, () => changeAll(house));
        await house.clock.advance(SHOWN_AFTER_MS);
        assert.ok(house.showsThePresent, `${phaseMs} ms, away for ${awayMs} ms: ${house.seen}`);
        await house.stop();
      }
    }
  });

  it('of the bus, the components coming back to it later than we do', async () => {
    for (const phaseMs of phases) {
      for (const laterMs of [20, 500, 2_000, 4_500]) {
        const house = new House();
        await house.open();
        await house.clock.advance(phaseMs);
        house.components.become('down');
        changeAll(house);
        await house.clock.advance(2 * SECOND);
        Object.assign(house.components.here, { core: false, scheduler: false });
        house.components.become('up');
        await house.clock.advance(laterMs);
        Object.assign(house.components.here, { core: true, scheduler: true });
        await house.clock.advance(SHOWN_AFTER_MS);
        assert.ok(house.showsThePresent, `${phaseMs} ms, ${laterMs} ms later: ${house.seen}`);
        assert.ok(!house.log.lines.some(({ message }) => message.startsWith('A component does not respond')));
        await house.stop();
      }
    }
  });

  for (const component of ['core', 'scheduler'] as const) {
    /** `component` is away for a while and has another state then. */
    const restart = async (house: House, awayMs: number): Promise<void> => {
      house.components.here[component] = false;
      house.components.state[component] += 1;
      await house.clock.advance(awayMs);
      house.components.here[component] = true;
    };

    // A restart between two questions, of a component that says nothing at its start, cannot be known: nothing on the bus tells of it.
    it(`of ${component} that left a question unanswered`, async () => {
      let noticed = 0;
      for (const phaseMs of Array.from({ length: 30 }, (_, i) => i * 10_100)) {
        for (const awayMs of [3, 8, 20, 31, 44, 80].map((secs) => secs * SECOND)) {
          const house = new House();
          await house.open();
          await house.clock.advance(phaseMs);
          await restart(house, awayMs);
          const { missedQuestions } = house.components;
          await house.clock.advance(SHOWN_AFTER_MS);
          if (missedQuestions > 0) {
            noticed += 1;
            assert.ok(house.showsThePresent, `${phaseMs} ms, away for ${awayMs} ms: ${house.seen}`);
          } else assert.ok(awayMs < 31 * SECOND, 'it is asked at least every 30 s');
          await house.stop();
        }
      }
      assert.ok(noticed >= 90, `${noticed} restarts with a question`);
    });

    it(`of ${component} into another version, as soon as it is asked`, async () => {
      const house = new House();
      house.components.versions[component] = '1.0';
      await house.open();
      await house.clock.advance(45 * SECOND);
      await restart(house, 1 * SECOND);
      assert.equal(house.components.missedQuestions, 0);
      house.components.versions[component] = '1.1';
      await house.clock.advance(31 * SECOND);
      assert.ok(house.showsThePresent, house.seen);
      await house.stop();
    });
  }

  it('of the scheduler between two questions: it asks for the clock at its start', async () => {
    for (const phaseMs of phases) {
      const house = new House();
      await house.open();
      await house.clock.advance(phaseMs);
      house.components.here.scheduler = false;
      house.components.state.scheduler += 1;
      await house.clock.advance(1 * SECOND);
      house.components.here.scheduler = true;
      house.components.askForTheClock();
      await house.clock.advance(SHOWN_AFTER_MS);
      assert.ok(house.showsThePresent, `${phaseMs} ms: ${house.seen}`);
      await house.stop();
    }
  });
});

describe('a button pressed while the connection is away', () => {
  const pressed = async (outageSecs: number, staleCommandSecs?: number): Promise<House> => {
    const house = new House(staleCommandSecs === undefined ? {} : { staleCommandSecs });
    await house.open();
    house.line.cut(false);
    await house.clock.advance(1 * SECOND);
    for (const name of ['a', 'b', 'c']) house.press('core.dunebugger_set', name);
    await house.clock.advance((outageSecs - 1) * SECOND);
    house.line.mend();
    await house.clock.advance(SHOWN_AFTER_MS);
    return house;
  };
  const errors = (house: House): readonly string[] =>
    house.drawn.flatMap(({ success, level, message }) =>
      success === false && level === 'error' ? [message ?? ''] : [],
    );

  it('moves what it should after a short drop', async () => {
    const house = await pressed(15);
    assert.deepEqual(house.components.moved, ['a', 'b', 'c']);
    assert.deepEqual(errors(house), []);
  });

  it('moves nothing when it comes too late, and the page is told once, with the names', async () => {
    const house = await pressed(15, 10);
    assert.deepEqual(house.components.moved, []);
    assert.equal(errors(house).length, 1);
    assert.match(errors(house)[0] ?? '', /^3 commands .*came too late.*core dunebugger_set a.*b.*c/);
    assert.ok(house.showsThePresent, house.seen);
  });

  it('0 never forwards what is replayed, -1 always does', async () => {
    assert.deepEqual((await pressed(5, 0)).components.moved, []);
    assert.deepEqual((await pressed(25, -1)).components.moved, ['a', 'b', 'c']);
  });

  it('tells the page that the bus is down, once for a burst', async () => {
    const house = new House();
    await house.open();
    house.components.become('down');
    for (let i = 0; i < 20; i += 1) house.press('core.dunebugger_set', `s${i}`);
    await house.clock.advance(2 * SECOND);
    assert.equal(errors(house).length, 1);
    assert.match(errors(house)[0] ?? '', /^20 commands .*the bus is not there/);
    await house.clock.advance(10 * SECOND);
    house.press('scheduler.refresh', 'null');
    await house.clock.advance(1 * SECOND);
    assert.equal(errors(house).length, 2);
    await house.stop();
  });
});
