/** The client access URL that outlives the process: when it may be used, the file, and what the provider makes of both. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { cached } from '../../src/main/connection/credentials/cached.js';
import {
  decodeKept,
  encodeKept,
  lifeLeft,
  type KeptUrl,
  type UrlKeeper,
} from '../../src/main/connection/credentials/kept-url.js';
import { AUTH0_LIMITS } from '../../src/main/connection/credentials/pacing.js';
import type { ClientAccessUrlSource } from '../../src/main/connection/credentials/provider.js';
import { UrlFile } from '../../src/main/connection/credentials/url-file.js';
import { gathered, registerSecret } from '../support/everything-logged.js';

const HOUR = 3_600_000;
const ISSUED = Date.parse('2026-01-10T12:00:00Z');
const never = new AbortController().signal;

function urlUntil(expiresAtMs: number, name = 'u'): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = `${part({ alg: 'HS256' })}.${part({ exp: expiresAtMs / 1_000, sub: name })}.signature-${name}`;
  registerSecret(token);
  return `wss://cloud.example/client/hubs/h?access_token=${token}`;
}

const kept = (name = 'u'): KeptUrl => ({
  url: urlUntil(ISSUED + 24 * HOUR, name),
  expiresAtMs: ISSUED + 24 * HOUR,
  lifeMs: 24 * HOUR,
});

describe('a kept URL', () => {
  const table: [string, wallMs: number, expected: ReturnType<typeof lifeLeft>][] = [
    ['an hour later', ISSUED + HOUR, { kind: 'left', ms: 23 * HOUR }],
    ['when its time is over', ISSUED + 24 * HOUR, { kind: 'over' }],
    ['by a clock that lost what it knew since the last hour', ISSUED - HOUR, { kind: 'left', ms: 24 * HOUR }],
    ['by a clock that is older than that', ISSUED - HOUR - 1, { kind: 'too-early' }],
    ['in 1970', 0, { kind: 'too-early' }],
  ];
  for (const [name, wallMs, expected] of table) {
    it(`${name}: ${expected.kind}`, () => assert.deepEqual(lifeLeft(kept(), wallMs), expected));
  }

  it('is read as it was written', () => assert.deepEqual(decodeKept(encodeKept(kept(), 'x'), 'x'), kept()));

  const fields = { version: 1, boundTo: 'x', ...kept() };
  const foreign: [string, unknown][] = [
    ['other settings', { ...fields, boundTo: 'y' }],
    ['another version', { ...fields, version: 2 }],
    ['no URL', { ...fields, url: undefined }],
    ['a URL that is not encrypted', { ...fields, url: fields.url.replace('wss:', 'ws:') }],
    ['a file', { ...fields, url: 'file:///etc/passwd' }],
    ['another end than its token has', { ...fields, expiresAtMs: fields.expiresAtMs + 1_000 }],
    ['no life', { ...fields, lifeMs: 0 }],
    ['no number', { ...fields, lifeMs: null }],
    ['null', null],
    ['a list', []],
  ];
  for (const [name, value] of foreign) {
    it(`is nothing with ${name}`, () => assert.equal(decodeKept(JSON.stringify(value), 'x'), undefined));
  }
  it('is nothing if it was cut off', () =>
    assert.equal(decodeKept(encodeKept(kept(), 'x').slice(0, -9), 'x'), undefined));
});

describe('the file', () => {
  function place(t: TestContext): { directory: string; warnings: string[]; make: (...boundTo: string[]) => UrlFile } {
    const directory = mkdtempSync(path.join(tmpdir(), 'kept-url-'));
    t.after(() => {
      chmodSync(directory, 0o700);
      rmSync(directory, { recursive: true });
    });
    const warnings: string[] = [];
    const silent = (): void => undefined;
    const warn = (_: object, message: string): void => void warnings.push(message);
    const log = gathered({ debug: silent, info: silent, warn, error: silent });
    return { directory, warnings, make: (...boundTo) => new UrlFile({ directory, boundTo, log }) };
  }

  it('is for its owner only, whole, and found by the next process with the same settings only', async (t) => {
    const { directory, make } = place(t);
    const file = make('auth0', 'secret');
    assert.equal(file.found, undefined);
    file.keep(kept());
    await file.settled;
    assert.equal(statSync(path.join(directory, 'access-url')).mode & 0o777, 0o600);
    assert.deepEqual(make('auth0', 'secret').found, kept());
    assert.equal(make('auth0', 'another').found, undefined);
    assert.equal(make('auth0secret').found, undefined);
    assert.doesNotMatch(readFileSync(path.join(directory, 'access-url'), 'utf8'), /"secret"/);
  });

  it('is forgotten, and the latest of many wishes wins', async (t) => {
    const { directory, make } = place(t);
    const file = make('x');
    file.keep(kept('a'));
    file.keep(kept('b'));
    file.forget();
    file.keep(kept('c'));
    await file.settled;
    assert.deepEqual(make('x').found, kept('c'));
    file.forget();
    await file.settled;
    assert.equal(existsSync(path.join(directory, 'access-url')), false);
    file.forget();
    await file.settled;
  });

  it('replaces what a power cut left, whatever its mode', async (t) => {
    const { directory, make } = place(t);
    writeFileSync(path.join(directory, 'access-url'), '{"version":1,"bou', { mode: 0o644 });
    writeFileSync(path.join(directory, 'access-url.new'), 'half', { mode: 0o644 });
    const file = make('x');
    assert.equal(file.found, undefined);
    file.keep(kept());
    await file.settled;
    assert.equal(statSync(path.join(directory, 'access-url')).mode & 0o777, 0o600);
    assert.deepEqual(make('x').found, kept());
  });

  it('survives a disk that takes nothing, and says so once', async (t) => {
    const { directory, warnings, make } = place(t);
    const file = make('x');
    // A directory in its place: what root cannot write either.
    mkdirSync(path.join(directory, 'access-url'));
    for (let n = 0; n < 3; n += 1) {
      file.keep(kept());
      await file.settled;
      file.forget();
      await file.settled;
    }
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /could not be kept for the next start/);
  });
});

describe('the provider with what the last process kept', () => {
  function rig(found: KeptUrl | undefined, wallMs: number) {
    const state = { now: 0, wallMs, fetches: 0, kept: found, log: [] as string[] };
    const keeper: UrlKeeper = {
      found,
      keep: (url) => (state.kept = url),
      forget: () => (state.kept = undefined),
    };
    const source: ClientAccessUrlSource = {
      description: 'the source',
      get: () => {
        state.fetches += 1;
        const expiresAtMs = state.wallMs + 24 * HOUR;
        const url = urlUntil(expiresAtMs, `fresh-${state.fetches}`);
        return Promise.resolve({ url, expiresAtMs, lifeMs: 24 * HOUR, cached: false });
      },
    };
    const line = (_: object, message: string): void => void state.log.push(message);
    const log = gathered({ debug: line, info: line, warn: line, error: line });
    const provider = cached(source, {
      limits: AUTH0_LIMITS,
      log,
      now: () => state.now,
      keeper,
      wallMs: () => state.wallMs,
    });
    return { state, provider };
  }

  it('needs no sign-in', async () => {
    const { state, provider } = rig(kept(), ISSUED + HOUR);
    const access = await provider.get(never);
    assert.deepEqual([access.url, access.cached, state.fetches], [kept().url, true, 0]);
    assert.match(state.log.join('\n'), /no sign-in is needed/);
    // Its life goes on.
    state.now += 22 * HOUR + 56 * 60_000;
    assert.notEqual((await provider.get(never)).url, kept().url);
    assert.equal(state.fetches, 1);
  });

  it('one that is refused costs one sign-in, at once, and is forgotten', async () => {
    const { state, provider } = rig(kept(), ISSUED + HOUR);
    provider.refused(await provider.get(never));
    assert.equal(state.kept, undefined);
    assert.equal(provider.signInAllowedInMs, 0);
    const fresh = await provider.get(never);
    assert.deepEqual([state.fetches, fresh.cached], [1, false]);
    // If that one is refused as well, the pacing holds.
    provider.refused(fresh);
    assert.equal((await provider.get(never)).url, fresh.url);
    assert.deepEqual([state.fetches, state.kept], [1, undefined]);
  });

  it('one whose time is over is forgotten, and a fresh one is kept once it has served', async () => {
    const { state, provider } = rig(kept(), ISSUED + 25 * HOUR);
    const fresh = await provider.get(never);
    assert.deepEqual([state.fetches, state.kept], [1, undefined]);
    provider.served(fresh);
    assert.deepEqual(state.kept, { url: fresh.url, expiresAtMs: ISSUED + 49 * HOUR, lifeMs: 24 * HOUR });
  });

  it('waits for a clock that can be believed, and signs in meanwhile', async () => {
    const { state, provider } = rig(kept(), 0);
    await provider.get(never);
    assert.equal(state.fetches, 1);
    assert.deepEqual(state.kept, kept(), 'what is kept may be good: the clock is wrong');
    const { state: later, provider: patient } = rig(kept(), 0);
    later.wallMs = ISSUED + HOUR;
    assert.equal((await patient.get(never)).url, kept().url);
    assert.equal(later.fetches, 0);
  });
});
