/** The documents name everything that there is. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { reasonAdvice, reasonWords } from '../../src/main/index.js';
import { nameOf, TABLE, type SettingName } from '../../src/main/settings.js';
import type { OfflineReason } from '../../src/workers/protocol.js';
import { withTables } from '../docs/readme.js';

const read = (name: string): string => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8');
const README = read('README.md');
const ARCHITECTURE = read('ARCHITECTURE.md');

/** A record, so that a new reason is missed by the compiler. */
const REASONS: Readonly<Record<OfflineReason, true>> = {
  'no-link': true,
  'no-route': true,
  'dns-timeout': true,
  'dns-failed': true,
  proxy: true,
  'tcp-timeout': true,
  'tcp-refused': true,
  portal: true,
  'no-ca-store': true,
  clock: true,
  'tls-failed': true,
  'http-timeout': true,
};

describe('README.md', () => {
  it('has every setting, with its default', () => {
    const lines = README.split('\n');
    for (const key of Object.keys(TABLE) as SettingName[]) {
      const { default: value, section, envName } = TABLE[key];
      const name = section === undefined ? envName : key;
      // `key`, or `[Section] key` where the table is of several sections.
      const row = lines.find((line) => line.startsWith('|') && line.includes(`${name}\``));
      assert.ok(row ?? (section === undefined && README.includes(`\`${name}\``)), `${nameOf(key)} is missing`);
      if (section === undefined) continue;
      const shown = value === true ? 'True' : value === false ? 'False' : [value].flat().join(',');
      assert.ok(row?.includes(shown), `${nameOf(key)}: its default ${shown} is not in "${row ?? ''}"`);
    }
  });

  for (const reason of Object.keys(REASONS) as OfflineReason[]) {
    it(`has a row for the reason ${reason}, and the log has words and advice`, () => {
      assert.match(README, new RegExp(`^\\| \`${reason}\` \\|[^|]+\\|[^|]+\\|$`, 'm'));
      assert.ok(reasonWords(reason).length > 0);
      assert.match(reasonAdvice(reason), /[^.]$/);
    });
  }
});

describe('The troubles of README.md', () => {
  it('are those of the table, row by row (npm run readme makes them)', () => {
    assert.equal(README, withTables(README));
  });

  it('a changed row would be found', () => {
    const changed = README.replace('no interface is up and has a carrier', 'something else');
    assert.notEqual(changed, README);
    assert.equal(withTables(changed), README);
  });
});

describe('ARCHITECTURE.md', () => {
  it('has a reason for each dependency', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    for (const name of Object.keys(dependencies)) assert.ok(ARCHITECTURE.includes(`| \`${name}\` |`), name);
  });

  it('names no file that is not there', () => {
    for (const [, file] of ARCHITECTURE.matchAll(/`((?:src|test|conf)\/[\w./-]+\.\w+)`/g))
      assert.ok(read(file ?? '').length > 0);
  });
});
