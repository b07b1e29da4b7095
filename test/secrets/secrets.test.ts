/**
 * Runs after all other groups and searches everything they logged, at debug level, for every secret they issued.
 * `npm test` says where it was gathered: TEST_GATHERED is the folder of all groups, TEST_GATHERED_GROUPS names those that must have logged.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { LOG_FILE, SECRETS_FILE } from '../support/everything-logged.js';
import { secretSearch } from './search.js';

const SHOWN = 20;

describe('the search for secrets', () => {
  const search = secretSearch(['p4ss word/2290"', 'issued-token-1']);
  const leaks = [
    'password p4ss word/2290"',
    'form p4ss+word%2F2290%22',
    'uri p4ss%20word%2F2290%22',
    JSON.stringify({ x: 'p4ss word/2290"' }),
    `base64 ${Buffer.from('issued-token-1').toString('base64')}`,
    'xissued-token-1x',
    'wss://h/client?access_token=abc',
    'wss://h/client?access_token%3Dabc',
    'eyJhbGciOiJIUzI1NiJ9.e30.x',
    'authorization: Bearer abcdefgh',
    'nats://user:pw@host:4222',
    '{"password":"x"}',
    '{"text":"{\\"client_secret\\":\\"x\\"}"}',
  ];
  for (const line of leaks) {
    it(`finds it in: ${line}`, () =>
      assert.deepEqual([...new Set(search(`x\n${line}\ny`).map((leak) => leak.lineNumber))], [2]));
  }

  it('finds nothing in what the log leaves of such lines', () => {
    const clean = [
      'wss://h/client?access_token=*** and access_token%3D***',
      'authorization: Bearer *** with no Bearer token',
      'nats://***@host:4222, https://host:443/a@b',
      '{"password":"***","text":"{\\"client_secret\\":\\"***\\"}"}',
      'issued-token-',
    ];
    assert.deepEqual(search(clean.join('\n')), []);
  });
});

describe('everything that was logged', () => {
  const root = process.env['TEST_GATHERED'] ?? '';
  const groups = (process.env['TEST_GATHERED_GROUPS'] ?? '').split(',').filter((name) => name !== '');

  it('was gathered', () => {
    assert.ok(root !== '' && groups.length > 0, 'nothing was gathered: start this by npm test');
  });

  for (const group of groups) {
    it(`by ${group} holds no secret`, () => {
      const folder = path.join(root, group);
      const names = readdirSync(folder);
      const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
      const logs = names.filter((name) => name.endsWith(LOG_FILE));
      const secrets = names
        .filter((name) => name.endsWith(SECRETS_FILE))
        .flatMap((name) =>
          read(name)
            .split('\n')
            .filter((line) => line !== ''),
        )
        .map((line) => JSON.parse(line) as string);
      assert.ok(secrets.length > 0, `${group} issued no secret: does it still call registerSecret?`);
      const search = secretSearch(secrets);
      let lines = 0;
      const leaks = logs.flatMap((name) => {
        const text = read(name);
        lines += text.split('\n').length - 1;
        return search(text).map(({ lineNumber, what, excerpt }) => `${name}:${lineNumber}: ${what}: ${excerpt}`);
      });
      assert.ok(lines > 0, `${group} logged nothing: do its processes and logs still gather their lines?`);
      assert.equal(leaks.length, 0, `${leaks.length} of ${lines} lines:\n${leaks.slice(0, SHOWN).join('\n')}`);
    });
  }
});
