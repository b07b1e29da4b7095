/** What each check of the doctor makes of what it finds, and what all findings mean together. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  AREAS,
  fail,
  firstSentence,
  pass,
  skip,
  warn,
  type Check,
  type Finding,
} from '../../src/main/cli/doctor/check.js';
import { CHECKS } from '../../src/main/cli/doctor/checks.js';
import { judge as judgeLine } from '../../src/main/cli/doctor/checks/line.js';
import { judge as judgeNames } from '../../src/main/cli/doctor/checks/name-servers.js';
import { diagnose, type Found } from '../../src/main/cli/doctor/diagnosis.js';
import { reportLines, reportOf } from '../../src/main/cli/doctor/report.js';
import { runChecks } from '../../src/main/cli/doctor/runner.js';
import { sourcesOf } from '../../src/main/cli/doctor/unit.js';
import { TROUBLES, type TroubleCode } from '../../src/main/troubles.js';
import type { CheckEvidence, DnsEvidence } from '../../src/workers/protocol.js';
import { ACTIVE, facts, type Given } from '../support/doctor-facts.js';
import { cloudIs, EVIDENCE, offline } from '../support/parts.js';

const CONF = '/etc/dunebugger-remote/dunebugger.conf';
const file = (mode: number, uid = 0) => ({ kind: 'file', mode, uid, gid: 0 }) as const;
const folder = (mode: number) => ({ kind: 'folder', mode, uid: 0, gid: 0 }) as const;
const space = (freeBytes: number, freeFiles = 100_000) => ({
  space: () => Promise.resolve({ freeBytes, totalBytes: 16e9, freeFiles }),
});

function checkOf(id: string): Check {
  const check = CHECKS.find((one) => one.id === id);
  assert.ok(check, id);
  return check;
}

/** Check, what is given, the outcome with its trouble, and words. */
const CASES: readonly (readonly [id: string, given: Given, outcome: string, words: RegExp])[] = [
  ['power', {}, 'pass', /^right$/],
  ['power', { machine: { underVoltage: null } }, 'skip', /no Pi/],
  ['power', { machine: { underVoltage: true } }, 'warn power-weak', /right now/],
  [
    'power',
    { files: { '/sys/devices/platform/soc/soc:firmware/get_throttled': '50000' } },
    'warn power-weak',
    /since the start/,
  ],
  ['power', { files: { '/sys/devices/platform/soc/soc:firmware/get_throttled': '0' } }, 'pass', /since the start/],
  ['heat', {}, 'pass', /^48\.3 °C$/],
  ['heat', { machine: { temperatureC: 81 } }, 'warn too-hot', /81 °C/],
  ['heat', { machine: { temperatureC: 86 } }, 'fail too-hot', /86 °C/],
  ['heat', { machine: { temperatureC: null } }, 'skip', /nothing here measures/],
  ['memory', {}, 'pass', /512 MB/],
  ['memory', { machine: { memoryFreeMb: 40 } }, 'warn memory-short', /40 MB/],
  ['memory', { machine: { memoryFreeMb: 9 } }, 'fail memory-short', /9 MB/],
  ['memory', { machine: { memoryFreeMb: null } }, 'skip', /does not say/],
  ['disk', {}, 'pass', /^8000 MB of 16 GB free$/],
  ['disk', { system: space(50e6) }, 'warn disk-full', /50 MB free at \//],
  ['disk', { system: space(0) }, 'fail disk-full', /0 MB free at \//],
  ['disk', { system: space(8e9, 0) }, 'fail disk-full', /no more files/],
  ['disk', { system: space(8e9, 12) }, 'warn disk-full', /only 12 more files/],
  [
    'disk',
    { files: { '/proc/self/mounts': '/dev/root / ext4 rw,noatime 0 0\n/dev/mmcblk0p3 /var/lib ext4 ro 0 0\n' } },
    'warn disk-read-only',
    /\/var\/lib is read-only/,
  ],
  [
    'disk',
    { files: { '/proc/self/mounts': '/dev/root / ext4 ro 0 0\ntmpfs / tmpfs rw 0 0\nproc /boot vfat ro 0 0\n' } },
    'pass',
    /free/,
  ],
  ['certificates', {}, 'pass', /is there/],
  ['certificates', { trust: { hasStore: false } }, 'warn no-ca-store', /Node itself do so far/],
  [
    'certificates',
    { trust: { hasStore: false }, evidence: { ok: false, reason: 'no-ca-store' } },
    'fail no-ca-store',
    /nobody else vouches/,
  ],
  [
    'certificates',
    { trust: { problems: ['caFile /x cannot be read (ENOENT)'] } },
    'fail ca-file-unusable',
    /caFile \/x/,
  ],
  ['configuration', {}, 'pass', /dunebugger\.conf$/],
  ['configuration', { env: { WS_GROUP_NAME: '' } }, 'fail configuration-wrong', /^one problem$/],
  ['configuration', { env: { DUNEBUGGER_WEBSOCKET_TEST_DOMEIN: 'x' } }, 'warn setting-unknown', /^one warning$/],
  [
    'configuration',
    { env: { DUNEBUGGER_WEBSOCKET_CONNECTION_TIMEOUT_SECS: '9' } },
    'warn setting-doubtful',
    /^one warning$/,
  ],
  [
    'configuration',
    { hidden: ['/etc/dunebugger-remote/environment'] },
    'skip',
    /this user may not read \/etc\/dunebugger-remote\/environment/,
  ],
  [
    'permissions',
    { stats: { [CONF]: file(0o644), '/etc/dunebugger-remote/environment': file(0o600) } },
    'pass',
    /nobody else/,
  ],
  ['permissions', { stats: { [CONF]: file(0o640) } }, 'fail conf-hidden', /closed to others/],
  [
    'permissions',
    { stats: { '/etc/dunebugger-remote': folder(0o750) } },
    'fail conf-hidden',
    /the folder .* is closed/,
  ],
  ['permissions', { env: { DUNEBUGGER_NETWORK_CA_FILE: '/home/pi/ca.pem' } }, 'fail conf-hidden', /in a home/],
  [
    'permissions',
    { stats: { '/etc/dunebugger-remote/environment': file(0o644) } },
    'warn secrets-exposed',
    /environment/,
  ],
  ['permissions', { stats: { '/etc/dunebugger-remote/credentials': folder(0o755) } }, 'warn secrets-exposed', /cred/],
  [
    'permissions',
    { stats: { '/etc/dunebugger-remote/environment': file(0o600, 1000) } },
    'warn secrets-exposed',
    /env/,
  ],
  ['permissions', { unit: {} }, 'skip', /no service of systemd/],
  ['unit', {}, 'pass', /^active \(running\), enabled$/],
  ['unit', { unit: {} }, 'skip', /runs without systemd/],
  ['unit', { unit: {}, service: { kind: 'none', why: 'service-absent' } }, 'skip', /no systemd here/],
  [
    'unit',
    { unit: { LoadState: 'not-found' }, service: { kind: 'none', why: 'service-absent' } },
    'fail service-absent',
    /no such unit/,
  ],
  ['unit', { unit: { ...ACTIVE, ActiveState: 'inactive', SubState: 'dead' } }, 'fail service-stopped', /inactive/],
  [
    'unit',
    { unit: { ...ACTIVE, ActiveState: 'failed', ExecMainStatus: '78', Result: 'exit-code' } },
    'fail service-misconfigured',
    /exit-code/,
  ],
  ['unit', { unit: { ...ACTIVE, ActiveState: 'activating' } }, 'warn service-starting', /activating/],
  ['unit', { unit: { ...ACTIVE, UnitFileState: 'disabled' } }, 'warn unit-disabled', /boot/],
  ['unit', { unit: { ...ACTIVE, NRestarts: '7' } }, 'warn unit-restarts', /7 times/],
  ['unit', { unit: { ...ACTIVE, NeedDaemonReload: 'yes' } }, 'warn unit-outdated', /active/],
  ['service', {}, 'pass', /^answers: Online, connected since/],
  ['service', { service: { kind: 'none', why: 'service-not-allowed' } }, 'skip', /not allowed/],
  ['service', { service: { kind: 'none', why: 'service-suspended' } }, 'fail service-suspended', /suspended/],
  ['service', { service: { kind: 'none', why: 'service-unasked' } }, 'warn service-unasked', /cannot be asked/],
  [
    'service',
    { snapshot: { daemon: { version: '1', pid: 1, startedAtMs: 0, wanted: true, problem: 'the worker hangs' } } },
    'fail not-healthy',
    /the worker hangs/,
  ],
  ['second-remote', { snapshot: { secondRemote: 'group' } }, 'fail second-remote', /in our group/],
  ['second-remote', { snapshot: { secondRemote: 'bus' } }, 'fail second-remote', /on our bus/],
  [
    'second-remote',
    {
      files: { '/proc/77/cmdline': '/usr/bin/node\0/usr/lib/dunebugger-remote/dist/src/main/cli.js\0run\0' },
      system: { linkName: () => Promise.resolve('net:[1]') },
    },
    'fail second-remote',
    /process 77/,
  ],
  ['links', {}, 'skip', /shows no interface/],
  [
    'links',
    {
      evidence: {
        ok: false,
        reason: 'no-link',
        link: { phase: 'link', ok: false, reason: 'no-link', detail: 'eth0 has no carrier' },
      },
    },
    'fail no-link',
    /^eth0 has no carrier$/,
  ],
  [
    'links',
    {
      files: {
        '/sys/class/net/wlan0/operstate': 'up',
        '/proc/net/wireless': ' wlan0: 0000   54.  -82.  -256        0',
      },
    },
    'warn wifi-weak',
    /^wlan0, Wi-Fi -82 dBm$/,
  ],
  [
    'links',
    {
      evidence: {
        ok: false,
        reason: 'dns-timeout',
        link: {
          phase: 'link',
          ok: true,
          uplinks: [
            { name: 'eth0', role: 'carries' },
            { name: 'wlan0', role: 'stands-by', hasInternet: true },
          ],
        },
      },
    },
    'fail wrong-uplink',
    /^wlan0 has internet, and eth0, which carries, has none$/,
  ],
  ['routes', {}, 'pass', /^over wlan0 by 192\.168\.1\.1$/],
  ['routes', { evidence: { ok: false, reason: 'no-link' } }, 'skip', /not looked at: no network link/],
  [
    'routes',
    {
      evidence: {
        ok: false,
        reason: 'no-route',
        link: { phase: 'link', ok: false, reason: 'no-route', detail: 'eth0 has no address' },
      },
    },
    'fail no-route',
    /^eth0 has no address$/,
  ],
  ['router', {}, 'pass', /^192\.168\.1\.1 answers in 1\.5 ms$/],
  ['router', { router: { address: undefined, ms: undefined } }, 'skip', /needs none/],
  ['router', { router: { address: '192.168.1.1', ms: undefined } }, 'pass', /leads on, and answers nobody itself/],
  [
    'router',
    {
      router: { address: '192.168.1.1', ms: undefined },
      evidence: { ok: false, reason: 'dns-timeout' },
      system: { run: () => Promise.resolve('192.168.1.1 dev wlan0 FAILED\n') },
    },
    'fail router-silent',
    /nobody has the address 192\.168\.1\.1/,
  ],
  [
    'router',
    {
      router: { address: '192.168.1.1', ms: undefined },
      evidence: { ok: false, reason: 'dns-timeout' },
      system: { run: () => Promise.resolve('192.168.1.1 dev wlan0 lladdr aa:bb STALE\n') },
    },
    'pass',
    /is there, but answers neither/,
  ],
  [
    'router',
    { router: { address: '192.168.1.1', ms: undefined }, evidence: { ok: false, reason: 'dns-timeout' } },
    'skip',
    /does not say/,
  ],
  [
    'mtu',
    { files: { '/sys/class/net/wlan0/mtu': '1500' } },
    'pass',
    /^wlan0 takes 1500 bytes; whether they get through is not known$/,
  ],
  [
    'mtu',
    {
      files: { '/sys/class/net/wlan0/mtu': '1500' },
      packets: { phase: 'packets', ok: true, address: '203.0.113.7', device: 'wlan0', passes: 1_500 },
    },
    'pass',
    /^wlan0 takes 1500 bytes, and they get through$/,
  ],
  [
    'mtu',
    {
      files: { '/sys/class/net/wlan0/mtu': '1500' },
      packets: { phase: 'packets', ok: false, address: '203.0.113.7', device: 'wlan0', passes: 1_280, lost: 1_400 },
    },
    'warn large-packets-lost',
    /^1280 bytes get through by wlan0, 1400 do not$/,
  ],
  ['mtu', { files: { '/sys/class/net/wlan0/mtu': '1000' } }, 'warn mtu-small', /1000/],
  ['mtu', { files: { '/sys/class/net/wlan0/mtu': '500' } }, 'fail mtu-small', /500/],
  ['mtu', { machine: { interface: null } }, 'skip', /no interface/],
  ['portal', {}, 'pass', /none/],
  ['portal', { evidence: { ok: false, reason: 'dns-timeout' } }, 'skip', /name server silent/],
  [
    'portal',
    {
      evidence: {
        ok: false,
        reason: 'portal',
        portal: { phase: 'portal', address: '1.2.3.4', ms: 3, sign: 'portal', login: 'http://login.hotel.test/' },
      },
    },
    'fail portal',
    /log in at http:\/\/login\.hotel\.test/,
  ],
  ['site', {}, 'pass', /smart\.dunebugger\.it answers with status 200/],
  ['site', { evidence: { ok: false, refused: 'EMFILE' } }, 'fail system-refuses', /no file handle/],
  ['site', { evidence: { siteReason: 'tcp-timeout' } }, 'warn test-site-down', /does not answer/],
  ['site', { evidence: { ok: false, reason: 'tcp-refused', https: [] } }, 'fail tcp-refused', /smart\.dunebugger\.it/],
  ['site', { evidence: { ok: false, reason: 'portal' } }, 'skip', /captive portal/],
  ['site', { evidence: { ok: false, reason: 'clock' } }, 'skip', /see above/],
  ['proxy', {}, 'skip', /none is set/],
  [
    'proxy',
    {
      env: { DUNEBUGGER_NETWORK_HTTPS_PROXY: 'http://me:pw@proxy.firm:3128' },
      evidence: { https: [{ ...EVIDENCE.https[0]!, proxyMs: 12 }] },
    },
    'pass',
    /^proxy\.firm:3128 opens a way in 12 ms$/,
  ],
  [
    'proxy',
    {
      env: { DUNEBUGGER_NETWORK_HTTPS_PROXY: 'http://me:pw@proxy.firm:3128' },
      evidence: {
        ok: false,
        reason: 'proxy',
        https: [{ ...EVIDENCE.https[0]!, ok: false, reason: 'proxy', proxy: 'refuses-connections' }],
      },
    },
    'fail proxy',
    /^proxy\.firm:3128: nothing listens where the proxy should be$/,
  ],
  ['hosts', { env: { DUNEBUGGER_WEBSOCKET_WEBSOCKET_ENABLED: 'False' } }, 'skip', /websocketEnabled is False/],
  ['site', { evidence: { ok: false, reason: 'proxy' } }, 'skip', /the proxy opens no way/],
  ['hosts', { evidence: { ok: false, reason: 'tcp-timeout' } }, 'skip', /test site does not answer/],
  ['sign-in', {}, 'pass', /service is signed in/],
  [
    'sign-in',
    { ...cloud('backing-off', { kind: 'refused', status: 403, message: 'wrong password' }) },
    'fail sign-in-refused',
    /wrong password/,
  ],
  [
    'sign-in',
    { ...cloud('backing-off', { kind: 'throttled', status: 429, message: 'too many' }) },
    'warn cloud-throttled',
    /too many/,
  ],
  [
    'sign-in',
    { snapshot: offline('dns-timeout'), evidence: { ok: false, reason: 'dns-timeout' } },
    'skip',
    /name server silent/,
  ],
  ['sign-in', { ...cloud('connecting'), hidden: ['/etc/x'] }, 'skip', /may not read the secrets/],
  [
    'sign-in',
    {
      ...cloud('connecting'),
      cloud: { signIn: { kind: 'signed-in', how: 'Auth0 (x)', kept: false }, session: { kind: 'joined' }, roles: [] },
    },
    'pass',
    /^by Auth0 \(x\)$/,
  ],
  [
    'sign-in',
    {
      ...cloud('connecting'),
      cloud: {
        signIn: { kind: 'failed', message: 'Auth0 gave no answer: x. Look.', unanswered: true },
        session: undefined,
        roles: undefined,
      },
    },
    'fail sign-in-unanswered',
    /^Auth0 gave no answer: x$/,
  ],
  ['websocket', {}, 'pass', /is open/],
  [
    'websocket',
    {
      ...cloud('backing-off'),
      cloud: { signIn: { kind: 'signed-in', how: 'x', kept: true }, session: { kind: 'joined' }, roles: undefined },
    },
    'warn cloud-failed',
    /tries again by itself/,
  ],
  [
    'websocket',
    {
      ...cloud('connecting'),
      cloud: {
        signIn: { kind: 'signed-in', how: 'x', kept: true },
        session: { kind: 'refused', status: 401, message: 'no' },
        roles: undefined,
      },
    },
    'fail url-refused',
    /^no$/,
  ],
  ['group', {}, 'pass', /in the group velasquez/],
  [
    'group',
    {
      ...cloud('connecting'),
      cloud: {
        signIn: { kind: 'signed-in', how: 'x', kept: true },
        session: { kind: 'joined' },
        roles: ['webpubsub.joinLeaveGroup'],
      },
    },
    'fail cloud-right-missing',
    /lacks the role webpubsub\.sendToGroup/,
  ],
  [
    'group',
    {
      ...cloud('connecting'),
      cloud: {
        signIn: { kind: 'signed-in', how: 'x', kept: true },
        session: { kind: 'joined' },
        roles: ['webpubsub.sendToGroup.velasquez'],
      },
    },
    'pass',
    /may speak there/,
  ],
  [
    'group',
    {
      ...cloud('connecting'),
      cloud: {
        signIn: { kind: 'signed-in', how: 'x', kept: true },
        session: { kind: 'refused', status: 403, message: 'joining failed', step: 'join' },
        roles: [],
      },
    },
    'fail cloud-right-missing',
    /joining failed/,
  ],
  ['bus', {}, 'pass', /connected to it/],
  ['bus', { env: { DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_ENABLED: 'False' } }, 'skip', /mQueueEnabled is False/],
  ['bus', { snapshot: { bus: 'down' }, bus: trial('away') }, 'fail bus-away', /nats:\/\/x:4222: refused/],
  ['bus', { snapshot: { bus: 'down' }, bus: trial('up') }, 'warn bus-away', /has not got through/],
  ['bus', { snapshot: { bus: 'down' }, bus: trial('denied') }, 'fail bus-denied', /refused/],
  ['bus', { snapshot: { bus: 'down' }, bus: trial('misconfigured') }, 'fail bus-misconfigured', /refused/],
  ['core', {}, 'pass', /^answers, version 2\.1\.0$/],
  ['scheduler', {}, 'pass', /^answers$/],
  ['core', { snapshot: { bus: 'down' } }, 'skip', /bus is not there/],
  [
    'core',
    { snapshot: { components: [{ name: 'dunebugger', state: 'not_responding', version: null }] } },
    'fail component-away',
    /45 s/,
  ],
  ['scheduler', { snapshot: { components: [] } }, 'skip', /not heard yet/],
  ['core', { service: { kind: 'none', why: 'service-stopped' }, bus: trial('up', ['core']) }, 'pass', /answers/],
  [
    'scheduler',
    { service: { kind: 'none', why: 'service-stopped' }, bus: trial('up', ['core']) },
    'fail component-away',
    /2 s/,
  ],
];

function cloud(
  kind: string,
  lastFailure?: { kind: 'refused' | 'throttled' | 'failed'; status?: number; message: string },
): Given {
  return { snapshot: cloudIs(kind, lastFailure === undefined ? {} : { lastFailure }) };
}

function trial(
  outcome: 'up' | 'away' | 'denied' | 'misconfigured',
  heard: readonly ('core' | 'scheduler')[] = [],
): NonNullable<Given['bus']> {
  return { outcome, server: 'nats://x:4222', message: 'refused', heard: new Set(heard) };
}

describe('the checks of the doctor', () => {
  for (const [id, given, expected, words] of CASES) {
    it(`${id}: ${expected}, ${words.source}`, async () => {
      const found = await checkOf(id).run(facts(given));
      assert.equal([found.outcome, ...((found.trouble ?? '') ? [found.trouble] : [])].join(' '), expected);
      assert.match(found.words, words);
      assertWellSaid(found);
    });
  }

  it('have ids and titles of their own, and stand by area', () => {
    assert.equal(new Set(CHECKS.map(({ id }) => id)).size, CHECKS.length);
    assert.equal(new Set(CHECKS.map(({ title }) => title)).size, CHECKS.length);
    const places = CHECKS.map(({ area }) => AREAS.indexOf(area));
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    );
    for (const { title } of CHECKS) assert.ok(title.length <= 16, title);
  });
});

/** Words fit into a sentence; what is wrong says what to do. */
function assertWellSaid({ outcome, words, remedy, trouble }: Finding): void {
  assert.doesNotMatch(words, /[.\n]$|`/);
  if (remedy !== undefined) assert.doesNotMatch(remedy, /[.\n]$|`/);
  const isBad = outcome === 'warn' || outcome === 'fail';
  assert.equal(trouble !== undefined, isBad);
  if (isBad) assert.ok((remedy ?? '').length > 0);
}

describe('the runner', () => {
  const check = (id: string, run: () => Promise<Finding>, withinMs?: number): Check => ({
    id,
    area: 'machine',
    title: id,
    run,
    ...(withinMs === undefined ? {} : { withinMs }),
  });

  it('ends whoever is late, by its own deadline or by that of all, and goes on after a bug', async () => {
    const found = await runChecks(
      [
        check('good', () => Promise.resolve(pass('fine'))),
        check('late', () => new Promise(() => undefined), 20),
        check('later', () => new Promise(() => undefined)),
        check('broken', () => Promise.reject(new Error('oops'))),
      ],
      facts(),
      performance.now() + 100,
    );
    assert.deepEqual(
      found.map(({ id, outcome, words }) => [id, outcome, words]),
      [
        ['good', 'pass', 'fine'],
        ['late', 'skip', 'no answer within 0 s'],
        ['later', 'skip', 'no answer within 0.1 s'],
        ['broken', 'warn', 'this check failed: oops'],
      ],
    );
    // What is not known is not right.
    assert.equal(
      diagnose(found.slice(0, 3)).sentence,
      'Nothing is wrong with what could be looked at; no answer in time from: late, later. Run it again when this machine has less to do.',
    );
  });
});

describe('the diagnosis', () => {
  const found = (...findings: readonly Finding[]): readonly Found[] =>
    findings.map((finding, i) => ({ id: `c${i}`, area: 'machine', title: `check ${i}`, ...finding }));

  const cases: readonly (readonly [
    name: string,
    Finding[],
    outcome: string,
    first: TroubleCode | undefined,
    beside: TroubleCode[],
  ])[] = [
    ['all is well', [pass('x'), skip('y')], 'pass', undefined, []],
    ['no link explains the rest', [fail('dns-timeout', 'x'), fail('no-link', 'y')], 'fail', 'no-link', []],
    [
      'a failure comes before a warning',
      [warn('clock-untrusted', 'x'), fail('bus-away', 'y')],
      'fail',
      'bus-away',
      ['clock-untrusted'],
    ],
    [
      'weak Wi-Fi explains a router that does not answer',
      [fail('router-silent', 'x'), warn('wifi-weak', 'y')],
      'fail',
      'wifi-weak',
      [],
    ],
    [
      'weak Wi-Fi does not explain a refused sign-in',
      [fail('sign-in-refused', 'x'), warn('wifi-weak', 'y')],
      'fail',
      'sign-in-refused',
      ['wifi-weak'],
    ],
    [
      'a missing store that is not needed explains nothing',
      [fail('dns-timeout', 'x'), warn('no-ca-store', 'y')],
      'fail',
      'dns-timeout',
      ['no-ca-store'],
    ],
    [
      'what an outage explains is no remark',
      [fail('no-route', 'x'), warn('test-site-down', 'y')],
      'fail',
      'no-route',
      [],
    ],
    [
      'only warnings',
      [warn('line-lossy', 'x'), warn('clock-untrusted', 'y')],
      'warn',
      'line-lossy',
      ['clock-untrusted'],
    ],
    ['the same trouble twice', [warn('bus-away', 'x'), fail('bus-away', 'y')], 'fail', 'bus-away', []],
  ];
  for (const [name, findings, outcome, first, beside] of cases) {
    it(name, () => {
      const diagnosis = diagnose(found(...findings));
      assert.equal(diagnosis.outcome, outcome);
      assert.equal(diagnosis.first?.trouble, first);
      assert.deepEqual(
        diagnosis.beside.map(({ trouble }) => trouble),
        beside,
      );
      assert.match(diagnosis.sentence, /^[^.]+\.$/);
      if (first !== undefined) assert.ok(diagnosis.sentence.includes(TROUBLES[first].title));
    });
  }

  it('says how to see more where this user may not look', () => {
    assert.match(diagnose(found(pass('x'), skip('y', 'Run it with sudo'))).sentence, /what this user may look at/);
  });

  it('is told to people: marks, what to do, the first cause last', () => {
    const findings = found(pass('fine'), { ...fail('bus-away', 'nats://x:4222: \u001b[31mrefused'), lines: ['more'] });
    assert.deepEqual(reportLines(findings, diagnose(findings), { colour: false }), [
      'This machine',
      '  PASS  check 0          fine',
      '  FAIL  check 1          nats://x:4222: \\u001b[31mrefused',
      '        more',
      '        What to do: Look at nats-server and at [MessageQueue] mQueueServers; it is tried again by itself.',
      '',
      'What to do first: Look at nats-server and at [MessageQueue] mQueueServers; it is tried again by itself.',
      'First cause: the bus is not there (nats://x:4222: \\u001b[31mrefused).',
    ]);
  });

  it('is told to programs: every member is there', () => {
    const findings = found(pass('fine'), fail('bus-away', 'gone'));
    const report = reportOf(findings, diagnose(findings), { version: '1.2.3', takenAtMs: 5, ms: 7 });
    assert.deepEqual(report.checks[0], {
      id: 'c0',
      area: 'machine',
      title: 'check 0',
      outcome: 'pass',
      words: 'fine',
      trouble: null,
      remedy: null,
      lines: [],
    });
    assert.deepEqual([report.first, report.outcome, report.beside], ['c1', 'fail', []]);
  });
});

describe('the properties of the unit', () => {
  it('say where its settings come from', () => {
    assert.deepEqual(
      sourcesOf({
        ...ACTIVE,
        Environment: 'NODE_ENV=production "DEVICE=a \\"b\\" c" X=1',
        EnvironmentFiles: '/etc/a (ignore_errors=yes)\n/etc/b (ignore_errors=no)',
      }),
      {
        confFile: CONF,
        environment: { NODE_ENV: 'production', DEVICE: 'a "b" c', X: '1' },
        environmentFiles: ['/etc/a', '/etc/b'],
      },
    );
    assert.equal(sourcesOf({}), undefined);
    assert.equal(sourcesOf({ LoadState: 'not-found' }), undefined);
  });
});

describe('a message with advice', () => {
  it('is cut to its first sentence', () => {
    assert.equal(firstSentence('x gave no answer: a.b (1.2.3.4). Look at y.'), 'x gave no answer: a.b (1.2.3.4)');
    assert.equal(firstSentence('one.'), 'one');
  });
});

describe('the name servers, asked one by one', () => {
  const dns = (ok: boolean, ms: number): DnsEvidence => ({
    phase: 'dns',
    ok,
    ms,
    addresses: ok ? ['203.0.113.7'] : [],
    servers: ['x'],
    ...(ok ? {} : { trouble: 'silent' }),
  });
  const near = { address: '192.168.1.1', ms: 1.5 };
  const cases: readonly (readonly [
    name: string,
    Partial<CheckEvidence>,
    DnsEvidence[],
    outcome: string,
    words: RegExp,
  ])[] = [
    ['all answer', {}, [dns(true, 9), dns(true, 12)], 'pass', /^s0 answers in 9 ms; s1 answers in 12 ms$/],
    [
      'one is silent',
      {},
      [dns(true, 9), dns(false, 3_000)],
      'warn name-server-missing',
      /^s1: no name server answers$/,
    ],
    ['one is slow', {}, [dns(true, 900)], 'warn name-server-slow', /900 ms/],
    ['the line is slow', { https: [{ ...EVIDENCE.https[0]!, tcpMs: 600 }] }, [dns(true, 900)], 'pass', /900 ms/],
    ['none can be asked alone', {}, [dns(false, 3_000)], 'skip', /one by one/],
    ['none is needed', { dns: { ...dns(true, 0), servers: [] } }, [], 'skip', /needs none/],
    [
      'none answers, the router does',
      { ok: false, reason: 'dns-timeout', dns: dns(false, 2_000) },
      [dns(false, 3_000)],
      'fail dns-timeout',
      /^no name server answers, asked x; the router 192\.168\.1\.1 answers$/,
    ],
    [
      'the file is empty',
      { ok: false, reason: 'dns-failed', dns: { ...dns(false, 1), trouble: 'resolv-conf-empty' } },
      [],
      'fail dns-failed',
      /^\/etc\/resolv\.conf names no name server$/,
    ],
    ['nothing is known of it behind a dead link', { ok: false, reason: 'no-link' }, [], 'skip', /no network link/],
  ];
  for (const [name, evidence, answers, expected, words] of cases) {
    it(name, () => {
      const asked = answers.map((answer, i) => ({ server: `s${i}`, dns: answer }));
      const found = judgeNames({ ...EVIDENCE, ...evidence }, asked, near);
      assert.equal([found.outcome, ...(found.trouble === undefined ? [] : [found.trouble])].join(' '), expected);
      assert.match(found.words, words);
      assertWellSaid(found);
    });
  }
});

describe('the line', () => {
  const quick = Array.from({ length: 22 }, () => 20);
  it("one packet that is lost is nobody's fault, two are", () => {
    assert.equal(judgeLine([...quick, 20, 1_030], false).outcome, 'pass');
    assert.equal(judgeLine([...quick, 1_020, 1_030], false).trouble, 'line-lossy');
    assert.equal(judgeLine([...quick, undefined, undefined], false).trouble, 'line-lossy');
  });
  it('is slow if the quickest is, unless somebody knows', () => {
    const slow = quick.map((ms) => ms + 600);
    assert.equal(judgeLine(slow, false).trouble, 'line-slow');
    assert.equal(judgeLine(slow, true).outcome, 'pass');
    assert.equal(judgeLine([...slow.slice(1), 30], false).outcome, 'pass', 'one was quick, so this machine is late');
  });
  it('says nothing of a site that takes no connection now', () => {
    assert.equal(
      judgeLine(
        quick.map(() => undefined),
        false,
      ).outcome,
      'skip',
    );
  });
});
