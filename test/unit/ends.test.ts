/** The waits of the tests themselves: what has happened is not waited for, and what never happens fails with words. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { describe, it } from 'node:test';
import { endOf, happens } from '../support/ends.js';

describe('the end of a process', () => {
  it('is told after it has come as before', async () => {
    const child = spawn(process.execPath, ['-e', 'console.log("x"); process.exitCode = 7'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.stdout.resume();
    assert.deepEqual(await endOf(child, 'it'), { code: 7, signal: null });
    assert.deepEqual(await endOf(child, 'it', 0), { code: 7, signal: null });
  });

  it('is an error with words where it does not come, as is any event', async () => {
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    await assert.rejects(endOf(child, 'a sleeper', 0), /^Error: waited 0 ms for the end of a sleeper$/);
    child.kill('SIGKILL');
    await once(child, 'close');
    await assert.rejects(happens(new EventEmitter(), 'x', 'nothing', 0), /^Error: waited 0 ms for nothing$/);
  });
});
