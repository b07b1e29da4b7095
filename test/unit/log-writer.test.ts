import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { createLineWriter, type LineWriter, type Sink, type WriterOptions } from '../../src/main/log/writer.js';
import { endOf } from '../support/ends.js';

/** A descriptor that takes so many bytes at a time, or fails with a code. */
class Descriptor {
  /** Bytes it still takes, or the error it gives. */
  state: number | string = Number.POSITIVE_INFINITY;
  text = '';
  timers: (() => void)[] = [];

  writer(options: WriterOptions = {}): LineWriter {
    return createLineWriter({
      fd: 99,
      writeBytes: (fd, bytes, offset) => {
        assert.equal(fd, 99);
        if (this.state === 0) throw Object.assign(new Error('EAGAIN'), { code: 'EAGAIN' });
        if (typeof this.state === 'string') throw Object.assign(new Error(this.state), { code: this.state });
        const taken = Math.min(this.state, bytes.length - offset);
        this.state -= taken;
        this.text += Buffer.from(bytes.subarray(offset, offset + taken)).toString('latin1');
        return taken;
      },
      schedule: (callback) => {
        this.timers.push(callback);
        return () => (this.timers = this.timers.filter((timer) => timer !== callback));
      },
      ...options,
    });
  }

  fire(): void {
    for (const timer of this.timers.splice(0)) timer();
  }
}

describe('the line writer', () => {
  it('writes at once', () => {
    const fd = new Descriptor();
    const writer = fd.writer();
    writer.write('a');
    writer.write('b');
    assert.equal(fd.text, 'a\nb\n');
    assert.equal(fd.timers.length, 0);
  });

  it('keeps what a slow reader does not take, in order, and goes on in the middle of a line', () => {
    const fd = new Descriptor();
    const writer = fd.writer();
    fd.state = 3;
    writer.write('abcdef');
    writer.write('ghi');
    assert.equal(fd.text, 'abc');
    assert.equal(fd.timers.length, 1);
    fd.fire();
    assert.equal(fd.timers.length, 1, 'it goes on trying');
    fd.state = 5;
    fd.fire();
    assert.equal(fd.text, 'abcdef\ng');
    fd.state = Number.POSITIVE_INFINITY;
    fd.fire();
    assert.equal(fd.text, 'abcdef\nghi\n');
    assert.equal(fd.timers.length, 0);
  });

  it('is bounded, and says how many lines are lost', () => {
    const fd = new Descriptor();
    const writer = fd.writer({ lostLine: (count) => `lost ${count}` });
    fd.state = 0;
    for (let i = 0; i < 1_000; i += 1) writer.write('x'.repeat(1_023));
    fd.state = Number.POSITIVE_INFINITY;
    fd.fire();
    const kept = fd.text.length / 1_024;
    assert.ok(kept <= 258, String(kept));
    writer.write('after');
    assert.ok(fd.text.endsWith(`x\nlost ${1_000 - kept}\nafter\n`));
  });

  it('falls silent when nobody reads any more', () => {
    const fd = new Descriptor();
    const writer = fd.writer();
    fd.state = 'EPIPE';
    writer.write('a');
    fd.state = Number.POSITIVE_INFINITY;
    writer.write('b');
    writer.flush();
    assert.equal(fd.text, '');
    assert.equal(fd.timers.length, 0);
  });

  it('keeps what nobody reads until there is another reader, whole lines in order, and tells what it could not keep', () => {
    const fd = new Descriptor();
    const asked: ((sink: Sink | undefined) => void)[] = [];
    const writer = fd.writer({
      lostLine: (count) => `lost ${count}`,
      reopen: (_onLost, opened) => void asked.push(opened),
    });
    fd.state = 3;
    writer.write('abcdef');
    fd.state = 'EPIPE';
    fd.fire();
    assert.equal(asked.length, 1, 'another one is asked for at once');
    writer.write('ghi');
    asked[0]!(undefined);
    fd.fire();
    assert.equal(asked.length, 2, 'and again later');
    for (let i = 0; i < 1_000; i += 1) writer.write('x'.repeat(1_023));
    let text = '';
    const kept = (): number => text.split('\n').filter((line) => line.startsWith('x')).length;
    asked[1]!((bytes, offset) => {
      text += Buffer.from(bytes.subarray(offset)).toString('latin1');
      return bytes.length - offset;
    });
    assert.ok(text.startsWith('abcdef\nghi\nxxx'), text.slice(0, 40));
    assert.ok(text.endsWith(`x\nlost ${1_000 - kept()}\n`), text.slice(-40));
    writer.write('after');
    assert.ok(text.endsWith('\nafter\n'));
    assert.equal(fd.timers.length, 0);
  });

  it('asks again for another reader when that one ends, and counts what it had taken', () => {
    const fd = new Descriptor();
    const asked: { opened: (sink: Sink | undefined) => void; onLost: () => void }[] = [];
    const writer = fd.writer({
      lostLine: (count) => `lost ${count}`,
      reopen: (onLost, opened) => void asked.push({ opened, onLost }),
    });
    fd.state = 'EBADF';
    writer.write('a');
    asked[0]!.opened(() => {
      throw Object.assign(new Error('EPIPE'), { code: 'EPIPE' });
    });
    assert.equal(asked.length, 2);
    asked[0]!.onLost();
    let text = '';
    asked[1]!.opened((bytes) => ((text += Buffer.from(bytes).toString('latin1')), bytes.length));
    assert.equal(text, 'a\nlost 1\n');
  });

  it('loses a line that cannot be written, and counts it', () => {
    const fd = new Descriptor();
    const writer = fd.writer({ lostLine: (count) => `lost ${count}` });
    fd.state = 'ENOSPC';
    writer.write('a');
    fd.state = Number.POSITIVE_INFINITY;
    writer.write('b');
    assert.equal(fd.text, 'lost 1\nb\n');
  });

  it('flushes for a bounded time and leaves no timer when all is written', () => {
    const fd = new Descriptor();
    const writer = fd.writer();
    fd.state = 0;
    writer.write('a');
    writer.flush(10);
    assert.equal(fd.timers.length, 1);
    fd.state = Number.POSITIVE_INFINITY;
    writer.flush(10);
    assert.equal(fd.text, 'a\n');
    assert.equal(fd.timers.length, 0);
  });

  it('lets a process live whose reader has gone', async () => {
    const module = new URL('../../src/main/log.js', import.meta.url).href;
    const script = `
      const { createLogger } = await import(${JSON.stringify(module)});
      const log = createLogger({ level: 'INFO', format: 'auto', secrets: [] });
      log.info({}, 'first');
      process.stdin.once('end', () => {
        for (let i = 0; i < 100; i += 1) log.info({ i }, 'nobody reads this');
        log.flush();
        process.exitCode = 7;
      }).resume();`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'pipe'] });
    const [first] = (await once(child.stdout, 'data')) as [Buffer];
    assert.match(String(first), /INFO {5}first\n$/);
    child.stdout.destroy();
    await once(child.stdout, 'close');
    child.stdin.end();
    const { code } = await endOf(child, 'a process that nobody reads');
    assert.equal(code, 7);
  });
});
