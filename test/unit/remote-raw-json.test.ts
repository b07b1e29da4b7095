/** JSON that a parse and a print would change goes through as it is, both ways. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { scanJson } from '../../src/main/base/json-scan.js';
import type { JsonText } from '../../src/main/base/json.js';
import { contentOf, parseFrame } from '../../src/main/connection/web-pubsub/frames.js';
import { SafeProtocol } from '../../src/main/connection/web-pubsub/safe-protocol.js';
import { checkJson } from '../../src/main/remote/json-bounds.js';
import { onTheWire } from '../../src/main/remote/messages.js';
import { routeFromBus, routeFromGroup } from '../../src/main/remote/router.js';

/** RFC 8259 leaves to each reader what becomes of these; section numbers beside them. */
const DELICATE = [
  ['an integer beyond 2^53 (6)', '9007199254740993'],
  ['a nanosecond time stamp (6)', '{"t":1764028800123456789}'],
  ['a fraction that is whole (6)', '1.0'],
  ['more digits than a double has (6)', '3.141592653589793238462643383279'],
  ['a number too large for a double (6)', '1e400'],
  ['a number too small for a double (6)', '1e-400'],
  ['an exponent in capitals (6)', '1E5'],
  ['negative zero (6)', '-0'],
  ['a key that stands twice (4)', '{"a":1,"a":2}'],
  ['numeric keys in their order (4)', '{"10":1,"9":2,"a":3,"1":4}'],
  ['a key __proto__', '{"__proto__":{"x":1},"constructor":2}'],
  ["the envelope's own names inside", '{"subject":"core.x","body":1,"data":[{"data":2}]}'],
  ['lone surrogates (8.2)', '"\\ud800 and \\udfff"'],
  ['escapes that nobody needs (7)', '"\\u0041\\/\\u00e9\\u2028"'],
  ['control characters and NUL (7)', '"\\u0000\\u001f\\b\\f"'],
  ['blanks between the tokens (2)', '{ "a" :\t[ 1 ,\n2 ] ,\r\n"b":{ } }'],
  ['brackets and quotes in text', '"]}{[\\"\\\\\\\\\\" , : \\\\"'],
  ['an empty key', '{"":""}'],
] as const;

/** What the bus is handed when a browser has sent this text as the payload. */
function throughTheGroup(payload: string): string | undefined {
  const frame = `{"type":"message","from":"group","group":"g","dataType":"json","data":${payload},"sequenceId":1}`;
  const parsed = parseFrame(frame);
  assert.ok(parsed.kind === 'message' && parsed.message.kind === 'groupData');
  const content = contentOf(parsed.message);
  assert.ok(content.dataType === 'json');
  const decision = routeFromGroup(content);
  return decision.kind === 'forward' ? decision.payload.text : undefined;
}

/** The frame that leaves for the group when a component has sent this text. */
function throughTheBus(payload: string): string {
  const decision = routeFromBus('some_state', Buffer.from(payload));
  assert.ok(decision.kind === 'relay');
  const protocol = new SafeProtocol('json.reliable.webpubsub.azure.v1', {
    onBadFrame: () => undefined,
    onDisconnected: () => undefined,
    onPong: () => undefined,
    onStranger: () => false,
    onAckDue: () => undefined,
  });
  const data = onTheWire(decision.message) as JsonText as unknown as string;
  return protocol.writeMessage({
    kind: 'sendToGroup',
    group: 'g',
    ackId: 7,
    noEcho: true,
    dataType: 'json',
    data,
  }) as string;
}

describe('JSON that a print would change', () => {
  for (const [name, body] of DELICATE) {
    it(`${name}: from a browser to the bus`, () => {
      assert.equal(
        throughTheGroup(`{"body":${body}, "subject" : "core.set","connectionId":"c","more":${body}}`),
        `{"body":${body}, "subject" : "set","connectionId":"c","more":${body}}`,
      );
    });

    it(`${name}: from the bus to browsers`, () => {
      assert.equal(
        throughTheBus(`{"source":"core","body": ${body} ,"subject":"some_state"}`),
        `{"type":"sendToGroup","group":"g","ackId":7,"noEcho":true,"dataType":"json","data":{"body":${body},"subject":"some_state","source":"controller","destination":"broadcast"}}`,
      );
    });
  }

  it('cuts the subject wherever it stands and however it is written, and nothing else', () => {
    const cut = throughTheGroup(
      '{"subject":"core.first","s\\u0075bject":"core.second","body":{"subject":"core.x"},"subject":"core.set"}',
    );
    assert.equal(cut, '{"subject":"set","s\\u0075bject":"set","body":{"subject":"core.x"},"subject":"set"}');
  });

  it('takes the last of two payloads and of two bodies, as every reader does', () => {
    const frame =
      '{"type":"message","from":"group","group":"g","dataType":"json","data":{"subject":"core.a"},"data":{"subject":"core.b","n":1.0}}';
    const parsed = parseFrame(frame);
    assert.ok(parsed.kind === 'message' && parsed.message.kind === 'groupData');
    assert.deepEqual(contentOf(parsed.message), {
      dataType: 'json',
      data: { subject: 'core.b', n: 1 },
      text: '{"subject":"core.b","n":1.0}',
    });
    assert.match(throughTheBus('{"body":1,"subject":"some_state","body":2.0}'), /"body":2\.0,/);
  });

  it('does not survive what no reader could read', () => {
    for (const body of ['NaN', 'Infinity', '01', '+1', "'x'", '[1,]', '{a:1}', '"\t"', '1 2', ''])
      assert.equal(routeFromBus('some_state', Buffer.from(`{"body":${body},"subject":"some_state"}`)).kind, 'refuse');
  });
});

describe('looking at JSON as text', () => {
  const anyJson = fc.jsonValue({ maxDepth: 6 });
  const space = fc.constantFrom(undefined, 1, '\t');

  it('finds what JSON.parse finds, at any spacing', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anyJson), space, (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        const names = Object.keys(value);
        const { members, depth } = scanJson(text, names, 1_000);
        assert.deepEqual(
          members.map(({ name, start, end }) => [name, text.slice(start, end)]),
          names.map((name) => [
            name,
            JSON.stringify(value[name], undefined, indent).replaceAll('\n', indented(indent)),
          ]),
        );
        assert.equal(depth, depthOf(value));
      }),
      { numRuns: 300 },
    );
  });

  it('never throws and never takes long, whatever comes', () => {
    const piece = fc.constantFrom('{', '}', '[', ']', ':', ',', '"', '\\', '"a"', '1', ' ', '"b":');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        scanJson(pieces.join(''), ['a', 'b'], 10);
      }),
    );
    scanJson(`"${'\\'.repeat(1_000_000)}`, [], 10);
  });

  it('bounds the length in bytes and the nesting, exactly', () => {
    fc.assert(
      fc.property(
        anyJson,
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 0, max: 6 }),
        (value, maxBytes, maxDepth) => {
          const text = JSON.stringify(value);
          const bytes = Buffer.byteLength(text);
          const verdict = checkJson(text, { maxBytes, maxDepth }, []);
          assert.equal(verdict.ok, bytes <= maxBytes && depthOf(value) <= maxDepth);
          if (verdict.ok) assert.equal(verdict.bytes, bytes);
        },
      ),
    );
  });
});

/** A line break and the indentation of the outermost level. */
function indented(indent: string | number | undefined): string {
  return indent === undefined ? '\n' : `\n${typeof indent === 'number' ? ' '.repeat(indent) : indent}`;
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}
