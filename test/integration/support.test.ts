import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { after, before, describe, it, type TestContext } from 'node:test';
import { WebSocket, type RawData } from 'ws';
import { CertificateAuthority } from '../support/certificates.js';
import { Changes, WaitTimeoutError } from '../support/changes.js';
import { HttpsSite } from '../support/https-site.js';
import { LocalCloud } from '../support/local-cloud.js';
import { NameServer } from '../support/name-server.js';
import { TcpGate } from '../support/tcp-gate.js';
import { WebPubSubServer, type ClientAccessOptions } from '../support/web-pubsub-server.js';

const RELIABLE = 'json.reliable.webpubsub.azure.v1';
const SIMPLE = 'json.webpubsub.azure.v1';

type Frame = Readonly<Record<string, unknown>>;

/** A bare `ws` client that collects frames. */
class RawClient {
  readonly frames: Frame[] = [];
  readonly #changes = new Changes();
  #closed: { code: number; reason: string } | undefined;

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data: RawData) => {
      this.frames.push(JSON.parse((data as Buffer).toString()) as Frame);
      this.#changes.notify();
    });
    socket.on('error', () => undefined);
    socket.on('close', (code, reason) => {
      this.#closed = { code, reason: reason.toString() };
      this.#changes.notify();
    });
  }

  send(frame: Frame): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** The first frame with all these fields, now or later. */
  frame(fields: Frame): Promise<Frame> {
    return this.#changes.until(
      () => this.frames.find((frame) => Object.entries(fields).every(([key, value]) => frame[key] === value)),
      `a frame with ${JSON.stringify(fields)}`,
      {},
      () => JSON.stringify(this.frames),
    );
  }

  closed(): Promise<{ code: number; reason: string }> {
    return this.#changes.until(() => this.#closed, 'the close');
  }

  /** A round trip: everything the service sent before it has arrived. */
  async settle(): Promise<void> {
    const before = this.frames.length;
    this.send({ type: 'ping' });
    await this.#changes.until(() => this.frames.slice(before).some(({ type }) => type === 'pong'), 'a pong');
  }

  async join(group: string, ackId = 1): Promise<void> {
    this.send({ type: 'joinGroup', group, ackId });
    assert.deepEqual(await this.frame({ type: 'ack', ackId }), { type: 'ack', ackId, success: true });
  }

  messages(): Frame[] {
    return this.frames.filter(({ type }) => type === 'message');
  }
}

function connect(t: TestContext, url: string, subprotocol: string = RELIABLE, ca?: string): RawClient {
  const socket = new WebSocket(url, subprotocol, ca === undefined ? {} : { ca });
  t.after(() => {
    socket.terminate();
  });
  return new RawClient(socket);
}

/** The HTTP status and headers an upgrade is refused with. */
async function refusal(
  url: string,
  subprotocol: string | undefined = RELIABLE,
): Promise<{ status: number; retryAfter?: string }> {
  const socket = new WebSocket(url, subprotocol);
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [
    unknown,
    { statusCode: number; headers: Record<string, string>; destroy(): void },
  ];
  response.destroy();
  const retryAfter = response.headers['retry-after'];
  return { status: response.statusCode, ...(retryAfter === undefined ? {} : { retryAfter }) };
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  resumed: boolean;
  session: Buffer | undefined;
}

function head(
  site: HttpsSite,
  options: https.RequestOptions & tls.SecureContextOptions & { session?: Buffer | undefined } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let session: Buffer | undefined;
    let resumed = false;
    const request = https.request(
      { host: site.address, port: site.port, method: 'HEAD', ca: site.ca.certificatePem, agent: false, ...options },
      (response) => {
        response.resume();
        response.once('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            resumed,
            session,
          });
        });
      },
    );
    request.on('socket', (socket) => {
      socket.on('session', (ticket: Buffer) => {
        session = ticket;
      });
      socket.once('secureConnect', () => {
        resumed = socket instanceof tls.TLSSocket && socket.isSessionReused();
      });
    });
    request.once('error', reject);
    request.end();
  });
}

/** `events.once` would reject at the error that comes before the close of a reset socket. */
function whenClosed(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** Code of the error that a promise rejects with. */
async function errorCode(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return 'no error';
}

describe('certificates', () => {
  it('makes an RSA chain with an intermediate that a TLS client verifies', async (t) => {
    const ca = await CertificateAuthority.create({ algorithm: 'rsa-2048' });
    const server = tls.createServer(await ca.issue({ names: ['site.test', '127.0.0.1'] }), (socket) => socket.end());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const port = (server.address() as net.AddressInfo).port;
    const socket = tls.connect({ host: '127.0.0.1', port, servername: 'site.test', ca: ca.certificatePem });
    await once(socket, 'secureConnect');
    assert.equal(socket.authorized, true);
    const certificate = socket.getPeerCertificate(true);
    assert.equal(certificate.bits, 2048);
    assert.equal(certificate.issuerCertificate.subject.CN, 'Local cloud test CA, intermediate');
    socket.resume();
    await once(socket, 'close');
  });
});

describe('the HTTPS site', () => {
  let site: HttpsSite;
  before(async () => {
    site = await HttpsSite.start();
  });
  after(() => site.stop());

  it('answers with the status, location and date it was told', async () => {
    assert.equal((await head(site)).status, 200);
    await site.behave({ kind: 'answer', status: 302, location: 'https://elsewhere.test/' });
    const moved = await head(site);
    assert.deepEqual([moved.status, moved.headers['location']], [302, 'https://elsewhere.test/']);
    await site.behave({ kind: 'answer', status: 500 });
    site.dateHeader = new Date('2030-01-01T00:00:00Z');
    const failed = await head(site, { method: 'GET' });
    assert.deepEqual([failed.status, failed.headers['date']], [500, 'Tue, 01 Jan 2030 00:00:00 GMT']);
    await site.behave({ kind: 'answer', status: 204 });
    assert.equal((await head(site, { method: 'GET' })).status, 204);
    await site.repair();
  });

  it('keeps connections alive and resumes TLS sessions, and counts both', async () => {
    const agent = new https.Agent({ keepAlive: true });
    const start = site.counts;
    const first = await head(site, { agent });
    await head(site, { agent });
    assert.equal(site.counts.connections - start.connections, 1);
    assert.equal(site.counts.requests - start.requests, 2);
    agent.destroy();
    assert.ok(first.session, 'a ticket came with the first answer');
    const second = await head(site, { session: first.session });
    assert.equal(second.resumed, true);
    assert.equal(site.counts.resumptions - start.resumptions, 1);
    assert.equal(first.headers['keep-alive'], undefined);
  });

  it('shows certificates with one fault each, and never resumes across them', async () => {
    const good = await head(site);
    for (const [kind, code] of [
      ['foreign', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      ['expired', 'CERT_HAS_EXPIRED'],
      ['not-yet-valid', 'CERT_NOT_YET_VALID'],
    ] as const) {
      site.showCertificate(kind);
      assert.equal(await errorCode(head(site, { session: good.session })), code);
    }
    await site.repair();
    assert.equal((await head(site)).status, 200);
  });

  it('hangs at the layer it was told', async () => {
    const start = site.counts;
    for (const at of ['accept', 'tls', 'request'] as const) {
      await site.behave({ kind: 'hang', at });
      const before = site.counts;
      assert.equal(await errorCode(head(site, { signal: AbortSignal.timeout(300) })), 'ABORT_ERR');
      assert.equal(site.counts.connections - before.connections, 1, at);
      assert.equal(site.counts.handshakes - before.handshakes, at === 'accept' ? 0 : 1, at);
      assert.equal(site.counts.requests - before.requests, at === 'request' ? 1 : 0, at);
    }
    assert.equal(site.counts.connections - start.connections, 3);
    await site.repair();
  });

  it('hangs on connections that are open already', async () => {
    const agent = new https.Agent({ keepAlive: true });
    await head(site, { agent });
    await site.behave({ kind: 'hang', at: 'accept' });
    const { connections } = site.counts;
    assert.equal(await errorCode(head(site, { agent, signal: AbortSignal.timeout(300) })), 'ABORT_ERR');
    assert.equal(site.counts.connections, connections);
    agent.destroy();
    await site.repair();
  });

  it('refuses, keeping its port, and comes back', async () => {
    const agent = new https.Agent({ keepAlive: true });
    await head(site, { agent });
    for (let round = 0; round < 3; round += 1) {
      await site.behave({ kind: 'refuse' });
      assert.equal(await errorCode(head(site)), 'ECONNREFUSED');
      await site.behave({ kind: 'answer' });
      assert.equal((await head(site)).status, 200);
    }
    agent.destroy();
  });

  it('cuts answers, and answers with garbage', async () => {
    await site.behave({ kind: 'cut' });
    assert.equal(await errorCode(head(site)), 'ECONNRESET');
    await site.behave({ kind: 'garbage' });
    assert.match(String(await errorCode(head(site))), /^HPE_/);
    await site.repair();
  });

  it('answers late when slow', async () => {
    await site.behave({ kind: 'answer', delayMs: 200 });
    const start = performance.now();
    assert.equal((await head(site)).status, 200);
    assert.ok(performance.now() - start >= 195);
    await site.repair();
  });

  it('listens on IPv6', async (t) => {
    const other = await HttpsSite.start({ address: '::1' });
    t.after(() => other.stop());
    assert.equal(other.url, `https://[::1]:${other.port}/`);
    assert.equal((await head(other)).status, 200);
  });
});

describe('the name server', () => {
  let names: NameServer;
  const resolver = (timeout = 5000): Resolver => {
    const made = new Resolver({ timeout, tries: 1 });
    made.setServers([names.hostAndPort]);
    return made;
  };
  before(async () => {
    names = await NameServer.start({ records: { 'site.test': ['127.0.0.1', '::1'], 'four.test': ['127.0.0.2'] } });
  });
  after(() => names.stop());

  it('answers from its records and counts', async () => {
    assert.deepEqual(await resolver().resolve4('site.test'), ['127.0.0.1']);
    assert.deepEqual(await resolver().resolve6('SITE.test'), ['::1']);
    assert.equal(await errorCode(resolver().resolve6('four.test')), 'ENODATA');
    assert.equal(await errorCode(resolver().resolve4('none.test')), 'ENOTFOUND');
    assert.equal(names.countQueries('site.test', 'AAAA'), 1);
    assert.equal(names.countQueries('site.test'), 2);
  });

  it('fails in each way', async () => {
    for (const [kind, code] of [
      ['nxdomain', 'ENOTFOUND'],
      ['servfail', 'ESERVFAIL'],
      ['refused', 'EREFUSED'],
    ] as const) {
      names.behave({ kind });
      assert.equal(await errorCode(resolver().resolve4('site.test')), code);
    }
    names.behave({ kind: 'hijack', address: '127.0.0.66' });
    assert.deepEqual(await resolver().resolve4('any.test'), ['127.0.0.66']);
    names.behave({ kind: 'slow', delayMs: 150 });
    const start = performance.now();
    assert.deepEqual(await resolver().resolve4('site.test'), ['127.0.0.1']);
    assert.ok(performance.now() - start >= 145);
    names.behave({ kind: 'answer' });
  });

  it('treats A and AAAA apart', async () => {
    names.behave({ kind: 'silent' }, ['AAAA']);
    assert.deepEqual(await resolver().resolve4('site.test'), ['127.0.0.1']);
    const asked = names.countQueries('site.test', 'AAAA');
    const slow = resolver();
    const answer = errorCode(slow.resolve6('site.test'));
    await names.waitForQueries(names.queries.length + (names.countQueries('site.test', 'AAAA') > asked ? 0 : 1));
    slow.cancel();
    assert.equal(await answer, 'ECANCELLED');
    names.behave({ kind: 'answer' });
  });

  it('truncates over UDP and answers over TCP', async () => {
    names.behave({ kind: 'truncated' });
    assert.deepEqual(await resolver().resolve4('site.test'), ['127.0.0.1']);
    assert.deepEqual(
      names.queries.slice(-2).map(({ transport }) => transport),
      ['udp', 'tcp'],
    );
    names.behave({ kind: 'answer' });
  });
});

describe('the Web PubSub service', () => {
  let service: WebPubSubServer;
  before(async () => {
    service = await WebPubSubServer.start({ secure: false });
  });
  after(() => service.stop());
  const open = (t: TestContext, access: ClientAccessOptions = {}, subprotocol = RELIABLE): RawClient =>
    connect(t, service.clientAccessUrl(access), subprotocol);
  const recoveryUrl = (connected: Frame, access: ClientAccessOptions = {}): string =>
    `${service.clientAccessUrl(access)}&awps_connection_id=${String(connected['connectionId'])}` +
    `&awps_reconnection_token=${String(connected['reconnectionToken'])}`;

  it('refuses in the handshake: bad tokens 401, no role 403, unknown places 404', async () => {
    assert.equal((await refusal(service.clientAccessUrl({ expiresInSecs: -1 }))).status, 401);
    assert.equal((await refusal(service.clientAccessUrl({ signingKey: 'another' }))).status, 401);
    assert.equal(
      (await refusal(service.clientAccessUrl({ claims: { aud: 'wss://other/client/hubs/x' } }))).status,
      401,
    );
    assert.equal((await refusal(service.clientAccessUrl().replace(/\?.*/, ''))).status, 401);
    assert.equal((await refusal(service.clientAccessUrl({ roles: [] }))).status, 403);
    assert.equal((await refusal(service.clientAccessUrl({ hub: 'unknown' }))).status, 404);
    assert.equal((await refusal(service.clientAccessUrl().replace('/client/hubs/', '/elsewhere/'))).status, 404);
    assert.equal((await refusal(service.clientAccessUrl(), 'mqtt')).status, 400);
  });

  it('refuses with any status and Retry-After when told to, as often as told', async (t) => {
    service.behaveOnHandshake({ kind: 'status', status: 429, retryAfterSecs: 7, times: 1 });
    assert.deepEqual(await refusal(service.clientAccessUrl()), { status: 429, retryAfter: '7' });
    await open(t).frame({ event: 'connected' });
  });

  it('greets with a connected frame; the reconnection token only on the reliable subprotocol', async (t) => {
    const reliable = await open(t, { userId: 'u1' }).frame({ type: 'system' });
    assert.equal(reliable['event'], 'connected');
    assert.equal(reliable['userId'], 'u1');
    assert.equal(typeof reliable['connectionId'], 'string');
    assert.equal(typeof reliable['reconnectionToken'], 'string');
    const simple = await open(t, { userId: 'u2' }, SIMPLE).frame({ type: 'system' });
    assert.deepEqual(Object.keys(simple).sort(), ['connectionId', 'event', 'type', 'userId']);
  });

  it('answers ping, in JSON and in WebSocket frames', async (t) => {
    const client = open(t);
    await client.frame({ event: 'connected' });
    client.send({ type: 'ping' });
    assert.deepEqual(await client.frame({ type: 'pong' }), { type: 'pong' });
    client.socket.ping('x');
    const [data] = (await once(client.socket, 'pong')) as [Buffer];
    assert.equal(data.toString(), 'x');
  });

  it('delivers to members, to the sender only without noEcho, in all three data types, numbered', async (t) => {
    const one = open(t, { userId: 'one' });
    const two = open(t, { userId: 'two' });
    const plain = open(t, { userId: 'plain' }, SIMPLE);
    for (const client of [one, two, plain]) {
      await client.frame({ event: 'connected' });
      await client.join('g1');
    }
    one.send({ type: 'sendToGroup', group: 'g1', ackId: 2, noEcho: true, dataType: 'json', data: { a: [1] } });
    one.send({ type: 'sendToGroup', group: 'g1', ackId: 3, noEcho: true, dataType: 'text', data: 'hello' });
    one.send({ type: 'sendToGroup', group: 'g1', ackId: 4, dataType: 'binary', data: 'AAEC' });
    await one.frame({ type: 'ack', ackId: 4 });
    const common = { type: 'message', from: 'group', group: 'g1', fromUserId: 'one' };
    await two.frame({ type: 'message', sequenceId: 3 });
    assert.deepEqual(two.messages(), [
      { ...common, dataType: 'json', data: { a: [1] }, sequenceId: 1 },
      { ...common, dataType: 'text', data: 'hello', sequenceId: 2 },
      { ...common, dataType: 'binary', data: 'AAEC', sequenceId: 3 },
    ]);
    await one.settle();
    assert.deepEqual(one.messages(), [{ ...common, dataType: 'binary', data: 'AAEC', sequenceId: 1 }]);
    await plain.frame({ dataType: 'binary' });
    assert.ok(plain.messages().every((frame) => !('sequenceId' in frame)));
    assert.deepEqual(
      service.messages.filter(({ group }) => group === 'g1').map(({ ackId, noEcho }) => [ackId, noEcho]),
      [
        [2, true],
        [3, true],
        [4, false],
      ],
    );
  });

  it('stops delivering after leaveGroup, and sends its own messages as from server', async (t) => {
    const client = open(t, { userId: 'leaver' });
    await client.frame({ event: 'connected' });
    await client.join('g2');
    client.send({ type: 'leaveGroup', group: 'g2', ackId: 2 });
    await client.frame({ ackId: 2 });
    service.sendToGroup('g2', 'unheard');
    service.sendFromServer({ note: 1 }, 'json', { userId: 'leaver' });
    await client.settle();
    assert.deepEqual(client.messages(), [
      { type: 'message', from: 'server', dataType: 'json', data: { note: 1 }, sequenceId: 1 },
    ]);
  });

  it('acknowledges failures: Forbidden by role, InternalServerError when told', async (t) => {
    const client = open(t, { roles: ['webpubsub.joinLeaveGroup.mine', 'webpubsub.sendToGroup.mine'] });
    await client.frame({ event: 'connected' });
    await client.join('mine');
    client.send({ type: 'joinGroup', group: 'other', ackId: 2 });
    client.send({ type: 'sendToGroup', group: 'other', ackId: 3, dataType: 'text', data: '' });
    for (const ackId of [2, 3]) {
      const ack = await client.frame({ type: 'ack', ackId });
      assert.equal(ack['success'], false);
      assert.equal((ack['error'] as Frame)['name'], 'Forbidden');
    }
    service.behaveOnAcks({ kind: 'fail', error: 'InternalServerError', types: ['sendToGroup'], times: 1 });
    client.send({ type: 'sendToGroup', group: 'mine', ackId: 4, dataType: 'text', data: 'x' });
    assert.equal(((await client.frame({ ackId: 4 }))['error'] as Frame)['name'], 'InternalServerError');
    client.frames.length = 0;
    client.send({ type: 'sendToGroup', group: 'mine', ackId: 4, noEcho: true, dataType: 'text', data: 'x' });
    assert.equal((await client.frame({ ackId: 4 }))['success'], true, 'a failed ackId may be sent again');
  });

  it('withholds acks, handles the frame all the same, and answers the resent one Duplicate', async (t) => {
    const client = open(t);
    await client.frame({ event: 'connected' });
    await client.join('g3');
    service.behaveOnAcks({ kind: 'withhold', types: ['sendToGroup'] });
    const frame = { type: 'sendToGroup', group: 'g3', ackId: 5, noEcho: true, dataType: 'text', data: 'once' };
    client.send(frame);
    client.send({ type: 'joinGroup', group: 'g4', ackId: 6 });
    await client.frame({ ackId: 6 });
    assert.equal(
      client.frames.some(({ ackId }) => ackId === 5),
      false,
    );
    service.behaveOnAcks({ kind: 'normal' });
    client.send(frame);
    const ack = await client.frame({ ackId: 5 });
    assert.deepEqual([ack['success'], (ack['error'] as Frame)['name']], [false, 'Duplicate']);
    assert.equal(service.messages.filter(({ data }) => data === 'once').length, 1);
  });

  it('recovers a dropped session: groups kept, unacknowledged messages again, in order, ackIds remembered', async (t) => {
    const client = open(t, { userId: 'recoverer' });
    const connected = await client.frame({ event: 'connected' });
    await client.join('g5');
    for (const data of [1, 2, 3]) service.sendToGroup('g5', data);
    await client.frame({ sequenceId: 3 });
    client.send({ type: 'sequenceAck', sequenceId: 1 });
    await client.settle();
    service.drop({ userId: 'recoverer' });
    assert.equal((await client.closed()).code, 1006);
    service.sendToGroup('g5', 4);
    // The access token plays no part in a recovery.
    const again = connect(t, recoveryUrl(connected, { expiresInSecs: -1 }));
    assert.deepEqual(await again.frame({ event: 'connected' }), connected);
    await again.settle();
    assert.deepEqual(
      again.messages().map(({ data, sequenceId }) => [data, sequenceId]),
      [
        [2, 2],
        [3, 3],
        [4, 4],
      ],
    );
    again.send({ type: 'joinGroup', group: 'g5', ackId: 1 });
    assert.equal(((await again.frame({ ackId: 1 }))['error'] as Frame)['name'], 'Duplicate');
    service.sendToGroup('g5', 5);
    assert.equal((await again.frame({ data: 5 }))['sequenceId'], 5);
    assert.equal(service.maxLiveConnections('recoverer'), 1);
  });

  it('closes a recovery with 1008 when the token is wrong, the session forgotten, ended or too old', async (t) => {
    const first = open(t, { userId: 'gone' });
    const connected = await first.frame({ event: 'connected' });
    service.drop({ userId: 'gone' });
    const wrong = connect(t, recoveryUrl({ ...connected, reconnectionToken: 'wrong' }));
    assert.equal((await wrong.closed()).code, 1008);
    assert.equal(wrong.frames[0]?.['event'], 'disconnected');
    service.forgetSessions();
    assert.equal((await connect(t, recoveryUrl(connected)).closed()).code, 1008);

    const second = open(t, { userId: 'gone' });
    const polite = await second.frame({ event: 'connected' });
    second.socket.close();
    await second.closed();
    await service.waitUntil(() => service.sessions.every(({ userId }) => userId !== 'gone'), 'the session to end');
    assert.equal((await connect(t, recoveryUrl(polite)).closed()).code, 1008);

    const forgetful = await WebPubSubServer.start({ secure: false, sessionRetentionMs: 20 });
    t.after(() => forgetful.stop());
    const third = connect(t, forgetful.clientAccessUrl());
    const old = await third.frame({ event: 'connected' });
    forgetful.drop();
    await forgetful.waitUntil(() => forgetful.sessions.length === 0, 'the session to expire');
    const late = connect(
      t,
      `${forgetful.clientAccessUrl()}&awps_connection_id=${String(old['connectionId'])}` +
        `&awps_reconnection_token=${String(old['reconnectionToken'])}`,
    );
    assert.equal((await late.closed()).code, 1008);
  });

  it('lets a recovery replace a socket that is still open, and notices that there were two', async (t) => {
    const first = open(t, { userId: 'twice' });
    const connected = await first.frame({ event: 'connected' });
    const second = connect(t, recoveryUrl(connected));
    await second.frame({ event: 'connected' });
    await first.closed();
    await service.waitForLive(1, { userId: 'twice' });
    assert.equal(service.maxLiveConnections('twice'), 2);
    await second.settle();
  });

  it('says disconnected before it closes', async (t) => {
    const client = open(t, { userId: 'closed' });
    const connected = await client.frame({ event: 'connected' });
    service.close(1001, 'maintenance', { userId: 'closed' });
    assert.deepEqual(await client.closed(), { code: 1001, reason: 'maintenance' });
    assert.deepEqual(client.frames.at(-1), { type: 'system', event: 'disconnected', message: 'maintenance' });
    await service.waitUntil(
      () => service.sessions.some(({ dropped, userId }) => dropped && userId === 'closed'),
      'drop',
    );
    await connect(t, recoveryUrl(connected)).frame({ event: 'connected' });
  });

  it('ends a connection that breaks the protocol or sends more than 1 MB', async (t) => {
    for (const text of [
      'not json',
      '[]',
      '{"type":"nonsense"}',
      '{"type":"joinGroup"}',
      '{"type":"sendToGroup","group":"g"}',
    ]) {
      const client = open(t);
      await client.frame({ event: 'connected' });
      client.socket.send(text);
      assert.equal((await client.closed()).code, 1007, text);
      assert.equal(client.frames.at(-1)?.['event'], 'disconnected');
    }
    const client = open(t);
    await client.frame({ event: 'connected' });
    client.send({ type: 'sendToGroup', group: 'g', dataType: 'text', data: 'x'.repeat(1_048_576) });
    assert.equal((await client.closed()).code, 1009);
  });

  it('hangs before the handshake, or after it', async (t) => {
    service.behaveOnHandshake({ kind: 'hang' });
    const upgrades = service.counts.upgrades;
    const before = open(t);
    await service.waitUntil(() => service.counts.upgrades > upgrades, 'the upgrade request');
    assert.equal(before.socket.readyState, WebSocket.CONNECTING);
    service.behaveOnHandshake({ kind: 'hang-after' });
    const mute = open(t);
    await once(mute.socket, 'open');
    mute.send({ type: 'ping' });
    mute.socket.ping();
    await once(mute.socket, 'pong');
    assert.deepEqual(mute.frames, []);
    await service.repair();
  });

  it('goes half-open: no frame, no pong, TCP stays; healed, it goes on without loss', async (t) => {
    const client = open(t, { userId: 'half' });
    await client.frame({ event: 'connected' });
    await client.join('g6');
    assert.equal(service.goHalfOpen({ userId: 'half' }), 1);
    assert.equal(service.liveConnections('half').length, 0);
    let pongs = 0;
    client.socket.on('pong', () => (pongs += 1));
    client.socket.ping();
    client.send({ type: 'ping' });
    service.sendToGroup('g6', 'late');
    const other = open(t);
    await other.frame({ event: 'connected' });
    await other.settle();
    assert.equal(client.messages().length, 0);
    assert.equal(pongs, 0);
    assert.equal(client.socket.readyState, WebSocket.OPEN);
    service.heal();
    await client.frame({ type: 'pong' });
    await client.frame({ data: 'late' });
  });

  it('sends raw frames, and is slow in order', async (t) => {
    const client = open(t, { userId: 'raw' });
    await client.frame({ event: 'connected' });
    const got = once(client.socket, 'message');
    service.sendRaw('{"type":"odd"}', { userId: 'raw' });
    assert.equal(((await got) as [Buffer])[0].toString(), '{"type":"odd"}');
    await client.join('g7');
    service.frameDelayMs = 60;
    const start = performance.now();
    service.sendToGroup('g7', 1);
    service.frameDelayMs = 0;
    service.sendToGroup('g7', 2);
    await client.frame({ data: 2 });
    assert.ok(performance.now() - start >= 58);
    assert.deepEqual(
      client.messages().map(({ data }) => data),
      [1, 2],
    );
  });

  it('refuses TCP and comes back on its port', async (t) => {
    await service.refuseTcp();
    const client = open(t);
    const [error] = (await once(client.socket, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
    await service.acceptTcp();
    await open(t).frame({ event: 'connected' });
  });

  it('negotiates, or fails to', async (t) => {
    service.negotiateAccess = { userId: 'negotiator' };
    const calls = service.counts.negotiations;
    const answer = (await (await fetch(service.negotiateUrl)).json()) as { url: string };
    const connected = await connect(t, answer.url).frame({ event: 'connected' });
    assert.equal(connected['userId'], 'negotiator');
    service.behaveOnNegotiate({ kind: 'status', status: 429, retryAfterSecs: 9, times: 1 });
    const refused = await fetch(service.negotiateUrl);
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '9']);
    service.behaveOnNegotiate({ kind: 'body', body: 'nonsense' });
    assert.equal(await (await fetch(service.negotiateUrl)).text(), 'nonsense');
    assert.equal(service.counts.negotiations - calls, 3);
    await service.repair();
  });

  it('rejects a waiter at its deadline, saying what was there', async () => {
    await assert.rejects(service.waitForMember('nobody', { timeoutMs: 20 }), (error) => {
      assert.ok(error instanceof WaitTimeoutError);
      assert.match(error.message, /waited 20 ms for 1 member\(s\) of group nobody; there is 0/);
      return true;
    });
  });
});

describe('the gate', () => {
  it('passes, delays, drops, refuses, and black-holes open connections', async (t) => {
    const echo = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.pipe(socket);
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const gate = await TcpGate.start({
      upstream: { address: '127.0.0.1', port: (echo.address() as net.AddressInfo).port },
    });
    t.after(async () => {
      await gate.stop();
      echo.close();
    });
    const dial = async (): Promise<net.Socket> => {
      const socket = net.connect(gate.port, gate.address);
      socket.on('error', () => undefined);
      t.after(() => socket.destroy());
      await once(socket, 'connect');
      return socket;
    };
    const say = async (socket: net.Socket, text: string): Promise<void> => {
      const answer = once(socket, 'data');
      socket.write(text);
      assert.equal(((await answer) as [Buffer])[0].toString(), text);
    };
    const first = await dial();
    await say(first, 'a');
    await gate.behave({ kind: 'open', delayMs: 50 });
    const start = performance.now();
    await say(first, 'b');
    assert.ok(performance.now() - start >= 95, 'both ways');
    await gate.behave({ kind: 'black-hole' });
    const late = once(first, 'data');
    first.write('c');
    const hung = await dial();
    hung.write('never');
    const closed = whenClosed(hung);
    await gate.behave({ kind: 'open' });
    assert.equal(((await late) as [Buffer])[0].toString(), 'c');
    await closed;
    await gate.behave({ kind: 'refuse' });
    await whenClosed(first);
    assert.equal(await errorCode(dial()), 'ECONNREFUSED');
    await gate.behave({ kind: 'open' });
    const second = await dial();
    await say(second, 'd');
    gate.drop();
    await whenClosed(second);
  });
});

describe('the local cloud', () => {
  it('lets a device and a browser meet over TLS; an outage hits the device alone; repair brings it back', async (t) => {
    const cloud = await LocalCloud.start();
    t.after(() => cloud.stop());
    const browser = await cloud.joinAsBrowser();
    const device = connect(t, cloud.clientAccessUrl(), RELIABLE, cloud.ca.certificatePem);
    const connected = await device.frame({ event: 'connected' });
    await device.join(cloud.group);
    await cloud.pubsub.waitForMember(cloud.group, { count: 2 });
    device.send({ type: 'sendToGroup', group: cloud.group, ackId: 2, noEcho: true, dataType: 'json', data: { n: 1 } });
    assert.deepEqual((await browser.waitForMessage()).data, { n: 1 });
    await browser.send({ n: 2 });
    assert.deepEqual((await device.frame({ type: 'message' }))['data'], { n: 2 });

    await cloud.breakInternet('refused');
    await device.closed();
    assert.equal(await errorCode(head(cloud.site)), 'ECONNREFUSED');
    await cloud.pubsub.waitForLive(0, { userId: 'device' });
    await browser.send({ n: 3 });
    await cloud.repairInternet();
    assert.equal((await head(cloud.site)).status, 200);
    const url =
      `${cloud.clientAccessUrl()}&awps_connection_id=${String(connected['connectionId'])}` +
      `&awps_reconnection_token=${String(connected['reconnectionToken'])}`;
    const again = connect(t, url, RELIABLE, cloud.ca.certificatePem);
    assert.equal((await again.frame({ sequenceId: 2 }))['fromUserId'], 'browser');

    await cloud.breakInternet('silent');
    assert.equal(await errorCode(head(cloud.site, { signal: AbortSignal.timeout(200) })), 'ABORT_ERR');
    await browser.send({ n: 4 });
    assert.equal(
      again.frames.some(({ sequenceId }) => sequenceId === 3),
      false,
    );
    await cloud.repairInternet();
    await again.frame({ sequenceId: 3 });

    await cloud.breakInternet('portal');
    await again.closed();
    assert.equal(await errorCode(head(cloud.site)), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  });

  it('leaves nothing after stop: a process that used all of it, outages included, ends by itself', async (t) => {
    const script = `
      import { existsSync } from 'node:fs';
      import { LocalCloud } from ${JSON.stringify(new URL('../support/local-cloud.js', import.meta.url).href)};
      const cloud = await LocalCloud.start();
      await cloud.joinAsBrowser();
      for (const outage of ['silent', 'refused', 'portal']) {
        await cloud.breakInternet(outage);
        await cloud.repairInternet();
      }
      await cloud.breakInternet('refused');
      await cloud.stop();
      if (existsSync(cloud.caFile)) process.exitCode = 1;
    `;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' });
    t.after(() => child.kill('SIGKILL'));
    const [code] = (await once(child, 'exit', { signal: AbortSignal.timeout(30_000) })) as [number | null];
    assert.equal(code, 0);
  });
});
