import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createLogger, type DaemonLogger, type LoggerOptions } from '../../src/main/log.js';
import { detectFormat } from '../../src/main/log/detect.js';
import { LONGEST_LINE_BYTES } from '../../src/main/log/format.js';
import { gatherLine, registerSecret } from '../support/everything-logged.js';

/** Wednesday, noon in UTC. */
const NOW = Date.UTC(2024, 4, 1, 12, 0, 0, 7);

function capture(options: Partial<LoggerOptions> = {}): { readonly log: DaemonLogger; readonly lines: string[] } {
  const lines: string[] = [];
  const log = createLogger({
    level: 'DEBUG',
    format: 'journal',
    secrets: [],
    write: (line) => {
      lines.push(line);
      gatherLine('log', line);
    },
    now: () => NOW,
    env: {},
    ...options,
  });
  return { log, lines };
}

/** The one line an event makes. */
function lineOf(fields: object, message: string, options: Partial<LoggerOptions> = {}): string {
  const { log, lines } = capture(options);
  log.warn(fields, message);
  assert.equal(lines.length, 1);
  return lines[0]!;
}

const INFO = { level: 'INFO' } as const;

describe('levels', () => {
  for (const [level, prefixes] of [
    ['DEBUG', ['<7>', '<6>', '<4>', '<3>', '<2>']],
    ['INFO', ['<6>', '<4>', '<3>', '<2>']],
    ['WARNING', ['<4>', '<3>', '<2>']],
    ['ERROR', ['<3>', '<2>']],
    ['CRITICAL', ['<2>']],
  ] as const) {
    it(`${level} logs ${prefixes.join(' ')}, set at the start or later`, () => {
      for (const first of ['DEBUG', 'CRITICAL', level] as const) {
        const { log, lines } = capture({ level: first });
        log.setLevel(level);
        for (const name of ['debug', 'info', 'warn', 'error', 'fatal'] as const) log[name]({}, 'x');
        assert.deepEqual(
          lines,
          prefixes.map((prefix) => `${prefix}x`),
        );
      }
    });
  }
});

describe('a journal line', () => {
  it('has the message first, then key=value, quoted where it must be, nested with dots', () => {
    const fields = {
      reason: 'dns-timeout',
      retrySecs: 15,
      ok: true,
      nothing: null,
      absent: undefined,
      group: 'under the stairs',
      quoted: 'a "b" \\c',
      equals: 'a=b',
      empty: '',
      addresses: ['192.0.2.1', '2001:db8::1'],
      dns: { ms: 3, servers: [] },
      at: new Date(NOW),
      url: new URL('https://a.example/'),
      big: 10n,
      bytes: new Uint8Array(3),
      map: new Map([[1, 2]]),
      nan: Number.NaN,
      'odd key=1': 1,
      level: 'mine',
      time: 'mine',
      msg: 'mine',
    };
    assert.equal(
      lineOf(fields, 'Offline: the name server is silent'),
      [
        '<4>Offline: the name server is silent reason=dns-timeout retrySecs=15 ok=true nothing=null',
        'group="under the stairs" quoted="a \\"b\\" \\\\c" equals="a=b" empty=""',
        'addresses=192.0.2.1,2001:db8::1 dns.ms=3 dns.servers="" at=2024-05-01T12:00:00.007Z url=https://a.example/ big=10',
        'bytes="(3 bytes)" map="(1 entries)" nan=NaN odd_key_1=1 level_=mine time_=mine msg_=mine',
      ].join(' '),
    );
  });

  it('tells the stack of what ends the process at every level', () => {
    const { log, lines } = capture({ level: 'CRITICAL' });
    log.fatal({ err: new Error('nobody caught it') }, 'The end');
    assert.match(lines[0]!, /^<2>The end err="nobody caught it" err\.stack="Error: nobody caught it\\n {4}at /);
  });

  it('tells an error with code and causes in one line, its stack only at debug', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED 192.0.2.1:443'), { code: 'ECONNREFUSED' });
    const err = Object.assign(new Error('sign-in failed', { cause }), { code: 'ERR_SIGN_IN', socket: { secret: 1 } });
    const expected = '<4>No err="sign-in failed (ERR_SIGN_IN) <- connect ECONNREFUSED 192.0.2.1:443"';
    assert.equal(lineOf({ err }, 'No', INFO), expected);
    assert.equal(lineOf(err, 'No', INFO), expected);
    const debug = lineOf({ err }, 'No');
    assert.ok(debug.startsWith(`${expected} err.stack="Error: sign-in failed\\n    at `), debug);
    const many = new AggregateError([new Error('a'), cause], 'all failed');
    assert.equal(
      lineOf({ err: many }, 'No', INFO),
      '<4>No err="all failed <- a <- connect ECONNREFUSED 192.0.2.1:443"',
    );
  });

  it('cannot be forged from the network', () => {
    const evil = 'a\n<0>b\r\u001b[2J\u0007\u0085\u009b\u2028\u202e\u2066\u200b\u{e0041}\ud800\t';
    const expected = 'a\\n<0>b\\r\\u001b[2J\\u0007\\u0085\\u009b\\u2028\\u202e\\u2066\\u200b\\u{e0041}\\ud800';
    assert.equal(lineOf({ evil, [evil]: 1 }, evil).startsWith(`<4>${expected}\\t evil="${expected}\\t" a__0_b`), true);
    assert.equal(lineOf({}, ' '), '<4>(no message)');
  });

  it('is bounded, and says so', () => {
    for (const format of ['journal', 'terminal'] as const) {
      const line = lineOf({ body: 'ü'.repeat(100_000) }, 'Long '.repeat(1_000), { format, level: 'INFO' });
      assert.ok(Buffer.byteLength(line) <= LONGEST_LINE_BYTES + 40, String(Buffer.byteLength(line)));
      assert.ok(line.endsWith(' …[cut]') && !line.includes('\ufffd'));
    }
    const huge = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, i) => [`k${i}`, Array(5_000).fill('x'.repeat(99))]),
    );
    assert.ok(Buffer.byteLength(lineOf(huge, 'x')) <= LONGEST_LINE_BYTES);
  });

  it('survives anything a field can be', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const hostile = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
        getPrototypeOf: () => {
          throw new Error('no');
        },
      },
    );
    const getter = {
      get a(): never {
        throw new Error('no');
      },
      toJSON: () => {
        throw new Error('no');
      },
    };
    const fields = { circular, hostile, getter, f: () => 1, s: Symbol('s'), proto: Object.create(null) as object };
    const line = lineOf(fields, 'Still here');
    assert.match(line, /^<4>Still here circular\.self\.self.* hostile=\(unreadable\) getter\.a=\(unreadable\)/);
    assert.match(lineOf(hostile, 'And here'), /^<4>And here$/);
    const loop = new Error('loop');
    loop.cause = loop;
    assert.match(lineOf({ err: loop }, 'x', INFO), /^<4>x err="loop <- loop/);
    const polluting = JSON.parse('{"__proto__":{"polluted":1}}') as object;
    assert.match(lineOf(polluting, 'x'), /^<4>x proto\.polluted=1$/);
  });
});

describe('other formats', () => {
  it('terminal: local time, level, message, fields', () => {
    const two = (n: number): string => String(n).padStart(2, '0');
    const at = new Date(NOW);
    const time = `${two(at.getHours())}:${two(at.getMinutes())}:00.007`;
    assert.equal(lineOf({ a: 'b c' }, 'Hello', { format: 'terminal' }), `${time} WARNING  Hello a="b c"`);
    assert.equal(
      lineOf({ a: 'b\u001b[1m' }, 'Hello', { format: 'terminal', colour: true }),
      `\u001b[2m${time}\u001b[0m \u001b[33mWARNING \u001b[0m Hello \u001b[2ma="b\\u001b[1m"\u001b[0m`,
    );
  });

  it('json: one object a line, level as a word, time in ISO, bounded', () => {
    const err = Object.assign(new Error('bad'), { code: 'E_BAD' });
    assert.deepEqual(JSON.parse(lineOf({ a: [1, { b: 'c\n' }], err }, 'Hello\n', { format: 'json', level: 'INFO' })), {
      level: 'warn',
      time: '2024-05-01T12:00:00.007Z',
      a: [1, { b: 'c\n' }],
      err: { type: 'Error', message: 'bad', code: 'E_BAD' },
      msg: 'Hello\n',
    });
    const long = lineOf({ a: Array(20).fill('x'.repeat(5_000)) }, 'Hello', { format: 'json' });
    assert.deepEqual(JSON.parse(long), {
      level: 'warn',
      time: '2024-05-01T12:00:00.007Z',
      cut: true,
      msg: 'Hello …[cut]',
    });
  });

  it('auto: the journal only where standard output is the journal', () => {
    const device = { dev: 25n, ino: 18_446_744_073_709_551_615n };
    const of = (env: Record<string, string>, isTerminal = false): unknown => detectFormat({ env, isTerminal, device });
    assert.deepEqual(of({ JOURNAL_STREAM: '25:18446744073709551615' }), { format: 'journal', colour: false });
    assert.deepEqual(of({ JOURNAL_STREAM: '25:7' }), { format: 'terminal', colour: false });
    assert.deepEqual(of({ JOURNAL_STREAM: '25:7' }, true), { format: 'terminal', colour: true });
    assert.deepEqual(of({ NO_COLOR: '1' }, true), { format: 'terminal', colour: false });
    assert.deepEqual(of({ TERM: 'dumb' }, true), { format: 'terminal', colour: false });
    const closed = { env: { JOURNAL_STREAM: '25:7' }, isTerminal: false, device: undefined };
    assert.deepEqual(detectFormat(closed), { format: 'terminal', colour: false });
  });
});

describe('secrets', () => {
  const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3MDAwMDAwMDB9.c2lnbmF0dXJl-_x';
  const FORMATS = ['journal', 'terminal', 'json'] as const;

  for (const [text, expected] of [
    ['wss://a/c?hub=h&access_token=abc.def&x=1', 'wss://a/c?hub=h&access_token=***&x=1'],
    [
      'wss://a/c?awps_reconnection_token=abc&awps_connection_id=1',
      'wss://a/c?awps_reconnection_token=***&awps_connection_id=1',
    ],
    ['to=wss%3A%2F%2Fa%3Faccess_token%3Dabc.def', 'to=wss%3A%2F%2Fa%3Faccess_token%3D***'],
    ['https://f.example/negotiate?code=abc==', 'https://f.example/negotiate?code=***'],
    ['Authorization: Bearer abc.def-ghi', 'Authorization: Bearer ***'],
    ['authorization: Basic YWxhZGRpbjpv', 'authorization: Basic ***'],
    ['the Bearer token was refused', 'the Bearer token was refused'],
    [`got ${JWT}.`, 'got ***'],
    ['grant_type=password&password=abc&client_secret=def', 'grant_type=password&password=***&client_secret=***'],
    ['nats://user:abc@host:4222', 'nats://***@host:4222'],
    ['wrong password: look at AUTH0_PASSWORD', 'wrong password: look at AUTH0_PASSWORD'],
    ['token expired', 'token expired'],
    ['group=velasquez subject=core.refresh code=1006', 'group=velasquez subject=core.refresh code=1006'],
  ] as const) {
    it(`by their shape: ${text}`, () => {
      for (const format of FORMATS) assert.ok(lineOf({}, text, { format }).includes(expected));
      const field = lineOf({ text: { inner: [text] } }, 'x', { format: 'json' });
      assert.equal((JSON.parse(field) as { text: { inner: string[] } }).text.inner[0], expected);
    });
  }

  it('as members of JSON, however often it was put into a string', () => {
    let json = JSON.stringify({
      password: 'hunter2 "and" more\\',
      client_secret: 'hunter2',
      access_token: 'hunter2',
      refreshToken: 'hunter2',
      Authorization: 'hunter2',
      token: 24681357,
      keep: 'kept',
    });
    for (let depth = 0; depth < 3; depth += 1) {
      for (const format of FORMATS) {
        const line = lineOf({ json, list: [json] }, json, { format });
        assert.ok(!line.includes('hunter2') && line.includes('kept'), `${depth} ${line}`);
      }
      json = JSON.stringify(json);
    }
    assert.ok(!lineOf({}, '{"token": 24681357}').includes('24681357'));
    assert.ok(!lineOf({}, "{ password: 'hunter2', a: 1 }").includes('hunter2'));
  });

  it('as fields of their name, wherever they are', () => {
    const fields = {
      password: 'hunter2',
      deep: { headers: { authorization: 'hunter2', Cookie: ['hunter2'] }, client_secret: { a: 'hunter2' } },
      accessToken: 24681357,
      token: null,
      tokenExpiresInSecs: 3_600,
    };
    for (const format of FORMATS) {
      const line = lineOf(fields, 'x', { format });
      assert.ok(!line.includes('hunter2') && !line.includes('24681357') && line.includes('3600'), line);
    }
  });

  it('as registered, at the start or later, raw, URL-encoded, escaped or in an error', () => {
    const secret = 'pä 7zqx/"w\\ord\n&=+';
    const late = 'fresh-secret';
    registerSecret(secret);
    registerSecret(late);
    for (const format of FORMATS) {
      const { log, lines } = capture({ format, secrets: [secret, 'abc'] });
      log.addSecret(late);
      const forms = [
        secret,
        encodeURIComponent(secret),
        encodeURIComponent(secret).toLowerCase(),
        new URLSearchParams({ x: secret }).toString(),
        JSON.stringify({ x: secret }),
        JSON.stringify(JSON.stringify({ x: secret })),
        late,
      ];
      for (const form of forms) {
        log.info({ form, [form]: 1, err: new Error(form, { cause: new Error(form) }) }, `abc ${form}`);
        const line = lines.pop()!;
        for (const piece of ['7zqx/', 'w\\', 'ord\\n', 'ord%0A', late, '%26%3D', 'p\\u']) {
          assert.ok(!line.includes(piece), `${piece} in ${line}`);
        }
        assert.ok(line.includes('abc'), 'three characters are too few for a secret');
      }
    }
  });

  it('that only come together when another one is taken out', () => {
    const layers = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((letter, i) => letter.repeat(i + 2));
    const secrets = ['secret', ...layers.map((layer) => `${layer}***`)];
    assert.equal(lineOf({}, `${layers.toReversed().join('')}secret`, { secrets }), '<4>***');
  });

  it('at the edge where a long text is cut', () => {
    const secret = 'S3CR3T'.repeat(20);
    for (let at = 8_192 - 130; at <= 8_200; at += 1) {
      const { log, lines } = capture({ format: 'json', secrets: [secret] });
      log.info({}, `${'x'.repeat(at)}${secret}`);
      assert.ok(!lines[0]!.includes('S3C'), String(at));
    }
  });

  it('never, in any format: whatever is logged around them', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom(
        '"',
        '\\',
        '\n',
        '<6>',
        ' ',
        '=',
        'a="b"',
        '***',
        '%20',
        '\u2028',
        '\u001b[0m',
        'err',
        '\\n',
        '{"a":',
      ),
    );
    const text = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(''));
    const secretText = fc
      .oneof(text, fc.string({ minLength: 4, maxLength: 12 }))
      // Secrets that hold our own priority prefix cannot be told from it.
      .filter((secret) => secret.length > 3 && !/^(?:<?\d)?>/.test(secret));
    fc.assert(
      fc.property(
        fc.array(secretText, { maxLength: 4 }),
        fc.array(text, { minLength: 3, maxLength: 3 }),
        fc.nat(),
        (secrets, texts, pick) => {
          const [a = '', b = '', c = ''] = texts;
          const secret = secrets[pick % Math.max(1, secrets.length)] ?? '';
          const { log, lines } = capture({ secrets });
          log.error(
            { [`${a}${secret}`]: b, list: [secret, `${c}${secret}${a}`], err: new Error(`${secret}${b}`) },
            `${a}${secret}${b}${secret}`,
          );
          log.debug(
            {
              body: JSON.stringify({ secret }),
              url: `https://a/?x=${encodeURIComponent(Buffer.from(secret).toString())}`,
            },
            a,
          );
          assert.equal(lines.length, 2);
          for (const line of lines) {
            assert.match(line, /^<[37]>[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+$/u);
            for (const one of secrets) assert.ok(!line.includes(one), `${JSON.stringify(one)} in ${line}`);
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('and json stays json, without one in any of its texts', () => {
    const textsOf = (value: unknown): readonly string[] => {
      if (typeof value === 'string') return [value];
      return typeof value === 'object' && value !== null ? Object.entries(value).flat().flatMap(textsOf) : [];
    };
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 5, maxLength: 12 }), fc.jsonValue(), (secret, json) => {
        const line = lineOf({ json, secret, text: `a${secret}b` }, `x ${secret}`, {
          format: 'json',
          secrets: [`#${secret}`, secret],
        });
        const parsed = JSON.parse(line) as Record<string, unknown>;
        assert.ok(!line.includes('\n'));
        for (const text of textsOf([parsed['text'], parsed['msg']])) assert.ok(!text.includes(secret), line);
      }),
      { numRuns: 500 },
    );
  });
});
