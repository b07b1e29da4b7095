import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CliProcess } from '../support/cli-process.js';

const PROGRAM = fileURLToPath(new URL('./signals-child.js', import.meta.url));

async function start(how: 'stops' | 'rejects' | 'hangs'): Promise<CliProcess> {
  const child = CliProcess.start({ program: PROGRAM, args: [how] });
  await child.waitForLine(/Ready/, { timeoutMs: 60_000 });
  return child;
}

describe('the signals of the daemon', () => {
  it('one Ctrl-C that arrives twice, from the terminal and from npm, is one: exit 0', async () => {
    const child = await start('stops');
    child.signal('SIGINT');
    await child.waitForLine(/Stopping/);
    child.signal('SIGINT');
    assert.deepEqual(await child.waitForExit(), { code: 0, signal: null }, child.stdout);
    assert.equal(child.lines.filter((line) => line.includes('Stopping signal=SIGINT')).length, 1, child.stdout);
    assert.match(child.lines.at(-1) ?? '', /Stopped/);
  });

  it('a stop that hangs is ended at its deadline, with an error in the log: exit 1', async () => {
    const child = await start('hangs');
    child.signal('SIGTERM');
    assert.deepEqual(await child.waitForExit({ timeoutMs: 60_000 }), { code: 1, signal: null }, child.stdout);
    assert.match(child.lines.at(-1) ?? '', / ERROR +Not everything stopped in time: ending without waiting/);
  });

  it('somebody who asks again while it hangs is obeyed at once: exit 1', async () => {
    const child = await start('hangs');
    child.signal('SIGTERM');
    await child.waitForLine(/Stopping/);
    // The same wish for 500 ms, by the child's clock: so it is repeated until it counts as another.
    const again = setInterval(() => child.signal('SIGTERM'), 100);
    const exit = await child.waitForExit();
    clearInterval(again);
    assert.deepEqual(exit, { code: 1, signal: null }, child.stdout);
    assert.match(child.lines.at(-1) ?? '', / ERROR +Asked to stop again: ending at once/);
  });

  it('a stop that fails is told, and ends the process: exit 1', async () => {
    const child = await start('rejects');
    child.signal('SIGTERM');
    assert.deepEqual(await child.waitForExit(), { code: 1, signal: null }, child.stdout);
    assert.match(child.lines.at(-1) ?? '', / ERROR +While stopping err="?cannot stop/);
  });

  it('a SIGHUP while stopping neither reloads nor kills', async () => {
    const child = await start('hangs');
    child.signal('SIGTERM');
    await child.waitForLine(/Stopping/);
    child.signal('SIGHUP');
    assert.deepEqual(await child.waitForExit({ timeoutMs: 60_000 }), { code: 1, signal: null }, child.stdout);
    assert.ok(!child.stdout.includes('Reload'), child.stdout);
  });

  it('reloads are one at a time, and the last SIGHUP of many is heard', async () => {
    const child = await start('stops');
    child.signal('SIGHUP');
    await child.waitForLine(/Reload begins reloads=1/);
    for (let i = 0; i < 20; i += 1) child.signal('SIGHUP');
    await child.waitForLine(/Reload ends reloads=2/);
    child.signal('SIGTERM');
    await child.waitForExit();
    const reloads = child.lines.filter((line) => line.includes('Reload')).map((line) => /Reload \w+/.exec(line)?.[0]);
    assert.deepEqual(reloads.slice(0, 4), ['Reload begins', 'Reload ends', 'Reload begins', 'Reload ends']);
    assert.ok(reloads.length <= 6, child.stdout);
  });
});
