/** Listeners: what is said of their runs, with a clock that is handed in. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Listeners, type ListenerTiming } from '../../src/main/base/guard.js';
import { RecordedLog } from '../support/recorded-log.js';

const SLOW_MS = 100;

interface Stage {
  readonly log: RecordedLog;
  readonly listeners: Listeners<number>;
  /** So much time passes. */
  readonly pass: (ms: number) => void;
  /** Lines as `level message listener ms`. */
  readonly said: () => readonly string[];
}

function stage(timing: Partial<ListenerTiming> = {}): Stage {
  const log = new RecordedLog();
  let nowMs = 5_000;
  return {
    log,
    listeners: new Listeners<number>(log, 'connected', { slowMs: SLOW_MS, nowMs: () => nowMs, ...timing }),
    pass: (ms) => (nowMs += ms),
    said: () =>
      log.lines.map(({ level, message, fields }) => {
        const { listener, ms } = fields as { listener?: string; ms?: number };
        return [level, message, listener, ms].filter((part) => part !== undefined).join(' ');
      }),
  };
}

describe('what is said of listeners', () => {
  it('each run and its duration at debug, where that is wanted', () => {
    const { listeners, pass, said } = stage({ tellRuns: true });
    listeners.add(function openTheDoors() {
      pass(7.4);
    });
    listeners.add(() => undefined);
    listeners.tell(1);
    assert.deepEqual(said(), [
      'debug A connected listener ran openTheDoors 7',
      'debug A connected listener ran (anonymous) 0',
    ]);
  });

  for (const [ms, warned] of [
    [0, false],
    [SLOW_MS, false],
    [SLOW_MS + 1, true],
    [60_000, true],
  ] as const) {
    it(`one that blocks for ${ms} ms: ${warned ? 'a warning' : 'nothing'}`, () => {
      const { listeners, pass, said } = stage();
      listeners.add(function switchOn() {
        pass(ms);
      });
      listeners.tell(1);
      const line = `warn A connected listener blocked everything else for ${ms} ms switchOn ${ms}`;
      assert.deepEqual(said(), warned ? [line] : []);
    });
  }

  it('one that throws after a while: both, and the others run', () => {
    const { listeners, pass, said } = stage({ tellRuns: true });
    listeners.add(function broken() {
      pass(250);
      throw new Error('no lights');
    });
    const heard: number[] = [];
    listeners.add(function whole(value) {
      heard.push(value);
    });
    listeners.tell(3);
    assert.deepEqual(said(), [
      'warn A connected listener blocked everything else for 250 ms broken 250',
      'debug A connected listener ran broken 250',
      'error Could not run a connected listener: no lights',
      'debug A connected listener ran whole 0',
    ]);
    assert.deepEqual(heard, [3]);
  });

  it('one that waits blocks nobody: its run is told when it has ended, however it ends', async () => {
    const { listeners, pass, said } = stage({ tellRuns: true });
    const ends: (() => void)[] = [];
    for (const [name, fails] of [
      ['waits', false],
      ['failsLater', true],
    ] as const) {
      const listener = (): Promise<void> =>
        new Promise((resolve, reject) => ends.push(() => (fails ? reject(new Error('too late')) : resolve())));
      listeners.add(Object.defineProperty(listener, 'name', { value: name }));
    }
    listeners.tell(1);
    pass(900);
    assert.deepEqual(said(), []);
    for (const end of ends) end();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([...said()].sort(), [
      'debug A connected listener ran failsLater 900',
      'debug A connected listener ran waits 900',
      'error Could not run a connected listener: too late',
    ]);
  });

  it('nothing, and no clock is read, where nobody wants to know', () => {
    const log = new RecordedLog();
    const listeners = new Listeners<number>(log, 'state');
    const heard: number[] = [];
    listeners.add((value) => heard.push(value));
    listeners.tell(2);
    assert.deepEqual([heard, log.lines], [[2], []]);
  });
});
