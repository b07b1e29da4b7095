/** A service that is dead behind a living socket, that blames a message of ours, that asks for pauses; a flood; a farewell. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { OpenError } from '../../src/main/connection/session.js';
import { WebPubSubServer } from '../support/web-pubsub-server.js';
import { BareServer } from './web-pubsub-bare-server.js';
import { Fixture, eventually, pause } from './web-pubsub-fixture.js';

let server: BareServer;
let fixture: Fixture;

beforeEach(async () => {
  server = await BareServer.start();
  fixture = new Fixture(server.url);
});
afterEach(async () => {
  await fixture.close();
  await server.close();
});

describe('alive for the application', () => {
  it('ends a session whose pings of the subprotocol are not answered, though WebSocket pings are', async () => {
    await fixture.open({ idlePingMs: 20, liveness: { askAfterMs: 120, answerWithinMs: 100 } });
    server.script.onFrame = () => true;
    await fixture.until(() => fixture.count('ended') === 1);
    assert.match(
      JSON.stringify(fixture.events),
      /did not answer for 0\.\d s, although something answers its WebSocket/,
    );
    assert.deepEqual(fixture.kinds, ['ended']);
    await eventually(() => server.sockets.size === 0);
  });

  it('asks the service in place of a ping of the WebSocket where both are due, and the WebSocket where that is not answered', async () => {
    await fixture.open({ idlePingMs: 100, halfOpenTimeoutMs: 60_000, liveness: { askAfterMs: 150 } });
    const asked: string[] = [];
    server.script.onFrame = ({ type }) => asked.push(type) > 0;
    server.kept.ws!.on('ping', () => asked.push('ping of the WebSocket'));
    await eventually(() => asked.length >= 2);
    assert.deepEqual(asked.slice(0, 2), ['ping', 'ping of the WebSocket']);
    assert.deepEqual(fixture.kinds, []);
  });

  it('ends a session of which nothing is acknowledged, though pings are answered', async () => {
    const session = await fixture.open({ liveness: { unacknowledged: 3, unacknowledgedForMs: 100 } });
    server.script.onFrame = ({ type }) => type === 'sendToGroup';
    for (let n = 0; n < 3; n += 1) await session.send(n, 60);
    await fixture.until(() => fixture.count('ended') === 1);
    assert.match(JSON.stringify(fixture.events), /acknowledged none of the last 3 messages/);
  });

  it('leaves a quiet service alone that answers', async () => {
    const session = await fixture.open({ liveness: { askAfterMs: 40, answerWithinMs: 40 } });
    await pause(400);
    assert.deepEqual(fixture.kinds, []);
    assert.ok(server.frames.filter(({ type }) => type === 'ping').length >= 3);
    assert.deepEqual(await session.send('works', 5_000), { outcome: 'sent' });
  });
});

describe('a message the service ends the connection over', () => {
  for (const [code, culprit] of [
    [1003, 'first'],
    [1007, 'first'],
    [1009, 'the longest of the three'],
  ] as const) {
    it(`is dropped and named, and the others go on (${code})`, async () => {
      const session = await fixture.open({ recoverySpacingMs: 0 });
      server.script.onFrame = (frame, _, ws) => {
        if (frame.data === culprit) ws.close(code);
        // Nothing behind it is handled either.
        return ws.readyState !== ws.OPEN;
      };
      const results = await Promise.all(
        ['first', 'the longest of the three', 'third'].map((text) => session.send(text, 5_000)),
      );
      assert.deepEqual(
        results.map(({ outcome }) => outcome),
        ['first', 'the longest of the three', 'third'].map((text) => (text === culprit ? 'failed' : 'sent')),
      );
      assert.match(results.find(({ outcome }) => outcome === 'failed')!.message!, new RegExp(`\\(${code}\\) over it`));
      assert.equal(server.frames.filter(({ data }) => data === culprit).length, 1);
      assert.equal(fixture.logged.filter(({ message }) => /will not be sent again/.test(message)).length, 1);
    });
  }

  it('ends the session when nothing of ours can be the reason', async () => {
    await fixture.open();
    server.kept.ws!.close(1007);
    await fixture.until(() => fixture.count('ended') === 1);
    assert.deepEqual(fixture.kinds, ['ended']);
  });
});

describe('a pause that is asked for', () => {
  it('is kept whatever the status, and a date is read against the date of the response', async () => {
    const date = 'Sun, 06 Nov 1994 08:49:37 GMT';
    for (const [status, header, waitMs] of [
      [429, '7', 7_000],
      [503, '8', 8_000],
      [302, '9', 9_000],
      [503, 'Sun, 06 Nov 1994 08:50:07 GMT', 30_000],
      [429, 'Sunday, 06-Nov-94 08:50:37 GMT', 60_000],
      [500, 'Sun Nov  6 08:49:47 1994', 10_000],
    ] as const) {
      server.script.refuse = () => ({ status, headers: { 'retry-after': header, date } });
      const error: unknown = await fixture.open().catch((reason: unknown) => reason);
      assert.ok(error instanceof OpenError && error.failure.kind === 'throttled', `${status} ${header}`);
      assert.equal(error.failure.retryAfterMs, waitMs);
      assert.equal(error.failure.status, status);
    }
  });
});

describe('flow', () => {
  it('10,000 messages in one burst arrive once, in order, and the service’s buffer never overflows', async (test) => {
    const service = await WebPubSubServer.start({ secure: false });
    const flooded = new Fixture(service.clientAccessUrl());
    try {
      await flooded.open();
      const sinceMs = performance.now();
      for (let n = 0; n < 10_000; n += 1) {
        service.sendToGroup('g', n);
        // A burst of this process comes as one of the network would: in pieces.
        if (n % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
      }
      const sentMs = performance.now() - sinceMs;
      await flooded.until(() => flooded.data.length === 10_000 || flooded.count('ended') > 0);
      test.diagnostic(`sent within ${Math.round(sentMs)} ms`);
      assert.deepEqual(
        flooded.data,
        Array.from({ length: 10_000 }, (_, n) => n),
      );
      assert.deepEqual([...new Set(flooded.kinds)], ['message']);
      assert.ok(sentMs < 5_000);
    } finally {
      await flooded.close();
      await service.stop();
    }
  });

  it('acknowledges what it does not understand', async () => {
    await fixture.open();
    server.kept.ws!.send('{"type":"streamItem","sequenceId":1}');
    server.kept.ws!.send('{"type":"message","from":"group","sequenceId":2}');
    await eventually(() => server.frames.some(({ type, sequenceId }) => type === 'sequenceAck' && sequenceId === 2));
  });
});

describe('a farewell', () => {
  it('is a close frame, so that the service keeps no session', async () => {
    const session = await fixture.open();
    const { ws } = server.kept;
    const closed = new Promise<number>((resolve) => ws!.once('close', resolve));
    await session.dispose();
    assert.equal(await closed, 1000);
  });

  it('waits for nobody: half a second for a service that does not answer, nothing without internet', async () => {
    for (const [mayOpen, atLeastMs, atMostMs] of [
      [true, 400, 2_000],
      [false, 0, 300],
    ] as const) {
      fixture = new Fixture(server.url);
      const session = await fixture.open();
      server.kept.ws!.pause();
      fixture.mayOpen = mayOpen;
      const sinceMs = performance.now();
      await session.dispose();
      const tookMs = performance.now() - sinceMs;
      assert.ok(tookMs >= atLeastMs && tookMs <= atMostMs, `${tookMs} ms`);
    }
  });
});
