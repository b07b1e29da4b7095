import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { cached } from '../../src/main/connection/credentials/cached.js';
import { UnreachableError } from '../../src/main/connection/credentials/failed-call.js';
import { AUTH0_LIMITS, NEGOTIATE_LIMITS } from '../../src/main/connection/credentials/pacing.js';
import {
  SignInError,
  type ClientAccessUrl,
  type ClientAccessUrlSource,
} from '../../src/main/connection/credentials/provider.js';
import { gathered } from '../support/everything-logged.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const START = Date.parse('2025-06-01T12:00:00Z');
const never = new AbortController().signal;

type Answer = 'url' | SignInError;

/** A source, a clock and the provider under test. */
function rig(options: { lifeMs?: number; limits?: typeof AUTH0_LIMITS } = {}) {
  const state = { now: START, fetches: 0, answer: 'url' as Answer, log: [] as string[] };
  const line = (_fields: object, message: string): void => void state.log.push(message);
  const source: ClientAccessUrlSource = {
    description: 'the source',
    get: () => {
      state.fetches += 1;
      if (state.answer !== 'url') return Promise.reject(state.answer);
      const life = options.lifeMs === undefined ? {} : { lifeMs: options.lifeMs };
      return Promise.resolve({ url: `wss://localhost/client/hubs/h?n=${state.fetches}`, ...life, cached: false });
    },
  };
  const log = gathered({ debug: line, info: line, warn: line, error: line });
  const provider = cached(source, { limits: options.limits ?? AUTH0_LIMITS, log, now: () => state.now });
  return { state, provider };
}

async function number(got: Promise<ClientAccessUrl>): Promise<number> {
  return Number(new URL((await got).url).searchParams.get('n'));
}

describe('cached: reuse', () => {
  it('fetches once and gives the same URL until five minutes before it expires', async () => {
    const { state, provider } = rig({ lifeMs: 24 * HOUR });
    assert.equal((await provider.get(never)).cached, false);
    state.now += 24 * HOUR - 5 * MINUTE - 1;
    const second = await provider.get(never);
    assert.deepEqual([second.cached, state.fetches], [true, 1]);
    state.now += 1;
    assert.equal(await number(provider.get(never)), 2);
  });

  it('fetches in the last tenth of a short life', async () => {
    const { state, provider } = rig({ lifeMs: 10 * MINUTE });
    await provider.get(never);
    state.now += 9 * MINUTE - 1;
    assert.equal(await number(provider.get(never)), 1);
    state.now += 1;
    assert.equal(await number(provider.get(never)), 2);
  });

  it('keeps a URL without an expiry until it is refused', async () => {
    const { state, provider } = rig();
    const first = await provider.get(never);
    state.now += 365 * 24 * HOUR;
    assert.equal(await number(provider.get(never)), 1);
    provider.refused(first);
    assert.equal(await number(provider.get(never)), 2);
  });

  it('does not fetch again and again if what it is given has expired already', async () => {
    const { state, provider } = rig({ lifeMs: -HOUR });
    await provider.get(never);
    state.now += HOUR;
    assert.equal(await number(provider.get(never)), 1);
    assert.match(state.log.join('\n'), /has already expired by the clock of whoever gave it/);
  });

  it('gives out the URL at hand while the sign-in is in trouble, as long as it is valid', async () => {
    const { state, provider } = rig({ lifeMs: 24 * HOUR });
    await provider.get(never);
    state.answer = new SignInError('failed', 'Auth0 answered 503.', undefined, { status: 503 });
    state.now += 24 * HOUR - 2 * MINUTE;
    assert.equal(await number(provider.get(never)), 1);
    assert.equal(state.fetches, 2);
    state.now += 2 * MINUTE;
    await assert.rejects(provider.get(never), /503/);
  });

  it('ignores the refusal of a URL that is not the one at hand', async () => {
    const { state, provider } = rig();
    await provider.get(never);
    provider.refused({ url: 'wss://localhost/client/hubs/h?n=0', cached: true });
    state.now += 24 * HOUR;
    assert.equal(await number(provider.get(never)), 1);
  });
});

describe('cached: several at once', () => {
  /** A source that answers when told to. */
  function held() {
    const calls: { resolve: (url: ClientAccessUrl) => void; signal: AbortSignal }[] = [];
    const source: ClientAccessUrlSource = {
      description: 'the source',
      get: (signal) =>
        new Promise((resolve, reject) => {
          calls.push({ resolve, signal });
          signal.addEventListener('abort', () => reject(new Error('aborted')));
        }),
    };
    const line = (): void => undefined;
    const log = gathered({ debug: line, info: line, warn: line, error: line });
    return { calls, provider: cached(source, { limits: AUTH0_LIMITS, log, now: () => START }) };
  }
  const url = { url: 'wss://localhost/client/hubs/h', cached: false };

  it('share one sign-in', async () => {
    const { calls, provider } = held();
    const all = [provider.get(never), provider.get(never), provider.get(never)];
    assert.equal(calls.length, 1);
    calls[0]!.resolve(url);
    assert.deepEqual(new Set((await Promise.all(all)).map((got) => got.url)), new Set([url.url]));
  });

  it('one that gives up leaves the others waiting; the last one ends the sign-in', async () => {
    const { calls, provider } = held();
    const [first, second] = [new AbortController(), new AbortController()];
    const a = provider.get(first.signal);
    const b = provider.get(second.signal);
    first.abort();
    await assert.rejects(a, /given up/);
    assert.equal(calls[0]!.signal.aborted, false);
    second.abort();
    await assert.rejects(b, /given up/);
    assert.equal(calls[0]!.signal.aborted, true);
    const c = provider.get(never);
    assert.equal(calls.length, 2);
    calls[1]!.resolve(url);
    assert.equal((await c).url, url.url);
  });

  it('an aborted signal begins nothing', async () => {
    const { calls, provider } = held();
    await assert.rejects(provider.get(AbortSignal.abort()), SignInError);
    assert.equal(calls.length, 0);
  });
});

describe('cached: spacing', () => {
  it('offers a refused young URL again; fetches after 15, 30, 60, 60 minutes', async () => {
    const { state, provider } = rig({ lifeMs: 24 * HOUR });
    const fetchedAtMinutes: number[] = [];
    for (let minute = 0; minute <= 240; minute += 1) {
      state.now = START + minute * MINUTE;
      const before = state.fetches;
      const url = await provider.get(never);
      assert.equal(url.cached, false, 'nothing fresher is to be had');
      provider.refused(url);
      if (state.fetches > before) fetchedAtMinutes.push(minute);
    }
    assert.deepEqual(fetchedAtMinutes, [0, 15, 45, 105, 165, 225]);
  });

  it('fetches at once when a URL that has served for long is refused', async () => {
    const { state, provider } = rig({ lifeMs: 24 * HOUR });
    const first = await provider.get(never);
    state.now += 2 * HOUR;
    provider.refused(first);
    assert.equal(await number(provider.get(never)), 2);
  });

  it('a URL that was not refused ends the growth', async () => {
    const { state, provider } = rig({ lifeMs: 2 * HOUR });
    for (const wait of [15, 30, 60]) {
      provider.refused(await provider.get(never));
      state.now += wait * MINUTE;
    }
    await provider.get(never);
    state.now += 2 * HOUR;
    provider.refused(await provider.get(never));
    assert.equal(state.fetches, 5);
    state.now += 15 * MINUTE;
    assert.equal(await number(provider.get(never)), 6);
  });

  it('asks a refusing sign-in after 1, 2, 4 ... minutes and in between says the same, with the time to wait', async () => {
    const { state, provider } = rig();
    state.answer = new SignInError('refused', 'Look at AUTH0_PASSWORD.', undefined, { status: 403 });
    const askedAtSecs: number[] = [];
    for (let secs = 0; secs <= 16 * 60; secs += 10) {
      state.now = START + secs * SECOND;
      const before = state.fetches;
      await assert.rejects(provider.get(never), (error) => {
        assert.ok(error instanceof SignInError);
        assert.deepEqual([error.kind, error.status], ['refused', 403]);
        assert.match(error.message, /^Look at AUTH0_PASSWORD\./);
        return true;
      });
      if (state.fetches > before) askedAtSecs.push(secs);
    }
    assert.deepEqual(askedAtSecs, [0, 60, 180, 420, 900]);
  });

  it('429: asks nobody until the given time', async () => {
    const { state, provider } = rig();
    state.answer = new SignInError('throttled', 'Too often.', 10 * MINUTE, { status: 429 });
    await assert.rejects(provider.get(never), /Too often/);
    state.answer = 'url';
    state.now += 10 * MINUTE - 1;
    await assert.rejects(provider.get(never), (error) => {
      assert.ok(error instanceof SignInError);
      assert.deepEqual([error.kind, error.retryAfterMs, state.fetches], ['throttled', 1, 1]);
      return true;
    });
    state.now += 1;
    assert.equal(await number(provider.get(never)), 2);
  });

  it('fetches at once when a URL that opened a session is refused, however young it is', async () => {
    const { state, provider } = rig({ lifeMs: 24 * HOUR });
    for (const n of [1, 2, 3]) {
      const url = await provider.get(never);
      provider.served(url);
      state.now += 14 * MINUTE;
      provider.refused(url);
      assert.equal(provider.signInAllowedInMs, 0);
      assert.equal(await number(provider.get(never)), n + 1);
    }
    const unserved = await provider.get(never);
    provider.refused(unserved);
    assert.equal(provider.signInAllowedInMs, 15 * MINUTE, 'one that opened nothing has to wait');
    assert.equal(await number(provider.get(never)), 4);
  });

  it('a service that lets in and then refuses, over and over, costs no storm', async () => {
    const { state, provider } = rig({ lifeMs: 24 * HOUR });
    for (; state.now < START + 24 * HOUR; state.now += 20 * SECOND) {
      const url = await provider.get(never);
      provider.served(url);
      provider.refused(url);
    }
    assert.ok(2 * state.fetches <= 100, `${state.fetches} sign-ins`);
  });

  it('asks at once when somebody says that it is mended, after hours of refusals', async () => {
    const { state, provider } = rig();
    state.answer = new SignInError('refused', 'Look at AUTH0_PASSWORD.', undefined, { status: 403 });
    for (; state.now < START + 6 * HOUR; state.now += 15 * MINUTE) await assert.rejects(provider.get(never));
    assert.ok(provider.signInAllowedInMs > 10 * MINUTE);
    const before = state.fetches;
    provider.mended();
    assert.equal(provider.signInAllowedInMs, 0);
    await assert.rejects(provider.get(never));
    assert.equal(state.fetches, before + 1, 'asked, and refused again');
    state.answer = 'url';
    provider.mended();
    assert.equal(await number(provider.get(never)), before + 2);
  });

  it('a pause that the server asked for outlives a mended', async () => {
    const { state, provider } = rig();
    state.answer = new SignInError('throttled', 'Too often.', 10 * MINUTE, { status: 429 });
    await assert.rejects(provider.get(never));
    provider.mended();
    assert.equal(provider.signInAllowedInMs, 10 * MINUTE);
    await assert.rejects(provider.get(never), /Too often/);
    assert.equal(state.fetches, 1);
  });

  it('mended every minute for a day makes no storm', async () => {
    const { state, provider } = rig();
    state.answer = new SignInError('refused', 'refused', undefined, { status: 403 });
    for (; state.now < START + 24 * HOUR; state.now += MINUTE) {
      provider.mended();
      await assert.rejects(provider.get(never));
    }
    assert.ok(2 * state.fetches <= 100, `${state.fetches} sign-ins`);
  });

  it('an unreachable server costs nothing: the next attempt asks at once, however many there were', async () => {
    const { state, provider } = rig();
    state.answer = new UnreachableError('No such name.');
    for (let i = 0; i < 100; i += 1) await assert.rejects(provider.get(never), /No such name/);
    assert.equal(state.fetches, 100);
    state.answer = 'url';
    assert.equal(await number(provider.get(never)), 101);
  });
});

describe('cached: a sign-in storm is impossible', () => {
  /** Calls to Auth0 in a day; a sign-in that gives a URL costs two, and so may one that fails. */
  async function callsInADay(everyMs: (n: number) => number, answers: (n: number) => Answer, lifeMs?: number) {
    const { state, provider } = rig(lifeMs === undefined ? {} : { lifeMs });
    for (let n = 0; state.now < START + 24 * HOUR; n += 1) {
      state.answer = answers(n);
      await provider.get(never).then(
        (url) => provider.refused(url),
        () => undefined,
      );
      state.now += everyMs(n);
    }
    return 2 * state.fetches;
  }

  for (const [what, everyMs] of [
    ['every second', 1 * SECOND],
    ['every 15 s', 15 * SECOND],
    ['every 5 minutes', 5 * MINUTE],
    ['every 15 minutes', 15 * MINUTE],
  ] as const) {
    it(`the cloud refuses every connection, tried ${what}, for a day: at most 60 calls`, async () => {
      const calls = await callsInADay(
        () => everyMs,
        () => 'url',
        24 * HOUR,
      );
      assert.ok(calls <= 60 && calls >= 20, `${calls} calls`);
    });
  }

  it('whatever the tokens, the answers and the times of a day: at most 100 calls', async () => {
    const answer = fc.constantFrom<Answer>(
      'url',
      new SignInError('refused', 'refused', undefined, { status: 403 }),
      new SignInError('failed', 'no answer in time'),
      new SignInError('failed', 'trouble', undefined, { status: 503 }),
      new SignInError('throttled', 'too often', 1_000, { status: 429 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(answer, { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 10 * SECOND, max: 20 * MINUTE }), { minLength: 1, maxLength: 5 }),
        fc.constantFrom(undefined, SECOND, MINUTE, HOUR, 24 * HOUR),
        async (answers, times, lifeMs) => {
          const calls = await callsInADay(
            (n) => times[n % times.length]!,
            (n) => answers[n % answers.length]!,
            lifeMs,
          );
          assert.ok(calls <= 100, `${calls} calls`);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('a negotiate endpoint is spared as well: at most 110 calls a day', async () => {
    const { state, provider } = rig({ limits: NEGOTIATE_LIMITS, lifeMs: HOUR });
    for (; state.now < START + 24 * HOUR; state.now += 15 * SECOND) provider.refused(await provider.get(never));
    assert.ok(state.fetches <= 110, `${state.fetches} calls`);
  });
});
