/** The client access URL outlives the daemon's process: a power cut costs no sign-in, and a refused URL costs one. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliProcess } from '../support/cli-process.js';
import { LocalCloud } from '../support/local-cloud.js';

/** A start on a slow machine. */
const START = { timeoutMs: 60_000 };

async function stage(t: TestContext) {
  const cloud = await LocalCloud.start();
  t.after(() => cloud.stop());
  const directory = path.join(cloud.directory, 'state');
  mkdirSync(directory, { mode: 0o700 });
  const environment = cloud.environment('negotiate');
  const start = async (env: Record<string, string> = {}): Promise<CliProcess> => {
    const daemon = CliProcess.start({
      args: ['run'],
      env: {
        ...environment,
        STATE_DIRECTORY: directory,
        DUNEBUGGER_WEBSOCKET_CONNECTION_INTERVAL_SECS: '1',
        DUNEBUGGER_WEBSOCKET_BACKOFF_BASE_SECS: '1',
        DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_SERVERS: 'nats://127.0.0.1:9',
        DUNEBUGGER_LOG_DUNEBUGGER_LOG_LEVEL: 'DEBUG',
        ...env,
      },
      cwd: cloud.directory,
    });
    t.after(() => daemon.kill());
    await daemon.waitForLine(/Connected to the cloud/, START);
    return daemon;
  };
  return { cloud, file: path.join(directory, 'access-url'), start };
}

/** The file appears or goes a moment after the connection: nobody waits for a card. */
async function comes(true_: () => boolean, what: string): Promise<void> {
  const untilMs = performance.now() + START.timeoutMs;
  while (!true_()) {
    assert.ok(performance.now() < untilMs, what);
    await sleep(20);
  }
}

describe('the kept client access URL', () => {
  it('a power cut costs no sign-in; a URL that is refused costs one; False keeps nothing', async (t) => {
    const { cloud, file, start } = await stage(t);
    const first = await start();
    await comes(() => existsSync(file), 'nothing was kept');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    await first.kill();
    assert.equal(cloud.pubsub.counts.negotiations, 1);

    const second = await start();
    assert.ok(
      second.lines.some((line) => line.includes('no sign-in is needed')),
      second.stdout,
    );
    assert.equal(cloud.pubsub.counts.negotiations, 1);
    await second.kill();

    cloud.pubsub.behaveOnHandshake({ kind: 'status', status: 401, times: 1 });
    const before = cloud.pubsub.counts.upgrades;
    const third = await start();
    assert.equal(cloud.pubsub.counts.negotiations, 2, 'it is one sign-in, and no loop');
    assert.equal(cloud.pubsub.counts.upgrades - before, 2);
    await comes(() => existsSync(file), 'the fresh one was not kept');
    await third.kill();

    await start({ DUNEBUGGER_AUTH_KEEP_ACCESS_URL: 'False' });
    assert.equal(cloud.pubsub.counts.negotiations, 3);
    await comes(() => !existsSync(file), 'what was kept is still there');
  });
});
