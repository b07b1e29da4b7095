import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HOLD_MS, NOT_CHECKED, judgeClock, type KernelClock } from '../../src/main/clock/decision.js';
import { askKernel } from '../../src/main/clock/kernel.js';
import { sntpOffsetMs, sntpRequest } from '../../src/main/clock/sntp-packet.js';
import { ClockWatch } from '../../src/main/clock/watch.js';
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
  for (const [name, before, kernel, offsetMs, stepped, nowMs, expected] of [
    ['the kernel says so', NOT_CHECKED, 'synchronised', undefined, false, 0, true],
    ['a server agrees', NOT_CHECKED, 'unsynchronised', -1_500, false, 0, true],
    ['a server disagrees', proved, 'unknown', SIX_YEARS_MS, false, 2_000, false],
    ['nobody answers', NOT_CHECKED, 'unknown', undefined, false, 0, false],
    ['nobody answers any more', proved, 'unsynchronised', undefined, false, 1_000 + HOLD_MS - 1, true],
    ['nobody has answered for hours', proved, 'unsynchronised', undefined, false, 1_000 + HOLD_MS, false],
    ['nobody answers since it was set', proved, 'unknown', undefined, true, 2_000, false],
  ] as const) {
    it(name, () => assert.equal(judgeClock(before, { kernel, offsetMs, stepped }, nowMs).trusted, expected));
  }
});

describe('the kernel is asked', () => {
  const asked = (file: boolean, outputs: Record<string, string>): Promise<KernelClock> =>
    askKernel({ exists: () => Promise.resolve(file), run: (program) => Promise.resolve(outputs[program]) });
  for (const [name, file, outputs, expected] of [
    ['by the file of timesyncd', true, {}, 'synchronised'],
    ['by timedatectl', false, { timedatectl: 'yes\n' }, 'synchronised'],
    ['by timedatectl, in vain', false, { timedatectl: 'no\n' }, 'unsynchronised'],
    ['by chronyc', false, { chronyc: 'Stratum         : 3\nLeap status     : Normal\n' }, 'synchronised'],
    ['by chronyc, in vain', false, { chronyc: 'Leap status     : Not synchronised\n' }, 'unsynchronised'],
    ['where there is nothing', false, {}, 'unknown'],
  ] as const) {
    it(name, async () => assert.equal(await asked(file, outputs), expected));
  }
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
