/** The snapshot: what it says of each state of the parts, and that it keeps to its schema. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Json } from '../../src/main/base/json.js';
import type { Parts } from '../../src/main/observe/parts.js';
import { SNAPSHOT_VERSION, takeSnapshot, type Snapshot } from '../../src/main/observe/snapshot.js';
import { OFFLINE_REASONS } from '../../src/main/troubles.js';
import { problemsWith } from '../support/json-schema.js';
import { cloudIs, HEALTHY, LOOKED, NOW_MS, offline, siteFails } from '../support/parts.js';

const SCHEMA = JSON.parse(readFileSync(new URL('../../../conf/status.schema.json', import.meta.url), 'utf8')) as Record<
  string,
  unknown
>;

const of = (parts: Partial<Parts> = {}): Snapshot => takeSnapshot({ ...HEALTHY, ...parts }, NOW_MS, LOOKED);
const chain = ({ chain: links }: Snapshot): string =>
  links.map(({ station, state }) => `${station} ${state}`).join(', ');
const ALL_WELL = 'pi ok, interface ok, router ok, name-server ok, internet ok, cloud ok, bus ok, core ok, scheduler ok';

/** Parts, the outcome, the first trouble, those beside it, what is next, and stations that are not ok. */
const CASES: readonly (readonly [
  name: string,
  parts: Partial<Parts>,
  outcome: Snapshot['outcome'],
  first: string | undefined,
  beside: readonly string[],
  next: RegExp | null,
  stations: string,
])[] = [
  ['all is well', {}, 'connected', undefined, [], null, ''],
  [
    'no link',
    offline('no-link'),
    'not-connected',
    'no-link',
    [],
    /looked at again every 2 s/,
    'interface bad, router behind, name-server behind, internet behind, cloud behind',
  ],
  [
    'no route',
    offline('no-route'),
    'not-connected',
    'no-route',
    [],
    /looked at again/,
    'router bad, name-server behind, internet behind, cloud behind',
  ],
  [
    'name server silent, and the bus away',
    { ...offline('dns-timeout'), bus: 'down' },
    'not-connected',
    'dns-timeout',
    ['bus-away'],
    /looked at again/,
    'name-server bad, internet behind, cloud behind, bus bad, core behind, scheduler behind',
  ],
  ['a test site that fails alone', siteFails('tls-failed'), 'connected', 'test-site-down', [], null, ''],
  ['a captive portal', offline('portal'), 'not-connected', 'portal', [], /again/, 'internet bad, cloud behind'],
  [
    'a wrong clock, not trusted either',
    { ...offline('clock'), clock: { trusted: false, farOffMs: undefined } },
    'not-connected',
    'clock',
    [],
    /again/,
    'pi bad, interface behind, router behind, name-server behind, internet behind, cloud behind',
  ],
  [
    'another day than the test site says, not trusted either',
    { clock: { trusted: false, farOffMs: -400 * 86_400_000 } },
    'connected',
    'clock-far-off',
    [],
    null,
    '',
  ],
  [
    'nothing known yet',
    { internet: { ...HEALTHY.internet!, verdict: 'unknown' }, ...cloudIs('waiting-for-internet') },
    'not-connected',
    undefined,
    [],
    null,
    'interface unknown, router unknown, name-server unknown, internet unknown, cloud unknown',
  ],
  [
    'the sign-in is refused',
    cloudIs('backing-off', {
      nextAttemptAtMs: NOW_MS + 41_200,
      lastFailure: { kind: 'refused', status: 403, message: 'wrong password' },
    }),
    'not-connected',
    'sign-in-refused',
    [],
    /tried again in 42 s/,
    'cloud bad',
  ],
  [
    'too many connections',
    cloudIs('backing-off', { lastFailure: { kind: 'throttled', message: 'wait' } }),
    'not-connected',
    'cloud-throttled',
    [],
    /tried again in 0 s/,
    'cloud bad',
  ],
  [
    'a pause that was asked for',
    cloudIs('backing-off', { lastFailure: { kind: 'throttled', status: 503, message: 'wait' } }),
    'not-connected',
    'cloud-busy',
    [],
    /tried again/,
    'cloud bad',
  ],
  [
    'the cloud is silent, tried again now',
    cloudIs('connecting', { lastFailure: { kind: 'failed', message: 'no answer' } }),
    'not-connected',
    'cloud-failed',
    [],
    /being opened/,
    'cloud bad',
  ],
  [
    'the sign-in is silent',
    cloudIs('backing-off', {
      lastFailure: { kind: 'failed', message: 'Auth0 gave no answer: timeout', signInUnanswered: true },
    }),
    'not-connected',
    'sign-in-unanswered',
    [],
    /tried again/,
    'cloud bad',
  ],
  ['the first attempt', cloudIs('connecting'), 'not-connected', undefined, [], /being opened/, 'cloud unknown'],
  ['it settles', cloudIs('stabilising'), 'not-connected', undefined, [], /settled/, 'cloud unknown'],
  ['it lets others go first', cloudIs('spreading'), 'not-connected', undefined, [], /not all devices/, 'cloud unknown'],
  ['resuming', cloudIs('recovering'), 'not-connected', 'cloud-interrupted', [], /resumed/, 'cloud bad'],
  [
    'core is away',
    { components: [{ name: 'dunebugger', state: 'not_responding', version: '2.1.0' }, HEALTHY.components[1]!] },
    'connected',
    'component-away',
    [],
    null,
    'core bad',
  ],
  [
    'nobody has answered yet',
    { components: HEALTHY.components.map((part) => ({ ...part, state: 'unknown' as const })) },
    'connected',
    undefined,
    [],
    null,
    'core unknown, scheduler unknown',
  ],
  [
    'no bus is wanted',
    { bus: 'off', components: HEALTHY.components.map((part) => ({ ...part, state: 'not_responding' as const })) },
    'connected',
    undefined,
    [],
    null,
    'bus off, core off, scheduler off',
  ],
  [
    'no cloud is wanted',
    { daemon: { ...HEALTHY.daemon, wanted: false }, internet: undefined, cloud: undefined },
    'idle',
    undefined,
    [],
    null,
    'interface off, router off, name-server off, internet off, cloud off',
  ],
  [
    'the checks have failed',
    { daemon: { ...HEALTHY.daemon, problem: 'the worker hangs' } },
    'connected',
    'not-healthy',
    [],
    null,
    'pi bad, interface behind, router behind, name-server behind, internet behind, cloud behind',
  ],
];

describe('A snapshot', () => {
  for (const [name, parts, outcome, first, beside, next, stations] of CASES) {
    it(`${name}: outcome, first cause, what is next, the chain; as its schema says`, () => {
      const snapshot = of(parts);
      assert.equal(snapshot.outcome, outcome);
      assert.equal(snapshot.troubles.first?.code, first);
      assert.deepEqual(
        snapshot.troubles.beside.map(({ code }) => code),
        beside,
      );
      if (next === null) assert.equal(snapshot.next, null);
      else assert.match(snapshot.next ?? '', next);
      const expected = ALL_WELL.split(', ').map((text) => {
        const [station] = text.split(' ');
        return stations.split(', ').find((other) => other.startsWith(`${station} `)) ?? text;
      });
      assert.equal(chain(snapshot), expected.join(', '));
      const json = JSON.parse(JSON.stringify(snapshot)) as Json;
      assert.deepEqual(json, snapshot, 'nothing is lost as JSON');
      assert.deepEqual(problemsWith(json, SCHEMA), []);
    });
  }

  it('every reason has its station, and blames one only', () => {
    for (const reason of OFFLINE_REASONS) {
      const bad = of(offline(reason)).chain.filter(({ state }) => state === 'bad');
      assert.equal(bad.length, 1, reason);
    }
  });

  it('what follows from the first cause is named with it, not beside it', () => {
    const { troubles } = of(offline('no-link'));
    assert.deepEqual(troubles.behind, [{ code: 'no-internet', title: 'no internet', because: 'no-link' }]);
  });

  it('says what the kernel saw of the link', () => {
    const link = { phase: 'link', ok: false, reason: 'no-link', detail: 'eth0 has no carrier' } as const;
    const lastEvidence = { ...HEALTHY.internet!.lastEvidence!, ok: false, reason: 'no-link' as const, link, https: [] };
    const { chain: links } = of(offline('no-link', { lastEvidence }));
    assert.equal(links[1]?.words, 'no network link: eth0 has no carrier');
  });

  it('has words of the machine where somebody looked, and does without', () => {
    const words = of()
      .chain.slice(0, 3)
      .map(({ words: text }) => text);
    assert.deepEqual(words, ['48.3 °C, 512 MB of memory free', 'wlan0, Wi-Fi -56 dBm', '192.168.1.1']);
    const bare = takeSnapshot(HEALTHY, NOW_MS);
    assert.deepEqual([bare.machine, bare.lastHour, bare.today, bare.outages], [null, null, null, null]);
    assert.deepEqual(problemsWith(JSON.parse(JSON.stringify(bare)) as Json, SCHEMA), []);
    const weak = { ...LOOKED, machine: { ...LOOKED.machine, underVoltage: true } };
    assert.match(takeSnapshot(HEALTHY, NOW_MS, weak).chain[0]?.words ?? '', /the power supply is too weak/);
  });

  it('a change of its shape is found by the schema, which is of the same version', () => {
    const { properties } = SCHEMA as { properties: { snapshotVersion: { const: number } } };
    assert.equal(properties.snapshotVersion.const, SNAPSHOT_VERSION);
    const { sentence, ...rest } = of();
    assert.deepEqual(problemsWith({ ...rest, more: sentence } as unknown as Json, SCHEMA), [
      '$.sentence is missing',
      '$.more is not in the schema',
    ]);
  });
});
