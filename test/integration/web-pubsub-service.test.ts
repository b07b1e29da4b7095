/** The adapter against the local cloud's faithful service, over TLS: what a bare server cannot show. */
import assert from 'node:assert/strict';
import { after, afterEach, before, it, describe } from 'node:test';
import { OpenError } from '../../src/main/connection/session.js';
import type { WebPubSubOptions } from '../../src/main/connection/web-pubsub.js';
import { GroupClient } from '../support/group-client.js';
import { WebPubSubServer } from '../support/web-pubsub-server.js';
import { Fixture, eventually } from './web-pubsub-fixture.js';

describe('a session with the service', () => {
  let server: WebPubSubServer;
  let fixture: Fixture;
  let options: Partial<WebPubSubOptions>;

  before(async () => {
    server = await WebPubSubServer.start();
    options = { ca: server.ca!.certificatePem };
  });
  afterEach(async () => {
    await fixture.close();
    await server.repair();
    assert.doesNotMatch(JSON.stringify(fixture.logged), /eyJ/);
  });
  after(() => server.stop());

  it('exchanges messages with a browser of the group, in both directions, over a drop', async () => {
    fixture = new Fixture(server.clientAccessUrl({ userId: 'pi' }));
    const session = await fixture.open(options);
    const browser = await GroupClient.start({
      url: server.clientAccessUrl({ userId: 'browser' }),
      group: 'g',
      ca: server.ca!.certificatePem,
    });
    assert.deepEqual(await session.send({ to: 'browser' }, 10_000), { outcome: 'sent' });
    await server.waitForMessage(({ data }) => JSON.stringify(data) === '{"to":"browser"}');
    await browser.send({ to: 'pi' });
    await fixture.until(() => fixture.data.length === 1);
    server.drop({ userId: 'pi' });
    await browser.send('while it was away');
    await fixture.until(() => fixture.data.length === 2 && fixture.count('recovered') === 1);
    assert.deepEqual(fixture.data, [{ to: 'pi' }, 'while it was away']);
    assert.equal(server.maxLiveConnections('pi'), 1);
    await browser.stop();
  });

  it('says at once, at error level, which role the token lacks', async () => {
    fixture = new Fixture(server.clientAccessUrl({ userId: 'mute', roles: ['webpubsub.joinLeaveGroup'] }));
    const session = await fixture.open(options);
    for (let i = 0; i < 3; i += 1) assert.equal((await session.send(i, 10_000)).outcome, 'failed');
    const errors = fixture.logged.filter(({ level }) => level === 'error');
    assert.equal(errors.length, 1);
    assert.match(errors[0]?.message ?? '', /lacks the role webpubsub\.sendToGroup \(or webpubsub\.sendToGroup\.g\)/);
    await fixture.close();
    fixture = new Fixture(server.clientAccessUrl({ userId: 'outside', roles: ['webpubsub.sendToGroup'] }));
    await assert.rejects(fixture.open(options), (error) => {
      assert.ok(error instanceof OpenError);
      assert.equal(error.failure.kind, 'refused', 'which is told at error level');
      assert.match(error.message, /lacks the role webpubsub\.joinLeaveGroup/);
      return true;
    });
  });

  it('trusts no certificate of somebody else', async () => {
    fixture = new Fixture(server.clientAccessUrl());
    await assert.rejects(fixture.open(), /certificate/);
    assert.equal(fixture.refused.length, 0);
  });

  it('when the way out has changed: left in peace if it answers, and recovered over another socket if it does not', async () => {
    fixture = new Fixture(server.clientAccessUrl({ userId: 'pi-moved' }));
    const session = await fixture.open(options);
    session.wayOutChanged(10_000);
    session.wayOutChanged(10_000);
    assert.equal(await session.answers(10_000), true);
    assert.deepEqual(fixture.kinds, []);
    server.goHalfOpen({ userId: 'pi-moved' });
    session.wayOutChanged(100);
    await fixture.until(() => fixture.count('recovered') === 1);
    assert.deepEqual(fixture.kinds, ['interrupted', 'recovered']);
    assert.match(JSON.stringify(fixture.events[0]), /the way out of this machine has changed.*"kind":"silent"/);
    await session.dispose();
    session.wayOutChanged(1);
  });

  it('notices a half-open link over TLS, and recovers', async () => {
    fixture = new Fixture(server.clientAccessUrl({ userId: 'pi-half-open' }));
    await fixture.open({ ...options, idlePingMs: 60, halfOpenTimeoutMs: 250 });
    server.goHalfOpen({ userId: 'pi-half-open' });
    await fixture.until(() => fixture.count('recovered') === 1);
    assert.match(JSON.stringify(fixture.events[0]), /nothing was heard for 0.25 s/);
  });

  it('says what is wrong with a token: expired, forged, without the role', async () => {
    for (const wrong of [{ expiresInSecs: -10 }, { signingKey: 'forged' }, { roles: [] }]) {
      fixture = new Fixture(server.clientAccessUrl(wrong));
      const error: unknown = await fixture.open(options).catch((reason: unknown) => reason);
      assert.ok(error instanceof OpenError && error.failure.kind === 'refused', JSON.stringify(wrong));
      assert.equal(fixture.refused.length, 1);
    }
  });

  it('counts a duplicate as sent: an ack that got lost in a drop', async () => {
    fixture = new Fixture(server.clientAccessUrl({ userId: 'pi-duplicate' }));
    const session = await fixture.open(options);
    server.behaveOnAcks({ kind: 'withhold', types: ['sendToGroup'], times: 1 });
    const sending = session.send('exactly once', 20_000);
    await server.waitForMessage(({ data }) => data === 'exactly once');
    server.drop({ userId: 'pi-duplicate' });
    assert.deepEqual(await sending, { outcome: 'sent' });
    assert.equal(server.messages.filter(({ data }) => data === 'exactly once').length, 1);
    assert.equal(server.counts.duplicates, 1);
  });

  it('ends when the service restarted and forgot, and a new session can be opened', async () => {
    fixture = new Fixture(server.clientAccessUrl({ userId: 'pi-restart' }));
    await fixture.open(options);
    server.forgetSessions();
    await fixture.until(() => fixture.count('ended') === 1);
    assert.deepEqual(fixture.kinds, ['interrupted', 'ended']);
    await fixture.open(options);
    await server.waitForMember('g', { userId: 'pi-restart' });
    assert.equal(server.maxLiveConnections('pi-restart'), 1);
  });

  it('speaks the plain subprotocol as well', async () => {
    fixture = new Fixture(server.clientAccessUrl({ userId: 'pi-plain' }));
    const session = await fixture.open({ ...options, subprotocol: 'json.webpubsub.azure.v1' });
    assert.deepEqual(await session.send(1, 10_000), { outcome: 'sent' });
    server.drop({ userId: 'pi-plain' });
    await fixture.until(() => fixture.count('ended') === 1);
    await eventually(() => server.liveConnections('pi-plain').length === 0);
  });
});
