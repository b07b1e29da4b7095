/** The table of troubles is whole, and what is said elsewhere agrees with it. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { narrate, type Note } from '../../src/main/connection/narration.js';
import { workerSettingsOf } from '../../src/main/internet-monitor/options.js';
import { ALIVE_FOR_MS } from '../../src/main/remote/component-watch.js';
import {
  ASKED_CODES,
  firstCause,
  OFFLINE_REASONS,
  plain,
  reasonAdvice,
  reasonWords,
  TROUBLES,
  type TroubleCode,
} from '../../src/main/troubles.js';
import { causesAmong, consequencesOf } from '../../src/main/troubles/first-cause.js';

const ROOT = new URL('../../../', import.meta.url);
const CODES = Object.keys(TROUBLES) as TroubleCode[];

describe('The table of troubles', () => {
  for (const code of CODES) {
    const { title, meaning, remedy, makesIrrelevant, tellAfterMs } = TROUBLES[code];

    it(`${code}: has words that fit into a sentence and a table`, () => {
      for (const text of [title, meaning, remedy]) assert.match(text, /^[^|\n]*[^.|\s]$/);
      assert.ok(title.length <= 60, 'a title is a few words');
      assert.doesNotMatch(title, /`/);
      assert.equal((remedy.match(/`/g) ?? []).length % 2, 0, 'a backtick is missing');
      assert.ok(Number.isInteger(tellAfterMs) && tellAfterMs >= 0);
    });

    it(`${code}: makes irrelevant what exists and stands behind it`, () => {
      assert.equal(new Set(makesIrrelevant).size, makesIrrelevant.length);
      for (const other of makesIrrelevant) assert.ok(other in TROUBLES, `${other} does not exist`);
      const all = consequencesOf(TROUBLES, code);
      assert.ok(!all.has(code), 'a circle');
      for (const other of all) assert.ok(CODES.indexOf(other) > CODES.indexOf(code), `${other} stands before it`);
    });
  }

  it('no two troubles have the same title or a line in common', () => {
    const titles = CODES.map((code) => TROUBLES[code].title);
    const lines = CODES.flatMap((code) => TROUBLES[code].lines);
    assert.equal(new Set(titles).size, titles.length);
    assert.equal(new Set(lines).size, lines.length);
  });

  it('every trouble but the reasons and what a command finds has its line; those are told by title and remedy', () => {
    const withoutLine: readonly string[] = [...OFFLINE_REASONS, ...ASKED_CODES];
    for (const code of CODES) assert.equal(TROUBLES[code].lines.length === 0, withoutLine.includes(code), code);
    assert.equal(reasonWords('no-link'), 'no network link');
    assert.equal(
      reasonAdvice('no-link'),
      'Look at the cable, the access point and its password: ip link, nmcli device',
    );
    for (const reason of OFFLINE_REASONS) assert.equal(reasonAdvice(reason), plain(TROUBLES[reason].remedy));
  });
});

describe('The first cause', () => {
  const cases: readonly [string, TroubleCode[], ReturnType<typeof firstCause>][] = [
    ['nothing', [], { first: undefined, beside: [], irrelevant: [] }],
    [
      'no link, and all that follows from it, in any order',
      ['cloud-failed', 'no-internet', 'http-timeout', 'dns-timeout', 'no-link'],
      {
        first: 'no-link',
        beside: [],
        irrelevant: [
          { code: 'dns-timeout', because: 'no-link' },
          { code: 'http-timeout', because: 'no-link' },
          { code: 'no-internet', because: 'no-link' },
          { code: 'cloud-failed', because: 'no-link' },
        ],
      },
    ],
    [
      'two lines of consequences that have nothing to do with each other',
      ['command-dropped', 'bus-away', 'sign-in-refused', 'cloud-failed'],
      {
        first: 'sign-in-refused',
        beside: ['bus-away'],
        irrelevant: [
          { code: 'cloud-failed', because: 'sign-in-refused' },
          { code: 'command-dropped', because: 'bus-away' },
        ],
      },
    ],
    [
      'the same one twice',
      ['portal', 'portal', 'tls-failed'],
      { first: 'portal', beside: [], irrelevant: [{ code: 'tls-failed', because: 'portal' }] },
    ],
    [
      'no internet leaves the bus alone',
      ['component-away', 'tcp-refused'],
      { first: 'tcp-refused', beside: ['component-away'], irrelevant: [] },
    ],
  ];
  for (const [name, present, causes] of cases)
    it(name, () => {
      assert.deepEqual(firstCause(present), causes);
    });

  it('no link explains every other reason, the outage and the cloud', () => {
    const all = consequencesOf(TROUBLES, 'no-link');
    for (const reason of OFFLINE_REASONS) assert.equal(all.has(reason), reason !== 'no-link', reason);
    for (const code of ['no-internet', 'cloud-failed', 'sign-in-refused', 'cloud-lost'] as const)
      assert.ok(all.has(code), code);
  });

  it('ends even in a circle, and the check above would find it', () => {
    const circle = { a: { makesIrrelevant: ['b'] }, b: { makesIrrelevant: ['a'] } } as const;
    assert.ok(consequencesOf<'a' | 'b'>(circle, 'a').has('a'));
    assert.equal(causesAmong<'a' | 'b'>(circle, ['a', 'b']).first, undefined);
  });
});

describe('What is said and done elsewhere', () => {
  it('the times are those by which the parts work', () => {
    assert.equal(TROUBLES['component-away'].tellAfterMs, ALIVE_FOR_MS);
    const { confirmAfterMs } = workerSettingsOf({});
    for (const reason of OFFLINE_REASONS) {
      if (reason !== 'no-link' && reason !== 'no-route') assert.equal(TROUBLES[reason].tellAfterMs, confirmAfterMs);
    }
  });

  const failed = (failure: Extract<Note, { kind: 'attempt-failed' }>['failure']): Note => ({
    kind: 'attempt-failed',
    number: 2,
    failure,
    delayMs: 28_000,
  });
  const narrated: readonly [TroubleCode, Note][] = [
    ['no-internet', { kind: 'offline-at-start', reason: 'no-link' }],
    ['no-internet', { kind: 'internet-lost', reason: 'no-link', was: 'connected', recoverableForMs: 55_000 }],
    ['cloud-interrupted', { kind: 'interrupted', message: 'silence', withinMs: 55_000, spreadMs: 2_000 }],
    ['cloud-lost', { kind: 'session-lost', message: 'silence', delayMs: 15_000 }],
    ['cloud-failed', failed({ kind: 'failed', message: 'the cloud answers 503' })],
    ['system-refuses', failed({ kind: 'failed', message: 'no handle', refusal: 'EMFILE' })],
    ['sign-in-unanswered', failed({ kind: 'failed', message: 'Auth0 gave no answer: timeout' })],
    ['cloud-throttled', failed({ kind: 'throttled', message: 'too many', retryAfterMs: 28_000 })],
    ['cloud-busy', failed({ kind: 'throttled', status: 503, message: 'busy', retryAfterMs: 28_000 })],
    ['sign-in-refused', failed({ kind: 'refused', message: 'no', status: 401 })],
  ];
  for (const [code, note] of narrated)
    it(`the connection tells ${code} (${note.kind}) with its level and its words`, () => {
      const { level, message } = narrate(note);
      const { severity, lines } = TROUBLES[code];
      assert.equal(level, severity);
      assert.ok(
        lines.some((line) => patternOf(line).test(message)),
        `"${message}" is none of ${lines.join(' / ')}`,
      );
    });

  it('every line of the table is said somewhere in the source, with these words', () => {
    const source = sourceText();
    for (const code of CODES) {
      if (narrated.some(([told]) => told === code)) continue;
      for (const line of TROUBLES[code].lines)
        for (const piece of line.split('…').filter((part) => /\w{3}/.test(part)))
          assert.ok(source.includes(piece), `${code}: nobody says "${piece}"`);
    }
  });
});

/** `…` stands for what differs. */
function patternOf(line: string): RegExp {
  const pieces = line.split('…').map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pieces.join('.*')}$`);
}

/** All of src but the table itself, with the holes of its templates as `…`. */
function sourceText(): string {
  const files = readdirSync(new URL('src', ROOT), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts') && !file.includes('troubles'))
    .map((file) => readFileSync(new URL(`src/${file}`, ROOT), 'utf8').replace(/\$\{[^}]*\}/g, '…'))
    .join('\n');
}
