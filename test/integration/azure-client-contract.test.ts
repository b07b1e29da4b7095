/**
 * What we know of @azure/web-pubsub-client and rely on, trap by trap: first that the bare client still behaves so, then that ours does not.
 * If an upgrade fails a "bare" test, that trap has moved or gone: read the client again before changing the version.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { lookup } from 'node:dns';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { WebPubSubClient, WebPubSubJsonReliableProtocol } from '@azure/web-pubsub-client';
import { WebSocket } from 'ws';
import { createAzureClient, type ClientSocket } from '../../src/main/connection/web-pubsub/azure-client.js';
import { contentOf, parseFrame } from '../../src/main/connection/web-pubsub/frames.js';
import { BareServer } from './web-pubsub-bare-server.js';
import { Fixture, eventually, pause } from './web-pubsub-fixture.js';
import { gatherFrom } from '../support/everything-logged.js';
import { endOf } from '../support/ends.js';

const QUIET = {
  autoReconnect: false,
  autoRejoinGroups: false,
  messageRetryOptions: { maxRetries: 0 },
  keepAliveIntervalInMs: 0,
  keepAliveTimeoutInMs: 0,
};

/** The bare client's private parts that these tests look at. */
interface Inside {
  _state: string;
  _isStopping: boolean;
  _pingKeepaliveTask: unknown;
  _timeoutMonitorTask: unknown;
  _ackManager: { _ackEntries: Map<number, unknown> };
  _getWebSocketClientFactory(): { create(uri: string, protocol: string): ClientSocket };
}

function inside(client: WebPubSubClient): Inside {
  return client as unknown as Inside;
}

describe('the contract with @azure/web-pubsub-client', () => {
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

  it('is with exactly the pinned version', () => {
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      dependencies: Record<string, string>;
    };
    const installed = createRequire(import.meta.url)('@azure/web-pubsub-client/package.json') as { version: string };
    assert.equal(dependencies['@azure/web-pubsub-client'], '1.0.4');
    assert.equal(installed.version, '1.0.4');
  });

  it('has the seam: every socket comes from _getWebSocketClientFactory, called anew for each', async () => {
    const made: string[] = [];
    const client = new WebPubSubClient('ws://127.0.0.1:9/', QUIET);
    assert.equal(typeof inside(client)._getWebSocketClientFactory, 'function');
    const factory = inside(client)._getWebSocketClientFactory();
    assert.equal(typeof factory.create, 'function');
    const ours = createAzureClient('ws://127.0.0.1:9/', WebPubSubJsonReliableProtocol(), (url) => {
      made.push(url);
      throw new Error('no socket today');
    });
    await assert.rejects(ours.start(), /no socket today/);
    assert.deepEqual(made, ['ws://127.0.0.1:9/']);
  });

  it('asks nothing of a socket that ours has not, and hangs in its listeners before anything else runs', async () => {
    const used = new Set<string>();
    const socket = new Proxy({} as ClientSocket, {
      get: (_, name) => {
        used.add(String(name));
        return () => (name === 'isOpen' ? true : undefined);
      },
    });
    const client = createAzureClient('ws://127.0.0.1:9/', WebPubSubJsonReliableProtocol(), () => socket);
    void client.start();
    assert.deepEqual([...used].sort(), ['onclose', 'onerror', 'onmessage', 'onopen']);
    client.stop();
    await pause(0);
    assert.deepEqual([...used].sort(), ['close', 'isOpen', 'onclose', 'onerror', 'onmessage', 'onopen']);
  });

  it('reads valid frames as the client itself does', () => {
    const frames = [
      { type: 'system', event: 'connected', userId: 'u', connectionId: 'c', reconnectionToken: 'r' },
      { type: 'system', event: 'disconnected', message: 'why' },
      { type: 'ack', ackId: 1, success: true },
      { type: 'ack', ackId: 2, success: false, error: { name: 'Forbidden', message: 'no' } },
      {
        type: 'message',
        from: 'group',
        group: 'g',
        fromUserId: 'u',
        dataType: 'json',
        data: { a: [1] },
        sequenceId: 4,
      },
      { type: 'message', from: 'group', group: 'g', fromUserId: 'u', dataType: 'text', data: 'é', sequenceId: 5 },
      { type: 'message', from: 'server', dataType: 'binary', data: 'AAEC', sequenceId: 6 },
      { type: 'pong' },
    ];
    // A field that is undefined is none: 1.1.0 says so of `stream`.
    const strip = ({ type: _type, from: _from, event: _event, ...rest }: Record<string, unknown>): object =>
      Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    for (const frame of frames) {
      const text = JSON.stringify(frame);
      const theirs = WebPubSubJsonReliableProtocol().parseMessages(text) as unknown as Record<string, unknown> | null;
      const ours = parseFrame(text);
      assert.ok(ours.kind === 'message');
      const { message } = ours;
      // A payload is kept as its text beside what the client makes of it.
      const ourData = message.kind === 'groupData' ? { data: contentOf(message).data } : {};
      assert.deepEqual({ ...message, ...ourData }, strip(theirs!), text);
    }
  });

  it('drops a JSON null, which never gets acknowledged either; ours is delivered', () => {
    const text = JSON.stringify({
      type: 'message',
      from: 'group',
      group: 'g',
      dataType: 'json',
      data: null,
      sequenceId: 1,
    });
    assert.equal(WebPubSubJsonReliableProtocol().parseMessages(text), null);
    assert.equal(parseFrame(text).kind, 'message');
  });

  describe('trap 1: no deadline, and start() resolves before the connected frame', () => {
    it('bare', async () => {
      server.script = { onConnection: () => undefined };
      const client = new WebPubSubClient(server.url, QUIET);
      await client.start();
      client.stop();
      await eventually(() => inside(client)._state === 'Stopped');
      server.script = { refuse: () => true };
      const controller = new AbortController();
      let settled = false;
      const starting = client.start({ abortSignal: controller.signal }).finally(() => (settled = true));
      starting.catch(() => undefined);
      controller.abort();
      await pause(150);
      assert.equal(settled, false, 'its abortSignal reaches a connect now');
      server.drop();
      await assert.rejects(starting);
    });
    it('ours', async () => {
      server.script = { onConnection: () => undefined };
      await assert.rejects(fixture.open({ connectedFrameTimeoutMs: 50 }), /no connected frame/);
      server.script = { refuse: () => true };
      await assert.rejects(fixture.open({ handshakeTimeoutMs: 50 }), /no WebSocket handshake/);
      const opening = assert.rejects(fixture.open(), /given up/);
      await eventually(() => server.requests.length === 3);
      fixture.abort.abort();
      await opening;
    });
    it('ours, against a handshake that dribbles', async () => {
      server.http.removeAllListeners('upgrade');
      server.http.on('upgrade', (_, socket) => {
        socket.on('error', () => undefined);
        socket.write('HTTP/1.1 101 Switching Protocols\r\nX-Slow: ');
        const dribble = setInterval(() => socket.write('x'), 10);
        socket.on('close', () => clearInterval(dribble));
        socket.on('end', () => socket.destroy()).resume();
      });
      await assert.rejects(fixture.open({ handshakeTimeoutMs: 200 }), /no WebSocket handshake/);
    });
  });

  describe('trap 2: stop() does nothing to a socket that is not open yet', () => {
    it('bare', async () => {
      let go: () => void = () => undefined;
      server.http.removeAllListeners('upgrade');
      server.http.on('upgrade', (request, socket, head) => {
        go = () => server.wss.handleUpgrade(request, socket, head, () => undefined);
      });
      const client = new WebPubSubClient(server.url, QUIET);
      const starting = client.start();
      await eventually(() => server.sockets.size === 1);
      client.stop();
      await pause(20);
      go();
      await starting;
      assert.equal(inside(client)._state, 'Connected');
      client.stop();
      await eventually(() => server.sockets.size === 0);
    });
    it('ours', async () => {
      let upgrades = 0;
      server.http.removeAllListeners('upgrade');
      server.http.on('upgrade', (_, socket) => {
        upgrades += 1;
        socket.on('end', () => socket.destroy()).resume();
      });
      const opening = assert.rejects(fixture.open(), /given up/);
      await eventually(() => upgrades === 1);
      fixture.abort.abort();
      await opening;
      await eventually(() => server.sockets.size === 0);
    });
  });

  describe('trap 3: stop() does not end a recovery', () => {
    it('bare', async () => {
      const client = new WebPubSubClient(server.url, QUIET);
      await client.start();
      await eventually(() => server.sessions.size === 1);
      server.script = { refuse: () => ({ status: 503 }) };
      await pause(20);
      server.drop();
      await eventually(() => server.requests.length === 2);
      client.stop();
      server.script = {};
      // The stopped client comes back.
      await eventually(() => inside(client)._state === 'Connected' && server.live.length === 1);
      client.stop();
      await eventually(() => server.sockets.size === 0);
    });
    it('ours', async () => {
      const session = await fixture.open();
      server.script = { refuse: () => ({ status: 503 }) };
      server.drop();
      await eventually(() => server.requests.length >= 2);
      await session.dispose();
      server.script = {};
      await pause(1_300);
      assert.equal(server.sockets.size, 0);
      assert.deepEqual(fixture.kinds, ['interrupted']);
    });
  });

  describe('trap 4: recovery tries once a second for 30 s, internet or not', () => {
    it('bare', async () => {
      const client = new WebPubSubClient(server.url, QUIET);
      await client.start();
      await eventually(() => server.sessions.size === 1);
      await pause(20);
      server.script = { refuse: () => ({ status: 503 }) };
      server.drop();
      const start = performance.now();
      await eventually(() => server.requests.length === 1 + 3);
      assert.ok(performance.now() - start > 1_900);
      server.script = {};
      await eventually(() => inside(client)._state === 'Connected');
      client.stop();
      await eventually(() => inside(client)._state === 'Stopped');
    });
    it('ours', async () => {
      const session = await fixture.open();
      session.suspend();
      await pause(1_300);
      assert.equal(server.requests.length, 1);
      session.resume();
      await fixture.until(() => fixture.count('recovered') === 1);
    });
  });

  describe('trap 5: an acknowledgement is awaited for ever, and failures are retried blindly', () => {
    it('bare', async () => {
      const client = new WebPubSubClient(server.url, QUIET);
      await client.start();
      server.script.onFrame = () => true;
      let settled = false;
      const joining = client.joinGroup('g').finally(() => (settled = true));
      await pause(150);
      assert.equal(settled, false);
      // An aborted wait leaves its entry behind: one of the reasons why ours has a deadline of its own.
      const controller = new AbortController();
      const sending = client.sendToGroup('g', 1, 'json', { abortSignal: controller.signal });
      await pause(20);
      controller.abort();
      await assert.rejects(sending);
      assert.equal(inside(client)._ackManager._ackEntries.size, 2);
      client.stop();
      await assert.rejects(joining);
    });
    it('bare: 0 retries survives the defaults', () => {
      const options = { ...QUIET, messageRetryOptions: { maxRetries: 0 } };
      new WebPubSubClient(server.url, options);
      assert.equal(options.messageRetryOptions.maxRetries, 0);
    });
    it('ours, and nothing is kept for what timed out', async (test) => {
      const send = test.mock.method(WebPubSubClient.prototype, 'sendToGroup');
      const session = await fixture.open();
      server.script.onFrame = () => true;
      for (let n = 0; n < 3; n += 1) assert.equal((await session.send(n, 20)).outcome, 'failed');
      const client = send.mock.calls[0]!.this as WebPubSubClient;
      assert.equal(inside(client)._ackManager._ackEntries.size, 0);
      assert.equal(server.frames.filter(({ type }) => type === 'sendToGroup').length, 3);
    });
  });

  describe('trap 6: a half-open link is noticed after two minutes', () => {
    it('bare: 0 makes no keep-alive task', async () => {
      const client = new WebPubSubClient(server.url, QUIET);
      await client.start();
      assert.equal(inside(client)._pingKeepaliveTask, undefined);
      assert.equal(inside(client)._timeoutMonitorTask, undefined);
      client.stop();
    });
    it('ours: a silent line is cut in time, and recovered', async () => {
      await fixture.open({ idlePingMs: 60, halfOpenTimeoutMs: 200 });
      const start = performance.now();
      // The peer's machine is gone: it neither answers a ping nor closes.
      for (const socket of server.sockets) socket.pause();
      await fixture.until(() => fixture.count('interrupted') === 1);
      assert.ok(performance.now() - start >= 150, 'too early');
      assert.match(JSON.stringify(fixture.events), /nothing was heard for 0.2 s/);
      await fixture.until(() => fixture.count('recovered') === 1);
    });
    it('ours: a line that only answers pings lives', async () => {
      await fixture.open({ idlePingMs: 40, halfOpenTimeoutMs: 400 });
      let pings = 0;
      server.kept.ws!.on('ping', () => (pings += 1));
      await eventually(() => pings >= 20);
      assert.deepEqual(fixture.kinds, []);
    });
    it('ours: so does one with a short time-out alone, as the pings follow it', async () => {
      await fixture.open({ halfOpenTimeoutMs: 300 });
      let pings = 0;
      server.kept.ws!.on('ping', () => (pings += 1));
      await eventually(() => pings >= 3);
      assert.deepEqual(fixture.kinds, []);
    });
    it('ours: a long message over a slow line is no silence', async () => {
      await fixture.open({ idlePingMs: 100, halfOpenTimeoutMs: 400 });
      const text = JSON.stringify({ type: 'message', from: 'group', group: 'g', dataType: 'text', data: 'long' });
      const [socket] = server.sockets;
      // One unmasked text frame, a byte at a time: about a second, more than twice the time-out.
      for (const byte of [0x81, text.length, ...Buffer.from(text)]) {
        socket!.write(Buffer.from([byte]));
        await pause(12);
      }
      await fixture.until(() => fixture.count('message') === 1);
      assert.equal(fixture.count('interrupted'), 0);
    });
  });

  describe('trap 7: its timers hold the process after stop', () => {
    it('bare: for a keep-alive interval', async () => {
      const { code, heldMs } = await child('bare-keep-alive');
      assert.equal(code, 0);
      // A timer of Node may be a millisecond early.
      assert.ok(heldMs > 2_490, `it was held for ${heldMs} ms by an interval of 2500`);
    });
    it('ours: the process ends by itself soon after a disposal, in every state', async () => {
      for (const state of ['open', 'connecting', 'recovering', 'suspended', 'ended']) {
        const { code, heldMs, stderr } = await child(state);
        assert.equal(code, 0, `${state}: ${stderr}`);
        // A second is the client's own acknowledging of sequences; every timer of ours would be one of ten or more.
        assert.ok(heldMs < 5_000, `${state}: it was held for ${heldMs} ms`);
        assert.match(stderr, /azure:web-pubsub-client/, 'the client’s own log was asked for');
        assert.doesNotMatch(stderr, /eyJ|access_token|reconnection_token/);
      }
    });
  });

  describe('trap 8: what throws in a listener or a frame ends the process', () => {
    it('bare: a frame that is not JSON is thrown', () => {
      let onmessage: ((data: string) => void) | undefined;
      const client = createAzureClient(server.url, WebPubSubJsonReliableProtocol(), () => ({
        onopen: noop,
        onclose: noop,
        onerror: noop,
        onmessage: (fn) => (onmessage = fn),
        close: noop,
        send: () => Promise.resolve(),
        isOpen: () => false,
      }));
      void client.start();
      assert.throws(() => onmessage!('not JSON'));
    });
    it('bare: a listener that throws ends the process', async () => {
      const { code, stderr } = await child('bare-throws');
      assert.equal(code, 1);
      assert.match(stderr, /thrown by a listener/);
    });
    it('ours: a listener that throws hurts nobody', async () => {
      fixture.onEvent = () => {
        throw new Error('eyJh.eyJi.c in a listener');
      };
      const session = await fixture.open();
      server.publish(1);
      server.drop();
      await eventually(() => fixture.count('recovered') === 1);
      assert.equal((await session.send(1, 5_000)).outcome, 'sent');
      server.kept.ws!.close(1008);
      await eventually(() => fixture.count('ended') === 1);
      await eventually(() => fixture.logged.filter(({ level }) => level === 'error').length >= 4);
      assert.doesNotMatch(JSON.stringify(fixture.logged), /eyJh/);
    });
  });

  describe('trap 9: names are resolved by the system’s getaddrinfo', () => {
    it('ours: by the look-up it is given, whose time is within the deadline of the handshake', async () => {
      const asked: string[] = [];
      const url = server.url.replace('127.0.0.1', 'hub.invalid');
      fixture = new Fixture(url);
      const session = await fixture.open({
        lookup: (name, options, callback) => {
          asked.push(name);
          lookup('127.0.0.1', options, callback);
        },
      });
      assert.deepEqual(asked, ['hub.invalid']);
      await session.dispose();
      await assert.rejects(fixture.open({ lookup: noop, handshakeTimeoutMs: 50 }), /no WebSocket handshake/);
    });
  });

  it('never has a second socket: what is terminated here is gone there', async () => {
    await fixture.open();
    assert.equal(server.live[0]!.readyState, WebSocket.OPEN);
    await fixture.close();
    await eventually(() => server.live.length === 0);
    assert.equal(server.mostLive, 1);
  });
});

function noop(): void {
  // Nothing.
}

/** A process that brings a session into `state`, disposes of it and does nothing more. */
async function child(state: string): Promise<{ code: number | null; heldMs: number; stderr: string }> {
  const process_ = spawn(process.execPath, [new URL('./web-pubsub-child.js', import.meta.url).pathname, state], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, AZURE_LOG_LEVEL: 'verbose' },
  });
  gatherFrom('child', process_.stderr);
  let stderr = '';
  let stdout = '';
  process_.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  process_.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  const { code } = await endOf(process_, 'the child');
  return { code, heldMs: Number(/^held ([\d.]+)$/m.exec(stdout)?.[1]), stderr };
}
