/**
 * A page that behaves as the front end does, over real sockets, before a device whose heartbeats are 30 times as fast: a beat every 2 s, the
 * question after 4 s (2 min, not 5, so that it comes soon), offline after 2.17 s of silence. Every phase and length is in `unit/page-outages.test.ts`, in a stepped clock.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { FrontEnd } from '../support/front-end.js';
import { Installation } from '../support/installation.js';
import { findNatsServer } from '../support/nats-server.js';

const skip = findNatsServer() === undefined ? 'nats-server is not installed' : false;
const SCALE = 30;
/** The question "Is anyone there?" comes so long after the page's last answer, milliseconds. */
const ROUND_MS = 120_000 / SCALE;
/** By then after a return the page shows the present. The times of the checks are not scaled down, and the machine may be slow. */
const SHOWN = { timeoutMs: 5_000 };

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe('a page that behaves as the front end does', { skip }, () => {
  let site: Installation;
  let page: FrontEnd;
  let n = 0;

  before(async () => {
    site = await Installation.create({
      env: {
        DUNEBUGGER_WEBSOCKET_HEART_BEAT_EVERY_SECS: String(60 / SCALE),
        DUNEBUGGER_WEBSOCKET_HEART_BEAT_LOOP_DURATION_SECS: String(ROUND_MS / 1_000),
        DUNEBUGGER_WEBSOCKET_STALE_COMMAND_SECS: String(30 / SCALE),
      },
    });
    await site.startConnected();
    page = await site.openPage({ heartbeatTimeoutMs: 65_000 / SCALE });
    await page.until(() => page.online, 'the device to be shown online');
  });
  after(() => site.stop());

  /** The components have another state; `told`: they say so on the bus. */
  function change(told: boolean): void {
    n += 1;
    for (const [component, subject] of [
      [site.core, 'gpio_state'],
      [site.scheduler, 'current_schedule'],
    ] as const) {
      if (told) component.publish(subject, n);
      else component.become(subject, n);
    }
  }

  async function showsThePresent(): Promise<void> {
    const now = n;
    const isShown = (): boolean =>
      page.online && page.shown('gpio_state') === now && page.shown('current_schedule') === now;
    await page.until(isShown, `the device online with state ${now}`, SHOWN);
  }

  /** Waits until the page has just been asked whether it is there; it answers at once. */
  async function justAsked(): Promise<void> {
    const since = page.seen.length;
    await page.waitFor('heartbeat', (body) => body === 'Is anyone there?', { since, timeoutMs: 2 * ROUND_MS });
  }

  for (const [how, secs, beforeQuestionMs] of [
    ['silent', 10, 200],
    ['silent', 180, 100],
    ['refused', 35, 200],
    ['refused', 70, 2_500],
  ] as const) {
    it(`is online with the present after ${secs} s (scaled) without internet, ${how}, begun just before the question`, async () => {
      await justAsked();
      await sleep(ROUND_MS - beforeQuestionMs);
      await site.breakInternet(how);
      change(true);
      await sleep((secs * 1_000) / SCALE);
      await site.repairInternet();
      await showsThePresent();
    });
  }

  it('after a restart of the daemon', async () => {
    await site.daemon.kill();
    change(true);
    await site.core.listening();
    await site.scheduler.listening();
    await site.startConnected();
    await showsThePresent();
  });

  it('after a restart of the bus', async () => {
    await showsThePresent();
    await site.nats.kill();
    change(false);
    await site.nats.start();
    await site.core.listening();
    await site.scheduler.listening();
    await showsThePresent();
  });

  it('after a restart of the scheduler, which asks for the clock at its start', async () => {
    await showsThePresent();
    await site.scheduler.die();
    n += 1;
    site.core.publish('gpio_state', n);
    site.scheduler.become('current_schedule', n);
    await site.scheduler.revive();
    site.scheduler.publish('get_ntp_status', null);
    await showsThePresent();
  });

  it('a click that waited for the connection for too long moves nothing, and the page is told; one in time does', async () => {
    const since = page.seen.length;
    await site.cloud.gate.behave({ kind: 'refuse' });
    await site.cloud.pubsub.waitForLive(0, { timeoutMs: 10_000, userId: 'device' });
    await page.send('core.dunebugger_set', 'too late');
    await sleep(45_000 / SCALE);
    await site.cloud.gate.behave({ kind: 'open' });
    const told = (body: unknown): boolean =>
      /came too late.*core dunebugger_set too late/.test((body as { message?: string }).message ?? '');
    const { body, destination } = await page.waitFor('log', told, { since });
    const { success, level } = body as { success?: boolean; level?: string };
    assert.deepEqual([success, level, destination], [false, 'error', page.connectionId]);
    await page.send('core.dunebugger_set', 'in time');
    await site.core.waitForCommand((command) => command.body === 'in time');
    assert.ok(!site.core.commands.some((command) => command.body === 'too late'));
    await showsThePresent();
  });

  it('draws nothing strange', () => {
    assert.deepEqual(page.strange, []);
  });
});
