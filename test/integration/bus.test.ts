import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo, LookupFunction, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { Bus } from '../../src/main/remote/bus.js';
import type { BusOptions, BusState } from '../../src/main/remote/bus.js';
import { registerSecret } from '../support/everything-logged.js';
import { NatsServer, findNatsServer } from '../support/nats-server.js';
import { RecordedLog } from '../support/recorded-log.js';
import { endOf } from '../support/ends.js';

/** Loopback addresses need no look-up; a name that is asked for is answered like this. */
const lookup: LookupFunction = (_name, options, callback) => {
  if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
};

const skip = findNatsServer() === undefined ? 'nats-server is not installed' : false;

describe('the bus, with a real nats-server', { skip }, () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function server(options?: Parameters<typeof NatsServer.create>[0]): Promise<NatsServer> {
    const created = await NatsServer.create(options);
    cleanups.push(() => created.kill());
    return created;
  }

  function bus(
    servers: readonly string[],
    options: Partial<BusOptions> = {},
  ): { bus: Bus; log: RecordedLog; received: string[]; is: (state: BusState) => Promise<void> } {
    const log = new RecordedLog();
    const made = new Bus({
      settings: { servers, clientId: 'remote', subjectRoot: 'dunebugger' },
      log,
      lookup,
      timings: { retryMs: 50, connectTimeoutMs: 30_000 },
      ...options,
    });
    cleanups.push(() => made.close());
    const received: string[] = [];
    made.onMessage((token, data) => received.push(`${token} ${Buffer.from(data).toString()}`));
    const is = (state: BusState): Promise<void> =>
      made.state === state
        ? Promise.resolve()
        : new Promise((resolve) => {
            const off = made.onStateChange((now) => {
              if (now !== state) return;
              off();
              resolve();
            });
          });
    return { bus: made, log, received, is };
  }

  async function component(
    of: NatsServer,
  ): Promise<{ nats: NatsConnection; heard: string[]; until: (n: number) => Promise<void> }> {
    const nats = await connect({ servers: of.url, reconnect: false });
    cleanups.push(() => nats.close());
    const heard: string[] = [];
    const waiting: { n: number; resolve: () => void }[] = [];
    nats.subscribe('>', {
      callback: (_error, message) => {
        heard.push(`${message.subject} ${message.string()}`);
        for (const { n, resolve } of waiting) if (heard.length >= n) resolve();
      },
    });
    await nats.flush();
    const until = (n: number): Promise<void> =>
      heard.length >= n ? Promise.resolve() : new Promise((resolve) => waiting.push({ n, resolve }));
    return { nats, heard, until };
  }

  it('publishes and listens', async () => {
    const nats = await server();
    const { bus: ours, received, is, log } = bus([nats.url]);
    ours.start();
    await is('up');
    const core = await component(nats);
    const arrived = new Promise((resolve) => ours.onMessage(resolve));
    assert.equal(ours.publish('core', 'dunebugger_set', { subject: 'dunebugger_set', body: 'ä' }), 'published');
    await core.until(1);
    core.nats.publish('dunebugger.remote.log', JSON.stringify({ body: 'hello' }));
    core.nats.publish('dunebugger.remote.deeper.log', '{}');
    core.nats.publish('dunebugger.other.log', '{}');
    await arrived;
    await core.nats.flush();
    assert.equal(core.heard[0], 'dunebugger.core.dunebugger_set {"subject":"dunebugger_set","body":"ä"}');
    assert.deepEqual(received, ['log {"body":"hello"}']);
    assert.deepEqual(log.at('info', 'warn', 'error'), ['The bus is there: listening for the components.']);
  });

  it('hears the questions of another remote to core, and none of its own', async () => {
    const nats = await server();
    const { bus: ours, is } = bus([nats.url]);
    const { bus: other, is: otherIs } = bus([nats.url]);
    const [heard, heardByOther]: [string[], string[]] = [[], []];
    ours.onForeignQuestion((data) => heard.push(Buffer.from(data).toString()));
    other.onForeignQuestion((data) => heardByOther.push(Buffer.from(data).toString()));
    ours.start();
    other.start();
    await Promise.all([is('up'), otherIs('up')]);
    const core = await component(nats);
    for (let i = 0; i < 3; i += 1) ours.publish('core', 'heartbeat', { source: 'controller', n: i });
    ours.publish('scheduler', 'heartbeat', { source: 'controller' });
    other.publish('core', 'heartbeat', { source: 'controller', n: 3 });
    await core.until(5);
    // What is published behind it comes behind it.
    const messages: Promise<void> = new Promise((resolve) => void ours.onMessage(() => resolve()));
    core.nats.publish('dunebugger.remote.log', '{}');
    await messages;
    assert.deepEqual(heard, ['{"source":"controller","n":3}']);
    assert.deepEqual(heardByOther.length, 3);
  });

  it('listens although it may not overhear the questions to core', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'nats-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const conf = path.join(folder, 'nats.conf');
    const permissions = '{ publish: ">", subscribe: ["dunebugger.remote.*", "_INBOX.>"] }';
    await writeFile(conf, `authorization { users = [{ user: u, password: notmuch, permissions: ${permissions} }] }`);
    registerSecret('notmuch');
    const nats = await server({ args: ['--config', conf] });
    const { bus: ours, is, received, log } = bus([nats.url.replace('nats://', 'nats://u:notmuch@')]);
    ours.start();
    await is('up');
    const other = await connect({ servers: nats.url, user: 'u', pass: 'notmuch', reconnect: false });
    cleanups.push(() => other.close());
    const came: Promise<void> = new Promise((resolve) => void ours.onMessage(() => resolve()));
    other.publish('dunebugger.remote.log', '{}');
    await came;
    assert.deepEqual(received, ['log {}']);
    assert.deepEqual([...log.at('warn'), ...log.at('error')], []);
  });

  it('waits for a server that is absent at the start, and says so once', async () => {
    const nats = await server({ absent: true });
    const { bus: ours, is, log } = bus([nats.url]);
    let tries = 0;
    const severalTries = new Promise<void>((resolve) => {
      const debug = log.debug.bind(log);
      log.debug = (fields, message) => {
        debug(fields, message);
        tries += 1;
        if (tries === 3) resolve();
      };
    });
    ours.start();
    assert.equal(ours.publish('core', 'x', {}), 'down');
    await severalTries;
    assert.equal(log.at('warn').length, 1);
    await nats.start();
    await is('up');
    assert.deepEqual(log.at('warn', 'info').length, 2);
  });

  it('comes back after kill and restart, and delivers nothing from the time between', async () => {
    const nats = await server();
    const { bus: ours, received, is, log } = bus([nats.url]);
    ours.start();
    await is('up');
    for (let round = 1; round <= 3; round += 1) {
      await nats.kill();
      await is('down');
      assert.equal(ours.publish('core', 'dunebugger_set', { body: 'stale' }), 'down');
      await nats.start();
      await is('up');
      const core = await component(nats);
      assert.equal(ours.publish('core', 'dunebugger_set', { body: round }), 'published');
      await core.until(1);
      assert.deepEqual(core.heard, [`dunebugger.core.dunebugger_set {"body":${round}}`]);
      const arrived = new Promise((resolve) => ours.onMessage(resolve));
      core.nats.publish('dunebugger.remote.log', String(round));
      await arrived;
      assert.equal(received.at(-1), `log ${round}`);
    }
    assert.equal(log.at('warn').length, 3);
    assert.equal(log.at('info').length, 4);
  });

  it('carries 10,000 messages each way, none lost, none doubled, in order', async () => {
    const nats = await server();
    const { bus: ours, received, is } = bus([nats.url]);
    ours.start();
    await is('up');
    const core = await component(nats);
    const all = new Promise<void>((resolve) => {
      ours.onMessage(() => {
        if (received.length === 10_000) resolve();
      });
    });
    for (let i = 0; i < 10_000; i += 1) {
      assert.equal(ours.publish('core', 'dunebugger_set', { body: i }), 'published');
    }
    await core.until(10_000);
    // Its own are heard by the stand-in too, but only after these.
    const heard = core.heard.slice(0, 10_000);
    for (let i = 0; i < 10_000; i += 1) core.nats.publish('dunebugger.remote.log', String(i));
    await all;
    assert.deepEqual(
      heard,
      Array.from({ length: 10_000 }, (_, i) => `dunebugger.core.dunebugger_set {"body":${i}}`),
    );
    assert.deepEqual(
      received,
      Array.from({ length: 10_000 }, (_, i) => `log ${i}`),
    );
  });

  it('survives a server that is killed under load', async () => {
    const nats = await server();
    const { bus: ours, is } = bus([nats.url]);
    ours.start();
    await is('up');
    const outcomes = new Map<string, number>();
    const load = { done: false };
    const loading = (async () => {
      for (let i = 0; !load.done; i += 1) {
        const outcome = ours.publish('core', 'dunebugger_set', { body: 'x'.repeat(1_000), i });
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await nats.kill();
    await is('down');
    await nats.start();
    await is('up');
    load.done = true;
    await loading;
    assert.ok((outcomes.get('published') ?? 0) > 0);
    assert.ok((outcomes.get('down') ?? 0) > 0);
    const core = await component(nats);
    ours.publish('core', 'x', { last: true });
    await core.until(1);
    assert.match(core.heard.at(-1)!, /last/);
  });

  it('notices a server that is frozen, and bounds what is handed to it meanwhile', async () => {
    const nats = await server();
    const { bus: ours, is } = bus([nats.url], { timings: { retryMs: 50, pingEveryMs: 200 } });
    ours.start();
    await is('up');
    nats.freeze();
    const outcomes = Array.from({ length: 1_000 }, () => ours.publish('core', 'x', { body: 'x'.repeat(60_000) }));
    assert.ok(outcomes.filter((outcome) => outcome === 'published').length * 60_000 <= 4 * 1024 * 1024);
    assert.equal(outcomes.at(-1), 'full');
    await is('down');
    nats.thaw();
    await is('up');
    assert.equal(ours.publish('core', 'x', {}), 'published');
  });

  it('takes the next server in turn', async () => {
    const absent = await server({ absent: true });
    const nats = await server();
    const { bus: ours, is, log } = bus([absent.url, 'http://nonsense', nats.url.replace('127.0.0.1', 'nats-server')]);
    ours.start();
    await is('up');
    assert.match(String(log.lines.find(({ level }) => level === 'info')?.fields['server']), /nats-server/);
    assert.equal(log.at('error').length, 1);
  });

  it('signs in, and never logs the password', async () => {
    registerSecret('hunter2');
    const nats = await server({ args: ['--user', 'pi', '--pass', 'hunter2'] });
    const right = bus([nats.url.replace('//', '//pi:hunter2@')]);
    right.bus.start();
    await right.is('up');
    const wrong = bus([nats.url.replace('//', '//pi:hunter3@')]);
    const refused = new Promise<void>((resolve) => {
      wrong.bus.onStateChange(() => resolve());
    });
    wrong.bus.start();
    await refused;
    assert.equal(wrong.bus.state, 'down');
    assert.match(JSON.stringify(wrong.log.lines), /Authorization Violation/i);
    assert.doesNotMatch(JSON.stringify([right.log.lines, wrong.log.lines]), /hunter/);
  });

  it('refuses what is no subject and what the server would not take', async () => {
    const nats = await server();
    const { bus: ours, is } = bus([nats.url]);
    ours.start();
    await is('up');
    assert.equal(ours.publish('core', '>', {}), 'refused');
    assert.equal(ours.publish('core', 'a.b', {}), 'refused');
    assert.equal(ours.publish('core', 'a b', {}), 'refused');
    assert.equal(ours.publish('core', 'x', { body: 'x'.repeat(2_000_000) }), 'refused');
    assert.equal(ours.publish('core', 'x', {}), 'published');
  });

  it('goes on after a listener that throws', async () => {
    const nats = await server();
    const { bus: ours, is, log } = bus([nats.url]);
    ours.onMessage(() => {
      throw new Error('boom');
    });
    ours.start();
    await is('up');
    const core = await component(nats);
    for (let i = 1; i <= 2; i += 1) {
      const arrived = new Promise((resolve) => ours.onMessage(resolve));
      core.nats.publish('dunebugger.remote.log', '1');
      await arrived;
    }
    assert.equal(log.at('error').length, 2);
  });

  it('delivers what was published last before it closed', async () => {
    const nats = await server();
    const { bus: ours, is } = bus([nats.url]);
    const core = await component(nats);
    ours.start();
    await is('up');
    ours.publish('core', 'x', { last: true });
    await ours.close();
    await core.until(1);
    assert.equal(ours.publish('core', 'x', {}), 'down');
    await ours.close();
  });

  it(
    'closes within its deadline while the server is frozen, not after the pause before the next attempt',
    {
      timeout: 60_000,
    },
    async () => {
      const nats = await server();
      const { bus: ours, is } = bus([nats.url], { timings: { pingEveryMs: 60_000, drainMs: 100, retryMs: 3_600_000 } });
      ours.start();
      await is('up');
      nats.freeze();
      await ours.close();
      assert.equal(ours.state, 'down');
    },
  );

  it('gives up an attempt at once when it is closed, and leaves no socket', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    cleanups.push(async () => {
      silent.close();
      await once(silent, 'close');
    });
    const url = `nats://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const { bus: ours } = bus([url], { timings: { connectTimeoutMs: 600_000 } });
    ours.start();
    const [socket] = (await once(silent, 'connection')) as [Socket];
    const gone = once(socket, 'close');
    socket.resume();
    await ours.close();
    await gone;
  });

  it('leaves no socket of an attempt that timed out', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined).resume());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    cleanups.push(async () => {
      silent.close();
      await once(silent, 'close');
    });
    const url = `nats://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const { bus: ours, log } = bus([url], { timings: { connectTimeoutMs: 50, retryMs: 10 } });
    const gone: Promise<unknown>[] = [];
    const thrice = new Promise<void>((resolve) => {
      silent.on('connection', (socket) => {
        gone.push(once(socket, 'close'));
        if (gone.length === 3) resolve();
      });
    });
    ours.start();
    await thrice;
    await ours.close();
    await Promise.all(gone);
    assert.equal(log.at('warn').length, 1);
  });

  it('lets the process end by itself after close', async () => {
    const nats = await server();
    const child = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `
      import { Bus } from ${JSON.stringify(new URL('../../src/main/remote/bus.js', import.meta.url).href)};
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      const settings = { servers: [${JSON.stringify(nats.url)}], clientId: 'remote', subjectRoot: 'dunebugger' };
      const bus = new Bus({ settings, log, lookup: () => {} });
      bus.onStateChange(async (state) => {
        if (state !== 'up') return;
        bus.publish('core', 'x', {});
        await bus.close();
        process.stdout.write('closed');
      });
      bus.start();
    `,
      ],
      { cwd: fileURLToPath(new URL('.', import.meta.url)), stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const { code } = await endOf(child, 'a process with a closed bus');
    assert.equal(said, 'closed');
    assert.equal(code, 0);
  });
});
