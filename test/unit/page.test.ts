/** What the page says and how it is made: words, buckets, HTML; and who may ask for it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import type { Outage, Story } from '../../src/main/observe/history/outages.js';
import { RecentHistory } from '../../src/main/observe/history/view.js';
import type { HistoryRecord } from '../../src/main/observe/history/record.js';
import { isOwnHost } from '../../src/main/observe/http/host.js';
import { isNeighbour } from '../../src/main/observe/http/neighbours.js';
import { formatFor, metricsText } from '../../src/main/observe/metrics.js';
import { documentOf } from '../../src/main/observe/page/document.js';
import { LivePages } from '../../src/main/observe/page/live.js';
import { html } from '../../src/main/observe/page/html.js';
import { SECTIONS, sectionsOf } from '../../src/main/observe/page/sections.js';
import { bucketsOf, daysOfMonth, quartersOfDay } from '../../src/main/observe/page/strips.js';
import { languageOf, WORDS } from '../../src/main/observe/page/languages.js';
import type { Parts } from '../../src/main/observe/parts.js';
import { troublesPresent } from '../../src/main/observe/present.js';
import { takeSnapshot, type Snapshot } from '../../src/main/observe/snapshot.js';
import { OFFLINE_REASONS, TROUBLES, type TroubleCode } from '../../src/main/troubles.js';
import { cloudIs, EVIDENCE, HEALTHY, LOOKED, NOW_MS, offline, siteFails } from '../support/parts.js';
import { RecordedLog } from '../support/recorded-log.js';
import { until } from '../support/until.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const EMPTY: Story = { outages: [], runs: [], hours: [] };
const outage = (more: Partial<Outage> = {}): Outage => ({
  scope: 'internet',
  fromMs: NOW_MS - 2 * HOUR,
  toMs: NOW_MS - HOUR,
  ms: HOUR,
  atLeast: false,
  count: 1,
  why: 'dns-timeout',
  evidence: null,
  cloud: null,
  ...more,
});
const RUN = { fromMs: NOW_MS - 40 * DAY, toMs: NOW_MS, after: 'nothing', version: '1' } as const;
const of = (parts: Partial<Parts> = {}): Snapshot => takeSnapshot({ ...HEALTHY, ...parts }, NOW_MS, LOOKED);

/** Whatever the snapshot can complain of. */
const TROUBLED: readonly Partial<Parts>[] = [
  ...OFFLINE_REASONS.map((reason) => offline(reason)),
  siteFails('tcp-timeout'),
  {
    internet: {
      ...HEALTHY.internet!,
      lastEvidence: { ...EVIDENCE, refused: { call: 'socket', code: 'EMFILE' } as never },
    },
  },
  ...['recovering', 'backing-off', 'connecting', 'spreading', 'stabilising'].map((kind) => cloudIs(kind)),
  ...(['refused', 'throttled', 'failed'] as const).flatMap((kind) =>
    [429, 503].map((status) => cloudIs('backing-off', { lastFailure: { kind, status, message: 'gave no answer' } })),
  ),
  cloudIs('backing-off', { lastFailure: { kind: 'failed', message: 'said no' } }),
  { bus: 'down' },
  { secondRemote: 'bus' },
  { components: [{ name: 'dunebugger', state: 'not_responding', version: null }] },
  { clock: { trusted: false, farOffMs: undefined } },
  { clock: { trusted: false, farOffMs: -2 * DAY } },
  { daemon: { ...HEALTHY.daemon, problem: 'hangs' } },
  { internet: undefined, cloud: undefined, daemon: { ...HEALTHY.daemon, wanted: false } },
  { internet: { ...HEALTHY.internet!, verdict: 'unknown' } },
];

describe('the Host of a question', () => {
  for (const [host, own] of [
    ['localhost', true],
    ['localhost:8088', true],
    ['app.localhost', true],
    ['127.0.0.1', true],
    ['192.168.1.7:8088', true],
    ['[fe80::1]:8088', true],
    ['dune', true],
    ['DUNE.local:8088', true],
    ['dune.local.', true],
    ['dune.lan', true],
    ['dune.home.arpa', true],
    [undefined, false],
    ['', false],
    ['evil.example', false],
    ['dune.example', false],
    ['dune.fritz.box', false],
    ['localhost.example', false],
    ['127.0.0.1.example', false],
    ['xlocalhost', false],
    ['[evil.example]', false],
    ['local', false],
  ] as const)
    it(`${String(host)}: ${own ? 'ours' : 'may be a stranger’s'}`, () => assert.equal(isOwnHost(host, 'dune'), own));

  it('a machine without a name has no name', () => assert.equal(isOwnHost('', ''), false));
});

describe('who is near', () => {
  const OWN = ['127.0.0.1/8', '::1/128', '192.168.1.7/24', 'fe80::7/64', '2001:db8:1::7/64', '203.0.113.9/30'];
  for (const [address, near] of [
    ['127.0.0.1', true],
    ['::1', true],
    ['::ffff:192.168.1.20', true],
    ['192.168.1.20', true],
    ['fe80::20%eth0', true],
    ['2001:db8:1::20', true],
    ['203.0.113.10', true],
    ['192.168.2.20', false],
    ['::ffff:203.0.113.20', false],
    ['2001:db8:2::20', false],
    ['8.8.8.8', false],
    ['', false],
    ['nonsense', false],
  ] as const)
    it(`${address}: ${near ? 'is' : 'is not'}`, () => assert.equal(isNeighbour(address, OWN), near));

  it('where the system tells nothing of its networks, nobody is', () =>
    assert.equal(isNeighbour('127.0.0.1', []), false));
});

describe('the language', () => {
  for (const [accepted, language] of [
    [undefined, 'en'],
    ['', 'en'],
    ['it', 'it'],
    ['it-IT,it;q=0.9,en;q=0.8', 'it'],
    ['en-GB,en;q=0.9,it;q=0.8', 'en'],
    ['de-DE,it;q=0.5', 'it'],
    ['de', 'en'],
    ['it;q=0', 'en'],
    ['it;q=nonsense', 'en'],
    ['italian', 'en'],
    ['IT-ch', 'it'],
    [`${'x,'.repeat(5_000)}it`, 'en'],
  ] as const)
    it(`${String(accepted).slice(0, 40)}: ${language}`, () => assert.equal(languageOf(accepted), language));

  it('Italian has words for whatever the snapshot can complain of, and says all else in Italian, too', () => {
    const complained = new Set(TROUBLED.flatMap((parts) => troublesPresent({ ...HEALTHY, ...parts })));
    assert.ok(complained.size >= 24, [...complained].join());
    for (const code of complained) assert.ok(WORDS.it.trouble(code) !== undefined, `no Italian for ${code}`);
    for (const parts of TROUBLED) {
      const snapshot = of(parts);
      const said = WORDS.it.sentence(snapshot);
      assert.doesNotMatch(said, /\b(the|since|not|connected|looking)\b|undefined|null/i, said);
      assert.notEqual(said, snapshot.sentence);
      assert.equal(WORDS.it.next(snapshot) === null, snapshot.next === null);
      const { chain } = sectionsOf({ snapshot, story: EMPTY }, WORDS.it);
      assert.doesNotMatch(chain.text, /because of|not wanted|memory free/);
    }
  });

  it('what has no Italian words is marked as English', () => {
    const code: TroubleCode = 'configuration-wrong';
    assert.equal(WORDS.it.trouble(code), undefined);
    const { outages } = sectionsOf({ snapshot: of(), story: { ...EMPTY, outages: [outage({ why: code })] } }, WORDS.it);
    assert.match(outages.text, new RegExp(`<span lang="en">${TROUBLES[code].title}</span>`));
  });
});

describe('HTML', () => {
  it('whatever is put into it stays text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const made = html`<p title="${text}">${text}</p>`.text;
        assert.match(made, /^<p title="[^"<>]*">[^<>]*<\/p>$/);
      }),
    );
    assert.equal(html`<i>${[html`<b>${'&'}</b>`, null, 3]}</i>`.text, '<i><b>&amp;</b>3</i>');
  });

  it('nothing that came from elsewhere becomes an element, in any part of the page', () => {
    const evil = `<img src=x onerror=alert(1)>"'&`;
    const snapshot = of({
      ...cloudIs('backing-off', { group: evil, lastFailure: { kind: 'failed', message: evil } }),
      daemon: { ...HEALTHY.daemon, version: evil, problem: evil },
      components: [{ name: 'dunebugger', state: 'running', version: evil }],
    });
    const story = { ...EMPTY, outages: [outage({ why: evil, evidence: evil })] };
    for (const words of Object.values(WORDS)) {
      const page = documentOf({ snapshot, story }, words, 'token');
      assert.ok(!page.includes('<img'));
      assert.ok(page.includes('&lt;img'));
    }
  });

  it('is at most 40 kB at its fullest', () => {
    const outages = Array.from({ length: 500 }, (_, index) =>
      outage({
        fromMs: NOW_MS - index * HOUR - HOUR,
        toMs: NOW_MS - index * HOUR,
        count: 999,
        cloud: { how: 'reconnected', ms: HOUR },
      }),
    );
    const hours = Array.from({ length: 720 }, (_, index) => ({
      atMs: NOW_MS - index * HOUR,
      checks: 514,
      failed: 3,
      latencyMs: { mean: 1_234.5, jitter: 111.1, max: 9_999.9 },
    }));
    for (const parts of TROUBLED)
      for (const words of Object.values(WORDS)) {
        const page = documentOf({ snapshot: of(parts), story: { outages, runs: [RUN], hours } }, words, 'x'.repeat(16));
        assert.ok(Buffer.byteLength(page) <= 40_000, `${words.language}: ${Buffer.byteLength(page)} bytes`);
      }
  });

  it('each part that changes has its place in the page', () => {
    const page = documentOf({ snapshot: of(), story: EMPTY }, WORDS.en, 'token');
    for (const id of SECTIONS) assert.match(page, new RegExp(`id="${id}"`));
    assert.match(page, /<title>✓ Online, connected/);
    assert.match(documentOf({ snapshot: of(offline('no-link')), story: EMPTY }, WORDS.en, ''), /<title>✗ Offline/);
  });
});

describe('a strip', () => {
  const states = (story: Partial<Story>): string =>
    bucketsOf({ ...EMPTY, runs: [RUN], ...story }, quartersOfDay(NOW_MS), NOW_MS)
      .map(({ state }) => state[0])
      .join('');

  it('is 96 quarters of an hour, or 30 days of the calendar, the last is that of now', () => {
    const quarters = quartersOfDay(NOW_MS + 1);
    assert.equal(quarters.length, 97);
    assert.ok((quarters[95] ?? 0) <= NOW_MS && (quarters[96] ?? 0) > NOW_MS);
    const days = daysOfMonth(NOW_MS);
    assert.equal(days.length, 31);
    assert.ok((days[29] ?? 0) <= NOW_MS && (days[30] ?? 0) > NOW_MS);
    for (const day of days) assert.equal(new Date(day).getHours(), 0);
  });

  it('a bucket is red if anything in it was, however short', () => {
    const fromMs = NOW_MS - 3 * HOUR + 1_000;
    assert.equal(states({ outages: [outage({ fromMs, toMs: fromMs + 1, ms: 1 })] }).replace(/f+/g, 'f'), 'faf');
    assert.match(states({ outages: [outage({ toMs: null })] }), /^f+a{9}$/);
    assert.match(states({ outages: [outage({ scope: 'cloud' })] }), /^f+c{5}f{4}$/);
  });

  it('what nobody saw is neither good nor bad', () => {
    assert.match(states({ runs: [{ ...RUN, fromMs: NOW_MS - HOUR }] }), /^u+f{5}$/);
    assert.match(states({ runs: [] }), /^u{96}$/);
  });

  it('says how long it was away within each', () => {
    const buckets = bucketsOf({ outages: [outage()], runs: [RUN] }, quartersOfDay(NOW_MS), NOW_MS);
    assert.equal(
      buckets.reduce((sum, { awayMs }) => sum + awayMs, 0),
      HOUR,
    );
  });
});

describe('who watches', () => {
  it('is sent what has changed and nothing else; the timer runs only while somebody watches', async () => {
    let looks = 0;
    let snapshot = of();
    const pages = new LivePages({
      look: () => Promise.resolve((looks += 1)).then(() => ({ snapshot, story: EMPTY })),
      log: new RecordedLog(),
      everyMs: 1,
    });
    const sent: string[] = [];
    const { begin } = pages.stream('en');
    assert.equal(looks, 0);
    const end = begin((event) => sent.push(event));
    await until(() => looks > 3, 'looks');
    assert.equal(sent.length, 1);
    assert.deepEqual(Object.keys(partsOf(sent[0]!)), [...SECTIONS, 'title']);
    snapshot = of(cloudIs('recovering'));
    await until(() => sent.length === 2, 'what has changed');
    assert.deepEqual(Object.keys(partsOf(sent[1]!)), ['sentence', 'next', 'chain', 'title']);
    end();
    const looked = looks;
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(looks <= looked + 1);
  });

  it('an error of a look ends nothing', async () => {
    let looks = 0;
    const pages = new LivePages({
      look: () => Promise.reject(new Error(`no ${(looks += 1)}`)),
      log: new RecordedLog(),
      everyMs: 1,
    });
    const end = pages.stream('it').begin(() => assert.fail('nothing is known'));
    await until(() => looks > 2, 'looks');
    end();
  });
});

function partsOf(event: string): Readonly<Record<string, string>> {
  return JSON.parse(event.replace(/^data: /, '')) as Readonly<Record<string, string>>;
}

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  // What was looked at in this turn of the loop is kept until its end.
  await turn();
  (runInNewContext('gc') as () => void)();
}

describe('the recent history', () => {
  it('is read again only when something has happened, and what lasts goes on', async () => {
    let reads = 0;
    const records: readonly HistoryRecord[] = [
      { k: 'start', at: NOW_MS - HOUR, up: 0, boot: 'a', version: '1', after: 'nothing' },
      { k: 'down', at: NOW_MS - HOUR / 2, up: HOUR / 2, scope: 'internet', why: 'portal' },
    ];
    const history = { revision: 1, read: () => Promise.resolve({ records, unreadable: (reads += 1) }) };
    const recent = new RecentHistory(history);
    const first = await recent.story(NOW_MS);
    const later = await recent.story(NOW_MS + 1_000);
    assert.equal(reads, 1);
    assert.deepEqual([first.outages[0]?.ms, later.outages[0]?.ms], [HOUR / 2, HOUR / 2 + 1_000]);
    assert.equal(later.runs[0]?.toMs, NOW_MS + 1_000);
    history.revision = 2;
    await recent.story(NOW_MS);
    assert.equal(reads, 2);
  });

  it('is read once for all who ask at the same time', async () => {
    let reads = 0;
    const recent = new RecentHistory({
      revision: 1,
      read: () => Promise.resolve({ records: [], unreadable: (reads += 1) }),
    });
    await Promise.all([recent.story(NOW_MS), recent.story(NOW_MS), recent.story(NOW_MS)]);
    assert.equal(reads, 1);
  });

  it('gives back its memory when that is needed, and is read again then', async () => {
    let reads = 0;
    const recent = new RecentHistory({
      revision: 1,
      read: () => Promise.resolve({ records: [], unreadable: (reads += 1) }),
    });
    await recent.story(NOW_MS);
    await collectGarbage();
    await recent.story(NOW_MS);
    assert.equal(reads, 2);
  });
});

describe('metrics', () => {
  const totals = { checks: 10, failed: 1, timed: 9, latencyMs: 180 };

  it('the format is that which is liked', () => {
    assert.equal(formatFor(undefined), 'openmetrics');
    assert.equal(formatFor('text/plain'), 'text');
    assert.equal(formatFor('application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.4'), 'openmetrics');
  });

  it('every label is escaped, and what is not known is absent', () => {
    const evil = 'a"b\\c\nd';
    const text = metricsText(
      { snapshot: of({ daemon: { ...HEALTHY.daemon, version: evil } }), totals, story: EMPTY },
      'openmetrics',
    );
    // Since the start, as what is counted from midnight on would sink.
    assert.ok(text.includes('dunebugger_remote_data_received_bytes_total{use="checks"} 4400000\n'), text);
    assert.ok(text.includes('dunebugger_remote_data_sent_bytes_total{use="sign-in"} 8000\n'));
    assert.ok(text.includes('dunebugger_remote_data_sent_bytes_total{use="cloud"} 770000\n'));
    assert.ok(text.includes('dunebugger_remote_data_saver 0\n'));
    assert.ok(text.includes('dunebugger_remote_build_info{version="a\\"b\\\\c\\nd"} 1\n'));
    assert.ok(text.includes('dunebugger_remote_check_latency_seconds_sum 0.18\n'));
    assert.doesNotMatch(text, /NaN|undefined|null|uptime_ratio/);
    assert.match(text, /# EOF\n$/);
    const before = metricsText({ snapshot: undefined, totals, story: EMPTY }, 'text');
    assert.equal(before.split('\n').length, 4);
  });
});
