/** Which start belongs to a boot of the machine. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import { isBootStart, startedByBoot, stateDirectoryOf, type StartFacts } from '../../src/main/boot.js';

const BOOT: StartFacts = { bySystemd: true, uptimeSecs: 40, bootId: 'b', lastBootId: 'a' };

describe('a start', () => {
  const table: [string, Partial<StartFacts>, boolean][] = [
    ['the first in the life of the machine', {}, true],
    ['the very first', { lastBootId: undefined }, true],
    ['again: after a crash, or by hand', { lastBootId: 'b' }, false],
    ['long after the boot, such as at the installation', { uptimeSecs: 300 }, false],
    ['by hand', { bySystemd: false }, false],
    ['where nothing can be known of the life', { bootId: undefined, lastBootId: undefined }, true],
  ];
  for (const [name, facts, expected] of table) {
    it(`${name}: ${expected ? 'a boot' : 'no boot'}`, () => assert.equal(isBootStart({ ...BOOT, ...facts }), expected));
  }

  it('is remembered in the state directory, for its owner only; the second is no boot', (t) => {
    const directory = mkdtempSync(path.join(tmpdir(), 'boot-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const env = { INVOCATION_ID: '5f3e' };
    startedByBoot(env, directory);
    const file = path.join(directory, 'boot-id');
    assert.match(readFileSync(file, 'utf8'), /^[0-9a-f-]{36}\n$/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(startedByBoot(env, directory), false);
  });

  it('by hand leaves no trace, and a directory that cannot be written hurts nobody', () => {
    assert.equal(startedByBoot({}, '/nowhere'), false);
    assert.equal(startedByBoot({ INVOCATION_ID: '5f3e' }, undefined), false);
    startedByBoot({ INVOCATION_ID: '5f3e' }, '/nowhere');
  });

  it('takes the first of several state directories', () => {
    assert.equal(stateDirectoryOf({ STATE_DIRECTORY: '/var/lib/a:/var/lib/b' }), '/var/lib/a');
    assert.equal(stateDirectoryOf({}), undefined);
    assert.equal(stateDirectoryOf({ STATE_DIRECTORY: '' }), undefined);
  });
});
