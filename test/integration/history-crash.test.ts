/**
 * The history through the sudden end of its process, at random moments while it writes: no event is lost that was told as written, and no
 * file becomes unreadable. Twenty times; HISTORY_KILLS says how often otherwise (`npm run history:kills` 200 times).
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { filesIn } from '../../src/main/observe/history/files.js';
import { readHistory } from '../../src/main/observe/history/reader.js';
import { segmentName, segmentsAmong } from '../../src/main/observe/history/segments.js';

const KILLS = Number(process.env['HISTORY_KILLS'] ?? '20');
const CHILD = fileURLToPath(new URL('./history-child.js', import.meta.url));

describe('the history', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'history-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  /** Numbers of the events that the process has told as written. */
  async function writeAndDie(): Promise<readonly number[]> {
    const child = spawn(process.execPath, [CHILD, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    const told: number[] = [];
    const lines = createInterface({ input: child.stdout });
    const first = once(lines, 'line');
    lines.on('line', (line) => told.push(...line.split(' ').map(Number)));
    await first;
    await delay(Math.random() * 60);
    child.kill('SIGKILL');
    await once(child, 'close');
    return told;
  }

  it(`killed ${KILLS} times while it writes: whatever was told is there, and every file is readable`, async (t) => {
    let events = 0;
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const told = await writeAndDie();
      events += told.length;
      const files = filesIn(directory);
      const { records, unreadable } = await readHistory(files);
      const lastStart = records.findLastIndex(({ k }) => k === 'start');
      const start = records[lastStart];
      assert.equal(start?.k === 'start' ? start.after : undefined, kill === 1 ? 'nothing' : 'crash');
      const own = new Set(records.slice(lastStart).flatMap((record) => (record.k === 'clock' ? [record.by] : [])));
      for (const by of told) assert.ok(own.has(by), `event ${by} of process ${kill} was told and is lost`);
      assert.ok(unreadable <= kill, `${unreadable} torn lines after ${kill} kills`);
      // The power goes as well now and then: the last line is torn, as a file system may leave it.
      const newest = segmentsAmong(await files.list()).at(-1);
      if (kill % 5 === 0 && newest !== undefined) {
        const text = await files.read(newest);
        await truncate(path.join(directory, segmentName(newest)), text.length - 7);
      }
    }
    t.diagnostic(`${events} events told in ${KILLS} processes`);
  });
});
