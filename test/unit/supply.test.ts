/** What we depend on: under which licences, and what is known against it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { judgeAudit } from '../supply/audit.js';

const ROOT = new URL('../../../', import.meta.url);

/** Licences (SPDX) that allow what we do: to pass the code on beside ours, with its text, and to ask nothing of whoever runs it. */
const ALLOWED = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
]);

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

const { packages } = JSON.parse(readFileSync(new URL('package-lock.json', ROOT), 'utf8')) as {
  packages: Readonly<Record<string, Locked>>;
};
const own = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as {
  dependencies: Readonly<Record<string, string>>;
  devDependencies: Readonly<Record<string, string>>;
};

/** What is packed: neither the developers' nor what is optional. */
const shipped = Object.entries(packages).filter(
  ([path, { dev, optional }]) => path !== '' && dev !== true && optional !== true,
);

describe('what is shipped', () => {
  it('is under a licence that allows it, with its text', () => {
    assert.ok(shipped.length > 0);
    for (const [path, { license }] of shipped) {
      const said = JSON.parse(readFileSync(new URL(`${path}/package.json`, ROOT), 'utf8')) as { license?: unknown };
      assert.equal(said.license, license, `${path}: the lock file and the package disagree`);
      assert.ok(license !== undefined && ALLOWED.has(license), `${path}: ${license ?? 'no licence'}`);
      const texts = readdirSync(new URL(path, ROOT)).filter((file) => /^(licen[cs]e|copying|unlicense)/i.test(file));
      assert.ok(texts.length > 0, `${path}: no text of its licence`);
    }
  });

  it('runs nothing when it is installed, and is known by its hash', () => {
    for (const [path, { hasInstallScript, integrity }] of shipped) {
      assert.notEqual(hasInstallScript, true, path);
      assert.match(integrity ?? '', /^sha512-/, path);
    }
  });

  it('is named by exact versions', () => {
    for (const [name, version] of Object.entries({ ...own.dependencies, ...own.devDependencies }))
      assert.match(version, /^\d+\.\d+\.\d+$/, name);
  });
});

describe('what an audit says', () => {
  const rows: readonly (readonly [string, string, ReturnType<typeof judgeAudit>])[] = [
    ['nothing is known', '{"auditReportVersion":2,"vulnerabilities":{},"metadata":{}}', { kind: 'clean' }],
    [
      'something is',
      '{"vulnerabilities":{"ws":{"name":"ws","severity":"high","range":"<8.17.1"}}}',
      { kind: 'vulnerable', found: ['ws <8.17.1: high'] },
    ],
    [
      'the registry has no such service',
      '{"message":"405 Method Not Allowed","error":{"code":"ENOAUDIT","summary":"","detail":""}}',
      { kind: 'unanswered', why: '405 Method Not Allowed' },
    ],
    [
      'the registry is not there',
      '{"error":{"code":"ENOTFOUND","summary":"request failed"}}',
      { kind: 'unanswered', why: 'request failed' },
    ],
    ['an error without words', '{"error":{}}', { kind: 'unanswered', why: 'the registry has no advisories' }],
    ['nothing', '', { kind: 'unanswered', why: 'npm said nothing that is JSON' }],
    ['null', 'null', { kind: 'unanswered', why: 'the registry has no advisories' }],
  ];
  for (const [name, stdout, expected] of rows) it(name, () => assert.deepEqual(judgeAudit(stdout), expected));
});
