/**
 * A host of several addresses, on real sockets: whoever goes out (a check, sign-in, the WebSocket) finds the address that serves behind one
 * whose TCP opens and whose TLS stalls, closes the rest, and keeps its one deadline.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, LookupFunction, Socket } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { WebSocketServer } from 'ws';
import type { LinkEnd } from '../../src/main/connection/web-pubsub/endings.js';
import { Link } from '../../src/main/connection/web-pubsub/link.js';
import { HttpJsonError, httpJson } from '../../src/main/net/http-json.js';
import { connect, type Connected } from '../../src/workers/net/connect.js';
import { Prober } from '../../src/workers/probe/check.js';
import { FIRST_MANNER } from '../../src/workers/probe/manner.js';
import { tryFresh } from '../../src/workers/probe/https.js';
import { CertificateAuthority } from '../support/certificates.js';
import { Listener } from '../support/listener.js';
import { NameServer } from '../support/name-server.js';
import { until } from '../support/until.js';

const HOST = 'site.test';
const STALLS = '127.0.0.1';
const SERVES = '127.0.0.2';
const STALLS_TOO = '127.0.0.3';
/** A stall costs one attempt delay (250 ms); the rest is for a busy machine. The deadlines are far behind it. */
const SOON_MS = 3_000;
const FAR_MS = 20_000;
const FAR = { idlePingMs: FAR_MS, halfOpenTimeoutMs: FAR_MS };
const never = new AbortController().signal;

type OnSocket = (socket: Socket) => void;
/** Reads and says nothing, so that the other side's leaving is noticed. */
const stall: OnSocket = (socket) => void socket.resume();

describe('a host whose first address opens TCP and stalls in TLS', () => {
  let ca: string;
  let port: number;
  let server: Server;
  let webSockets: WebSocketServer;
  let names: NameServer;
  let first: Listener;
  let third: Listener;
  let onFirst: OnSocket = stall;

  before(async () => {
    const authority = await CertificateAuthority.create();
    ca = authority.certificatePem;
    server = createServer(await authority.issue({ names: [HOST] }), (_request, response) =>
      response.end('{"ok":true}'),
    );
    webSockets = new WebSocketServer({ server });
    server.listen(0, SERVES);
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
    first = await Listener.start({ address: STALLS, port }, (socket) => onFirst(socket));
    third = await Listener.start({ address: STALLS_TOO, port }, stall);
    names = await NameServer.start({ records: { [HOST]: [STALLS, SERVES] } });
  });
  after(async () => {
    for (const client of webSockets.clients) client.terminate();
    server.closeAllConnections();
    server.close();
    await Promise.all([first.stop(), third.stop(), names.stop()]);
  });
  afterEach(() => (onFirst = stall));

  function lookupOf(...addresses: string[]): LookupFunction {
    return (_host, _options, callback) =>
      callback(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      );
  }

  function link(lookup: LookupFunction, handshakeTimeoutMs: number): { link: Link; came: Promise<LinkEnd | 'open'> } {
    let opened!: Link;
    const came = new Promise<LinkEnd | 'open'>((resolve) => {
      opened = new Link(
        `wss://${HOST}:${port}/`,
        {
          subprotocol: 'json',
          lookup,
          ca,
          handshakeTimeoutMs,
          greetingTimeoutMs: FAR_MS,
          silence: () => FAR,
        },
        { onOpen: () => resolve('open'), onText: () => undefined, onBinary: () => undefined, onEnd: resolve },
      );
    });
    return { link: opened, came };
  }

  function call(lookup: LookupFunction, timeoutMs: number, signal = never): ReturnType<typeof httpJson> {
    return httpJson({ method: 'GET', url: `https://${HOST}:${port}/`, timeoutMs, lookup, ca, signal });
  }

  async function refusal(of: Promise<unknown>): Promise<HttpJsonError> {
    const error: unknown = await of.then(
      () => assert.fail('it succeeded'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof HttpJsonError);
    return error;
  }

  function bare(signal: AbortSignal, ...addresses: string[]): Promise<Connected> {
    return connect({ host: HOST, port, lookup: lookupOf(...addresses), tls: { ca }, signal });
  }

  function probe(timeoutMs: number, signal: AbortSignal, ...addresses: string[]): ReturnType<typeof tryFresh> {
    const site = { host: HOST, port, ca };
    const onSession = (): void => undefined;
    return tryFresh({
      site,
      addresses,
      addressesFrom: 'dns',
      manner: FIRST_MANNER,
      boundMs: 0,
      session: undefined,
      onSession,
      timeoutMs,
      signal,
    });
  }

  /** Fails if `work` took less than `fromMs` or as long as `toMs`. */
  async function within<T>(what: string, [fromMs, toMs]: readonly [number, number], work: Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const result = await work;
    const ms = performance.now() - startedAt;
    process.stdout.write(`${what}: ${Math.round(ms)} ms\n`);
    assert.ok(ms >= fromMs && ms < toMs, `${what} took ${ms} ms`);
    return result;
  }

  const allClosed = (): Promise<void> =>
    until(() => first.open === 0 && third.open === 0, 'the other side has no socket left', SOON_MS);
  const bothUnderWay = (from: readonly [number, number]): Promise<void> =>
    until(() => first.accepted > from[0] && third.accepted > from[1], 'an attempt at both addresses', SOON_MS);

  it('is found by a check, and the loser is closed', async () => {
    const before = first.accepted;
    const prober = new Prober({ site: { host: HOST, port, ca }, timeoutMs: FAR_MS, nameServers: [names.hostAndPort] });
    const seen = await within('a check', [0, SOON_MS], prober.check(never));
    assert.equal(seen?.ok, true, JSON.stringify(seen));
    assert.equal(seen.https[0]?.address, SERVES);
    assert.equal(first.accepted, before + 1);
    await allClosed();
    prober.close();
  });

  it('is found by sign-in, and the loser is closed', async () => {
    const before = first.accepted;
    const { json } = await within('sign-in', [0, SOON_MS], call(lookupOf(STALLS, SERVES), FAR_MS));
    assert.deepEqual(json, { ok: true });
    assert.equal(first.accepted, before + 1);
    await allClosed();
  });

  it('is found by the WebSocket, and the loser is closed', async () => {
    const before = first.accepted;
    const { link: opened, came } = link(lookupOf(STALLS, SERVES), FAR_MS);
    assert.equal(await within('the WebSocket', [0, SOON_MS], came), 'open');
    assert.equal(first.accepted, before + 1);
    await allClosed();
    opened.terminate();
    await opened.closed;
  });

  it('is remembered: the next connection asks the one that stalled last', async () => {
    const lookup = lookupOf(STALLS, SERVES);
    await call(lookup, FAR_MS);
    const before = first.accepted;
    let alreadyAsked: number | undefined;
    server.once('connection', () => (alreadyAsked = first.accepted - before));
    await call(lookup, FAR_MS);
    assert.equal(alreadyAsked, 0);
    await allClosed();
  });

  it('has one deadline over all its addresses, and leaves no socket behind', async () => {
    const deadlineMs = 600;
    const span = [deadlineMs - 20, deadlineMs + 500] as const;
    const tried = await within('a try', span, probe(deadlineMs, never, STALLS, STALLS_TOO));
    assert.deepEqual([tried.evidence.ok, tried.evidence.failedAt, tried.evidence.error], [false, 'tls', 'ETIMEDOUT']);
    await allClosed();
    const error = await within('a call', span, refusal(call(lookupOf(STALLS, STALLS_TOO), deadlineMs)));
    assert.deepEqual([error.code, error.phase], ['ETIMEDOUT', 'tls']);
    await allClosed();
    const { link: opened, came } = link(lookupOf(STALLS, STALLS_TOO), deadlineMs);
    assert.notEqual(await within('a link', span, came), 'open');
    await opened.closed;
    await allClosed();
  });

  it('is given up with every socket under way', async () => {
    const givenUp = async (start: (signal: AbortSignal) => { stop?: () => void; done: Promise<unknown> }) => {
      const from = [first.accepted, third.accepted] as const;
      const abort = new AbortController();
      const { stop, done } = start(abort.signal);
      await bothUnderWay(from);
      assert.deepEqual([first.open, third.open], [1, 1]);
      if (stop === undefined) abort.abort();
      else stop();
      await within('giving up', [0, SOON_MS], Promise.all([done, allClosed()]));
    };
    const lookup = lookupOf(STALLS, STALLS_TOO);
    await givenUp((signal) => ({
      done: bare(signal, STALLS, STALLS_TOO).then((connected) =>
        assert.deepEqual([connected.ok, !connected.ok && connected.at], [false, 'tls']),
      ),
    }));
    await givenUp((signal) => ({
      done: probe(FAR_MS, signal, STALLS, STALLS_TOO).then(({ evidence }) =>
        assert.equal(evidence.error, 'ECANCELLED'),
      ),
    }));
    await givenUp((signal) => ({
      done: refusal(call(lookup, FAR_MS, signal)).then(({ code }) => assert.equal(code, 'ABORT_ERR')),
    }));
    await givenUp(() => {
      const { link: opened } = link(lookup, FAR_MS);
      return { stop: () => opened.terminate(), done: opened.closed };
    });
  });

  it('fails at once where the peer closes during TLS', async () => {
    for (const [how, onSocket] of [
      ['before a word', (socket: Socket) => void socket.resume().end()],
      ['after our first', (socket: Socket) => void socket.once('data', () => socket.end())],
      ['by a reset', (socket: Socket) => void socket.once('data', () => socket.resetAndDestroy())],
    ] as const) {
      onFirst = onSocket;
      const connected = await within(`a close ${how}`, [0, SOON_MS], bare(never, STALLS));
      assert.ok(!connected.ok);
      assert.deepEqual([connected.at, (connected.error as NodeJS.ErrnoException).code], ['tls', 'ECONNRESET'], how);
      const error = await refusal(call(lookupOf(STALLS), FAR_MS));
      assert.deepEqual([error.code, error.phase], ['ECONNRESET', 'tls'], how);
      const { evidence } = await probe(FAR_MS, never, STALLS);
      assert.deepEqual([evidence.failedAt, evidence.error], ['tls', 'ECONNRESET'], how);
      await allClosed();
    }
  });
});
