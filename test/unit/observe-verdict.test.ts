/** What programs of the operator are told of the internet, and when. */
import { startExchange } from '../support/exchange.js';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Json } from '../../src/main/base/json.js';
import type { Parts } from '../../src/main/observe/parts.js';
import { takeSnapshot, type Snapshot } from '../../src/main/observe/snapshot.js';
import { noteVerdict, NOTHING_TOLD, verdictBody, verdictLine, type Told } from '../../src/main/observe/verdict/told.js';
import { VerdictOutlet } from '../../src/main/observe/verdict/outlet.js';
import type { OfflineReason } from '../../src/workers/protocol.js';
import type { FakeBus } from '../support/fake-cloud.js';
import { EVIDENCE, HEALTHY, NOW_MS } from '../support/parts.js';
import { RecordedLog } from '../support/recorded-log.js';

const SINCE_MS = Date.UTC(2026, 10, 25, 9, 30, 12, 345);
const SINCE = '2026-11-25T09:30:12Z';

interface Look {
  readonly verdict: 'unknown' | 'online' | 'offline';
  readonly reason?: OfflineReason;
  /** Number of the check that was the last. */
  readonly check?: number;
  readonly cloud?: 'connected' | 'backing-off';
}

function partsOf({ verdict, reason, check = 0, cloud = 'backing-off' }: Look): Parts {
  const lastEvidence = { ...EVIDENCE, startedAtMs: NOW_MS + check };
  return {
    ...HEALTHY,
    internet: { ...HEALTHY.internet!, verdict, ...(reason && { reason }), sinceMs: SINCE_MS, lastEvidence },
    cloud: { ...HEALTHY.cloud!, kind: cloud },
  };
}

const snapshotOf = (look: Look): Snapshot => takeSnapshot(partsOf(look), NOW_MS);

/** What is told over looks in a row; `-`: nothing. */
function told(...looks: readonly Look[]): readonly string[] {
  let memory = NOTHING_TOLD;
  return looks.map((look) => {
    const [next, now] = noteVerdict(memory, snapshotOf(look));
    memory = next;
    return now === undefined ? '-' : `${verdictLine(now) ?? 'none'} ${now.cloud}`;
  });
}

describe('a verdict for programs', () => {
  const offline = (reason: OfflineReason, check: number): Look => ({ verdict: 'offline', reason, check });
  for (const [name, looks, expected] of [
    ['nothing is known', [{ verdict: 'unknown' }, { verdict: 'unknown' }], ['none not-connected', '-']],
    [
      'the first verdict, and the same again',
      [{ verdict: 'unknown' }, { verdict: 'online' }, { verdict: 'online', check: 1 }],
      ['none not-connected', 'online not-connected', '-'],
    ],
    [
      'an outage begins and ends',
      [
        { verdict: 'online', cloud: 'connected' },
        offline('dns-timeout', 1),
        offline('dns-timeout', 2),
        { verdict: 'online', check: 3 },
      ],
      ['online connected', `offline dns-timeout ${SINCE} not-connected`, '-', 'online not-connected'],
    ],
    [
      'another reason counts once two checks agree on it',
      [offline('no-link', 1), offline('dns-timeout', 2), offline('dns-timeout', 3), offline('dns-timeout', 4)],
      [`offline no-link ${SINCE} not-connected`, '-', `offline dns-timeout ${SINCE} not-connected`, '-'],
    ],
    [
      'two looks at one check are one',
      [
        offline('no-link', 1),
        offline('dns-timeout', 2),
        offline('dns-timeout', 2),
        offline('no-link', 3),
        offline('dns-timeout', 4),
      ],
      [`offline no-link ${SINCE} not-connected`, '-', '-', '-', '-'],
    ],
    [
      'reasons that take turns are told once',
      [1, 2, 3, 4, 5, 6].map((check) => offline(check % 2 === 0 ? 'tcp-timeout' : 'dns-timeout', check)),
      [`offline dns-timeout ${SINCE} not-connected`, '-', '-', '-', '-', '-'],
    ],
    [
      'the cloud connection comes and goes',
      [{ verdict: 'online' }, { verdict: 'online', cloud: 'connected' }, { verdict: 'online' }],
      ['online not-connected', 'online connected', 'online not-connected'],
    ],
    [
      'the cloud goes while another reason is doubted',
      [{ ...offline('no-link', 1), cloud: 'connected' }, offline('dns-timeout', 2), offline('dns-timeout', 3)],
      [`offline no-link ${SINCE} not-connected`, '-', `offline dns-timeout ${SINCE} not-connected`],
    ],
  ] as const) {
    it(`is told: ${name}`, () => assert.deepEqual(told(...looks), expected));
  }

  it('has a line with words that need no quotes, whatever is known', () => {
    const of = (some: Partial<Told>): string | undefined =>
      verdictLine({ verdict: 'offline', reason: null, sinceMs: null, cloud: 'not-connected', ...some });
    assert.equal(of({}), 'offline no-internet -');
    assert.equal(of({ reason: 'portal', sinceMs: 0 }), 'offline portal 1970-01-01T00:00:00Z');
    assert.equal(of({ verdict: 'online', sinceMs: 0 }), 'online');
    assert.equal(of({ verdict: 'unknown' }), undefined);
  });

  it('has a body for the bus', () => {
    const [, now] = noteVerdict(NOTHING_TOLD, snapshotOf(offline('portal', 1)));
    assert.ok(now);
    assert.deepEqual(verdictBody(now, 'as it is'), {
      ...{ verdict: 'offline', reason: 'portal', since: SINCE, cloud: 'not-connected', sentence: 'as it is' },
    });
    const idle = takeSnapshot(
      { ...HEALTHY, internet: undefined, cloud: undefined, daemon: { ...HEALTHY.daemon, wanted: false } },
      NOW_MS,
    );
    const [, nothing] = noteVerdict(NOTHING_TOLD, idle);
    assert.deepEqual(nothing, { verdict: 'unknown', reason: null, sinceMs: null, cloud: 'idle' });
  });
});

describe('the verdict on the bus', () => {
  function make(): {
    readonly bus: FakeBus;
    readonly is: (look: Look | undefined) => void;
    readonly told: () => readonly Json[];
  } {
    const log = new RecordedLog();
    let now: Look | undefined = { verdict: 'unknown' };
    const status = new VerdictOutlet({
      snapshot: () => (now === undefined ? undefined : snapshotOf(now)),
      runtimeDirectory: undefined,
      log,
    });
    const { bus } = startExchange({ verdict: { status, clientId: 'remote' } });
    return {
      bus,
      is: (look) => {
        now = look;
        status.look();
      },
      told: () =>
        bus.announced.map(({ subject, payload }) => {
          const { body, ...rest } = payload as { body: Record<string, Json> };
          assert.deepEqual([subject, rest], ['status', { subject: 'status', source: 'remote' }]);
          assert.equal(typeof body['sentence'], 'string');
          return [body['verdict'] ?? null, body['reason'] ?? null, body['since'] ?? null, body['cloud'] ?? null];
        }),
    };
  }
  const ONLINE = ['online', null, SINCE, 'not-connected'];
  const OFFLINE = ['offline', 'no-link', SINCE, 'not-connected'];

  it('is told at each change, when the bus is there, and when asked, with an answer to who asked', () => {
    const { bus, is, told } = make();
    is({ verdict: 'online' });
    is({ verdict: 'online', check: 1 });
    is({ verdict: 'offline', reason: 'no-link', check: 2 });
    assert.deepEqual(told(), [['unknown', null, null, 'not-connected'], ONLINE, OFFLINE].slice(1));
    bus.become('up');
    assert.deepEqual(told().slice(2), [OFFLINE]);
    const answers: unknown[] = [];
    bus.ask('get_status', '', (payload) => answers.push(payload));
    bus.ask('get_status', '{"source":"core"');
    assert.deepEqual(told().slice(3), [OFFLINE, OFFLINE]);
    assert.deepEqual(answers, [bus.announced.at(-1)?.payload]);
  });

  it('is told by nobody who is stopping, and what others say under its subject reaches no browser', () => {
    const { bus, is, told } = make();
    bus.arrive('status', { verdict: 'online' });
    is(undefined);
    bus.ask('get_status', '');
    assert.deepEqual(told(), []);
  });
});
