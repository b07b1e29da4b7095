import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { nextWatchTickMs, onComponentWatch, startComponentWatch } from '../../src/main/remote/component-watch.js';
import type { ComponentWatch, ComponentWatchEvent } from '../../src/main/remote/component-watch.js';
import { SILENT, nextTickMs, onHeartbeat } from '../../src/main/remote/heartbeat.js';
import type { Heartbeat, HeartbeatEvent } from '../../src/main/remote/heartbeat.js';
import { parseBusServer } from '../../src/main/remote/bus-servers.js';
import { fullBucket, nextSettleMs, settle, take } from '../../src/main/remote/token-bucket.js';

describe('the heartbeat', () => {
  const settings = { everyMs: 60_000, durationMs: 300_000 };
  /** Runs the events at their times and every tick that falls due; returns what was said when. */
  function run(events: readonly (readonly [number, HeartbeatEvent])[], untilMs: number): readonly string[] {
    const said: string[] = [];
    let state: Heartbeat = SILENT;
    const queue = [...events];
    for (;;) {
      const tick = nextTickMs(state) ?? Infinity;
      const [atMs, event] =
        queue[0] !== undefined && queue[0][0] <= tick ? queue.shift()! : ([tick, { kind: 'tick' }] as const);
      if (atMs > untilMs) return said;
      const [next, bodies] = onHeartbeat(state, event, settings, atMs);
      state = next;
      for (const body of bodies) said.push(`${atMs / 1000} ${body}`);
    }
  }

  it('answers at once, then every minute for five, asks once, and falls silent', () => {
    assert.deepEqual(run([[0, { kind: 'requested' }]], 3_600_000), [
      '0 I am alive',
      '60 I am alive',
      '120 I am alive',
      '180 I am alive',
      '240 I am alive',
      '300 Is anyone there?',
    ]);
  });

  it('goes on from the last request', () => {
    assert.deepEqual(
      run(
        [
          [0, { kind: 'requested' }],
          [250_000, { kind: 'requested' }],
        ],
        3_600_000,
      ).slice(-6),
      [
        '250 I am alive',
        '310 I am alive',
        '370 I am alive',
        '430 I am alive',
        '490 I am alive',
        '550 Is anyone there?',
      ],
    );
  });

  it('asks on joining, and leaves a loop that goes on as it is', () => {
    assert.deepEqual(run([[5_000, { kind: 'joined' }]], 3_600_000), ['5 Is anyone there?']);
    assert.deepEqual(
      run(
        [
          [0, { kind: 'requested' }],
          [5_000, { kind: 'joined' }],
        ],
        70_000,
      ),
      ['0 I am alive', '5 Is anyone there?', '60 I am alive'],
    );
  });

  it('leaves no gap longer than the interval while it beats, however often it is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200_000 }), { minLength: 1, maxLength: 30 }), (gaps) => {
        let atMs = 0;
        const events = gaps.map((gap) => [(atMs += gap), { kind: 'requested' }] as const);
        const said = run(events, atMs + 400_000);
        const times = said.map((line) => Number(line.split(' ')[0]) * 1000);
        times.forEach((time, i) => assert.ok(i === 0 || time - times[i - 1]! <= settings.everyMs + 0.001));
        assert.equal(said.filter((line) => line.endsWith('?')).length, 1);
      }),
    );
  });

  it('says one thing after a long sleep', () => {
    const [beating] = onHeartbeat(SILENT, { kind: 'requested' }, settings, 0);
    assert.deepEqual(onHeartbeat(beating, { kind: 'tick' }, settings, 200_000)[1], ['I am alive']);
    assert.deepEqual(onHeartbeat(beating, { kind: 'tick' }, settings, 900_000), [SILENT, ['Is anyone there?']]);
  });
});

describe('the component watch', () => {
  const describeEffects = (events: readonly (readonly [number, ComponentWatchEvent])[]): readonly string[] => {
    let watch: ComponentWatch = startComponentWatch(0);
    return events.flatMap(([atMs, event]) => {
      const [next, effects] = onComponentWatch(watch, event, atMs);
      watch = next;
      return effects.map((effect) =>
        effect.kind !== 'changed'
          ? `${atMs} ${effect.kind} ${effect.component}`
          : `${atMs} ${effect.component} ${effect.from} -> ${effect.to} ${effect.version ?? ''}`.trim(),
      );
    });
  };

  it('asks both every 30 s', () => {
    let watch = startComponentWatch(0);
    const asked: number[] = [];
    for (let i = 0; i < 12; i += 1) {
      const atMs = nextWatchTickMs(watch);
      const [next, effects] = onComponentWatch(watch, { kind: 'tick' }, atMs);
      watch = next;
      for (const effect of effects) if (effect.kind === 'ask' && effect.component === 'core') asked.push(atMs);
    }
    assert.deepEqual(asked.slice(0, 5), [0, 30_000, 60_000, 90_000, 120_000]);
  });

  it('counts a component as running for 45 s, and reports each change once', () => {
    assert.deepEqual(
      describeEffects([
        [1_000, { kind: 'alive', component: 'core' }],
        [2_000, { kind: 'alive', component: 'core' }],
        [45_000, { kind: 'tick' }],
        [46_999, { kind: 'tick' }],
        [47_000, { kind: 'tick' }],
        [47_001, { kind: 'tick' }],
        [50_000, { kind: 'alive', component: 'core', version: '1.0' }],
        [51_000, { kind: 'alive', component: 'core' }],
        [52_000, { kind: 'alive', component: 'core', version: '1.1' }],
      ]).filter((line) => !line.includes('ask')),
      [
        '1000 core unknown -> running',
        '45000 scheduler unknown -> not_responding',
        '47000 core running -> not_responding',
        '50000 restarted core',
        '50000 core not_responding -> running 1.0',
        '52000 restarted core',
        '52000 core running -> running 1.1',
      ],
    );
  });

  it('asks at once when the bus is back', () => {
    assert.deepEqual(describeEffects([[100, { kind: 'bus-up' }]]), ['100 ask core', '100 ask scheduler']);
  });

  it('asks one that was there every 4 s while it is missing, and knows that its return is perhaps a restart', () => {
    assert.deepEqual(
      describeEffects([
        [0, { kind: 'tick' }],
        [5, { kind: 'alive', component: 'core' }],
        [30_000, { kind: 'tick' }],
        [33_999, { kind: 'tick' }],
        [34_000, { kind: 'tick' }],
        [38_000, { kind: 'tick' }],
        [38_005, { kind: 'alive', component: 'core' }],
        [42_000, { kind: 'tick' }],
      ]),
      [
        '0 ask core',
        '0 ask scheduler',
        '5 core unknown -> running',
        '30000 ask core',
        '30000 ask scheduler',
        '34000 ask core',
        '38000 ask core',
        '38005 restarted core',
      ],
    );
  });

  it('takes an answer in time for no restart, nor a first version; a start and another version for one', () => {
    const restarts = (...events: readonly (readonly [number, ComponentWatchEvent])[]): readonly string[] =>
      describeEffects(events).filter((line) => line.includes('restarted'));
    const alive = { kind: 'alive', component: 'scheduler' } as const;
    assert.deepEqual(restarts([5, alive], [30_000, { kind: 'tick' }], [31_999, alive]), []);
    assert.deepEqual(restarts([5, alive], [30_000, { kind: 'tick' }], [32_000, alive]), ['32000 restarted scheduler']);
    assert.deepEqual(
      restarts([5, alive], [6, { ...alive, version: '1' }], [7, alive], [8, { ...alive, version: '1' }]),
      [],
    );
    assert.deepEqual(restarts([5, { ...alive, version: '1' }], [6, { ...alive, version: '2' }]), [
      '6 restarted scheduler',
    ]);
    assert.deepEqual(restarts([5, alive], [6, { ...alive, started: true }]), ['6 restarted scheduler']);
  });

  it('always knows when to look again, and never in a loop', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 60_000 }), fc.constantFrom('core', 'scheduler', 'bus')), {
          maxLength: 40,
        }),
        (steps) => {
          let watch = startComponentWatch(0);
          let nowMs = 0;
          for (const [gap, what] of steps) {
            nowMs += gap;
            [watch] = onComponentWatch(watch, { kind: 'tick' }, nowMs);
            assert.ok(nextWatchTickMs(watch) > nowMs && nextWatchTickMs(watch) <= nowMs + 45_000);
            [watch] = onComponentWatch(
              watch,
              what === 'bus' ? { kind: 'bus-up' } : { kind: 'alive', component: what },
              nowMs,
            );
          }
        },
      ),
    );
  });
});

describe('the token bucket', () => {
  const options = { perSecond: 10, burst: 20, quietMs: 1_000 };

  it('lets the burst through and says so once for a flood of 10,000', () => {
    let bucket = fullBucket(options, 0);
    let allowed = 0;
    const effects: string[] = [];
    for (let i = 0; i < 10_000; i += 1) {
      const taken = take(bucket, options, i / 10);
      bucket = taken.bucket;
      if (taken.allowed) allowed += 1;
      effects.push(...taken.effects.map(({ kind }) => kind));
    }
    assert.equal(allowed, 20 + 9);
    assert.deepEqual(effects, ['flood-began']);
    const over = nextSettleMs(bucket, options)!;
    assert.deepEqual(settle(bucket, options, over - 1)[1], []);
    const [quiet, ended] = settle(bucket, options, over);
    assert.deepEqual(
      ended.map((effect) => effect.kind === 'flood-ended' && effect.dropped),
      [10_000 - 29],
    );
    assert.equal(nextSettleMs(quiet, options), undefined);
  });

  it('never lets more through than burst and rate allow, and accounts for every message', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 200 }), (gaps) => {
        let bucket = fullBucket(options, 0);
        let nowMs = 0;
        let allowed = 0;
        let reported = 0;
        const count = (effects: ReturnType<typeof take>['effects']): void => {
          for (const effect of effects) if (effect.kind === 'flood-ended') reported += effect.dropped;
        };
        for (const gap of gaps) {
          nowMs += gap;
          const taken = take(bucket, options, nowMs);
          bucket = taken.bucket;
          count(taken.effects);
          if (taken.allowed) allowed += 1;
        }
        assert.ok(allowed <= options.burst + (nowMs / 1000) * options.perSecond + 1e-6);
        count(settle(bucket, options, nowMs + 10_000)[1]);
        assert.equal(allowed + reported, gaps.length);
      }),
    );
  });
});

describe('the servers of the bus', () => {
  for (const [text, expected] of [
    ['nats://nats-server:4222', { host: 'nats-server', port: 4222, tls: false, name: 'nats://nats-server:4222' }],
    ['127.0.0.1:5000', { host: '127.0.0.1', port: 5000, tls: false, name: 'nats://127.0.0.1:5000' }],
    [' tls://bus.example ', { host: 'bus.example', port: 4222, tls: true, name: 'tls://bus.example:4222' }],
    ['nats://[::1]:21', { host: '::1', port: 21, tls: false, name: 'nats://[::1]:21' }],
    ['nats://u:p%40@h', { host: 'h', port: 4222, tls: false, name: 'nats://h:4222', user: 'u', pass: 'p@' }],
    ['nats://secret@h:1', { host: 'h', port: 1, tls: false, name: 'nats://h:1', token: 'secret' }],
    ['ws://h', undefined],
    ['', undefined],
    ['nats://', undefined],
    ['nats://h:99999', undefined],
    ['nats://h/path', undefined],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(parseBusServer(text), expected));
  }
});
