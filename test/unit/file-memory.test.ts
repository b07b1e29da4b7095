/** What a file said is known until it is another file. */
import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { FileMemory } from '../../src/workers/net/file-memory.js';

describe('what a file said', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'file-memory-'));
  const file = path.join(folder, 'file');
  let memory: FileMemory<string>;
  let reads: number;
  const look = (about = '', where = file): string | Promise<string> =>
    memory.get(where, about, () => Promise.resolve(`${about}${(reads += 1)}`));

  beforeEach(() => {
    rmSync(file, { force: true });
    writeFileSync(file, 'one');
    memory = new FileMemory(-1);
    reads = 0;
  });
  after(() => rmSync(folder, { recursive: true }));

  it('is known at once the next time, for each question of its own', async () => {
    assert.equal(await look(), '1');
    assert.equal(look(), '1');
    assert.equal(await look('b'), 'b2');
    assert.deepEqual([look(), look('b')], ['1', 'b2']);
  });

  for (const [name, change] of [
    ['written anew, as long as before', () => writeFileSync(file, 'two')],
    ['longer', () => writeFileSync(file, 'three')],
    [
      'another in its place, with the same times',
      () => {
        writeFileSync(`${file}.new`, 'two');
        utimesSync(`${file}.new`, 1, 1);
        renameSync(`${file}.new`, file);
      },
    ],
    ['touched back', () => utimesSync(file, 1, 1)],
    [
      'a link to another',
      () => {
        unlinkSync(file);
        writeFileSync(`${file}.target`, 'one');
        symlinkSync(`${file}.target`, file);
      },
    ],
    ['gone', () => unlinkSync(file)],
  ] as const) {
    it(`is read anew: ${name}`, async () => {
      await look();
      // The kernel's clock has a grain of 4 ms at most.
      await new Promise((resolve) => setTimeout(resolve, 20));
      change();
      assert.equal(await look(), '2');
    });
  }

  it('is not kept of a file that was changed just now, of none, of a folder, or of one that could not be read', async () => {
    memory = new FileMemory();
    await look();
    assert.equal(await look(), '2');
    memory = new FileMemory(-1);
    for (const where of [path.join(folder, 'missing'), folder, '/dev/null']) {
      await look('', where);
      assert.ok(look('', where) instanceof Promise, where);
    }
    await assert.rejects(async () => memory.get(file, '', () => Promise.reject(new Error('EIO'))), /EIO/);
    assert.ok(look() instanceof Promise);
  });

  it('is forgotten of what was asked longest ago, so that it does not grow', async () => {
    for (let n = 0; n < 40; n += 1) await look(`q${n} `);
    assert.ok(look('q0 ') instanceof Promise);
    assert.equal(look('q39 '), 'q39 40');
  });
});
