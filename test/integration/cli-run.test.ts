import assert from 'node:assert/strict';
import { cpuMsOf } from '../support/process.js';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CliProcess } from '../support/cli-process.js';
import { LocalCloud } from '../support/local-cloud.js';
import { NatsServer } from '../support/nats-server.js';

const DAEMON_ALONE = fileURLToPath(new URL('./daemon-child.js', import.meta.url));
const THROWS_ON_SIGNAL = new URL('../support/throw-on-signal.js', import.meta.url).href;
/** A start on a slow machine. */
const START = { timeoutMs: 60_000 };
/** One port that refuses, as the bus of a machine without one. */
const NO_BUS = { DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_SERVERS: 'nats://127.0.0.1:9' };
/** Quick, so that the tests are; nothing is asserted of these times. */
const CONF = `[Websocket]
connectionIntervalSecs = 1
connectionTimeoutSecs = 1
stabilizationSecs = 0.2
backoffBaseSecs = 1
[Log]
logFormat = terminal
`;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Stage {
  readonly cloud: LocalCloud;
  readonly confFile: string;
  readonly start: (options?: {
    env?: Record<string, string>;
    nodeArgs?: readonly string[];
    program?: string;
  }) => CliProcess;
}

async function makeStage(): Promise<Stage> {
  const cloud = await LocalCloud.start();
  cleanups.push(() => cloud.stop());
  const confFile = path.join(cloud.directory, 'dunebugger.conf');
  await writeFile(confFile, CONF);
  return {
    cloud,
    confFile,
    start: ({ env = {}, nodeArgs = [], program } = {}) => {
      const daemon = CliProcess.start({
        args: program === undefined ? ['run', '--config', confFile] : [confFile],
        env: { ...cloud.environment(), ...NO_BUS, ...env },
        cwd: cloud.directory,
        nodeArgs,
        ...(program === undefined ? {} : { program }),
      });
      cleanups.push(() => daemon.kill());
      return daemon;
    },
  };
}

/** Where a stop may find the daemon. */
interface Moment {
  readonly name: string;
  readonly env?: Record<string, string>;
  /** Before the daemon starts. */
  readonly prepare?: (cloud: LocalCloud) => unknown;
  /** Resolves when the daemon is there. */
  readonly reached: (daemon: CliProcess, cloud: LocalCloud) => Promise<unknown>;
}

const connected = (daemon: CliProcess): Promise<unknown> => daemon.waitForLine(/Connected to the cloud/, START);

const MOMENTS: readonly Moment[] = [
  { name: 'at its first line', reached: (daemon) => daemon.waitForLine(/./, START) },
  {
    name: 'idle, websocketEnabled being False',
    env: { DUNEBUGGER_WEBSOCKET_WEBSOCKET_ENABLED: 'False' },
    reached: (daemon) => daemon.waitForLine(/websocketEnabled is False: neither/, START),
  },
  {
    name: 'offline since its start',
    prepare: (cloud) => cloud.breakInternet('refused'),
    reached: (daemon) => daemon.waitForLine(/No internet at start/, START),
  },
  { name: 'online and connected', reached: connected },
  {
    name: 'connecting, the cloud not answering the TLS handshake',
    prepare: (cloud) => cloud.gate.behave({ kind: 'hang-new' }),
    reached: (_daemon, cloud) => cloud.gate.waitForAccepted(1, START),
  },
  {
    name: 'connecting, the cloud not answering the WebSocket handshake',
    prepare: (cloud) => cloud.pubsub.behaveOnHandshake({ kind: 'hang' }),
    reached: (_daemon, cloud) => cloud.pubsub.waitUntil(() => cloud.pubsub.counts.upgrades === 1, 'an upgrade', START),
  },
  {
    name: 'backing off after a refused sign-in',
    prepare: (cloud) => cloud.pubsub.behaveOnHandshake({ kind: 'status', status: 403 }),
    reached: (daemon) => daemon.waitForLine(/The cloud refused the sign-in/, START),
  },
  {
    name: 'resuming a connection that was dropped',
    reached: async (daemon, cloud) => {
      await connected(daemon);
      await cloud.gate.behave({ kind: 'refuse' });
      await daemon.waitForLine(/Cloud connection interrupted/);
    },
  },
  {
    name: 'offline after having been connected, packets vanishing',
    reached: async (daemon, cloud) => {
      await connected(daemon);
      await cloud.breakInternet('silent');
      await daemon.waitForLine(/Internet lost/, START);
    },
  },
  {
    name: 'stabilising after an outage',
    env: { DUNEBUGGER_WEBSOCKET_STABILIZATION_SECS: '60' },
    reached: async (daemon, cloud) => {
      await cloud.breakInternet('refused');
      await daemon.waitForLine(/No internet at start/, START);
      await cloud.repairInternet();
      await daemon.waitForLine(/Internet is back/, START);
    },
    prepare: (cloud) => cloud.breakInternet('refused'),
  },
];

describe('run ends', () => {
  for (const { name, env, prepare, reached } of MOMENTS) {
    // Its own deadline is 4.5 s, after which it would end with 1: so 0 says that it was in time, on any machine.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      it(`cleanly on ${signal}, ${name}`, async () => {
        const { cloud, start } = await makeStage();
        await prepare?.(cloud);
        const daemon = start(env === undefined ? {} : { env });
        await reached(daemon, cloud);
        daemon.signal(signal);
        assert.deepEqual(await daemon.waitForExit(START), { code: 0, signal: null }, daemon.stdout);
        assert.ok(daemon.stdout.includes(`Stopping signal=${signal}`), daemon.stdout);
        assert.match(daemon.lines.at(-1) ?? '', / INFO +Stopped$/);
        assert.equal(daemon.stderr, '');
      });
    }

    it(`with nothing left over, by itself, ${name}`, async () => {
      const { cloud, start } = await makeStage();
      await prepare?.(cloud);
      const daemon = start({ program: DAEMON_ALONE, ...(env === undefined ? {} : { env }) });
      await reached(daemon, cloud);
      await daemon.waitForLine(/Started/, START);
      daemon.signal('SIGTERM');
      assert.deepEqual(await daemon.waitForExit(START), { code: 0, signal: null }, daemon.stdout);
      assert.ok(daemon.stdout.includes('Stopped'), daemon.stdout);
    });
  }
});

describe('run ends in time', () => {
  it('although cloud and bus have both just fallen silent, and neither is known to have', async () => {
    const { cloud, start } = await makeStage();
    const bus = await NatsServer.create();
    cleanups.push(() => bus.kill());
    const daemon = start({ env: { DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_SERVERS: bus.url } });
    await Promise.all([connected(daemon), daemon.waitForLine(/The bus is there/, START)]);
    bus.freeze();
    await cloud.breakInternet('silent');
    daemon.signal('SIGTERM');
    assert.deepEqual(await daemon.waitForExit(START), { code: 0, signal: null }, daemon.stdout);
  });
});

describe('run reloads on SIGHUP', () => {
  /** Rewrites the conf file and waits for what the daemon says of it. */
  async function reload(
    daemon: CliProcess,
    confFile: string,
    text: string,
    answer: RegExp,
  ): Promise<readonly string[]> {
    const since = daemon.lines.length;
    await writeFile(confFile, text);
    daemon.signal('SIGHUP');
    await daemon.waitForLine(answer, { since, ...START });
    return daemon.lines.slice(since);
  }

  it('a good configuration is in force, what needs a restart is named, a bad one changes nothing', async () => {
    const { cloud, confFile, start } = await makeStage();
    const daemon = start();
    await connected(daemon);
    const good = `${CONF}dunebuggerLogLevel = DEBUG\n`;

    const changed = await reload(daemon, confFile, good, /Configuration reloaded: the changes are in force/);
    assert.match(changed.join('\n'), /changed=.*dunebuggerLogLevel.*DEBUG/);
    await daemon.waitForLine(/ DEBUG /, START);

    await reload(daemon, confFile, good, /Configuration reloaded: nothing has changed/);

    const bad = good.replace('connectionIntervalSecs = 1', 'connectionIntervalSecs = soon').replace('DEBUG', 'LOUD');
    const refused = await reload(daemon, confFile, bad, /Not reloaded: everything goes on with the configuration/);
    const errors = refused.filter((line) => line.includes(' ERROR '));
    assert.equal(errors.length, 2, refused.join('\n'));
    assert.ok(errors[0]?.includes(`${confFile}, line 2: [Websocket] connectionIntervalSecs = "soon"`), errors[0]);
    // Python takes INFO for a level it does not know; so it is a warning.
    assert.match(refused.join('\n'), / WARNING .*dunebuggerLogLevel = "LOUD" is not allowed/);

    await rm(confFile);
    daemon.signal('SIGHUP');
    await daemon.waitForLine(/dunebugger\.conf does not exist/, START);

    const restart = `${good}[MessageQueue]\nmQueueClientID = another\n`;
    const named = await reload(daemon, confFile, restart, /changes? only with a restart/);
    assert.ok(
      named.some((line) => line.includes('[MessageQueue] mQueueClientID') && line.includes('systemctl restart')),
    );

    // It has gone on all the while, and what is good is taken over again afterwards.
    const browser = await cloud.joinAsBrowser();
    await browser.send({ subject: 'controller.heartbeat', body: 'are you there?', connectionId: 'b' });
    await browser.waitForMessage(({ data }) => (data as { body?: unknown }).body === 'I am alive', START);
    assert.equal(cloud.pubsub.counts.connected, 2);
    assert.equal(cloud.pubsub.maxLiveConnections('device'), 1);
    daemon.signal('SIGTERM');
    assert.deepEqual(await daemon.waitForExit(START), { code: 0, signal: null });
  });

  it('without the cloud (websocketEnabled = False), too', async () => {
    const { confFile, start } = await makeStage();
    const daemon = start({ env: { DUNEBUGGER_WEBSOCKET_WEBSOCKET_ENABLED: 'False' } });
    await daemon.waitForLine(/websocketEnabled is False: neither/, START);
    const muted = CONF.replace('[Log]', 'broadcastInitialState = False\n[Log]');
    const said = await reload(daemon, confFile, muted, /Configuration reloaded: the changes are in force/);
    assert.match(said.join('\n'), /broadcastInitialState is now False/);
    daemon.signal('SIGTERM');
    assert.deepEqual(await daemon.waitForExit(START), { code: 0, signal: null });
  });

  it('at its first line, and many at once', async () => {
    const { start } = await makeStage();
    const daemon = start();
    await daemon.waitForLine(/./, START);
    for (let i = 0; i < 50; i += 1) daemon.signal('SIGHUP');
    await daemon.waitForLine(/Configuration reloaded/, START);
    await connected(daemon);
    daemon.signal('SIGTERM');
    assert.deepEqual(await daemon.waitForExit(START), { code: 0, signal: null }, daemon.stdout);
  });
});

describe('run meets', () => {
  for (const [what, signal, words] of [
    ['an error nobody caught', 'SIGUSR1', 'thrown for the test'],
    ['a rejection nobody handled', 'SIGWINCH', 'rejected for the test'],
  ] as const) {
    it(`${what}: told with its stack, everything stopped, exit 1`, async () => {
      const { cloud, start } = await makeStage();
      const daemon = start({ nodeArgs: ['--import', THROWS_ON_SIGNAL] });
      await connected(daemon);
      daemon.signal(signal);
      assert.deepEqual(await daemon.waitForExit(START), { code: 1, signal: null }, daemon.stdout);
      const told = daemon.lines.filter((line) => line.includes(' CRITICAL '));
      assert.equal(told.length, 1, daemon.stdout);
      assert.match(told[0] ?? '', new RegExp(`An error nobody caught.* err="?${words}.*err\\.stack=.*throw-on-signal`));
      assert.match(daemon.lines.at(-1) ?? '', / INFO +Stopped$/);
      await cloud.pubsub.waitForLive(0, { userId: 'device' });
    });
  }

  it('a log that nobody reads any more: it goes on, does not spin, and stops cleanly', async () => {
    const { cloud, start } = await makeStage();
    const browser = await cloud.joinAsBrowser();
    const daemon = start({ env: { DUNEBUGGER_LOG_DUNEBUGGER_LOG_LEVEL: 'DEBUG' } });
    await connected(daemon);
    daemon.closeStdout();
    const before = cpuMsOf(daemon.pid);
    const startedAtMs = performance.now();
    // At debug level each check writes; two more are begun and one has ended.
    await cloud.site.waitForRequests(cloud.site.counts.requests + 3, START);
    const since = browser.messages.length;
    await browser.send({ subject: 'controller.heartbeat', body: 'are you there?', connectionId: 'b' });
    await browser.waitForMessage(({ data }) => (data as { body?: unknown }).body === 'I am alive', { since, ...START });
    const share = (cpuMsOf(daemon.pid) - before) / (performance.now() - startedAtMs);
    assert.ok(share < 0.5, `it used ${Math.round(share * 100)} % of a processor while idle`);
    daemon.signal('SIGTERM');
    assert.deepEqual(await daemon.waitForExit(START), { code: 0, signal: null });
  });
});
