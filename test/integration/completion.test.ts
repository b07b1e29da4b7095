/** The completion of bash, in bash. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { COMMANDS, COMMAND_NAMES } from '../../src/main/cli/commands.js';
import { bashCompletion } from '../../src/manual/completion.js';

describe('the completion of bash', () => {
  let folder = '';
  let script = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'completion-'));
    script = path.join(folder, 'completion');
    await writeFile(script, bashCompletion());
    const files = path.join(folder, 'files');
    await mkdir(path.join(files, 'a folder'), { recursive: true });
    await writeFile(path.join(files, 'a new.conf'), '');
    await writeFile(path.join(files, 'other.conf'), '');
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** What bash offers for the last of the words, which are as readline cuts them: `=` is a word of its own. */
  async function offered(...words: readonly string[]): Promise<readonly string[]> {
    const ask = `
      source "$1"; shift
      [[ $(complete -p dunebugger-remote) == 'complete -F _dunebugger_remote dunebugger-remote' ]] || exit 9
      COMP_WORDS=(dunebugger-remote "$@") COMP_CWORD=$#
      _dunebugger_remote dunebugger-remote "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"
      printf '%s\\n' "\${COMPREPLY[@]}"`;
    const options = { cwd: path.join(folder, 'files'), timeout: 20_000 };
    const { stdout, stderr } = await promisify(execFile)(
      'bash',
      ['--norc', '-uc', ask, 'bash', script, ...words],
      options,
    );
    assert.equal(stderr, '');
    return stdout
      .split('\n')
      .filter((word) => word !== '')
      .sort();
  }

  it('the commands, by their beginning, too', async () => {
    const first = [...new Set(COMMAND_NAMES.map((name) => name.split(' ')[0]!))].sort();
    assert.deepEqual(await offered(''), first);
    assert.deepEqual(await offered('mi'), ['migrate']);
    assert.deepEqual(await offered('nothing'), []);
    assert.deepEqual(await offered('-'), ['--help', '--version']);
  });

  it('the second word of a command', async () => {
    assert.deepEqual(await offered('config', ''), ['check', 'show']);
    assert.deepEqual(await offered('config', 's'), ['show']);
  });

  for (const name of COMMAND_NAMES) {
    it(`the options of ${name}`, async () => {
      const own = COMMANDS[name].options.map((option) => `--${option}`).sort();
      assert.deepEqual(await offered(...name.split(' '), '--'), own);
    });
  }

  it('options by their beginning, behind others and their values', async () => {
    assert.deepEqual(await offered('status', '--j'), ['--json']);
    assert.deepEqual(await offered('check', '--domain', 'run', '--ti'), ['--timeout']);
    assert.deepEqual(await offered('check', '--domain', '=', 'run', '--ti'), ['--timeout']);
    assert.deepEqual(await offered('--config', 'x', 'check', '--ti'), ['--timeout']);
  });

  it('files and folders where one is wanted, nothing where only the user knows', async () => {
    const all = ['a folder', 'a new.conf', 'other.conf'];
    assert.deepEqual(await offered('run', '--config', ''), all);
    assert.deepEqual(await offered('run', '--config', '=', 'a n'), ['a new.conf']);
    assert.deepEqual(await offered('run', '--config', '='), all);
    assert.deepEqual(await offered('config', 'check', 'o'), ['other.conf']);
    assert.deepEqual(await offered('migrate', '--root', ''), ['a folder']);
    assert.deepEqual(await offered('check', '--domain', ''), []);
    assert.deepEqual(await offered('status', ''), []);
  });
});
