/** The history: what is written of what happens, how much, and what is read of it again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BLOCKS_A_DAY } from '../../src/main/observe/history/budget.js';
import { History } from '../../src/main/observe/history/history.js';
import { storyOf } from '../../src/main/observe/history/outages.js';
import { linesOf, readHistory } from '../../src/main/observe/history/reader.js';
import { fromLine, toLine, type HistoryRecord } from '../../src/main/observe/history/record.js';
import { NOTHING_OPEN, onHistoryEvent, type HistoryEvent } from '../../src/main/observe/history/recorder.js';
import { SEGMENT_BYTES, SEGMENTS } from '../../src/main/observe/history/segments.js';
import { uptimeOf } from '../../src/main/observe/history/uptime.js';
import { MemoryFiles } from '../support/memory-files.js';
import { RecordedLog } from '../support/recorded-log.js';
import { settled, SteppedClock } from '../support/stepped-clock.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

async function started(
  files = new MemoryFiles(),
  clock = new SteppedClock(),
  boot = 'boot-1',
  version = '1.0.0',
): Promise<{ history: History; files: MemoryFiles; clock: SteppedClock; log: RecordedLog }> {
  const log = new RecordedLog();
  const history = new History({
    directory: undefined,
    files,
    version,
    log,
    clock,
    bootId: boot,
    upMs: () => clock.nowMs(),
  });
  await history.start();
  await settled();
  return { history, files, clock, log };
}

const OFFLINE: HistoryEvent = { kind: 'offline', why: 'dns-timeout', evidence: 'failed 2000 ms' };

/** The lines behind start and segment, short. */
async function lines(files: MemoryFiles): Promise<string> {
  const { records } = await readHistory(files);
  return records
    .filter(({ k }) => k !== 'segment')
    .map(brief)
    .join(' ');
}

function brief(record: HistoryRecord): string {
  if (record.k === 'start') return `start:${record.after}${record.was === undefined ? '' : `(${record.was})`}`;
  if (record.k === 'down') return `down:${record.scope}:${record.why}`;
  if (record.k === 'up') return `up:${record.scope}:${record.ms}`;
  if (record.k === 'cloud') return `cloud:${record.how}:${record.ms}`;
  return record.k;
}

describe('what is recorded', () => {
  /** Events with their seconds. */
  const cases: readonly (readonly [string, readonly (readonly [number, HistoryEvent])[], string])[] = [
    [
      'an outage that takes the cloud along, resumed',
      [
        [0, { kind: 'cloud-joined', recovered: false }],
        [10, { kind: 'cloud-away', givenUp: false, why: 'no-internet' }],
        [10, OFFLINE],
        [25, { kind: 'online' }],
        [28, { kind: 'cloud-joined', recovered: true }],
      ],
      'down:internet:dns-timeout up:internet:15000 cloud:resumed:18000',
    ],
    [
      'the cloud alone, reconnected',
      [
        [0, { kind: 'cloud-joined', recovered: false }],
        [5, { kind: 'cloud-away', givenUp: false, why: 'cloud-interrupted' }],
        [35, { kind: 'cloud-away', givenUp: true, why: 'cloud-failed' }],
        [40, { kind: 'cloud-away', givenUp: true, why: 'cloud-failed' }],
        [60, { kind: 'cloud-joined', recovered: false }],
      ],
      'down:cloud:cloud-failed up:cloud:25000 cloud:reconnected:55000',
    ],
    [
      'a drop that is resumed is no outage',
      [
        [0, { kind: 'cloud-joined', recovered: false }],
        [5, { kind: 'cloud-away', givenUp: false, why: 'cloud-interrupted' }],
        [6, { kind: 'cloud-joined', recovered: true }],
      ],
      'cloud:resumed:1000',
    ],
    [
      'the internet goes while the cloud is away: one outage ends, the other begins; its reason changes',
      [
        [0, { kind: 'cloud-away', givenUp: true, why: 'sign-in-refused' }],
        [10, OFFLINE],
        [20, { kind: 'reason', why: 'no-link' }],
        [30, { kind: 'cloud-away', givenUp: true, why: 'no-internet' }],
        [40, { kind: 'online' }],
      ],
      'down:cloud:sign-in-refused up:cloud:10000 down:internet:dns-timeout up:internet:30000',
    ],
    ['online from the start', [[0, { kind: 'online' }]], ''],
    ['a reason without an outage', [[0, { kind: 'reason', why: 'no-link' }]], ''],
    ['time goes by', [[0, { kind: 'tick' }]], ''],
    [
      'time goes by in an outage',
      [
        [0, OFFLINE],
        [900, { kind: 'tick' }],
      ],
      'down:internet:dns-timeout still',
    ],
    [
      'stopping in an outage',
      [
        [0, OFFLINE],
        [9, { kind: 'stopping' }],
      ],
      'down:internet:dns-timeout still stop',
    ],
    ['the clock is set', [[0, { kind: 'clock-set', by: 5_000 }]], 'clock'],
    ['an hour', [[0, { kind: 'hour', n: 1, f: 0, ms: null, kb: null }]], 'hour'],
  ];
  for (const [name, events, expected] of cases)
    it(name, () => {
      let state = NOTHING_OPEN;
      const records: HistoryRecord[] = [];
      for (const [secs, event] of events) {
        const [next, more] = onHistoryEvent(state, event, { at: secs * 1_000, up: secs * 1_000 });
        state = next;
        records.push(...more);
      }
      assert.equal(records.map(brief).join(' '), expected);
      assert.deepEqual(linesOf(records.map(toLine).join('')), { records, unreadable: 0 });
    });
});

describe('a line of the history', () => {
  it('is read as it was written, and nothing else is believed', () => {
    for (const line of [
      '',
      '{',
      'null',
      '[]',
      '{"k":"up"}',
      '{"k":"up","at":1,"up":1,"scope":"internet"}',
      '{"k":"up","at":1,"up":1,"scope":"moon","ms":1}',
      '{"k":"toString","at":1,"up":1}',
      '{"k":"stop","at":"1","up":1}',
      '{"k":"hour","at":1,"up":1,"v":[1,"0",1,1,1,1,1]}',
    ])
      assert.equal(fromLine(line), undefined, line);
    fc.assert(fc.property(fc.string(), (text) => fromLine(text) === undefined || text.includes('"k"')));
  });

  it('holds no more evidence than helps', () => {
    const record: HistoryRecord = {
      k: 'down',
      at: 1,
      up: 1,
      scope: 'internet',
      why: 'portal',
      evidence: 'x'.repeat(9_999),
    };
    assert.ok(toLine(record).length < 300);
  });
});

describe('how a run ended', () => {
  it('is said by the next one: stop, crash, power cut, update; a torn last line is left out and said', async () => {
    const files = new MemoryFiles();
    const first = await started(files);
    await first.history.stop();
    await started(files, new SteppedClock(), 'boot-1');
    await started(files, new SteppedClock(), 'boot-1', '1.1.0');
    const [[segment, text]] = [...files.texts] as [[number, string]];
    files.texts.set(segment, text.slice(0, -9));
    const { log } = await started(files, new SteppedClock(), 'boot-2', '1.1.0');
    assert.equal(await lines(files), 'start:nothing stop start:stop start:power-cut(1.0.0)');
    assert.match(log.at('info').join(), /lines that were torn/);
    assert.deepEqual((await readHistory(files)).unreadable, 1);
  });

  it('a crash and an update, where nothing was torn', async () => {
    const files = new MemoryFiles();
    await started(files);
    await started(files, new SteppedClock(), 'boot-1', '1.1.0');
    assert.equal(await lines(files), 'start:nothing start:crash(1.0.0)');
  });
});

describe('the card', () => {
  it('flapping for a day: at most 1 MB is written, and every outage is counted', async () => {
    const { history, files, clock } = await started();
    let count = 0;
    for (let atMs = 0; atMs < DAY; atMs += 20_000) {
      void history.note(OFFLINE);
      await clock.advance(2_000);
      void history.note({ kind: 'online' });
      count += 1;
      await clock.advance(18_000);
    }
    assert.ok(files.blocks <= BLOCKS_A_DAY + SEGMENTS, `${files.blocks} blocks`);
    const { records } = await history.read();
    const { outages } = storyOf(records);
    // The oldest segments are gone by then; of what is there, nothing is missing in between.
    const total = outages.reduce((sum, outage) => sum + outage.count, 0);
    assert.ok(total <= count && total > 0);
    const whole = [...files.texts.values()].reduce((sum, text) => sum + text.length, 0);
    assert.ok(whole <= SEGMENTS * (SEGMENT_BYTES + 200_000));
    await history.stop();
  });

  it('a few minutes of flapping are all there, each', async () => {
    const { history, files, clock } = await started();
    for (let index = 0; index < 150; index += 1) {
      void history.note(OFFLINE);
      await clock.advance(1_000);
      void history.note({ kind: 'online' });
      await clock.advance(1_000);
    }
    const { outages } = storyOf((await history.read()).records);
    assert.equal(outages.length, 150);
    await history.stop();
    assert.equal(storyOf((await readHistory(files)).records).outages.length, 150);
  });

  for (const code of ['ENOSPC', 'EROFS', 'EIO', 'EDQUOT'])
    it(`${code}: said once, kept in memory, written when it is possible again`, async () => {
      const { history, files, clock, log } = await started();
      files.refuses = code;
      files.tornAfter = 20;
      let told = false;
      void history.note(OFFLINE).then(() => (told = true));
      await clock.advance(5_000);
      void history.note({ kind: 'online' });
      await clock.advance(HOUR);
      assert.equal(told, false, 'nothing is told as written that is not');
      assert.deepEqual(log.at('warn', 'error'), [
        'The history cannot be written; it is kept in memory, and tried again every 10 min.',
      ]);
      assert.equal(storyOf((await history.read()).records).outages.length, 1, 'it is read all the same');
      files.refuses = undefined;
      await clock.advance(11 * MINUTE);
      assert.equal(told, true);
      assert.equal(await lines(files), 'start:nothing down:internet:dns-timeout up:internet:5000');
      assert.match(log.at('info').join(), /The history is written again/);
      await history.stop();
    });

  it('four segments and no more, each beginning with its boot', async () => {
    const { history, files, clock } = await started();
    for (let index = 0; index < 14_000; index += 1) {
      void history.note({ kind: 'hour', n: 514, f: 0, ms: [21, 3, 88], kb: [123_456, 23_456] });
      await clock.advance(HOUR);
    }
    assert.equal(files.texts.size, SEGMENTS);
    for (const text of files.texts.values()) {
      assert.match(text, /^\{"k":"segment","v":1,.*"boot":"boot-1"\}\n/);
      assert.ok(text.length < SEGMENT_BYTES + 200);
    }
    const { records } = await history.read();
    assert.ok(records.length > 365 * 24, 'a year of hours fits');
    await history.stop();
  });

  it('without a folder it is kept in memory, bounded', async () => {
    const history = new History({
      directory: undefined,
      version: '1',
      log: new RecordedLog(),
      clock: new SteppedClock(),
    });
    await history.start();
    for (let index = 0; index < 5_000; index += 1) await history.note({ kind: 'clock-set', by: index });
    assert.ok((await history.read()).records.length <= 400);
    await history.stop();
  });
});

describe('the story', () => {
  const at = (minutes: number) => ({ at: 1_000_000_000_000 + minutes * MINUTE, up: minutes * MINUTE });
  const start = (minutes: number, boot = 'a', after: 'nothing' | 'power-cut' = 'nothing'): HistoryRecord => ({
    k: 'start',
    ...at(minutes),
    boot,
    version: '1',
    after,
  });
  const down = (minutes: number): HistoryRecord => ({ k: 'down', ...at(minutes), scope: 'internet', why: 'no-link' });

  it('an outage cut off by a power cut lasted at least until the last line', () => {
    const next = { ...start(60, 'b', 'power-cut'), up: 5_000 } as HistoryRecord;
    const { outages, runs } = storyOf([start(0), down(10), { k: 'still', ...at(25) }, next]);
    assert.equal(outages.length, 1);
    assert.deepEqual([outages[0]?.ms, outages[0]?.atLeast, outages[0]?.toMs], [15 * MINUTE, true, at(25).at]);
    assert.deepEqual(
      runs.map(({ fromMs, toMs }) => (toMs - fromMs) / MINUTE),
      [25, 0],
    );
  });

  it('a new file that begins with the next boot makes it neither longer nor shorter', () => {
    for (const boot of ['a', 'b']) {
      const later = boot === 'a' ? at(60) : { ...at(60), up: 5_000 };
      const segment: HistoryRecord = { k: 'segment', v: 1, ...later, boot };
      const next = { ...start(60, boot), ...later } as HistoryRecord;
      const { outages } = storyOf([start(0), down(10), { k: 'still', ...at(25) }, segment, next]);
      assert.deepEqual([outages[0]?.ms, outages[0]?.atLeast, outages[0]?.toMs], [15 * MINUTE, true, at(25).at]);
    }
  });

  it('one that lasts is open for the daemon that runs, and cut off for whoever reads the files alone', () => {
    const records = [start(0), down(10)];
    const open = storyOf(records, { at: at(30).at }).outages[0];
    assert.deepEqual([open?.toMs, open?.ms, open?.atLeast], [null, 20 * MINUTE, false]);
    const cut = storyOf(records).outages[0];
    assert.deepEqual([cut?.toMs, cut?.ms, cut?.atLeast], [at(10).at, 0, true]);
  });

  it('a wrong clock is put right by the last line of the same boot', () => {
    const wrong = (record: HistoryRecord): HistoryRecord => ({ ...record, at: record.at - 400 * DAY });
    const { outages } = storyOf([
      wrong(start(0)),
      wrong(down(1)),
      { k: 'clock', ...at(6), by: 400 * DAY },
      { k: 'up', ...at(7), scope: 'internet', ms: 6 * MINUTE },
    ]);
    assert.deepEqual([outages[0]?.fromMs, outages[0]?.toMs], [at(1).at, at(7).at]);
  });

  it('uptime: of the observed time only; longest, number, by reason', () => {
    const up = (minutes: number, lasted: number, why: string): HistoryRecord => ({
      k: 'up',
      ...at(minutes),
      scope: 'internet',
      ms: lasted * MINUTE,
      why,
    });
    const records = [
      start(0),
      up(60, 10, 'no-link'),
      up(90, 20, 'portal'),
      up(200, 10, 'no-link'),
      { k: 'stop', ...at(400) },
    ];
    const uptime = uptimeOf(storyOf(records as HistoryRecord[]), 1, at(1_000).at);
    assert.deepEqual(uptime, {
      days: 1,
      observedMs: 400 * MINUTE,
      downMs: 40 * MINUTE,
      percent: 90,
      outages: 3,
      longestMs: 20 * MINUTE,
      byReason: [
        { why: 'no-link', outages: 2, ms: 20 * MINUTE },
        { why: 'portal', outages: 1, ms: 20 * MINUTE },
      ],
      cloudOutages: 0,
    });
    const none = uptimeOf(storyOf([]), 7, at(0).at);
    assert.deepEqual([none.percent, none.outages, none.longestMs], [null, 0, 0]);
    // An outage that reaches into the window counts with the part that lies in it.
    const part = uptimeOf(storyOf(records as HistoryRecord[]), 1, at(80).at + DAY);
    assert.equal(part.downMs, 20 * MINUTE);
  });

  it('whatever is in the files, it tells something, and never throws', () => {
    const scope = fc.constantFrom('internet' as const, 'cloud' as const);
    const number = fc.integer({ min: 0, max: 10_000 });
    const moment = { at: number, up: number };
    const record: fc.Arbitrary<HistoryRecord> = fc.oneof(
      fc.record({
        k: fc.constant('start' as const),
        ...moment,
        boot: fc.constantFrom('a', 'b'),
        version: fc.constant('1'),
        after: fc.constant('crash' as const),
      }),
      fc.record({ k: fc.constant('stop' as const), ...moment }),
      fc.record({ k: fc.constant('down' as const), ...moment, scope, why: fc.constant('portal') }),
      fc.record({ k: fc.constant('up' as const), ...moment, scope, ms: number }),
      fc.record({ k: fc.constant('cloud' as const), ...moment, how: fc.constant('resumed' as const), ms: number }),
      fc.record({ k: fc.constant('many' as const), ...moment, scope, n: number, ms: number, from: number }),
    );
    fc.assert(
      fc.property(fc.array(record), fc.boolean(), (records, running) => {
        const story = storyOf(records, running ? { at: 10_000 } : undefined);
        const { downMs, observedMs, percent } = uptimeOf(story, 1, 10_000);
        assert.ok(downMs <= observedMs);
        assert.ok(percent === null || (percent >= 0 && percent <= 100));
        for (const { ms } of story.outages) assert.ok(ms >= 0);
      }),
    );
  });
});
