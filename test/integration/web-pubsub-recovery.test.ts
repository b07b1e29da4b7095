/** A return without loss, whatever the service says on a recovered socket; over TLS, against the local cloud's service. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Session } from '../../src/main/connection/session.js';
import { GroupClient } from '../support/group-client.js';
import { WebPubSubServer } from '../support/web-pubsub-server.js';
import { RECOVERY_VARIANTS } from '../support/web-pubsub/recovery.js';
import { BareServer } from './web-pubsub-bare-server.js';
import { Fixture, eventually, pause } from './web-pubsub-fixture.js';

/** How long the internet is away in the rows where it is. `OUTAGE_MS=15000` for the real thing. */
const OUTAGE_MS = Number(process.env['OUTAGE_MS'] ?? 300);
const COMMANDS = [1, 2, 3, 4, 5];

interface Site {
  readonly server: WebPubSubServer;
  readonly fixture: Fixture;
  readonly session: Session;
  readonly browser: GroupClient;
  readonly user: string;
}

describe('back within a second, 5 of 5 commands', () => {
  let server: WebPubSubServer;
  before(async () => (server = await WebPubSubServer.start()));
  after(() => server.stop());

  const ways: Record<string, (site: Site, speak: () => Promise<void>) => Promise<number>> = {
    'a drop': async ({ server: service, user }, speak) => {
      service.drop({ userId: user });
      const sinceMs = performance.now();
      await speak();
      return sinceMs;
    },
    'an outage': async ({ session }, speak) => {
      session.suspend();
      await speak();
      await pause(OUTAGE_MS);
      const sinceMs = performance.now();
      session.resume();
      return sinceMs;
    },
  };

  for (const [name, variant] of Object.entries(RECOVERY_VARIANTS)) {
    for (const [way, lose] of Object.entries(ways)) {
      for (const load of ['idle', 'busy'] as const) {
        it(`${name}, after ${way}, ${load}`, { timeout: OUTAGE_MS + 20_000 }, async (test) => {
          server.recoverAs(variant);
          const user = `pi ${name} ${way} ${load}`;
          const ca = server.ca!.certificatePem;
          const fixture = new Fixture(server.clientAccessUrl({ userId: user }));
          const session = await fixture.open({ ca, recoverySpacingMs: 50 });
          // Quiet for as long as the spacing, as it mostly is: the first socket of a recovery is then opened at once.
          await pause(60);
          const browser = await GroupClient.start({
            url: server.clientAccessUrl({ userId: 'browser' }),
            group: 'g',
            ca,
          });
          try {
            const sends: Promise<{ outcome: string }>[] = [];
            const say = (): void => void sends.push(session.send({ said: sends.length }, OUTAGE_MS + 15_000));
            if (load === 'busy') for (let n = 0; n < 5; n += 1) say();
            const sinceMs = await lose({ server, fixture, session, browser, user }, async () => {
              if (load === 'busy') for (let n = 0; n < 5; n += 1) say();
              for (const command of COMMANDS) await browser.send({ command });
            });
            await fixture.until(() => fixture.data.length >= COMMANDS.length && fixture.count('recovered') === 1);
            const tookMs = performance.now() - sinceMs;
            assert.deepEqual(
              fixture.data,
              COMMANDS.map((command) => ({ command })),
            );
            assert.ok((await Promise.all(sends)).every(({ outcome }) => outcome === 'sent'));
            // A second time: what a recovery leaves behind must be good for the next.
            server.drop({ userId: user });
            await browser.send({ command: 'again' });
            await fixture.until(() => fixture.count('recovered') === 2 && fixture.data.length === 6);
            assert.deepEqual(
              fixture.kinds.filter((kind) => kind !== 'message'),
              [...['interrupted', 'recovered', 'interrupted', 'recovered']],
            );
            assert.equal(server.maxLiveConnections(user), 1);
            test.diagnostic(`resumed in ${Math.round(tookMs)} ms, ${COMMANDS.length} of ${COMMANDS.length}`);
            assert.ok(tookMs < 1_000, `${tookMs} ms`);
          } finally {
            await browser.stop();
            await fixture.close();
          }
        });
      }
    }
  }
});

describe('what is a replay', () => {
  it('is marked, with the length of the drop, until our first ping is answered', async () => {
    for (const variant of Object.values(RECOVERY_VARIANTS)) {
      const server = await BareServer.start({}, variant);
      const fixture = new Fixture(server.url);
      const session = await fixture.open();
      try {
        server.publish('live');
        await fixture.until(() => fixture.data.length === 1);
        session.suspend();
        await eventually(() => server.live.length === 0);
        server.publish('old');
        await pause(120);
        session.resume();
        await fixture.until(() => fixture.data.length === 2);
        // The answer to the ping is behind it, or before.
        await session.send('after the ping', 5_000);
        server.publish('new');
        await fixture.until(() => fixture.data.length === 3);
        const messages = fixture.events.flatMap((event) => (event.kind === 'message' ? [event.message] : []));
        const replayed = variant.replay === 'after-the-answer' ? [undefined, undefined] : [true, undefined];
        assert.deepEqual(
          messages.map((message) => message.replayed),
          [undefined, ...replayed],
        );
        if (messages[1]?.replayed) assert.ok(messages[1].droppedForMs! >= 100 && messages[1].droppedForMs! < 5_000);
      } finally {
        await fixture.close();
        await server.close();
      }
    }
  });
});

describe('a recovered socket', () => {
  let server: BareServer;
  let fixture: Fixture;
  before(async () => (server = await BareServer.start()));
  after(() => server.close());

  it('ends the session when a stranger’s greeting comes after other frames', async () => {
    fixture = new Fixture(server.url);
    await fixture.open();
    server.script.onConnection = (ws) => {
      ws.send('{"type":"pong"}');
      ws.send('{"type":"system","event":"connected","connectionId":"stranger","reconnectionToken":"t"}');
    };
    server.drop();
    await fixture.until(() => fixture.count('ended') === 1);
    assert.deepEqual(fixture.kinds, ['interrupted', 'recovered', 'ended']);
    server.script = {};
    await fixture.close();
  });

  it('takes no farewell and no nonsense for a sign of life', async () => {
    fixture = new Fixture(server.url);
    await fixture.open();
    server.script.onConnection = (ws) => {
      ws.send('nonsense');
      ws.send('{"type":"system","event":"disconnected","message":"not known"}');
      ws.close(1008);
    };
    server.drop();
    await fixture.until(() => fixture.count('ended') === 1);
    assert.deepEqual(fixture.kinds, ['interrupted', 'ended']);
    server.script = {};
    await fixture.close();
  });

  it('is tried again when nobody answers on it', async () => {
    fixture = new Fixture(server.url);
    await fixture.open({ connectedFrameTimeoutMs: 60 });
    let mute = 2;
    server.script.onConnection = (ws, request) => {
      if (mute > 0) mute -= 1;
      else server.greet(ws, request);
    };
    server.drop();
    await fixture.until(() => fixture.count('recovered') === 1);
    assert.deepEqual(fixture.kinds, ['interrupted', 'recovery-failed', 'recovery-failed', 'recovered']);
    server.script = {};
    await fixture.close();
  });
});
