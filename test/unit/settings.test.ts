import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  diffSettings,
  loadSettings,
  secretsOf,
  SettingsError,
  SHIPPED_CONF,
  TABLE,
  takeOverLive,
  type LoadedSettings,
  type LoadOptions,
  type SettingName,
  type Settings,
} from '../../src/main/settings.js';
import { OBSOLETE, ROWS } from '../../src/main/settings/table.js';

const CONF = '/etc/test/dunebugger.conf';

/** What the connection needs, so that a test can be about something else. */
const COMPLETE = { WS_GROUP_NAME: 'velasquez', WEBPUBSUB_NEGOTIATE_URL: 'https://cloud.example/negotiate' };

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

/** Files by path; a string is UTF-8 text, an Error is thrown. */
function disk(files: Readonly<Record<string, string | Uint8Array | Error>>): (path: string) => Uint8Array {
  return (path) => {
    const file = files[path];
    if (file === undefined) throw failure('ENOENT');
    if (file instanceof Error) throw file;
    return typeof file === 'string' ? Buffer.from(file) : file;
  };
}

function load(conf: string | Uint8Array | Error, options: Partial<LoadOptions> = {}): LoadedSettings {
  return loadSettings({
    confFile: CONF,
    env: COMPLETE,
    readFile: disk({ [CONF]: conf }),
    workingDirectory: '/nowhere',
    ...options,
  });
}

function problemsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof SettingsError, String(error));
    assert.equal(error.code, 'ERR_SETTINGS');
    assert.equal(error.exitCode, 78);
    return error.problems;
  }
  return assert.fail('the settings were taken');
}

const DEFAULTS = Object.fromEntries(ROWS.map(([key, spec]) => [key, spec.default])) as Settings;
const COMPLETE_DEFAULTS = { ...DEFAULTS, wsGroupName: 'velasquez', negotiateUrl: 'https://cloud.example/negotiate' };

describe('the conf file', () => {
  it('that is shipped holds every key and means the defaults', () => {
    const text = readFileSync(SHIPPED_CONF, 'utf8');
    const { settings, warnings, notices, sources } = load(text);
    assert.deepEqual(settings, COMPLETE_DEFAULTS);
    assert.deepEqual([warnings, notices], [[], []]);
    for (const [key, spec] of ROWS) {
      if (spec.section !== undefined)
        assert.match(sources.of[key], /line \d+$/, `${key} is missing from the shipped conf`);
    }
  });

  it('of the Python version is taken unchanged, and what no longer does anything is named once', () => {
    const conf = `
[General]
general_setting = some value

[Auth]
authURL = "dunebugger.eu.auth0.com"

[Websocket]
websocketEnabled = True
broadcastInitialState = false   ; for now
stateCheckIntervalSecs = 1
cyclePlayingResolutionSecs = 0.5
heartBeatLoopDurationSecs = 300
heartBeatEverySecs = 60
testDomain = smart.dunebugger.it
connectionIntervalSecs = 10  # Slower checks
connectionTimeoutSecs = 5    # Longer timeouts

[MessageQueue]
mQueueServers = nats://nats-server:4222
mQueueClientID = remote
mQueueSubjectRoot = dunebugger
mQueueStateCheckIntervalSecs = 1
mQueueCyclePlayingResolutionSecs = 1

[NTP]
ntpServers = ntp1.inrim.it,
  ntp2.inrim.it, 0.europe.pool.ntp.org,
  1.europe.pool.ntp.org

[Updater]
githubAccount = marco-svitol
includePrerelease = False
updateCheckIntervalHours = 23
dockerComposePath = /opt/dunebugger/docker-compose.yml
coreInstallPath = /opt/dunebugger/core
backupPath = /opt/dunebugger/backups

[Log]
dunebuggerLogLevel = DEBUG
`;
    const env = {
      AUTH0_CLIENT_ID: 'id-of-the-client',
      AUTH0_CLIENT_SECRET: 'a-secret',
      AUTH0_USERNAME: 'pi@example.org',
      AUTH0_PASSWORD: 'pass#word',
      WS_GROUP_NAME: 'velasquez',
      DEVICE_ID: 'pi-1',
      LOCATION_DESCRIPTION: 'Under the stairs',
    };
    const { settings, warnings, notices } = load(conf, { env });
    assert.deepEqual(settings, {
      ...DEFAULTS,
      general_setting: 'some value',
      authURL: 'dunebugger.eu.auth0.com',
      broadcastInitialState: false,
      connectionIntervalSecs: 10,
      connectionTimeoutSecs: 5,
      dunebuggerLogLevel: 'DEBUG',
      auth0ClientId: 'id-of-the-client',
      auth0ClientSecret: 'a-secret',
      auth0Username: 'pi@example.org',
      auth0Password: 'pass#word',
      wsGroupName: 'velasquez',
      deviceId: 'pi-1',
      locationDescription: 'Under the stairs',
    });
    assert.deepEqual(warnings, []);
    assert.equal(notices.length, OBSOLETE.length);
    for (const { section, key } of OBSOLETE) {
      assert.equal(notices.filter((text) => text.includes(`[${section}] ${key} no longer does anything`)).length, 1);
    }
  });

  for (const [written, meant] of [
    ['TRUE', true],
    ['yes', true],
    ['On', true],
    ['1', true],
    ["'True'", true],
    ['"yes" # why', true],
    ['False', false],
    ['NO', false],
    ['off', false],
    ['0', false],
    ['false;', undefined],
    ['2', undefined],
    ['', undefined],
  ] as const) {
    it(`reads the boolean ${written === '' ? '(nothing)' : written}`, () => {
      const conf = `[Websocket]\nbroadcastInitialState = ${written}\n`;
      if (meant !== undefined) {
        assert.equal(load(conf).settings.broadcastInitialState, meant);
      } else {
        const words = /line 2: \[Websocket\] broadcastInitialState = ".*" is not allowed: give True or False/;
        assert.match(problemsOf(() => load(conf))[0]!, words);
      }
    });
  }

  for (const [written, meant] of [
    ['a#b;c', 'a#b;c'],
    ['a #b', 'a'],
    ['a\t; b # c', 'a'],
    ['"a # b"', 'a # b'],
    ['"a # b" ; c', 'a # b'],
    ["'a; b' # c", 'a; b'],
    ['"a\\"b\\\\"', 'a"b\\'],
    ['back\\slash', 'back\\slash'],
    ['a = b : c', 'a = b : c'],
    ['', ''],
    ['# only a comment', ''],
    ['true', 'true'],
    ['"null"', 'null'],
    ['\'{"a":1}\'', '{"a":1}'],
    ["'5.0'", '5.0'],
    ['"', '"'],
    ["it's", "it's"],
    ['x[]', 'x[]'],
    ['%(nothing)s ${HOME}', '%(nothing)s ${HOME}'],
  ] as const) {
    it(`reads the text ${written === '' ? '(nothing)' : written}`, () => {
      assert.equal(load(`[General]\ngeneral_setting = ${written}\n`).settings.general_setting, meant);
    });
  }

  it('may use CRLF, a byte order mark, colons, odd case of keys, blanks, comments after sections, a section twice', () => {
    const conf = [
      '\uFEFF; c',
      ' [Websocket] # c',
      '  TESTDOMAIN : [::1]:8443',
      '',
      '[Log]',
      'dunebuggerloglevel=warning',
      '[Websocket]',
      'heartBeatEverySecs=1.5',
    ].join('\r\n');
    const { settings, warnings } = load(conf);
    assert.equal(settings.testDomain, '[::1]:8443');
    assert.equal(settings.dunebuggerLogLevel, 'WARNING');
    assert.equal(settings.heartBeatEverySecs, 1.5);
    assert.deepEqual(warnings, []);
  });

  it('gives every problem at once, with file, line, section, key, value and what is allowed', () => {
    const problems = problemsOf(() =>
      load(
        [
          'stray = 1',
          '[Websocket]',
          'stabilizationSecs = 301',
          'no equals sign',
          'testDomain = https://a.example/',
          'testDomain = b',
          '[MessageQueue]',
          'mQueueSubjectRoot = a.*',
          '[Log]',
          'logFormat = xml',
        ].join('\n'),
      ),
    );
    const expected = [
      `${CONF}, line 1 stands before the first [section]`,
      `${CONF}, line 4 is neither [section], key = value nor a comment`,
      `${CONF}, line 6 gives testDomain of [Websocket] again, after line 5: keep one of them`,
      `${CONF}, line 5: [Websocket] testDomain = "https://a.example/" is not allowed: give a host name or IP address`,
      `${CONF}, line 3: [Websocket] stabilizationSecs = "301" is not allowed: give a number of seconds from 0 to 300`,
      `${CONF}, line 8: [MessageQueue] mQueueSubjectRoot = "a.*" is not allowed: give at most 64 letters, digits, - or _`,
      `${CONF}, line 10: [Log] logFormat = "xml" is not allowed: give one of auto, journal, terminal, json`,
    ];
    assert.equal(problems.length, expected.length);
    for (const [i, start] of expected.entries()) assert.ok(problems[i]!.startsWith(start), problems[i]);
  });

  it('does not print what stands on a line it cannot read, nor control characters of a value', () => {
    const problems = problemsOf(() => load('[Websocket]\nhunter2 is my password\ntestDomain = a\u001b[31m\n'));
    assert.ok(!problems.join().includes('hunter2'));
    assert.ok(problems.some((text) => text.includes('"a\\u001b[31m"')));
  });

  for (const [what, content, words] of [
    ['missing', failure('ENOENT'), /does not exist/],
    ['not readable', failure('EACCES'), /may not be read by this user/],
    ['a directory', failure('EISDIR'), /is a directory/],
    ['something else', failure('EIO'), /cannot be read \(EIO\)/],
    ['not UTF-8', Buffer.from([0x5b, 0xff, 0xfe]), /is not UTF-8/],
    ['binary', Buffer.from('a\0b'), /NUL bytes/],
    ['too large', Buffer.alloc(2_000_000, 35), /larger than/],
  ] as const) {
    it(`that is ${what} is an error that says so`, () => {
      const [first, ...others] = problemsOf(() => load(content));
      assert.ok(first!.startsWith(CONF));
      assert.match(first!, words);
      assert.deepEqual(others, []);
    });
  }

  it('is found in the documented order, and none at all means defaults', () => {
    const system = '/etc/dunebugger-remote/dunebugger.conf';
    const files = {
      '/a.conf': '[General]\ngeneral_setting=a',
      [system]: '[General]\ngeneral_setting=b',
      [SHIPPED_CONF]: '[General]\ngeneral_setting=c',
    };
    const from = (env: Record<string, string>, paths: readonly string[], confFile?: string): LoadedSettings =>
      loadSettings({
        ...(confFile === undefined ? {} : { confFile }),
        env: { ...COMPLETE, ...env },
        workingDirectory: '/nowhere',
        readFile: disk(Object.fromEntries(Object.entries(files).filter(([path]) => paths.includes(path)))),
      });
    const all = Object.keys(files);
    assert.equal(from({ DUNEBUGGER_CONFIG: '/other' }, all, '/a.conf').sources.confFile, '/a.conf');
    assert.equal(from({ DUNEBUGGER_CONFIG: '/a.conf' }, all).settings.general_setting, 'a');
    assert.equal(from({}, all).settings.general_setting, 'b');
    assert.equal(from({}, [SHIPPED_CONF]).settings.general_setting, 'c');
    const none = from({}, []);
    assert.deepEqual([none.settings, none.sources.confFile], [COMPLETE_DEFAULTS, undefined]);
    assert.match(none.notices[0]!, /No conf file was found/);
    assert.match(
      problemsOf(() => from({ DUNEBUGGER_CONFIG: '/gone.conf' }, [system]))[0]!,
      /gone\.conf does not exist/,
    );
  });

  it('with an unknown key or section gives a warning with the nearest known one', () => {
    const { warnings } = load(
      [
        '[Websocket]',
        'conectionTimeoutSec = 3',
        'something_else = 1',
        'authUrl = x',
        '[websocket]',
        'testDomain = a',
        'b = c',
        '[__proto__]',
        'a = 1',
        '[Log]',
        '__proto__ = 1',
        'constructor = 2',
      ].join('\n'),
    );
    assert.deepEqual(warnings, [
      `${CONF}, line 2: [Websocket] conectionTimeoutSec is unknown and ignored; did you mean [Websocket] connectionTimeoutSecs?`,
      `${CONF}, line 3: [Websocket] something_else is unknown and ignored`,
      `${CONF}, line 4: [Websocket] authUrl is unknown and ignored; did you mean [Auth] authURL?`,
      `${CONF}, line 6: section [websocket] is unknown and ignored; did you mean [Websocket]?`,
      `${CONF}, line 9: section [__proto__] is unknown and ignored`,
      `${CONF}, line 11: [Log] __proto__ is unknown and ignored`,
      `${CONF}, line 12: [Log] constructor is unknown and ignored`,
    ]);
  });
});

describe('values', () => {
  const given = (section: string, key: SettingName, value: string): unknown =>
    load(`[${section}]\n${key} = ${value}\n`).settings[key];
  const refused = (section: string, key: SettingName, value: string): void => {
    const problems = problemsOf(() => given(section, key, value));
    assert.match(problems[0]!, /is not allowed: give /, `${key} = ${value}`);
  };

  it('testDomain is a host, an address or localhost, with or without a port, or up to four of them', () => {
    const good =
      'a|a.example|a.example.|a_b.example:443|192.0.2.1|192.0.2.1:8443|::1|[::1]|[2001:db8::1]:65535|localhost:1|a, b:8443,::1|bücher.example';
    for (const text of good.split('|')) assert.equal(given('Websocket', 'testDomain', text), text);
    const bad =
      '|a,|,a|a,b c|a,b,c,d,e|https://a|a/|a:0|a:65536|a:b|1.2.3|1.2.3.4.5|[1.2.3.4]|[::1|::1]:4|fe80::1%eth0|a b|-a|a..b|b\u00a0c.example|u@a';
    for (const text of [...bad.split('|'), `${'a'.repeat(64)}.b`]) refused('Websocket', 'testDomain', text);
  });

  it('numbers are plain and within their range', () => {
    for (const [text, value] of [
      ['0', 0],
      ['300', 300],
      ['7.25', 7.25],
      ['1.', 1],
      ['.1', 0.1],
      ['007', 7],
      ['+7', 7],
      ['1_0', 10],
    ] as const) {
      assert.equal(given('Websocket', 'stabilizationSecs', text), value);
    }
    const bad = '-0.1|300.1|-7|--7|1e2|0x10|NaN|Infinity|7s|7,5|1__0|_1|1_|+|.';
    for (const text of [...bad.split('|'), '9'.repeat(400)]) refused('Websocket', 'stabilizationSecs', text);
    assert.equal(given('Websocket', 'staleCommandSecs', '-1'), -1);
    for (const text of ['1.5', '1.', '0', '11', '-1']) refused('Websocket', 'failuresToOffline', text);
  });

  it('name servers are addresses', () => {
    assert.deepEqual(given('Websocket', 'nameServers', ' 192.0.2.53, 192.0.2.54:5353 ,::1,[::1]:53'), [
      '192.0.2.53',
      '192.0.2.54:5353',
      '::1',
      '[::1]:53',
    ]);
    const bad = ['dns.example', '192.0.2.1,', ',', '192.0.2.1 192.0.2.2', Array(9).fill('192.0.2.1').join()];
    for (const text of bad) refused('Websocket', 'nameServers', text);
  });

  it('NATS servers get their scheme and port, and may carry a login', () => {
    const text = 'nats://a:4223/, b ,NATS://[::1]:1, ::1, tls://c, nats://user:pa55@d, nats://t0ken@e:1';
    assert.deepEqual(given('MessageQueue', 'mQueueServers', text), [
      'nats://a:4223',
      'nats://b:4222',
      'nats://[::1]:1',
      'nats://[::1]:4222',
      'tls://c:4222',
      'nats://user:pa55@d:4222',
      'nats://t0ken@e:1',
    ]);
    for (const bad of ['', 'http://a', 'nats://a:b/c', 'nats://']) refused('MessageQueue', 'mQueueServers', bad);
    for (const bad of ['http://user:hunter2@a:4222', 'b,nats://hunter2@a b']) {
      const [problem] = problemsOf(() => given('MessageQueue', 'mQueueServers', bad));
      assert.ok(!problem!.includes('hunter2'), problem);
    }
  });

  it('URLs are encrypted, or go to this machine', () => {
    const url = (name: string, value: string): LoadedSettings =>
      load('', { env: { WS_GROUP_NAME: 'g', [name]: value } });
    const good = 'wss://a.example/client/hubs/h?access_token=x|ws://localhost:1/|ws://127.0.0.53/|ws://[::1]:80/';
    for (const text of good.split('|')) assert.equal(url('WEBPUBSUB_CLIENT_URL', text).settings.clientUrl, text);
    for (const text of ['https://a.example/n', 'http://127.0.0.1:1/n']) {
      assert.equal(url('WEBPUBSUB_NEGOTIATE_URL', text).settings.negotiateUrl, text);
    }
    const bad =
      'ws://a.example/|https://a.example/|ws://127.evil.example/|wss://|nonsense|wss://a b/|ws://localhost.evil.example/';
    for (const text of bad.split('|')) {
      const problems = problemsOf(() => url('WEBPUBSUB_CLIENT_URL', `${text}?access_token=hunter2`));
      assert.equal(problems.length, 1);
      assert.ok(!problems[0]!.includes('hunter2') && !problems[0]!.includes(`${text}?`), problems[0]);
    }
    const [problem] = problemsOf(() => url('WEBPUBSUB_NEGOTIATE_URL', 'http://192.0.2.1/?code=hunter2'));
    assert.match(problem!, /https:\/\/ URL/);
    assert.ok(!problem!.includes('hunter2'));
  });
});

describe('the environment', () => {
  it('has a name for every key, by one rule, and wins', () => {
    assert.equal(TABLE.connectionIntervalSecs.envName, 'DUNEBUGGER_WEBSOCKET_CONNECTION_INTERVAL_SECS');
    assert.equal(TABLE.testDomain.envName, 'DUNEBUGGER_WEBSOCKET_TEST_DOMAIN');
    assert.equal(TABLE.mQueueServers.envName, 'DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_SERVERS');
    assert.equal(TABLE.mQueueClientID.envName, 'DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_CLIENT_ID');
    assert.equal(TABLE.authURL.envName, 'DUNEBUGGER_AUTH_AUTH_URL');
    assert.equal(TABLE.general_setting.envName, 'DUNEBUGGER_GENERAL_GENERAL_SETTING');
    const names = ROWS.map(([, spec]) => spec.envName);
    assert.equal(new Set(names).size, names.length);

    const { settings, sources } = load('[Websocket]\ntestDomain = a\nconnectionTimeoutSecs = 3\n', {
      env: {
        ...COMPLETE,
        DUNEBUGGER_WEBSOCKET_TEST_DOMAIN: ' b ',
        DUNEBUGGER_WEBSOCKET_CONNECTION_TIMEOUT_SECS: '',
      },
    });
    assert.equal(settings.testDomain, 'b');
    assert.equal(sources.of.testDomain, 'environment variable DUNEBUGGER_WEBSOCKET_TEST_DOMAIN');
    assert.equal(settings.connectionTimeoutSecs, 3, 'a variable set to nothing counts as not set');
    assert.equal(sources.of.connectionTimeoutSecs, `${CONF}, line 3`);
  });

  it('with a bad value names the variable and the setting; the conf value it replaces is not looked at', () => {
    const env = { ...COMPLETE, DUNEBUGGER_LOG_LOG_FORMAT: 'loud', DUNEBUGGER_WEBSOCKET_TEST_DOMAIN: 'b' };
    assert.deepEqual(
      problemsOf(() => load('[Websocket]\ntestDomain = a b\n[Log]\nlogFormat = x', { env })),
      [
        'environment variable DUNEBUGGER_LOG_LOG_FORMAT ([Log] logFormat) = "loud" is not allowed: give one of auto, journal, terminal, json',
      ],
    );
  });

  it('of February is understood; ours wins, and a difference is a warning without the values', () => {
    const env = {
      AUTH_AUTHURL: 'dunebugger.eu.auth0.com',
      AUTH_CLIENTID: 'id',
      AUTH_CLIENTSECRET: 'secret',
      AUTH_USERNAME: 'user',
      AUTH_PASSWORD: 'hunter2',
      WEBSOCKET_GROUPNAME: 'group',
      WEBSOCKET_CONNECTIONINTERVALSECS: '9',
      MESSAGEQUEUE_MQUEUECLIENTID: 'remote2',
      LOG_DUNEBUGGERLOGLEVEL: 'warn',
      SYSTEM_DEVICEID: 'pi',
      SYSTEM_LOCATIONDESCRIPTION: 'here',
      NTP_NTPTIMEOUT: '3',
    };
    const { settings, warnings } = load('[Websocket]\nconnectionIntervalSecs = 60', { env });
    assert.deepEqual(warnings, []);
    assert.equal(settings.connectionIntervalSecs, 9);
    assert.equal(settings.auth0Password, 'hunter2');
    assert.equal(settings.mQueueClientID, 'remote2');
    assert.equal(settings.dunebuggerLogLevel, 'WARNING');
    assert.deepEqual([settings.deviceId, settings.locationDescription, settings.ntpTimeout], ['pi', 'here', 3]);
    for (const ours of [
      { AUTH0_PASSWORD: 'mine', ...env },
      { ...env, AUTH0_PASSWORD: 'mine' },
    ]) {
      const both = load('', { env: ours });
      assert.equal(both.settings.auth0Password, 'mine');
      assert.equal(both.warnings.length, 1);
      assert.match(both.warnings[0]!, /AUTH_PASSWORD/);
      assert.doesNotMatch(both.warnings[0]!, /mine|hunter2/);
    }
  });

  it('with an unknown log level means INFO, as Python does, with a warning', () => {
    const { settings, warnings } = load('[Log]\ndunebuggerLogLevel = loud', { env: COMPLETE });
    assert.equal(settings.dunebuggerLogLevel, 'INFO');
    assert.match(warnings.join(), /"loud" is not allowed.*INFO is used/);
  });

  it('with a slip in a name gives a warning, never the value', () => {
    const { warnings, notices } = load('', {
      env: {
        ...COMPLETE,
        DUNEBUGGER_WEBSOCKET_TEST_DOMIAN: 'hunter2',
        DUNEBUGGER_COLOUR: 'hunter2',
        AUTH0_PASWORD: 'hunter2',
        AUTH0_DOMAIN_OF_SOMEBODY_ELSE: 'x',
        DUNEBUGGER_WEBSOCKET_STATE_CHECK_INTERVAL_SECS: '1',
        PATH: '/bin',
      },
    });
    assert.deepEqual(warnings, [
      'environment variable DUNEBUGGER_WEBSOCKET_TEST_DOMIAN is unknown and ignored; did you mean DUNEBUGGER_WEBSOCKET_TEST_DOMAIN?',
      'environment variable DUNEBUGGER_COLOUR is unknown and ignored',
      'environment variable AUTH0_PASWORD is unknown and ignored; did you mean AUTH0_PASSWORD?',
    ]);
    assert.deepEqual(notices, [
      'environment variable DUNEBUGGER_WEBSOCKET_STATE_CHECK_INTERVAL_SECS no longer does anything',
    ]);
  });

  it('may come from a .env beside the conf file, else from the working directory; the real one wins', () => {
    const dotEnv = [
      '\uFEFF# comment',
      'WS_GROUP_NAME=velasquez # the group',
      "export DEVICE_ID='pi 1'",
      'AUTH0_PASSWORD=pa#ss "w\'ord',
      'AUTH0_CLIENT_SECRET = "a # b"',
      'AUTH0_CLIENT_ID=#id#',
      'AUTH0_USERNAME=u # c',
      'WEBPUBSUB_NEGOTIATE_URL=https://a.example/#x',
      'LOCATION_DESCRIPTION=',
      '',
    ].join('\r\n');
    const files = {
      [CONF]: '',
      '/other/x.conf': '',
      '/etc/test/.env': dotEnv,
      '/work-dir/.env': 'WS_GROUP_NAME=other\nDUNEBUGGER_LOG_LOG_FORMAT=json',
    };
    const { settings, sources } = loadSettings({
      confFile: CONF,
      env: { DEVICE_ID: 'real' },
      readFile: disk(files),
      workingDirectory: '/work-dir',
    });
    assert.equal(sources.envFile, '/etc/test/.env');
    assert.equal(sources.of.wsGroupName, '/etc/test/.env, WS_GROUP_NAME');
    assert.equal(settings.wsGroupName, 'velasquez');
    assert.equal(settings.deviceId, 'real');
    assert.equal(settings.auth0Password, 'pa#ss "w\'ord');
    assert.equal(settings.auth0ClientSecret, 'a # b');
    assert.equal(settings.auth0ClientId, '#id#');
    assert.equal(settings.auth0Username, 'u');
    assert.equal(settings.negotiateUrl, 'https://a.example/#x');
    const elsewhere = loadSettings({
      confFile: '/other/x.conf',
      env: COMPLETE,
      readFile: disk(files),
      workingDirectory: '/work-dir',
    });
    assert.equal(elsewhere.sources.envFile, '/work-dir/.env');
    assert.equal(elsewhere.settings.wsGroupName, 'velasquez');
    assert.equal(elsewhere.settings.logFormat, 'json');
    const unreadable = disk({ [CONF]: '', '/etc/test/.env': failure('EACCES') });
    assert.match(problemsOf(() => load('', { readFile: unreadable }))[0]!, /^\/etc\/test\/\.env may not be read/);

    const handedOver = disk({
      [CONF]: '',
      '/etc/test/.env': failure('EACCES'),
      '/run/c/dotenv': 'DEVICE_ID=of-root # not "ours"\n',
    });
    const service = load('', { readFile: handedOver, credentialsDirectory: '/run/c' });
    assert.equal(service.settings.deviceId, 'of-root');
    assert.equal(service.sources.of.deviceId, '/etc/test/.env, DEVICE_ID');
  });

  it('is overruled by credentials, for secrets alone', () => {
    const files = {
      [CONF]: '',
      '/run/c/AUTH0_PASSWORD': ' from file \n',
      '/run/c/AUTH0_CLIENT_ID': '\n',
      '/run/c/DEVICE_ID': 'x',
    };
    const env = {
      ...COMPLETE,
      AUTH0_PASSWORD: 'from env',
      AUTH0_CLIENT_ID: 'from env',
      CREDENTIALS_DIRECTORY: '/run/c',
    };
    const { settings, sources } = load('', { env, readFile: disk(files) });
    assert.deepEqual(
      [settings.auth0Password, settings.auth0ClientId, settings.deviceId],
      [' from file ', 'from env', ''],
    );
    assert.equal(sources.of.auth0Password, 'credential /run/c/AUTH0_PASSWORD');
    const locked = disk({ ...files, '/run/c/AUTH0_USERNAME': failure('EACCES') });
    assert.match(problemsOf(() => load('', { env, readFile: locked }))[0]!, /AUTH0_USERNAME may not be read/);
  });
});

describe('settings together', () => {
  it('need a group and a way to sign in: everything missing at once, and the slip that explains it', () => {
    const run = (): unknown =>
      load('[Auth]\nauthURL = a.example\n', { env: { AUTH0_USERNAME: 'u', AUTH0_PASWORD: 'p' } });
    const problems = problemsOf(run);
    assert.equal(problems.length, 2);
    assert.match(problems[0]!, /^WS_GROUP_NAME is not set/);
    assert.match(
      problems[1]!,
      /^There is no way to sign in: AUTH0_CLIENT_ID, AUTH0_CLIENT_SECRET, AUTH0_PASSWORD are not set\./,
    );
    assert.throws(run, (error: SettingsError) => error.warnings[0]!.includes('did you mean AUTH0_PASSWORD?'));
  });

  it('need neither for a check, nor without the connection', () => {
    assert.deepEqual(load('', { env: {}, purpose: 'check' }).settings, DEFAULTS);
    assert.equal(load('[Websocket]\nwebsocketEnabled = no', { env: {} }).settings.websocketEnabled, false);
  });

  it('must fit each other', () => {
    assert.match(
      problemsOf(() => load('[Websocket]\nbackoffBaseSecs = 400\n'))[0]!,
      /backoffCapSecs = 300 is less than backoffBaseSecs = 400/,
    );
    const { warnings } = load('[Websocket]\nconnectionTimeoutSecs = 8\nheartBeatEverySecs = 301');
    assert.equal(warnings.length, 2);
  });

  it('are frozen, lists too', () => {
    const { settings } = load('[Websocket]\nnameServers = 192.0.2.1');
    assert.ok(
      Object.isFrozen(settings) && Object.isFrozen(settings.nameServers) && Object.isFrozen(settings.mQueueServers),
    );
  });
});

describe('a reload', () => {
  it('tells live changes from those that need a restart, without showing secrets', () => {
    const bus = '\n[MessageQueue]\nmQueueServers = ';
    const before = load(`${bus}nats://u:old-hunter@a`, { env: { ...COMPLETE, AUTH0_PASSWORD: 'old-hunter' } }).settings;
    const after = load(
      `[Websocket]\ntestDomain = b.example\nstabilizationSecs = 4\nnameServers = 192.0.2.1,::1${bus}nats://u:new-hunter@a`,
      { env: { ...COMPLETE, AUTH0_PASSWORD: 'new-hunter' } },
    ).settings;
    const diff = diffSettings(before, after);
    assert.deepEqual(
      [...diff.live, ...diff.restart].map(({ key, text }) => [key, text]),
      [
        ['testDomain', '[Websocket] testDomain: smart.dunebugger.it -> b.example'],
        ['nameServers', '[Websocket] nameServers: (not set) -> 192.0.2.1,::1'],
        ['stabilizationSecs', '[Websocket] stabilizationSecs: 3 -> 4'],
        ['mQueueServers', '[MessageQueue] mQueueServers: nats://***@a:4222 -> nats://***@a:4222'],
        ['auth0Password', 'AUTH0_PASSWORD: (secret) -> (secret)'],
      ],
    );
    assert.deepEqual(
      diff.live.map(({ key }) => TABLE[key].live),
      diff.live.map(() => true),
    );
    assert.deepEqual(
      diff.restart.map(({ key }) => TABLE[key].live),
      diff.restart.map(() => false),
    );
    const taken = takeOverLive(before, after);
    assert.deepEqual(diffSettings(before, taken), { live: diff.live, restart: [] });
    assert.deepEqual(diffSettings(taken, after), { live: [], restart: diff.restart });
    assert.deepEqual(diffSettings(before, before), { live: [], restart: [] });
  });
});

describe('secretsOf', () => {
  it('lists what no log may show, except a name that is open anyway', () => {
    const env = {
      ...COMPLETE,
      AUTH0_CLIENT_ID: 'client-id',
      AUTH0_USERNAME: 'velasquez',
      AUTH0_PASSWORD: 'p',
      AUTH0_CLIENT_SECRET: 's',
      WEBPUBSUB_CLIENT_URL: 'wss://a/?access_token=x',
    };
    const conf = '[MessageQueue]\nmQueueServers = nats://user:buspass@a, nats://bustoken@b, nats://c';
    assert.deepEqual(secretsOf(load(conf, { env }).settings), [
      's',
      'p',
      'wss://a/?access_token=x',
      'client-id',
      'buspass',
      'bustoken',
    ]);
    assert.deepEqual(secretsOf(DEFAULTS), []);
  });
});

describe('any text at all', () => {
  const words = [
    ...['[', ']', '=', ':', '"', "'", '`', '#', ';', ' ', '\n', '\r', '\\', '.', '[]', '\u2028', '\0', 'null', 'True'],
    ...['__proto__', 'constructor', 'Websocket', 'testDomain', '[Websocket]\n', 'testDomain=', 'export '],
    ...['DUNEBUGGER_LOG_LOG_FORMAT=', 'AUTH0_PASSWORD='],
  ];
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(fc.constantFrom(...words), { maxLength: 60 }).map((some) => some.join('')),
  );

  const settingsOrError = (run: () => unknown): void => {
    try {
      run();
    } catch (error) {
      assert.ok(error instanceof SettingsError, String(error));
      assert.ok(!/[\r\n]/.test(error.message));
      assert.ok(error.message.length < 20_000);
    }
  };

  it('gives settings or a SettingsError, in every source', () => {
    fc.assert(
      fc.property(text, text, text, text, (conf, dotEnv, variable, credential) => {
        const readFile = disk({ [CONF]: conf, '/etc/test/.env': dotEnv, '/run/c/AUTH0_PASSWORD': credential });
        const env = {
          CREDENTIALS_DIRECTORY: '/run/c',
          DUNEBUGGER_WEBSOCKET_TEST_DOMAIN: variable,
          WS_GROUP_NAME: variable,
          [`DUNEBUGGER_${variable}`]: 'x',
        };
        settingsOrError(() => loadSettings({ confFile: CONF, env, readFile, workingDirectory: '/nowhere' }));
      }),
      { numRuns: 1000 },
    );
  });

  it('and any bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 100 });
    fc.assert(
      fc.property(bytes, (conf) => settingsOrError(() => load(conf))),
      { numRuns: 500 },
    );
  });

  it('reads back any plain value it was given in quotes', () => {
    const plain = fc
      .string({ unit: 'grapheme', maxLength: 50 })
      .filter((value) => !/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u.test(value));
    fc.assert(
      fc.property(plain, (value) => {
        const quoted = `"${value.replace(/["\\]/g, '\\$&')}"`;
        const conf = `[General]\ngeneral_setting = ${quoted} # comment\n`;
        assert.equal(load(conf).settings.general_setting, value);
      }),
      { numRuns: 500 },
    );
  });
});
