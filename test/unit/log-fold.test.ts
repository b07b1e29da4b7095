import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { foldRepeats, numbersAside, type FoldingLogger, type FoldOptions, type Logger } from '../../src/main/log.js';

/** A log that writes lines down, folded, and a clock that moves when told. */
class Bench {
  readonly lines: string[] = [];
  readonly log: FoldingLogger;
  #nowMs = 1_000;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  constructor(options: FoldOptions = {}) {
    const say = (level: string) => (fields: object, message: string) =>
      this.lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    const inner: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };
    this.log = foldRepeats(inner, {
      windowMs: 60_000,
      now: () => this.#nowMs,
      schedule: (callback, ms) => {
        const timer = { at: this.#nowMs + ms, callback };
        this.#timers.push(timer);
        return () => (this.#timers = this.#timers.filter((other) => other !== timer));
      },
      ...options,
    });
  }

  get timers(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    const end = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = next.at;
      next.callback();
    }
    this.#nowMs = end;
  }

  taken(): readonly string[] {
    return this.lines.splice(0);
  }
}

describe('foldRepeats', () => {
  it('says the first at once, and the others in one line with the latest fields', () => {
    const bench = new Bench();
    for (let i = 1; i <= 5; i += 1) bench.log.warn({ i }, 'Refused');
    assert.deepEqual(bench.taken(), ['warn Refused {"i":1}']);
    bench.advance(59_999);
    assert.deepEqual(bench.taken(), []);
    bench.advance(1);
    assert.deepEqual(bench.taken(), ['warn Refused (4 times more within 60 s) {"i":5,"repeats":4}']);
  });

  it('says a burst in full before it counts, and one line a window while it goes on', () => {
    const bench = new Bench({ burst: 3 });
    for (let i = 1; i <= 5; i += 1) bench.log.warn({ i }, 'Refused');
    assert.deepEqual(bench.taken(), ['warn Refused {"i":1}', 'warn Refused {"i":2}', 'warn Refused {"i":3}']);
    bench.advance(60_000);
    assert.deepEqual(bench.taken(), ['warn Refused (2 times more within 60 s) {"i":5,"repeats":2}']);
    bench.log.warn({ i: 6 }, 'Refused');
    assert.deepEqual(bench.taken(), []);
    bench.advance(120_000);
    assert.deepEqual(bench.taken(), ['warn Refused (once more within 60 s) {"i":6,"repeats":1}']);
    bench.log.warn({ i: 7 }, 'Refused');
    assert.deepEqual(bench.taken(), ['warn Refused {"i":7}']);
  });

  it('takes messages for the same whose numbers differ, where that is wanted', () => {
    const bench = new Bench({ keyOf: numbersAside });
    bench.log.info({}, 'Online again after 2 min 3 s');
    bench.log.info({}, 'Online again after 1 min 59 s');
    bench.log.warn({}, 'Online again after 1 min 59 s');
    assert.deepEqual(bench.taken(), ['info Online again after 2 min 3 s {}', 'warn Online again after 1 min 59 s {}']);
  });

  it('goes on folding while repeats go on, and starts anew after a quiet window', () => {
    const bench = new Bench();
    bench.log.info({}, 'Online');
    bench.log.info({}, 'Online');
    bench.advance(60_000);
    bench.log.info({}, 'Online');
    assert.deepEqual(bench.taken(), ['info Online {}', 'info Online (once more within 60 s) {"repeats":1}']);
    bench.advance(60_000);
    assert.deepEqual(bench.taken(), ['info Online (once more within 60 s) {"repeats":1}']);
    bench.advance(60_000);
    assert.equal(bench.timers, 0);
    bench.log.info({}, 'Online');
    assert.deepEqual(bench.taken(), ['info Online {}']);
  });

  it('tells levels and messages apart, or what it is told to', () => {
    const bench = new Bench();
    bench.log.info({}, 'a');
    bench.log.warn({}, 'a');
    bench.log.error({}, 'b');
    assert.equal(bench.taken().length, 3);
    const own = new Bench({ keyOf: (_level, fields) => JSON.stringify(fields) });
    own.log.info({ n: 1 }, 'a');
    own.log.info({ n: 2 }, 'a');
    own.log.warn({ n: 2 }, 'b');
    assert.equal(own.taken().length, 2);
  });

  it('lets debug pass', () => {
    const bench = new Bench();
    bench.log.debug({}, 'a');
    bench.log.debug({}, 'a');
    assert.deepEqual(bench.taken(), ['debug a {}', 'debug a {}']);
    assert.equal(bench.timers, 0);
  });

  it('tells what it holds when flushed, and leaves no timer', () => {
    const bench = new Bench();
    bench.log.info({}, 'a');
    bench.log.info({}, 'a');
    bench.log.info({}, 'b');
    bench.taken();
    bench.log.flush();
    assert.deepEqual(bench.taken(), ['info a (once more within 60 s) {"repeats":1}']);
    assert.equal(bench.timers, 0);
  });

  it('keeps a bounded number of messages, and loses no count', () => {
    const bench = new Bench();
    bench.log.info({}, 'first');
    bench.log.info({}, 'first');
    for (let i = 0; i < 1_000; i += 1) bench.log.info({}, `message ${i}`);
    assert.equal(bench.timers, 1);
    assert.equal(bench.taken().filter((line) => line.includes('first (once more')).length, 1);
  });

  it('bounds a day of flapping, and the last state is told', () => {
    const bench = new Bench({ windowMs: 600_000 });
    const flaps = 86_400 / 20;
    for (let i = 1; i <= flaps; i += 1) {
      bench.log.warn({ i }, 'Offline');
      bench.advance(10_000);
      bench.log.info({ i }, 'Online');
      bench.advance(10_000);
    }
    bench.advance(600_000);
    const lines = bench.taken();
    assert.ok(lines.length <= 2 * 146, String(lines.length));
    assert.ok(lines.at(-1)!.includes(`"i":${flaps}`));
    const told = lines.reduce((sum, line) => sum + Number(/"repeats":(\d+)/.exec(line)?.[1] ?? 1), 0);
    assert.equal(told, 2 * flaps, 'every event is either said or counted');
  });
});
