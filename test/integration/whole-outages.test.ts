/**
 * The daemon as a process, with everything around it, while one part after the other is away: Auth0, core, the internet, the cloud, the
 * bus. Core is away from the second scene on, as it takes 45 s until it counts as not responding.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { FrontEnd } from '../support/front-end.js';
import { GROUP, Installation } from '../support/installation.js';
import { findNatsServer } from '../support/nats-server.js';

const skip = findNatsServer() === undefined ? 'nats-server is not installed' : false;
const SLOW = { timeoutMs: 60_000 };

/** States of the components in a system_info, such as `dunebugger running`. */
function componentsIn(body: unknown): readonly string[] {
  const { system_info: info } = body as {
    system_info?: { dunebugger_components?: readonly { name: string; state: string }[] };
  };
  return (info?.dunebugger_components ?? []).map(({ name, state }) => `${name} ${state}`);
}

describe('the whole of it, through an outage of each part in turn', { skip }, () => {
  let site: Installation;
  let page: FrontEnd;

  before(async () => {
    site = await Installation.create({
      env: {
        DUNEBUGGER_WEBSOCKET_HEART_BEAT_EVERY_SECS: '1',
        DUNEBUGGER_WEBSOCKET_HEART_BEAT_LOOP_DURATION_SECS: '3600',
      },
    });
    // As 60 s to 65 s, but with room for a slow machine.
    page = await site.openPage({ heartbeatTimeoutMs: 5_000, asksForStates: false });
  });
  after(() => site.stop());

  /** A message of each way gets through. */
  async function works(mark: string): Promise<void> {
    await page.send('scheduler.update_schedule', mark);
    await site.scheduler.waitForCommand(({ body }) => body === mark, SLOW);
    site.scheduler.publish('next_actions', mark);
    await page.waitFor('next_actions', (body) => body === mark, SLOW);
  }

  /** What the page saw of the components' messages from index `since` on. */
  function relayed(since: number): readonly string[] {
    return page.seen
      .slice(since)
      .filter(({ subject }) => subject !== 'heartbeat' && subject !== 'system_info')
      .map(({ subject, body }) => `${subject} ${JSON.stringify(body)}`);
  }

  const connections = (): number => site.cloud.pubsub.counts.connected;

  it('Auth0: unreachable, then in trouble, and once it is there the daemon joins and announces itself', async () => {
    await site.auth0Gate.behave({ kind: 'refuse' });
    const daemon = site.startDaemon();
    await daemon.waitForLine(/Auth0 gave no answer/, SLOW);
    site.auth0.misbehave('token', { kind: 'answer', status: 503 });
    await site.auth0Gate.behave({ kind: 'open' });
    await daemon.waitForLine(/Auth0 answered \(503\)/, SLOW);
    assert.equal(site.cloud.pubsub.counts.upgrades, 1, 'only the page has been to the cloud');
    site.auth0.misbehave('token', undefined);
    await site.joined();
    await page.waitFor('system_info', undefined, SLOW);
    assert.deepEqual(page.seen[0], { subject: 'heartbeat', body: 'Is anyone there?', destination: 'broadcast' });
    await page.until(() => page.online, 'the device to be shown online');
    await works('after Auth0');
  });

  it('Auth0: away while the daemon is connected, which then needs nothing of it', async () => {
    const before = { ...site.auth0.calls };
    await site.auth0Gate.behave({ kind: 'refuse' });
    await works('without Auth0');
    const joins = connections();
    site.cloud.pubsub.forgetSessions();
    await site.cloud.pubsub.waitUntil(() => connections() >= joins + 2, 'the page and the device to be back', SLOW);
    await site.joined();
    await page.until(() => page.connectionId !== undefined && page.online, 'the page to be back', SLOW);
    await works('with the URL at hand');
    assert.deepEqual(site.auth0.calls, before);
    await site.auth0Gate.behave({ kind: 'open' });
  });

  it('core: goes away, and the rest goes on', async () => {
    await page.waitFor('system_info', (body) => componentsIn(body).includes('dunebugger-core running'), SLOW);
    await site.core.die();
    await page.send('core.dunebugger_set', 'to nobody');
    await works('without core');
  });

  it('the internet: silent for a while; the latest of each state comes after it, in order, and the page follows', async () => {
    const since = page.seen.length;
    const lines = site.daemon.lines.length;
    const joins = connections();
    await site.breakInternet('silent');
    await site.daemon.waitForLine(/Internet lost/, { ...SLOW, since: lines });
    await page.until(() => !page.online, 'the device to be shown offline', SLOW);
    const { scheduler } = site;
    for (const value of [1, 2, 3]) scheduler.publish('next_actions', value);
    scheduler.publish('log', 'a');
    scheduler.publish('current_schedule', 'old');
    scheduler.publish('last_executed_action', 'x');
    scheduler.publish('log', 'b');
    scheduler.publish('current_schedule', 'new');
    await scheduler.listening();
    await page.send('scheduler.update_schedule', 'sent while the device had no internet').catch(() => undefined);
    await site.repairInternet();
    await page.until(() => page.online, 'the device to be shown online', SLOW);
    await works('after the silence');
    assert.deepEqual(relayed(since), [
      'next_actions 3',
      'log "a"',
      'last_executed_action "x"',
      'log "b"',
      'current_schedule "new"',
      'next_actions "after the silence"',
    ]);
    assert.equal(connections(), joins, 'the session was resumed');
  });

  it('the internet: refused, and away for longer than the cloud keeps a session; of 260 logs a summary and the last five come', async () => {
    const since = page.seen.length;
    const lines = site.daemon.lines.length;
    await site.breakInternet('refused');
    await site.daemon.waitForLine(/Internet lost/, { ...SLOW, since: lines });
    site.cloud.pubsub.forgetDroppedSessions();
    for (let i = 0; i < 260; i += 1) site.scheduler.publish('log', i);
    site.scheduler.publish('sequence', 'kept');
    await site.scheduler.listening();
    await site.repairInternet();
    await site.joined();
    await works('after the long outage');
    // The scheduler is asked for its state after a fresh join; when its answer comes is not looked at here.
    const seen = relayed(since).filter((line) => !line.startsWith('current_schedule'));
    assert.deepEqual(seen.slice(0, 2), [
      'log {"message":"While the cloud was away: 255 older log messages not shown; the last 5 follow","level":"warning"}',
      'log 255',
    ]);
    assert.equal(seen.length, 1 + 5 + 2);
    assert.deepEqual(seen.slice(-3), ['log 259', 'sequence "kept"', 'next_actions "after the long outage"']);
    const greeting = page.seen.slice(since).map(({ subject, body }) => (subject === 'heartbeat' ? body : subject));
    const asked = greeting.indexOf('Is anyone there?');
    assert.ok(asked !== -1 && asked < greeting.indexOf('log'), 'it announces itself before it tells what happened');
  });

  it('the cloud: drops the connection and cannot be reached for a moment; not one message is lost or doubled', async () => {
    const since = page.seen.length;
    const joins = connections();
    site.scheduler.publish('playing_time', 'before');
    await page.waitFor('playing_time', (body) => body === 'before');
    await site.cloud.gate.behave({ kind: 'refuse' });
    await site.cloud.pubsub.waitForLive(0, { ...SLOW, userId: 'device' });
    for (let i = 0; i < 300; i += 1) site.scheduler.publish(i % 3 === 0 ? 'log' : 'playing_time', i);
    await site.scheduler.listening();
    await site.cloud.gate.behave({ kind: 'open' });
    await site.joined();
    await page.waitFor('playing_time', (body) => body === 299, { ...SLOW, since });
    await works('after the moment');
    assert.deepEqual(
      page.seen.slice(since).flatMap(({ body }) => (typeof body === 'number' ? [body] : [])),
      Array.from({ length: 300 }, (_, i) => i),
    );
    assert.equal(connections(), joins, 'the session was resumed');
  });

  it('the cloud: refuses every handshake, then starts again with no memory of anybody', async () => {
    const since = page.seen.length;
    const lines = site.daemon.lines.length;
    const joins = connections();
    site.cloud.pubsub.behaveOnHandshake({ kind: 'status', status: 503 });
    site.cloud.pubsub.forgetSessions();
    await site.daemon.waitForLine(/next attempt in/, { ...SLOW, since: lines });
    site.scheduler.publish('playing_time', 'first');
    site.scheduler.publish('playing_time', 'second');
    await site.scheduler.listening();
    site.cloud.pubsub.behaveOnHandshake({ kind: 'normal' });
    await site.cloud.pubsub.waitUntil(() => connections() >= joins + 2, 'the page and the device to be back', SLOW);
    await site.joined();
    await page.until(() => page.connectionId !== undefined && page.online, 'the device to be shown online', SLOW);
    await works('after the restart of the cloud');
    // The page may have come later than the device: then it asks, and what was sent before is not for it.
    const seen = relayed(since).filter((line) => line.startsWith('playing_time'));
    assert.ok(['', 'playing_time "second"'].includes(seen.join()), seen.join());
    const sent = site.cloud.pubsub.messages.filter(
      ({ data }) => (data as { subject?: unknown }).subject === 'playing_time',
    );
    assert.deepEqual(
      sent.slice(-2).map(({ data }) => (data as { body: unknown }).body),
      [299, 'second'],
    );
  });

  it('core: counts as not responding 45 s after its last word, which the pages are told', async () => {
    const since = page.seen.length;
    const told = (body: unknown): boolean => componentsIn(body).includes('dunebugger-core not_responding');
    if (!told(page.shown('system_info'))) await page.waitFor('system_info', told, { since, timeoutMs: 90_000 });
    assert.ok(componentsIn(page.shown('system_info')).includes('dunebugger-scheduler running'));
    const lines = site.log().filter(({ msg }) => msg.includes('does not respond'));
    assert.deepEqual(
      lines.map(({ level, component }) => `${level} ${String(component)}`),
      ['warn core'],
    );
  });

  it('the bus: killed; commands are dropped and not kept; with it core comes back', async () => {
    const since = page.seen.length;
    const lines = site.daemon.lines.length;
    const heard = site.scheduler.commands.length;
    await site.nats.kill();
    await site.daemon.waitForLine(/The bus is not there/, { ...SLOW, since: lines });
    await page.send('scheduler.update_schedule', 'too early');
    await page.send('core.dunebugger_set', 'too early');
    await site.daemon.waitForLine(/A command from a browser was dropped/, { ...SLOW, since: lines });
    await site.nats.start();
    await site.core.revive();
    await site.scheduler.listening(SLOW);
    await site.daemon.waitForLine(/The bus is there/, { ...SLOW, since: lines });
    await works('after the bus');
    await page.send('core.dunebugger_set', 'in time');
    await site.core.waitForCommand(({ body }) => body === 'in time');
    await page.waitFor('system_info', (body) => componentsIn(body).includes('dunebugger-core running'), {
      ...SLOW,
      since,
    });
    assert.deepEqual(
      site.scheduler.commands
        .slice(heard)
        .filter(({ subject }) => subject !== 'refresh' && subject !== 'ntp_status')
        .map(({ body }) => body),
      ['after the bus'],
    );
    assert.ok(!site.core.commands.some(({ body }) => body === 'too early' || body === 'to nobody'));
  });

  it('and at the end it stops by itself within its time, having kept one connection at a time', async () => {
    assert.equal(site.cloud.pubsub.maxLiveConnections('device'), 1);
    assert.deepEqual(page.strange, []);
    assert.deepEqual(
      site.log().filter(({ level }) => level === 'error' || level === 'fatal'),
      [],
    );
    site.daemon.signal('SIGTERM');
    assert.deepEqual(await site.daemon.waitForExit(SLOW), { code: 0, signal: null });
    assert.equal(site.cloud.pubsub.liveConnections('device').length, 0);
    assert.equal(
      site.cloud.pubsub.sessions.filter(({ userId, groups }) => userId === 'device' && groups.includes(GROUP)).length <=
        1,
      true,
    );
  });
});
