import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Agenda } from '../../src/workers/net/agenda.js';

/** An agenda and what was done of it, on a clock of the test's. */
function begin(context: TestContext): {
  readonly agenda: Agenda;
  readonly done: string[];
  readonly note: (ms: number, what: string) => () => void;
  readonly pass: (ms: number) => void;
} {
  let nowMs = 1_000.25;
  context.mock.timers.enable({ apis: ['setTimeout'] });
  context.mock.method(performance, 'now', () => nowMs);
  const agenda = new Agenda();
  const done: string[] = [];
  return {
    agenda,
    done,
    note: (ms, what) => agenda.after(ms, () => done.push(`${what} at ${Math.round(nowMs - 1_000.25)}`)),
    pass: (ms) => {
      for (let i = 0; i < ms; i += 1) {
        nowMs += 1;
        context.mock.timers.tick(1);
      }
    },
  };
}

describe('an agenda', () => {
  it('does everything at its time, in whatever order it was noted', (t) => {
    const { note, pass, done } = begin(t);
    for (const ms of [300, 100, 200.5, 100, 0]) note(ms, `${ms}`);
    pass(400);
    assert.deepEqual(done, ['0 at 1', '100 at 100', '100 at 100', '200.5 at 201', '300 at 300']);
  });

  it('does nothing that was taken back, and what is noted while something is done', (t) => {
    const { agenda, note, pass, done } = begin(t);
    const remove = note(100, 'taken back');
    note(200, 'late');
    agenda.after(50, () => {
      remove();
      note(20, 'noted later');
    });
    pass(300);
    assert.deepEqual(done, ['noted later at 70', 'late at 200']);
  });

  it('that is empty holds no timer', (t) => {
    const { note } = begin(t);
    t.mock.timers.reset();
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const held = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length - before;
    const removers = [note(60_000, 'one'), note(50_000, 'other')];
    assert.equal(held(), 1);
    for (const remove of removers) remove();
    assert.equal(held(), 0);
  });
});
