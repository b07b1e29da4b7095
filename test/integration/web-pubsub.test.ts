import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { JsonText } from '../../src/main/base/json.js';
import { OpenError, type OpenFailure } from '../../src/main/connection/session.js';
import { SignInError } from '../../src/main/connection/credentials/provider.js';
import { RECOVERY_VARIANTS } from '../support/web-pubsub/recovery.js';
import { BareServer } from './web-pubsub-bare-server.js';
import { Fixture, eventually, pause } from './web-pubsub-fixture.js';

describe('a Web PubSub session', () => {
  let server: BareServer;
  let fixture: Fixture;
  let fixtures: Fixture[];

  function use(get: ConstructorParameters<typeof Fixture>[0]): Fixture {
    const made = new Fixture(get);
    fixtures.push(made);
    return made;
  }

  beforeEach(async () => {
    server = await BareServer.start();
    fixtures = [];
    fixture = use(server.url);
  });
  afterEach(async () => {
    await Promise.all(fixtures.map((made) => made.close()));
    await server.close();
    for (const { fields, message } of fixtures.flatMap(({ logged }) => logged)) {
      assert.doesNotMatch(JSON.stringify(fields) + message, /eyJ|access_token=[^…]/, 'a token reached the log');
    }
  });

  async function failure(opening: Promise<unknown>): Promise<OpenFailure> {
    const error: unknown = await opening.then(
      () => assert.fail('it opened'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof OpenError, String(error));
    assert.doesNotMatch(error.message, /eyJ/);
    return error.failure;
  }

  it('says whether the service answers: yes, no, and no at once without a socket', async () => {
    const session = await fixture.open();
    assert.equal(await session.answers(10_000), true);
    server.script.onFrame = () => true;
    assert.equal(await session.answers(50), false);
    const asked = session.answers(60_000);
    fixture.mayOpen = false;
    server.drop();
    assert.equal(await asked, false, 'the loss is an answer');
    assert.equal(await session.answers(60_000), false);
    await session.dispose();
  });

  describe('opening', () => {
    it('joins its group before it says it is open', async () => {
      const session = await fixture.open();
      assert.equal(session.connectionId, 'connection-1');
      assert.deepEqual(server.frames, [{ type: 'joinGroup', group: 'g', ackId: 1 }]);
      await session.dispose();
    });

    it('reports 401 and 403 as refused, and the URL to where it came from', async () => {
      for (const status of [401, 403]) {
        server.script.refuse = () => ({ status });
        const reason = await failure(fixture.open());
        assert.equal(reason.kind, 'refused');
        assert.equal(reason.status, status);
      }
      assert.deepEqual(fixture.refused, [server.url, server.url]);
      assert.equal(server.requests.length, 2);
    });

    it('asks once more for a URL when a cached one is refused', async () => {
      let gets = 0;
      fixture = use(() => Promise.resolve({ url: `${server.url}&n=${(gets += 1)}`, cached: gets === 1 }));
      server.script.refuse = ({ url }) => (url?.endsWith('n=1') ? { status: 401 } : undefined);
      const session = await fixture.open();
      assert.equal(gets, 2);
      assert.deepEqual(fixture.refused, [`${server.url}&n=1`]);
      await session.dispose();
    });

    it('does not ask a third time when the fresh one is refused as well', async () => {
      fixture = use(() => Promise.resolve({ url: server.url, cached: true }));
      server.script.refuse = () => ({ status: 401 });
      assert.equal((await failure(fixture.open())).kind, 'refused');
      assert.equal(server.requests.length, 2);
    });

    it('reads Retry-After of a 429', async () => {
      server.script.refuse = () => ({ status: 429, headers: { 'retry-after': '7' } });
      const reason = await failure(fixture.open());
      assert.ok(reason.kind === 'throttled' && reason.retryAfterMs === 7_000);
    });

    it('follows no redirect, and calls every other status a failure', async () => {
      for (const status of [302, 404, 500]) {
        server.script.refuse = () => ({ status, headers: { location: server.url } });
        const reason = await failure(fixture.open());
        assert.equal(reason.kind, 'failed');
        assert.match(reason.message, new RegExp(String(status)));
      }
      assert.equal(server.requests.length, 3);
    });

    it('calls a join that is forbidden refused, with the service’s words', async () => {
      server.script.onFrame = ({ ackId }, _, ws) => {
        const error = { name: 'Forbidden', message: 'no role\nINFO forged line access_token=eyJa.b.c' };
        ws.send(JSON.stringify({ type: 'ack', ackId, success: false, error }));
        return true;
      };
      const reason = await failure(fixture.open());
      assert.equal(reason.kind, 'refused');
      assert.match(reason.message, /Forbidden no role INFO forged/);
      await eventually(() => server.live.length === 0);
    });

    it('gives up a handshake, a greeting and a join that never come, each at its own deadline', async () => {
      server.script.refuse = () => true;
      assert.match((await failure(fixture.open({ handshakeTimeoutMs: 60 }))).message, /handshake within 0.06 s/);
      server.script = { onConnection: () => undefined };
      assert.match((await failure(fixture.open({ connectedFrameTimeoutMs: 60 }))).message, /connected frame within/);
      server.script = { onFrame: () => true };
      assert.match((await failure(fixture.open({ joinTimeoutMs: 60 }))).message, /joining the group.* within/);
      await eventually(() => server.sockets.size === 0);
    });

    it('gives up credentials that never come, even if they heed no signal', async () => {
      fixture = use(() => new Promise(() => undefined));
      assert.match(
        (await failure(fixture.open({ credentialsTimeoutMs: 40 }))).message,
        /no client access URL from a test/,
      );
    });

    it('passes on what signing in says', async () => {
      for (const kind of ['refused', 'throttled', 'failed'] as const) {
        fixture = use(() => Promise.reject(new SignInError(kind, 'look at the secret', 5_000)));
        assert.equal((await failure(fixture.open())).kind, kind);
      }
      fixture = use(() => Promise.resolve({ url: 'https://nowhere/?access_token=eyJa.b.c', cached: false }));
      assert.match((await failure(fixture.open())).message, /not a WebSocket URL/);
    });

    it('is given up at once when aborted, at every stage, and leaves no socket', async () => {
      const stages = {
        credentials: () => (fixture = use(() => new Promise(() => undefined))),
        handshake: () => (server.script = { refuse: () => true }),
        greeting: () => (server.script = { onConnection: () => undefined }),
        join: () => (server.script = { onFrame: () => true }),
      };
      for (const [stage, prepare] of Object.entries(stages)) {
        fixture = use(server.url);
        prepare();
        const before = server.requests.length;
        const opening = failure(fixture.open());
        if (stage !== 'credentials') await eventually(() => server.requests.length > before);
        if (stage === 'join') await eventually(() => server.frames.length > 0);
        fixture.abort.abort();
        assert.match((await opening).message, /given up/, stage);
        await eventually(() => server.sockets.size === 0);
      }
    });

    it('opens nothing while the gate is shut', async () => {
      fixture.mayOpen = false;
      assert.match((await failure(fixture.open())).message, /no internet/);
      // Shut between the sign-in and the socket.
      fixture = use(() => {
        fixture.mayOpen = false;
        return Promise.resolve({ url: server.url, cached: false });
      });
      assert.match((await failure(fixture.open())).message, /no internet/);
      assert.equal(server.requests.length, 0);
    });

    it('tells nothing before its caller holds the session, and loses nothing', async () => {
      server.script.onFrame = (frame, _, ws) => {
        if (frame.type === 'joinGroup') {
          server.publish('before the ack');
          ws.send(JSON.stringify({ type: 'ack', ackId: frame.ackId, success: true }));
          server.publish('after it');
          ws.close(1008, 'and gone');
        }
        return true;
      };
      let held = false;
      fixture.onEvent = () => assert.ok(held);
      const opening = fixture.open();
      await opening;
      held = true;
      await fixture.until(() => fixture.count('ended') === 1);
      assert.deepEqual(fixture.data, ['before the ack', 'after it']);
    });
  });

  describe('sending', () => {
    it('is sent when acknowledged, without echo, and a duplicate counts', async () => {
      const session = await fixture.open();
      assert.deepEqual(await session.send({ a: [1, null] }, 5_000), { outcome: 'sent' });
      assert.deepEqual(server.frames[1], {
        type: 'sendToGroup',
        group: 'g',
        ackId: 2,
        noEcho: true,
        dataType: 'json',
        data: { a: [1, null] },
      });
      server.kept.processed.add(3);
      assert.deepEqual(await session.send('again', 5_000), { outcome: 'sent' });
    });

    it('carries JSON that a parse and a print would change as the text it is, both ways', async () => {
      const session = await fixture.open();
      const delicate = '{"10":9007199254740993,"9":1.0,"9":1e400,"a":-0,"b":"\\ud800"}';
      const wire: string[] = [];
      for (const ws of server.wss.clients) ws.on('message', (data: Buffer) => void wire.push(data.toString()));
      assert.deepEqual(await session.send(new JsonText(delicate), 5_000), { outcome: 'sent' });
      assert.ok(
        wire.some((frame) => frame.includes(`"data":${delicate}`)),
        wire.join(),
      );
      const frame = `{"type":"message","from":"group","group":"g","dataType":"json","data":${delicate},"sequenceId":1}`;
      for (const ws of server.wss.clients) ws.send(frame);
      await fixture.until(() => fixture.kinds.includes('message'));
      const [event] = fixture.events.filter(({ kind }) => kind === 'message');
      assert.ok(event?.kind === 'message' && event.message.dataType === 'json');
      assert.equal(event.message.text, delicate);
    });

    it('fails by its deadline, when refused, when it is no JSON, when it is too large, and after the end', async () => {
      const session = await fixture.open();
      const cyclic: Record<string, never> = {};
      Object.assign(cyclic, { cyclic });
      assert.match((await session.send(cyclic, 5_000)).message!, /not JSON/);
      assert.match((await session.send('x'.repeat(1_100_000), 5_000)).message!, /more than the service takes/);
      server.script.onFrame = () => true;
      assert.match((await session.send('lost', 30)).message!, /not acknowledged within 0.03 s/);
      server.script.onFrame = ({ ackId }, _, ws) => {
        ws.send(JSON.stringify({ type: 'ack', ackId, success: false, error: { name: 'Internal', message: 'sorry' } }));
        return true;
      };
      assert.match((await session.send('no', 5_000)).message!, /Internal sorry/);
      server.script.onFrame = () => true;
      const pending = session.send('in flight', 5_000);
      await session.dispose();
      assert.equal((await pending).outcome, 'failed');
      assert.equal((await session.send('late', 5_000)).outcome, 'failed');
    });

    it('bounds what is in flight', async () => {
      const session = await fixture.open();
      server.script.onFrame = () => true;
      const all = Array.from({ length: 1_001 }, (_, n) => session.send(n, 5_000));
      assert.match((await all.at(-1)!).message!, /1000 messages already await/);
      await session.dispose();
      await Promise.all(all);
    });

    it('survives a send and a disposal in one breath', async () => {
      const session = await fixture.open();
      const sending = session.send(1, 0);
      void session.dispose();
      assert.equal((await sending).outcome, 'failed');
    });
  });

  for (const [name, variant] of Object.entries(RECOVERY_VARIANTS)) {
    describe(`recovering, ${name}`, () => {
      beforeEach(() => {
        server.recovery = variant;
      });

      it('tells of a drop and of the recovery once each, and stays the same connection', async () => {
        const session = await fixture.open();
        server.drop();
        await fixture.until(() => fixture.count('recovered') === 1);
        assert.deepEqual(fixture.kinds, ['interrupted', 'recovered']);
        assert.equal(session.connectionId, 'connection-1');
        assert.match(server.requests[1]!, /awps_connection_id=connection-1&awps_reconnection_token=token/);
      });

      it('loses and doubles nothing over 50 drops, in either direction, and keeps the order', async () => {
        const session = await fixture.open({ recoverySpacingMs: 0 });
        const sends: Promise<{ outcome: string }>[] = [];
        for (let round = 0; round < 50; round += 1) {
          for (let n = 0; n < 4; n += 1) {
            server.publish(round * 4 + n);
            sends.push(session.send(round * 4 + n, 30_000));
          }
          // Sometimes before the frames arrive, sometimes after their acks.
          if (round % 2 === 0) await sends.at(-1);
          const recovered = fixture.count('recovered');
          server.drop();
          await fixture.until(() => fixture.count('recovered') > recovered);
        }
        const expected = Array.from({ length: 200 }, (_, n) => n);
        assert.ok((await Promise.all(sends)).every(({ outcome }) => outcome === 'sent'));
        assert.deepEqual(server.kept.delivered, expected);
        await fixture.until(() => fixture.data.length >= 200);
        assert.deepEqual(fixture.data, expected);
        assert.equal(fixture.count('interrupted'), 50);
        assert.equal(server.sessions.size, 1);
      });

      it('sends what was in flight again with the same ackId', async () => {
        const session = await fixture.open();
        server.script.onFrame = () => {
          server.script = {};
          server.drop();
          return true;
        };
        assert.deepEqual(await session.send('once', 10_000), { outcome: 'sent' });
        const sent = server.frames.filter(({ type }) => type === 'sendToGroup');
        assert.deepEqual(
          sent.map(({ ackId }) => ackId),
          [2, 2],
        );
      });

      it('opens nothing while suspended, and recovers when resumed', async () => {
        const session = await fixture.open();
        session.suspend();
        await eventually(() => server.sockets.size === 0);
        server.publish('meanwhile');
        const sending = session.send('held', 10_000);
        await pause(300);
        assert.equal(server.requests.length, 1);
        assert.deepEqual(fixture.kinds, ['interrupted']);
        session.resume();
        await fixture.until(() => fixture.count('message') === 1);
        assert.deepEqual(await sending, { outcome: 'sent' });
        assert.equal(server.requests.length, 2);
      });

      it('cuts a recovery that is under way when suspended', async () => {
        const session = await fixture.open();
        server.script.refuse = () => true;
        server.drop();
        await eventually(() => server.requests.length === 2);
        session.suspend();
        await eventually(() => server.sockets.size === 0);
        server.script = {};
        session.resume();
        await fixture.until(() => fixture.count('recovered') === 1);
        assert.deepEqual(fixture.kinds, ['interrupted', 'recovered']);
      });

      it('asks the gate before each try', async () => {
        await fixture.open();
        fixture.mayOpen = false;
        server.drop();
        await pause(400);
        assert.equal(server.requests.length, 1);
        fixture.mayOpen = true;
        await fixture.until(() => fixture.count('recovered') === 1);
      });

      it('ends after 1008, with the service’s words', async () => {
        await fixture.open();
        server.kept.ws!.send('{"type":"system","event":"disconnected","message":"kicked\\nout"}');
        server.kept.ws!.close(1008, 'bye');
        await fixture.until(() => fixture.count('ended') === 1);
        assert.deepEqual(fixture.events, [
          {
            kind: 'ended',
            message: 'the service closed the connection (1008, bye); it said: kicked out',
            cause: { kind: 'service', code: 1008 },
          },
        ]);
      });

      it('ends when the service knows the session no more, or answers with another', async () => {
        await fixture.open();
        server.sessions.clear();
        server.drop();
        await fixture.until(() => fixture.count('ended') === 1);
        assert.deepEqual(fixture.kinds, ['interrupted', 'ended']);

        fixture = use(server.url);
        await fixture.open();
        server.script.onConnection = (ws) =>
          ws.send('{"type":"system","event":"connected","connectionId":"stranger","reconnectionToken":"t"}');
        server.drop();
        await fixture.until(() => fixture.count('ended') === 1);
        assert.deepEqual(fixture.kinds, ['interrupted', 'ended']);
        await eventually(() => server.live.length === 0);
      });

      it('ends when a recovery is refused, and the URL is not used again', async () => {
        await fixture.open();
        server.script.refuse = () => ({ status: 401 });
        server.drop();
        await fixture.until(() => fixture.count('ended') === 1);
        assert.deepEqual(fixture.refused, [server.url]);
        assert.equal(server.requests.length, 2);
      });

      it('goes on over failures that may pass, and ends when the window is over', async () => {
        const session = await fixture.open({ recoveryWindowMs: 500, recoverySpacingMs: 50 });
        server.script.refuse = () => ({ status: 503 });
        server.drop();
        const sending = session.send('never', 10_000);
        await fixture.until(() => fixture.count('ended') === 1);
        assert.deepEqual(fixture.kinds, ['interrupted', 'ended']);
        assert.equal((await sending).outcome, 'failed');
        // What was on its way when the window ended has arrived.
        await pause(150);
        const { length } = server.requests;
        assert.ok(length >= 2 && length <= 12, `${length} tries, 50 ms apart`);
        await pause(150);
        assert.equal(server.requests.length, length);
      });

      it('ends at once on a drop with the plain subprotocol, or without a token', async () => {
        await fixture.open({ subprotocol: 'json.webpubsub.azure.v1' });
        server.drop();
        await fixture.until(() => fixture.count('ended') === 1);
        assert.deepEqual(fixture.kinds, ['ended']);
        assert.equal(server.requests.length, 1);
      });

      it('does not hammer a service that takes every connection and closes it', async () => {
        await fixture.open({ recoverySpacingMs: 100, recoveryWindowMs: 600 });
        server.script.onConnection = (ws) => ws.close(1001);
        server.drop();
        await fixture.until(() => fixture.count('ended') === 1);
        assert.ok(server.requests.length <= 9, `${server.requests.length} connections in 0.6 s`);
        assert.deepEqual(fixture.kinds, ['interrupted', 'ended']);
      });

      it('ends rather than fetch a frame over the limit again and again', async () => {
        await fixture.open();
        server.publish('x'.repeat(1_200_000));
        await fixture.until(() => fixture.count('ended') === 1);
        assert.deepEqual(fixture.kinds, ['ended']);
      });

      it('reports nothing after dispose, whenever it is called', async () => {
        for (const when of ['interrupted', 'recovered', 'message'] as const) {
          fixture = use(server.url);
          const session = await fixture.open();
          fixture.onEvent = ({ kind }) => {
            if (kind === when) void session.dispose();
          };
          const before = server.sessions.size;
          if (when === 'message') for (let n = 0; n < 5; n += 1) server.publish(n);
          else server.drop();
          await fixture.until(() => fixture.count(when) === 1);
          await session.dispose();
          await eventually(() => server.sockets.size === 0);
          await pause(60);
          assert.equal(server.sockets.size, 0);
          assert.equal(server.sessions.size, before);
          assert.equal(fixture.kinds.at(-1), when);
        }
      });
    });
  }
});
