/**
 * The history through the sudden end of its process, at random moments while it writes: no event is lost that was told as written, and no
 * file becomes unreadable. Twenty times; HISTORY_KILLS says how often otherwise (`npm run history:kills` 200 times).
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { filesIn } from '../../src/main/observe/history/files.js';
import { segmentName, segmentsAmong } from '../../src/main/observe/history/segments.js';
import { HistoryProcess, readBack } from '../support/history-process.js';

const KILLS = Number(process.env['HISTORY_KILLS'] ?? '20');

describe('the history', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'history-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it(`killed ${KILLS} times while it writes: whatever was told is there, and every file is readable`, async (t) => {
    let events = 0;
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const writing = new HistoryProcess(directory);
      await writing.hasTold();
      await delay(Math.random() * 60);
      await writing.kill();
      events += writing.told.length;
      const { own, unreadable, after: how } = await readBack(directory);
      assert.equal(how, kill === 1 ? 'nothing' : 'crash');
      for (const by of writing.told) assert.ok(own.has(by), `event ${by} of process ${kill} was told and is lost`);
      assert.ok(unreadable <= kill, `${unreadable} torn lines after ${kill} kills`);
      // The power goes as well now and then: the last line is torn, as a file system may leave it.
      const files = filesIn(directory);
      const newest = segmentsAmong(await files.list()).at(-1);
      if (kill % 5 === 0 && newest !== undefined) {
        const text = await files.read(newest);
        await truncate(path.join(directory, segmentName(newest)), text.length - 7);
      }
    }
    t.diagnostic(`${events} events told in ${KILLS} processes`);
  });
});
