import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  HOLD_MS,
  NOT_CHECKED,
  REFUSED_HOLD_MS,
  judgeClock,
  type ClockTrust,
  type KernelClock,
} from '../../src/main/clock/decision.js';
import { isProof } from '../../src/main/clock/cadence.js';
import { Kernel, type Asking } from '../../src/main/clock/kernel.js';
import { Refused } from '../../src/main/clock/refused.js';
import { FAR_OFF_MS, judgeSite, NO_WORD, SAY_AGAIN_MS } from '../../src/main/clock/site.js';
import { sntpOffsetMs, sntpRequest } from '../../src/main/clock/sntp-packet.js';
import { ClockWatch } from '../../src/main/clock/watch.js';
import { clockAheadMs } from '../../src/workers/net/site-clock.js';
import { RecordedLog } from '../support/recorded-log.js';
import { SteppedClock, settled } from '../support/stepped-clock.js';

const SIX_YEARS_MS = 6 * 365 * 86_400_000;

class SetClock extends SteppedClock {
  setByMs = 0;
  override wallMs(): number {
    return this.nowMs() + this.setByMs;
  }
}

describe('whether the clock can be trusted', () => {
  const proved = { trusted: true, provedAtMs: 1_000 };
  for (const [name, before, kernel, offsetMs, stepped, nowMs, expected, farOff = false] of [
    ['the kernel says so', NOT_CHECKED, 'synchronised', undefined, false, 0, true],
    ['a server agrees', NOT_CHECKED, 'unsynchronised', -1_500, false, 0, true],
    ['a server disagrees', proved, 'unknown', SIX_YEARS_MS, false, 2_000, false],
    ['nobody answers', NOT_CHECKED, 'unknown', undefined, false, 0, false],
    ['nobody answers any more', proved, 'unsynchronised', undefined, false, 1_000 + HOLD_MS - 1, true],
    ['nobody has answered for hours', proved, 'unsynchronised', undefined, false, 1_000 + HOLD_MS, false],
    ['nobody answers since it was set', proved, 'unknown', undefined, true, 2_000, false],
    ['the test site says another day', proved, 'unsynchronised', undefined, false, 2_000, false, true],
    ['the test site says another day, a server does not', proved, 'unknown', 10, false, 2_000, true, true],
    [
      'the test site says another day, the kernel does not',
      proved,
      'synchronised',
      undefined,
      false,
      2_000,
      true,
      true,
    ],
  ] as const) {
    it(name, () => assert.equal(judgeClock(before, { kernel, offsetMs, stepped, farOff }, nowMs).trusted, expected));
  }
});

describe('while this machine refuses the questions about the clock', () => {
  const evidence = { kernel: 'unknown', offsetMs: undefined, refused: true, stepped: false, farOff: false } as const;
  const after = (before: ClockTrust, atMs: readonly number[], more: object = {}): ClockTrust =>
    atMs.reduce((trust, nowMs) => judgeClock(trust, { ...evidence, ...more }, nowMs), before);
  const during = [5_000, 100_000, 5_000 + REFUSED_HOLD_MS - 1];
  const then = 5_000 + REFUSED_HOLD_MS;

  for (const before of [
    NOT_CHECKED,
    { trusted: false, provedAtMs: undefined },
    { trusted: true, provedAtMs: 1_000 },
  ] as const) {
    it(`it is as it was (${String(before.trusted)}), for a time`, () => {
      assert.equal(after(before, during).trusted, before.trusted);
      assert.equal(after(before, during, { stepped: true }).trusted, before.trusted, 'also of one that was set');
      assert.equal(after(before, [...during, then]).trusted, before.provedAtMs !== undefined);
    });
  }
  it('one that was set meanwhile is not trusted after that', () => {
    const before = { trusted: true, provedAtMs: 1_000 };
    const set = after(before, [5_000], { stepped: true });
    assert.equal(after(set, [100_000, then]).trusted, false);
  });
  it('one that the test site says is far off is not trusted', () => {
    assert.equal(after({ trusted: true, provedAtMs: 1_000 }, [5_000], { farOff: true }).trusted, false);
  });
  it('an end is an end: the next refusal has its own time', () => {
    const trust = after(NOT_CHECKED, during);
    const proved = judgeClock(trust, { ...evidence, offsetMs: 3, refused: false }, then);
    assert.deepEqual(proved, { trusted: true, provedAtMs: then });
    assert.equal(after(proved, [then + 1, then + REFUSED_HOLD_MS]).trusted, true);
  });
});

describe("the test site's date", () => {
  const NOW = Date.UTC(2026, 1, 1, 12);
  const date = 'Sun, 01 Feb 2026 12:00:00 GMT';
  for (const [name, headers, expected] of [
    ['none', {}, undefined],
    ['now', { date }, 0],
    ['an hour ago', { date: 'Sun, 01 Feb 2026 11:00:00 GMT' }, 3_600_000],
    ['six years on', { date: 'Sun, 01 Feb 2032 12:00:00 GMT' }, -(6 * 365 + 1) * 86_400_000],
    ['two days ago, kept by a cache for so long', { date: 'Fri, 30 Jan 2026 12:00:00 GMT', age: '172800' }, 0],
    ['an age that is none', { date, age: 'old' }, 0],
    ['a year alone', { date: '2019' }, undefined],
    ['no such day', { date: 'Sun, 99 Feb 2026 12:00:00 GMT' }, undefined],
    ['another form', { date: '2026-02-01T12:00:00Z' }, undefined],
  ] as const) {
    it(`is read: ${name}`, () => assert.equal(clockAheadMs(headers, NOW), expected));
  }

  const HOUR_MS = 3_600_000;
  it('is news once a day at most, and once when it agrees again', () => {
    let word = NO_WORD;
    const news: string[] = [];
    for (let hour = 0; hour < 75; hour += 1) {
      // Wrong for ten hours, right for two, and so on: a site whose servers do not agree either.
      const [next, said] = judgeSite(word, hour % 12 < 10 ? -SIX_YEARS_MS : 0, hour * HOUR_MS);
      word = next;
      if (said !== undefined) news.push(`${hour} ${said}`);
    }
    assert.deepEqual(news, [
      '0 far-off',
      '10 agrees',
      '24 far-off',
      '34 agrees',
      '48 far-off',
      '58 agrees',
      '72 far-off',
    ]);
  });
  for (const [aheadMs, expected] of [
    [FAR_OFF_MS, undefined],
    [FAR_OFF_MS + 1, 'far-off'],
    [-FAR_OFF_MS, undefined],
    [-FAR_OFF_MS - 1, 'far-off'],
  ] as const) {
    it(`${aheadMs} ms: ${expected ?? 'nothing'}`, () => assert.equal(judgeSite(NO_WORD, aheadMs, 0)[1], expected));
  }
  it('is said again after a day', () => {
    const [word] = judgeSite(NO_WORD, SIX_YEARS_MS, 5);
    assert.equal(judgeSite(word, SIX_YEARS_MS, 4 + SAY_AGAIN_MS)[1], undefined);
    assert.equal(judgeSite(word, SIX_YEARS_MS, 5 + SAY_AGAIN_MS)[1], 'far-off');
  });
});

const tracking = (leap: string, off = '0.000012 seconds fast', reference = 'C0A80101 (192.168.1.1)'): string =>
  `Reference ID    : ${reference}\nStratum         : 3\nSystem time     : ${off} of NTP time\nLeap status     : ${leap}\n`;

/** Timesyncd's file and the programs, as a test sets them. */
class FakeKernel {
  readonly clock = new SetClock();
  touchedMs: number | undefined | Refused;
  follows: boolean | undefined | Refused;
  outputs: Record<string, string | Refused> = {};
  runs = 0;
  readonly kernel = new Kernel({
    everyMs: 30_000,
    clock: this.clock,
    sources: {
      touchedMs: () => Promise.resolve(this.touchedMs),
      follows: () => Promise.resolve(this.follows),
      run: (program) => {
        if (program === 'timedatectl') this.runs += 1;
        return Promise.resolve(this.outputs[program]);
      },
    },
  });

  ask(asking: Partial<Asking> = {}): Promise<KernelClock | Refused> {
    return this.kernel.ask({ setSinceMs: undefined, anew: false, ...asking });
  }

  /** Looks every 30 s; returns how often the programs ran. */
  async looks(count: number): Promise<number> {
    const before = this.runs;
    for (let i = 0; i < count; i += 1) {
      await this.clock.advance(30_000);
      await this.ask();
    }
    return this.runs - before;
  }
}

describe('the kernel is asked', () => {
  for (const [name, touched, outputs, expected, follows] of [
    ['by the file of timesyncd', true, {}, 'synchronised'],
    ['by timedatectl', false, { timedatectl: 'yes\n' }, 'synchronised'],
    ['by timedatectl, in vain', false, { timedatectl: 'no\n' }, 'unsynchronised'],
    ['by a server of its own', false, { timedatectl: 'no\n' }, 'synchronised', true],
    ['by a server of its own, in vain', false, { timedatectl: 'yes\n' }, 'unsynchronised', false],
    ['by chronyc', false, { chronyc: tracking('Normal') }, 'synchronised'],
    ['by chronyc, before a leap second', false, { chronyc: tracking('Insert second') }, 'synchronised'],
    ['by chronyc, in vain', false, { chronyc: tracking('Not synchronised') }, 'unsynchronised'],
    [
      'by a chronyc that does not set the clock',
      false,
      { chronyc: tracking('Normal', '189302400.000 seconds slow') },
      'unsynchronised',
    ],
    [
      'by a chronyc that follows nobody',
      false,
      { chronyc: tracking('Normal', '0.0 seconds fast', '7F7F0101 ()') },
      'unsynchronised',
    ],
    ['where there is nothing', false, {}, 'unknown'],
  ] as const) {
    it(name, async () => {
      const fake = new FakeKernel();
      fake.follows = follows;
      if (touched) fake.touchedMs = fake.clock.wallMs();
      fake.outputs = outputs;
      assert.equal(await fake.ask(), expected);
    });
  }

  for (const [name, touchedMs, setSinceMs, expected] of [
    ['touched now', 1e9, undefined, true],
    ['touched before a synchronisation ran out', 1e9 - HOLD_MS, undefined, true],
    ['touched too long ago', 1e9 - HOLD_MS - 1, undefined, false],
    ['touched in the future: somebody set the clock back', 1e9 + 60_000, undefined, false],
    ['touched since the clock was set', 1e9 - 5_000, 1e9 - 30_000, true],
    ['touched before it was set', 1e9 - 60_000, 1e9 - 30_000, false],
  ] as const) {
    it(`the file of timesyncd, ${name}`, () => assert.equal(isProof(touchedMs, 1e9, setSinceMs), expected));
  }

  const refused = new Refused('EMFILE');
  for (const [name, touchedMs, follows, outputs, expected] of [
    ['the file and all others', refused, refused, { chronyc: refused, timedatectl: refused }, refused],
    ['the file alone', refused, undefined, {}, refused],
    ['the file, but somebody else knows', refused, undefined, { timedatectl: 'yes' }, 'synchronised'],
    ['a program', undefined, undefined, { chronyc: refused }, refused],
    ['a program, but another knows', undefined, undefined, { chronyc: refused, timedatectl: 'no' }, 'unsynchronised'],
    ['the server of its own', undefined, refused, {}, refused],
  ] as const) {
    it(`but refused: ${name}`, async () => {
      const fake = new FakeKernel();
      Object.assign(fake, { touchedMs, follows, outputs });
      assert.equal(await fake.ask(), expected);
    });
  }

  it('again at the next look where it was refused', async () => {
    const fake = new FakeKernel();
    fake.outputs = { timedatectl: refused };
    assert.equal(await fake.looks(10), 10);
    fake.outputs = { timedatectl: 'yes' };
    assert.equal(await fake.ask(), 'synchronised');
  });

  it('by programs less and less often while nothing changes, and at once where something hints at it', async () => {
    const fake = new FakeKernel();
    fake.outputs = { timedatectl: 'yes\n' };
    assert.equal(await fake.ask(), 'synchronised');
    await fake.looks(60);
    assert.equal(await fake.looks(120), 12, 'an hour');
    fake.outputs = { timedatectl: 'no\n' };
    assert.equal(await fake.ask({ anew: true }), 'unsynchronised');
    await fake.looks(10);
    assert.equal(await fake.looks(120), 60, 'an hour of waiting for better news');
    fake.outputs = { timedatectl: 'yes\n' };
    await fake.looks(2);
    assert.equal(await fake.ask(), 'synchronised', 'noticed within a minute');
    await fake.looks(30);
    fake.outputs = { timedatectl: 'no\n' };
    await fake.looks(10);
    assert.equal(await fake.ask(), 'unsynchronised', 'noticed within five');
  });

  it('by no program while the file of timesyncd proves it, and again when it was set by hand', async () => {
    const fake = new FakeKernel();
    fake.touchedMs = fake.clock.wallMs();
    fake.outputs = { timedatectl: 'no\n' };
    assert.equal(await fake.looks(60), 0);
    fake.clock.setByMs = 3_600_000;
    assert.equal(await fake.ask({ setSinceMs: fake.clock.wallMs() - 30_000 }), 'unsynchronised');
    assert.equal(await fake.ask(), 'unsynchronised');
    fake.touchedMs = fake.clock.wallMs();
    assert.equal(await fake.ask(), 'synchronised', 'timesyncd has set it since');
  });
});

describe('an answer of SNTP', () => {
  const nonce = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
  const NOW = Date.UTC(2026, 1, 1);
  const answer = (change: (view: DataView) => void = () => undefined): Uint8Array => {
    const packet = new Uint8Array(48);
    const view = new DataView(packet.buffer);
    view.setUint8(0, (4 << 3) | 4);
    view.setUint8(1, 2);
    packet.set(nonce, 24);
    for (const at of [32, 40]) view.setUint32(at, NOW / 1_000 + 2_208_988_800);
    change(view);
    return packet;
  };
  it('gives the offset, half the way there and half back', () => {
    assert.equal(sntpOffsetMs(answer(), nonce, NOW - 50, 100), 0);
    assert.equal(sntpOffsetMs(answer(), nonce, NOW - 50 - SIX_YEARS_MS, 100), SIX_YEARS_MS);
  });
  it('goes on after 2036', () => {
    const later = Date.UTC(2040, 0, 1);
    const packet = answer((view) => {
      for (const at of [32, 40]) view.setUint32(at, later / 1_000 + 2_208_988_800 - 2 ** 32);
    });
    assert.equal(sntpOffsetMs(packet, nonce, later, 0), 0);
  });
  for (const [name, change] of [
    ['a mode that is no server', (view: DataView) => view.setUint8(0, (4 << 3) | 3)],
    ['an alarm', (view: DataView) => view.setUint8(0, (3 << 6) | (4 << 3) | 4)],
    ['a kiss of death', (view: DataView) => view.setUint8(1, 0)],
    ['stratum 16', (view: DataView) => view.setUint8(1, 16)],
    ['the answer to somebody else', (view: DataView) => view.setUint8(24, 9)],
    ['no time', (view: DataView) => view.setBigUint64(40, 0n)],
  ] as const) {
    it(`is refused with ${name}`, () => assert.equal(sntpOffsetMs(answer(change), nonce, NOW, 0), undefined));
  }
  it('is refused when short', () => assert.equal(sntpOffsetMs(answer().subarray(0, 47), nonce, NOW, 0), undefined));
  it('answers a request of 48 bytes that tells no time', () => {
    const request = sntpRequest(nonce);
    assert.equal(request.byteLength, 48);
    assert.equal(request[0], 0x23);
    assert.deepEqual(request.subarray(40), nonce);
  });
});

describe('the watch over the clock', () => {
  it('tells each change once, also of a clock that is set by six years', async () => {
    const clock = new SetClock();
    const log = new RecordedLog();
    let kernel: KernelClock = 'unsynchronised';
    const watch = new ClockWatch({
      askKernel: () => Promise.resolve(kernel),
      askServers: () => Promise.resolve(SIX_YEARS_MS - clock.setByMs),
      everyMs: 30_000,
      log,
      clock,
    });
    const told: boolean[] = [];
    watch.onChange((available) => told.push(available));
    assert.equal(watch.available, undefined);
    watch.start();
    await settled();
    await clock.advance(65_000);
    assert.deepEqual(told, [false]);
    clock.setByMs = SIX_YEARS_MS;
    kernel = 'synchronised';
    await clock.advance(65_000);
    assert.deepEqual(told, [false, true]);
    assert.equal(log.at('info').length, 1);
    watch.stop();
    assert.equal(clock.pending, 0);
  });

  it('hears the test site, says once how far off the clock is, and forgets it when the clock is set', async () => {
    const clock = new SetClock();
    const log = new RecordedLog();
    const watch = new ClockWatch({
      askKernel: () => Promise.resolve('unsynchronised' as const),
      askServers: () => Promise.resolve(undefined),
      everyMs: 30_000,
      log,
      clock,
    });
    watch.start();
    await settled();
    for (let i = 0; i < 5; i += 1) watch.siteSays(clock.setByMs - SIX_YEARS_MS);
    assert.equal(watch.farOffMs, -SIX_YEARS_MS);
    clock.setByMs = SIX_YEARS_MS;
    await clock.advance(30_000);
    assert.equal(watch.farOffMs, undefined, 'known at the next look, without an answer of the site');
    watch.siteSays(clock.setByMs - SIX_YEARS_MS);
    const told = log.at('warn', 'info').filter((line) => line.includes('test site'));
    assert.equal(told.length, 2);
    assert.match(told[0]!, /The clock of this machine is 6 years behind compared with the test site/);
    assert.match(told[1]!, /agrees with the test site again/);
    watch.stop();
  });

  it('asks the servers when the site has another word: it may be of a check from before the clock was set', async () => {
    const clock = new SetClock();
    const watch = new ClockWatch({
      askKernel: () => Promise.resolve('unsynchronised' as const),
      askServers: () => Promise.resolve(SIX_YEARS_MS - clock.setByMs),
      everyMs: 30_000,
      log: new RecordedLog(),
      clock,
    });
    const told: boolean[] = [];
    watch.onChange((available) => told.push(available));
    watch.start();
    await settled();
    clock.setByMs = SIX_YEARS_MS;
    await clock.advance(30_000);
    assert.deepEqual(told, [false, true]);
    watch.siteSays(-SIX_YEARS_MS);
    await clock.advance(30_000);
    watch.siteSays(0);
    await clock.advance(30_000);
    assert.deepEqual([told, watch.available], [[false, true], true]);
    watch.stop();
  });

  it('keeps what it told while the questions are refused, says so once, and asks at each look until they are not', async () => {
    const clock = new SetClock();
    const log = new RecordedLog();
    const world: { kernel: KernelClock | Refused; servers: number | undefined | Refused } = {
      kernel: 'unsynchronised',
      servers: 10,
    };
    let asked = 0;
    const watch = new ClockWatch({
      askKernel: () => Promise.resolve(world.kernel),
      askServers: () => Promise.resolve(((asked += 1), world.servers)),
      everyMs: 30_000,
      log,
      clock,
    });
    const told: boolean[] = [];
    watch.onChange((available) => told.push(available));
    watch.start();
    await settled();
    assert.deepEqual(told, [true]);
    Object.assign(world, { kernel: new Refused('EAGAIN'), servers: new Refused('EMFILE') });
    // Which makes it ask anew.
    clock.setByMs = 60_000;
    asked = 0;
    for (let i = 0; i < 10; i += 1) await clock.advance(30_000);
    assert.deepEqual([told, asked], [[true], 10]);
    assert.equal(log.at('warn').filter((line) => line.startsWith('The system refuses the questions')).length, 1);
    Object.assign(world, { kernel: 'unsynchronised', servers: 20 });
    await clock.advance(30_000);
    assert.deepEqual([told, watch.available], [[true], true]);
    watch.stop();
    assert.equal(clock.pending, 0);
  });

  it('asks servers that do not answer less and less, at once when the internet is back, and rarely once the clock is proved', async () => {
    const clock = new SetClock();
    let asked = 0;
    const servers: { offset: number | undefined } = { offset: undefined };
    const watch = new ClockWatch({
      askKernel: () => Promise.resolve('unknown' as const),
      askServers: () => Promise.resolve(((asked += 1), servers.offset)),
      everyMs: 30_000,
      log: new RecordedLog(),
      clock,
    });
    const duringAnHour = async (): Promise<number> => {
      const before = asked;
      for (let i = 0; i < 120; i += 1) await clock.advance(30_000);
      return asked - before;
    };
    watch.start();
    await settled();
    assert.ok((await duringAnHour()) <= 9);
    assert.ok((await duringAnHour()) <= 4);
    const before = asked;
    servers.offset = 100;
    watch.lookNow();
    await settled();
    assert.deepEqual([asked - before, watch.available], [1, true]);
    watch.lookNow();
    await settled();
    assert.ok((await duringAnHour()) <= 2);
    assert.equal(watch.available, true);
    watch.stop();
    assert.equal(clock.pending, 0);
  });
});
