import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { onTheWire } from '../../src/main/remote/messages.js';
import type { GroupDecision } from '../../src/main/remote/router.js';
import {
  MAX_BUS_BYTES,
  MAX_GROUP_BYTES,
  isPlainToken,
  routeFromBus,
  routeFromGroup,
} from '../../src/main/remote/router.js';
import { read } from '../support/json-text.js';

const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

const routed = (message: unknown): GroupDecision => routeFromGroup({ data: message, text: JSON.stringify(message) });
const routedText = (text: string): GroupDecision => routeFromGroup({ data: JSON.parse(text) as unknown, text });
/** What the bus is handed. */
const payload = (decision: GroupDecision): unknown => decision.kind === 'forward' && read(decision.payload);

describe('routing from the group', () => {
  it('forwards the whole message with the subject cut after the first dot', () => {
    const message = { subject: 'core.dunebugger_set', body: 'sw 1 on', connectionId: 'abc', extra: [1] };
    const decision = routed(message);
    assert.ok(decision.kind === 'forward');
    const { recipient, subject, body, connectionId } = decision;
    assert.deepEqual([recipient, subject, body, connectionId], ['core', 'dunebugger_set', 'sw 1 on', 'abc']);
    assert.equal(
      decision.payload.text,
      '{"subject":"dunebugger_set","body":"sw 1 on","connectionId":"abc","extra":[1]}',
    );
  });

  for (const [subject, kind] of [
    ['core.refresh_sequence', 'forward'],
    ['core.get_sequence', 'forward'],
    ['core.refresh_gpios', 'forward'],
    ['core.heartbeat', 'forward'],
    ['core.terminal_command', 'forward'],
    ['core.schedule_command', 'forward'],
    ['scheduler.heartbeat', 'forward'],
    ['controller.heartbeat', 'heartbeat'],
    ['controller.system_info', 'system-info'],
    ['controller.dance', 'unknown'],
    ['lights.on', 'unknown'],
    ['heartbeat', 'ignore'],
    ['', 'ignore'],
    ['Core.x', 'unknown'],
    ['core.', 'refuse'],
    ['.core', 'refuse'],
    ['core.*', 'refuse'],
    ['core.>', 'refuse'],
    ['*.x', 'refuse'],
    ['core.a.b', 'refuse'],
    ['core..a', 'refuse'],
    ['core.a b', 'refuse'],
    ['core.a\r\nPUB x 0\r\n', 'refuse'],
    ['core.a\n', 'refuse'],
    ['core.ä', 'refuse'],
    ['core.$SYS', 'refuse'],
    [`core.${'a'.repeat(65)}`, 'refuse'],
    [`core.${'a'.repeat(64)}`, 'forward'],
  ] as const) {
    it(`${JSON.stringify(subject.slice(0, 30))}: ${kind}`, () => {
      assert.equal(routed({ subject, body: 'x', connectionId: 'c' }).kind, kind);
    });
  }

  it('ignores what a controller sent, whatever else it holds', () => {
    assert.deepEqual(routed({ source: 'controller', subject: 'core.dunebugger_set', body: 'x' }), {
      kind: 'ignore',
      reason: 'own',
    });
  });

  it('takes a message without a body or a connection id, as the front end may send it', () => {
    assert.equal(routed({ subject: 'core.get_sequence', connectionId: null }).kind, 'forward');
    assert.equal(routed({ subject: 'controller.heartbeat' }).kind, 'heartbeat');
  });

  for (const [name, message, reason] of [
    ['null', null, 'not-an-object'],
    ['text', 'core.x', 'not-an-object'],
    ['a list', [{ subject: 'core.x' }], 'not-an-object'],
    ['no subject', { body: 1 }, 'no-subject'],
    ['a number as subject', { subject: 7 }, 'no-subject'],
    ['a list as subject', { subject: ['core.x'] }, 'no-subject'],
    ['an object as connection id', { subject: 'core.x', connectionId: {} }, 'bad-connection-id'],
    ['a long connection id', { subject: 'core.x', connectionId: 'c'.repeat(257) }, 'bad-connection-id'],
    ['10 MB', { subject: 'core.x', body: 'x'.repeat(10_000_000) }, 'too-large'],
    ['10 MB of little things', { subject: 'core.x', body: Array.from({ length: 5_000_000 }, () => 0) }, 'too-large'],
    ['a long subject', { subject: `core.${'x'.repeat(MAX_GROUP_BYTES)}` }, 'too-large'],
  ] as const) {
    it(`refuses ${name}`, () => {
      const decision = routed(message);
      assert.equal(decision.kind === 'refuse' && decision.reason, reason);
    });
  }

  it('refuses 100,000 levels, wherever they are', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const deep = `${open.repeat(100_000)}1${close.repeat(100_000)}`;
      for (const text of [`{"subject":"core.x","body":${deep}}`, `{"a":${deep},"subject":"core.x"}`]) {
        const decision = routedText(text);
        assert.equal(decision.kind === 'refuse' && decision.reason, 'too-deep');
      }
    }
  });

  it('says who sent what it refuses, as far as that is said', () => {
    for (const [message, asker] of [
      [
        { subject: 'core.*', connectionId: 'abc' },
        { subject: 'core.*', connectionId: 'abc' },
      ],
      [{ subject: 'core.*', connectionId: 'two words' }, { subject: 'core.*' }],
      [{ subject: 7, connectionId: 'abc' }, { connectionId: 'abc' }],
      [{ subject: 'lights.on', connectionId: null }, { subject: 'lights.on' }],
      [7, {}],
    ] as const) {
      const decision = routed(message);
      assert.deepEqual((decision.kind === 'refuse' || decision.kind === 'unknown') && decision.asker, asker);
    }
  });

  it('counts bytes of UTF-8, not characters', () => {
    const fits = { subject: 'core.x', body: '' };
    const room = MAX_GROUP_BYTES - Buffer.byteLength(JSON.stringify(fits));
    assert.equal(routed({ ...fits, body: 'x'.repeat(room) }).kind, 'forward');
    assert.equal(routed({ ...fits, body: 'x'.repeat(room + 1) }).kind, 'refuse');
    assert.equal(routed({ ...fits, body: 'ä'.repeat(room / 2 + 1) }).kind, 'refuse');
    assert.equal(routed({ ...fits, body: '\u0001'.repeat(room / 6 + 1) }).kind, 'refuse');
  });

  it('never makes anything but a plain token of a subject', () => {
    const piece = fc.constantFrom(
      'core',
      'scheduler',
      '.',
      '*',
      '>',
      ' ',
      '\r\n',
      '\0',
      '$SYS',
      'a',
      'ß',
      '-',
      '_',
      '\u2028',
    );
    const subject = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      fc.string({ unit: 'binary' }).map((rest) => `core.${rest}`),
    );
    fc.assert(
      fc.property(subject, fc.jsonValue(), (text, body) => {
        const message = { subject: text, body, connectionId: 'c' };
        // What JSON makes of it: it has no -0.
        const wire = JSON.parse(JSON.stringify(message)) as object;
        const decision = routed(message);
        if (decision.kind !== 'forward') return;
        assert.match(`root.${decision.recipient}.${decision.subject}`, /^root\.(core|scheduler)\.[A-Za-z0-9_-]{1,64}$/);
        assert.equal(`${decision.recipient}.${decision.subject}`, text);
        assert.deepEqual(payload(decision), { ...wire, subject: decision.subject });
      }),
      { numRuns: 500 },
    );
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        routed(value);
        routed({ subject: 'core.x', body: value });
        routed({ subject: value });
        routed({ subject: 'core.x', connectionId: value });
      }),
    );
  });
});

describe('routing from the bus', () => {
  for (const subject of [
    'gpio_state',
    'sequence_state',
    'sequence',
    'playing_time',
    'log',
    'current_schedule',
    'next_actions',
    'last_executed_action',
  ]) {
    it(`relays ${subject}`, () => {
      const decision = routeFromBus(subject, bytes({ body: { a: 1 }, subject, source: 'core' }));
      assert.deepEqual(decision.kind === 'relay' && read(onTheWire(decision.message)), {
        body: { a: 1 },
        subject,
        source: 'controller',
        destination: 'broadcast',
      });
    });
  }

  it('relays with the subject of the message itself', () => {
    const decision = routeFromBus('sequence', bytes({ body: null, subject: 'sequence_state', source: 'core' }));
    assert.equal(decision.kind === 'relay' && decision.message.subject, 'sequence_state');
  });

  it('lets through the connection id a component names, and nothing else as destination', () => {
    const to = (destination: unknown): unknown => {
      const decision = routeFromBus('log', bytes({ body: 'x', subject: 'log', source: 'core', destination }));
      return decision.kind === 'relay' && decision.message.destination;
    };
    assert.equal(to('tqX-1_a.b'), 'tqX-1_a.b');
    assert.equal(to('two words'), 'broadcast');
    assert.equal(to({}), 'broadcast');
    assert.equal(to('x'.repeat(257)), 'broadcast');
  });

  for (const [name, message, expected] of [
    ['the usual answer', { body: 'alive', source: 'core' }, { component: 'core' }],
    [
      'a version beside the body',
      { body: 'alive', source: 'scheduler', version: '1.2.3' },
      { component: 'scheduler', version: '1.2.3' },
    ],
    [
      'a version in the body',
      { body: { version: '1.2', full_version: '1.2-beta.3' }, source: 'core' },
      { component: 'core', version: '1.2-beta.3' },
    ],
    ['something that is no version', { body: 'alive', source: 'core', version: '<b>' }, { component: 'core' }],
  ] as const) {
    it(`takes a heartbeat with ${name}`, () => {
      assert.deepEqual(routeFromBus('heartbeat', bytes({ subject: 'heartbeat', ...message })), {
        kind: 'alive',
        ...expected,
      });
    });
  }

  for (const [name, token, data, expected] of [
    [
      'a heartbeat of nobody known',
      'heartbeat',
      bytes({ body: 'alive', subject: 'heartbeat', source: 'x' }),
      'unknown',
    ],
    ['an unknown subject', 'get_version', bytes({ body: 1, subject: 'get_version', source: 'core' }), 'unknown'],
    ['no JSON', 'log', Buffer.from('{'), 'not-json'],
    ['nothing', 'log', Buffer.alloc(0), 'not-json'],
    ['no UTF-8', 'log', Buffer.from([0x22, 0xff, 0x22]), 'not-utf8'],
    ['a list', 'log', bytes([]), 'not-an-object'],
    ['no body', 'log', bytes({ subject: 'log', source: 'core' }), 'no-body'],
    ['no subject', 'log', bytes({ body: 1, source: 'core' }), 'no-subject'],
    ['a subject that is not relayed', 'log', bytes({ body: 1, subject: 'heartbeat' }), 'bad-subject'],
    ['1 MB', 'log', bytes({ body: 'x'.repeat(MAX_BUS_BYTES), subject: 'log' }), 'too-large'],
    ['deep JSON', 'log', Buffer.from(`{"subject":"log","body":${'['.repeat(9999)}${']'.repeat(9999)}}`), 'too-deep'],
  ] as const) {
    it(`does not relay ${name}`, () => {
      const decision = routeFromBus(token, data);
      assert.equal(decision.kind === 'refuse' ? decision.reason : decision.kind, expected);
    });
  }

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.constantFrom('log', 'heartbeat', 'x'), fc.uint8Array(), fc.anything(), (token, data, value) => {
        routeFromBus(token, data);
        let text: string | undefined;
        try {
          text = JSON.stringify({ subject: token, body: value });
        } catch {
          return;
        }
        routeFromBus(token, Buffer.from(text));
      }),
    );
  });
});

describe('a token of a NATS subject', () => {
  it('is plain', () => {
    for (const token of ['a', 'A-Z_0', '0']) assert.ok(isPlainToken(token));
    for (const token of ['', '*', '>', 'a.b', 'a ', '\ta', 'a\n', 'é']) assert.ok(!isPlainToken(token));
  });
});
