/** The file of the verdict, as a program that waits for it finds it; and a disk that refuses. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { VerdictFile } from '../../src/main/observe/verdict/file.js';
import { RecordedLog } from '../support/recorded-log.js';
import { until } from '../support/until.js';

const RETRY_MS = 50;

interface Stage {
  readonly directory: string;
  readonly file: string;
  readonly verdict: VerdictFile;
  readonly log: RecordedLog;
  readonly says: (text: string) => Promise<void>;
}

function stage(t: TestContext): Stage {
  const directory = mkdtempSync(path.join(tmpdir(), 'verdict-'));
  const log = new RecordedLog();
  const verdict = new VerdictFile({ directory, log, retryMs: RETRY_MS });
  t.after(async () => {
    await verdict.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const file = path.join(directory, 'verdict');
  const read = (): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  return { directory, file, verdict, log, says: (text) => until(() => read() === text, `the file says ${text}`) };
}

describe('the file of the verdict', () => {
  it('is readable to all, whatever the umask, and gone with the service', async (t) => {
    const { directory, file, verdict, says } = stage(t);
    const umask = process.umask(0o077);
    t.after(() => process.umask(umask));
    for (const line of [undefined, undefined, 'online', 'online']) verdict.say(line);
    await says('online\n');
    verdict.say('online');
    assert.equal(statSync(file).mode & 0o777, 0o644);
    verdict.say('offline no-link 2026-11-25T09:30:12Z');
    await says('offline no-link 2026-11-25T09:30:12Z\n');
    verdict.say(undefined);
    await until(() => !existsSync(file), 'there is none without a verdict');
    verdict.say('online');
    await verdict.stop();
    assert.deepEqual(readdirSync(directory), []);
  });

  it('is replaced, never written in place: who reads it meets one of the lines, whole', async (t) => {
    const { file, verdict, says } = stage(t);
    const lines = Array.from({ length: 200 }, (_, i) => `offline ${'reason-'.repeat(i % 7)}${i} x`);
    verdict.say('online');
    await says('online\n');
    const met = new Set<string>();
    const inodes = new Set<number>();
    const watching = watch(path.dirname(file), () => {
      met.add(readFileSync(file, 'utf8'));
      inodes.add(statSync(file).ino);
    });
    for (const line of lines) {
      verdict.say(line);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await says(`${lines.at(-1)}\n`);
    watching.close();
    for (const text of met) assert.ok(text === 'online\n' || lines.includes(text.trimEnd()), JSON.stringify(text));
    assert.ok(met.size > 1 && inodes.size > 1);
  });

  it('of several words in a row has the last', async (t) => {
    const { verdict, says } = stage(t);
    for (let i = 0; i < 1_000; i += 1) verdict.say(`offline x ${i}`);
    await says('offline x 999\n');
  });

  it('that cannot be written is said once, and is there as soon as it can be', async (t) => {
    const { directory, verdict, log, says } = stage(t);
    rmSync(directory, { recursive: true });
    verdict.say('online');
    const warnings = (): readonly string[] => log.at('warn');
    await until(() => warnings().length > 0, 'it is said');
    verdict.say('offline no-link x');
    await until(() => log.at('debug').length >= 3, 'it is tried again');
    assert.deepEqual(warnings(), [
      'The verdict could not be written to its file, so nothing that waits for its changes is started (ENOENT)',
    ]);
    mkdirSync(directory);
    await says('offline no-link x\n');
    await until(() => log.at('info').length === 1, 'that it is over is said');
    verdict.say('online');
    await says('online\n');
    assert.equal(warnings().length, 1);
  });

  it('leaves nothing half done behind where a step fails', async (t) => {
    const { directory, file, verdict, log } = stage(t);
    // A folder is in its place, so the last step fails, for root as well.
    mkdirSync(path.join(file, 'in-the-way'), { recursive: true });
    verdict.say('online');
    await until(() => log.at('warn').length === 1, 'it is said');
    assert.deepEqual(readdirSync(directory), ['verdict']);
  });
});
