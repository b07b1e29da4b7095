/**
 * Every key that the Python version knew, with what it could have been set to: `int()`'s numbers of any size, configparser's booleans, any
 * text. What that version started with starts here; what is used instead of it is said.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  loadSettings,
  SettingsError,
  settingOfVariable,
  type LoadedSettings,
  type SettingName,
} from '../../src/main/settings.js';
import { parseConf } from '../../src/main/settings/dialect.js';
import { parseDotEnv } from '../../src/main/settings/environment.js';
import { OBSOLETE, ROWS, TABLE, type Spec } from '../../src/main/settings/table.js';
import { confOf, dotEnvOf, GENERATIONS } from '../support/python-generations.js';

const CONF = '/etc/test/dunebugger.conf';
const ENV = { WS_GROUP_NAME: 'velasquez', WEBPUBSUB_NEGOTIATE_URL: 'https://cloud.example/negotiate' };

function load(conf: string, env: Readonly<Record<string, string>> = {}): LoadedSettings {
  return loadSettings({
    confFile: CONF,
    env: { ...ENV, ...env },
    workingDirectory: '/nowhere',
    readFile: (path) => {
      if (path !== CONF) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' });
      return Buffer.from(conf);
    },
  });
}

/** Taken as it is. */
const as = (value: unknown): Outcome => ({ value, warned: false });
/** Used instead, with a warning. */
const instead = (value: unknown): Outcome => ({ value, warned: true });
/** The Python version did not start with it, or could not work with it. */
const REFUSED = 'refused';
type Outcome = { readonly value: unknown; readonly warned: boolean } | typeof REFUSED;

const HUGE = '9'.repeat(400);

/** Seconds from `least` to `most`: what `int()` took, and what only we take. */
function seconds(least: number, most: number): readonly (readonly [string, Outcome])[] {
  const low = Math.ceil(least);
  return [
    ...(['0', '-0', '-1', '-7200', `-${HUGE}`] as const).map((text) => [text, instead(low)] as const),
    ...[String(most + 1), '1_000_000', '+9999999', HUGE].map((text) => [text, instead(most)] as const),
    [String(least), as(least)],
    [String(most), as(most)],
    [`  +${most}  `, as(most)],
    ['0x10', REFUSED],
    ['1e2', REFUSED],
    ['seven', REFUSED],
    ['7s', REFUSED],
    ['', REFUSED],
    ['None', REFUSED],
    // Python started with none of these.
    ['2.5', as(2.5)],
    ['"7"', as(7)],
    ["'7200000'", instead(most)],
    ['7  ; seconds', as(7)],
    ['7200000 # two thousand hours', instead(most)],
    [`${most}.5`, instead(most)],
    ['\n  7', as(7)],
  ];
}

/** The clock's: whatever stands there, the daemon does its other work. */
function clockSeconds(least: number, most: number, fallback: number): readonly (readonly [string, Outcome])[] {
  return seconds(least, most).map(([text, outcome]) => [text, outcome === REFUSED ? instead(fallback) : outcome]);
}

const BOOLEAN: readonly (readonly [string, Outcome])[] = [
  ...['True', 'TRUE', 'yes', 'on', '1', ' true ', '"yes"', 'on ; why'].map((text) => [text, as(true)] as const),
  ...['False', 'no', 'Off', '0'].map((text) => [text, as(false)] as const),
  ...['2', '-1', '', 'enabled', 'None', '1.0'].map((text) => [text, REFUSED] as const),
];

const SPACE = 'x'.repeat(1_024);

const ANY_LINE: readonly (readonly [string, Outcome])[] = [
  ['', as('')],
  ['a  b', as('a  b')],
  ['None', as('None')],
  ['100 %', as('100 %')],
  ['a\u0007b', instead('a b')],
  ['a\u2028b', instead('a b')],
  [`${SPACE}y`, instead(SPACE)],
];

const SUBJECT: readonly (readonly [string, Outcome])[] = [
  ['remote_2-a', as('remote_2-a')],
  ['dune:bugger/1', as('dune:bugger/1')],
  ['düne', as('düne')],
  ['"remote"', as('remote')],
  ['remote # ours', as('remote')],
  // NATS would take none of these for one token, so no message ever came.
  ...['', 'a.b', 'a b', '*', '>', 'x'.repeat(65)].map((text) => [text, REFUSED] as const),
];

/** By key: what is written, and what comes of it. */
const KEYS: Readonly<Partial<Record<SettingName, readonly (readonly [string, Outcome])[]>>> = {
  general_setting: ANY_LINE,
  authURL: [
    ['', as('')],
    ['"a.example"', as('a.example')],
    ['a.example ; ours', as('a.example')],
    ['https://a.example', REFUSED],
    ['a.example/', REFUSED],
  ],
  websocketEnabled: BOOLEAN,
  broadcastInitialState: BOOLEAN,
  heartBeatLoopDurationSecs: seconds(1, 86_400),
  heartBeatEverySecs: seconds(1, 3_600),
  testDomain: [
    ['192.0.2.1', as('192.0.2.1')],
    ['a_b.example', as('a_b.example')],
    ['bücher.example', as('bücher.example')],
    ['', REFUSED],
    ['https://a.example/', REFUSED],
    ['a b', REFUSED],
  ],
  connectionIntervalSecs: seconds(1, 3_600),
  connectionTimeoutSecs: seconds(0.1, 60),
  mQueueServers: [
    ['nats-server', as(['nats://nats-server:4222'])],
    ['localhost:4223', as(['nats://localhost:4223'])],
    ['nats://a:4222/', as(['nats://a:4222'])],
    ['nats://a:4222/x?y=z', instead(['nats://a:4222'])],
    ['user:pa55word@a:4222', instead(['nats://user:pa55word@a:4222'])],
    ['', REFUSED],
    ['ws://a:8080', REFUSED],
    ['nats://a:99999', REFUSED],
  ],
  mQueueClientID: SUBJECT,
  mQueueSubjectRoot: SUBJECT,
  dunebuggerLogLevel: [
    ['warn', as('WARNING')],
    ['Fatal', as('CRITICAL')],
    ['NOTSET', as('DEBUG')],
    ['', instead('INFO')],
    ['10', instead('INFO')],
    ['LOUD', instead('INFO')],
  ],
  ntpServers: [
    ['', as([])],
    ['a.example, b.example', as(['a.example', 'b.example'])],
    ['a.example,', instead(['a.example'])],
    ['a.example, ntp://b, , c d, 192.0.2.1', instead(['a.example', '192.0.2.1'])],
    ['1.a,2.a,3.a,4.a,5.a,6.a,7.a,8.a,9.a', instead(['1.a', '2.a', '3.a', '4.a', '5.a', '6.a', '7.a', '8.a'])],
    ['ntp://a', instead(TABLE.ntpServers.default)],
  ],
  ntpCheckIntervalSecs: clockSeconds(1, 86_400, 30),
  ntpTimeout: clockSeconds(0.1, 60, 5),
  coreInstallPath: ANY_LINE,
  dockerComposePath: ANY_LINE,
};

/** What only the environment had. */
const VARIABLES: Readonly<Record<string, readonly (readonly [string, SettingName, Outcome])[]>> = {
  DEVICE_ID: [['pi\t1', 'deviceId', instead('pi 1')]],
  SYSTEM_DEVICEID: [[`${SPACE}y`, 'deviceId', instead(SPACE)]],
  LOCATION_DESCRIPTION: [['Via Roma\nBari', 'locationDescription', instead('Via Roma Bari')]],
  // That version took every word but `true` for False.
  WEBSOCKET_WEBSOCKETENABLED: [
    ['TRUE', 'websocketEnabled', as(true)],
    ['enabled', 'websocketEnabled', instead(false)],
  ],
  WEBSOCKET_BROADCASTINITIALSTATE: [['No.', 'broadcastInitialState', instead(false)]],
  DUNEBUGGER_WEBSOCKET_WEBSOCKET_ENABLED: [['enabled', 'websocketEnabled', REFUSED]],
  WEBSOCKET_CONNECTIONINTERVALSECS: [['7200', 'connectionIntervalSecs', instead(3_600)]],
  DUNEBUGGER_WEBSOCKET_CONNECTION_INTERVAL_SECS: [['7200', 'connectionIntervalSecs', instead(3_600)]],
  NTP_NTPTIMEOUT: [['0', 'ntpTimeout', instead(1)]],
  WS_GROUP_NAME: [['a\tb', 'wsGroupName', REFUSED]],
};

function meets(key: SettingName, outcome: Outcome, run: () => LoadedSettings): void {
  if (outcome === REFUSED) {
    assert.throws(run, (error: unknown) => {
      assert.ok(error instanceof SettingsError, String(error));
      assert.match(error.problems.join('\n'), / is not allowed: give /);
      return true;
    });
    return;
  }
  const { settings, warnings } = run();
  assert.deepEqual(settings[key], outcome.value);
  const own = warnings.filter((text) => !text.includes(' is more than '));
  assert.equal(own.length, outcome.warned ? 1 : 0, own.join('\n'));
  if (!outcome.warned) return;
  // Which value is used, and why.
  assert.match(own[0] ?? '', / is not allowed: give .*; .+ is used$/);
  assert.doesNotMatch(own[0] ?? '', /pa55word/);
}

describe('a value of the Python version', () => {
  for (const [key, rows = []] of Object.entries(KEYS) as [SettingName, (typeof KEYS)[SettingName]][]) {
    const { section = '' }: Spec<unknown> = TABLE[key];
    for (const [text, outcome] of rows) {
      const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
      it(`[${section}] ${key} = ${shown}`, () => {
        meets(key, outcome, () => load(`[${section}]\n${key} = ${text}\n`));
      });
    }
  }

  for (const [name, rows] of Object.entries(VARIABLES)) {
    for (const [text, key, outcome] of rows) {
      it(`${name} = ${JSON.stringify(text.slice(0, 40))}`, () => {
        meets(key, outcome, () => load('', { [name]: text }));
      });
    }
  }

  it('is in the table above, for every key of every generation', () => {
    const known = new Set<string>([...Object.keys(KEYS), ...OBSOLETE.map(({ key }) => key)]);
    for (const generation of GENERATIONS) {
      for (const { section, key, line } of generation.confFile === undefined
        ? []
        : parseConf(confOf(generation)).entries) {
        const unknown = generation.warnings.some((pattern) => pattern.source.includes(`line ${line}: `));
        assert.ok(known.has(key) || unknown, `[${section}] ${key}`);
      }
      for (const name of parseDotEnv(dotEnvOf(generation)).keys()) {
        const key = settingOfVariable(name);
        assert.ok(key !== undefined, name);
        const { section, secret }: Spec<unknown> = TABLE[key];
        assert.ok(secret || section === undefined || known.has(key), name);
      }
    }
  });

  it('as any whole number starts the daemon, with the nearest that is allowed', () => {
    const numbers = (Object.keys(KEYS) as SettingName[]).filter((key) => typeof TABLE[key].default === 'number');
    assert.equal(numbers.length, 6);
    fc.assert(
      fc.property(fc.constantFrom(...numbers), fc.bigInt(), (key, number) => {
        const { section = '', type }: Spec<unknown> = TABLE[key];
        const value = load(`[${section}]\n${key} = ${number}\n`).settings[key];
        assert.ok(type.parse(String(value)) === value, `${key} = ${number}: ${String(value)}`);
        const exact = type.parse(String(number));
        if (exact !== undefined) assert.equal(value, exact);
      }),
      { numRuns: 500 },
    );
  });

  it('that came with this version is refused: a slip in a new setting must be seen', () => {
    for (const [key, spec] of ROWS) {
      if (spec.section === undefined || key in KEYS) continue;
      const wrong = typeof spec.default === 'number' ? '-7200' : '\u0007';
      assert.throws(() => load(`[${spec.section ?? ''}]\n${key} = ${wrong}\n`), SettingsError, key);
    }
  });

  it('on the command line is refused, too: whoever typed it would rather correct it', () => {
    const typed = (): unknown =>
      loadSettings({
        env: ENV,
        workingDirectory: '/nowhere',
        readFile: () => Buffer.from(''),
        commandLine: { connectionTimeoutSecs: { option: '--timeout', text: '0' } },
      });
    assert.throws(typed, /option --timeout .* = "0" is not allowed/);
  });
});

describe('keys that differ only by their case', () => {
  for (const [what, lines, value, words] of [
    [
      'the right one first',
      ['testDomain = a', 'testdomain = b'],
      'a',
      /line 3: .* line 2 in another case; line 2 counts/,
    ],
    [
      'the right one last',
      ['testdomain = a', 'testDomain = b'],
      'b',
      /line 3: .* line 2 in another case; line 3 counts/,
    ],
    ['neither', ['TESTDOMAIN = a', 'testdomain = b'], 'a', /line 3: .* line 2 in another case; line 2 counts/],
  ] as const) {
    it(`are two to Python, and the one that it used counts: ${what}`, () => {
      const { settings, warnings } = load(`[Websocket]\n${lines.join('\n')}\n`);
      assert.equal(settings.testDomain, value);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0] ?? '', words);
    });
  }
});
