/** 10,000 malformed or hostile frames over a real socket: the process lives, the log stays bounded, the session works afterwards. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { parseFrame } from '../../src/main/connection/web-pubsub/frames.js';
import { BareServer } from './web-pubsub-bare-server.js';
import { Fixture, eventually } from './web-pubsub-fixture.js';

const hostileNumber = fc.constantFrom(0, -1, 0.5, 1e308, 2 ** 53, Number.MAX_SAFE_INTEGER, 1, 2, 3);
const hostile = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  hostileNumber,
  fc.constantFrom(
    '',
    'g',
    'group',
    'connected',
    'x'.repeat(5_000),
    '__proto__',
    '\u0000\n<3>forged',
    null,
    true,
    [],
    {},
  ),
);
const names = [
  ...['ackId', 'success', 'error', 'event', 'connectionId', 'reconnectionToken', 'userId', 'message', 'from', 'group'],
  ...['fromUserId', 'dataType', 'data', 'invocationId', '__proto__', 'constructor', 'toString'],
];

/** Shaped like the protocol, with something wrong in it. */
const nearlyRight = fc
  .record({
    type: fc.constantFrom('system', 'message', 'ack', 'pong', 'invokeResponse', 'cancelInvocation', 'unheard-of'),
    fields: fc.array(fc.tuple(fc.constantFrom(...names), hostile), { maxLength: 8 }),
    sequenceId: fc.option(fc.constantFrom<unknown>(-1, 0.5, '1', null, {}, Number.MAX_SAFE_INTEGER, 2 ** 60), {
      nil: undefined,
    }),
    right: fc.constantFrom(
      '"event":"connected","connectionId":"stranger","reconnectionToken":"t"',
      '"from":"group","group":"g","dataType":"json","data":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
      '"ackId":999999,"success":true',
      '"event":"disconnected","message":"\\n<3>forged"',
      '"from":"server","dataType":"binary","data":"####"',
    ),
  })
  .map(({ type, fields, sequenceId, right }) => {
    const parts = fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
    if (sequenceId !== undefined) parts.push(`"sequenceId":${JSON.stringify(sequenceId)}`);
    return `{"type":"${type}",${[right, ...parts].join(',')}}`;
  });

const frame = fc.oneof(
  { weight: 6, arbitrary: nearlyRight },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 200 }) },
  { weight: 2, arbitrary: fc.json() },
  { weight: 1, arbitrary: nearlyRight.chain((text) => fc.nat(text.length).map((end) => text.slice(0, end))) },
  {
    weight: 1,
    arbitrary: fc.nat(3_000).map((depth) => `{"type":"message","data":${'['.repeat(depth)}${']'.repeat(depth)}}`),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }) },
);

it('10,000 hostile frames', async () => {
  const server = await BareServer.start();
  const fixture = new Fixture(server.url);
  const session = await fixture.open();
  try {
    server.publish('before');
    for (const hostileFrame of fc.sample(frame, { numRuns: 10_000, seed: 20_24 })) {
      server.kept.ws!.send(hostileFrame);
    }
    server.publish('after');
    await fixture.until(() => fixture.data.includes('after'));
    assert.deepEqual(await session.send('works', 10_000), { outcome: 'sent' });
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
    for (const event of fixture.events) {
      if (event.kind === 'message') assert.equal(typeof event.message.group, 'string');
      else assert.fail(event.kind);
      assert.ok(!JSON.stringify(event.message.data).includes('__proto__'));
    }
    assert.ok(fixture.logged.length <= 5, `${fixture.logged.length} log lines`);
    assert.doesNotMatch(JSON.stringify(fixture.logged), /forged/);
    // Still the same session, and the recovery asks for it, not for a stranger's.
    server.drop();
    await fixture.until(() => fixture.count('recovered') === 1);
    assert.match(server.requests.at(-1)!, /awps_connection_id=connection-1&awps_reconnection_token=token$/);
    server.publish('after the recovery');
    await fixture.until(() => fixture.data.includes('after the recovery'));
    assert.equal(fixture.data.filter((data) => data === 'after').length, 1);
  } finally {
    await fixture.close();
    await server.close();
  }
});

it('bytes that are no WebSocket end the session, never the process', async () => {
  for (const bytes of [
    [0xff, 0xff],
    [0x81, 0x02, 0xc3, 0x28],
    [0x89, 0x7e, 0xff, 0xff],
    [0x81, 0x7f, 0x7f, 0, 0, 0, 0, 0, 0, 0],
  ]) {
    const server = await BareServer.start();
    const fixture = new Fixture(server.url);
    await fixture.open();
    for (const socket of server.sockets) socket.write(Buffer.from(bytes));
    await fixture.until(() => fixture.count('ended') === 1);
    await eventually(() => server.sockets.size === 0);
    assert.deepEqual(fixture.kinds, ['ended']);
    await fixture.close();
    await server.close();
  }
});

it('reading a frame never throws, and what comes out serialises', () => {
  fc.assert(
    fc.property(frame, (value) => {
      if (typeof value !== 'string') return;
      const parsed = parseFrame(value);
      JSON.stringify(parsed);
    }),
    { numRuns: 2_000 },
  );
});
